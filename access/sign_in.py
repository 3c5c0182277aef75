"""The pages for signing in and out."""

from datetime import timedelta
from functools import cached_property
from math import ceil
from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from access.addresses import place_of
from access.attempts import shown_to_counters
from access.errors import TooManyRequests, error_response
from access.turns import turns


class SignIn(LoginView):
    """Signs in who has an account; 429 with Retry-After while the site waits before it checks another password."""

    template_name = "access/sign_in.html"
    redirect_authenticated_user = True

    @cached_property
    def attempt(self) -> HttpRequest:
        return shown_to_counters(self.request)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.attempt}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**{"refusal": "", **context})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with turns().taken(place_of(request)):
                return super().post(request, *args, **kwargs)
        except TooManyRequests as busy:
            return self.refuse(busy.message, 1)

    def form_invalid(self, form: Any) -> HttpResponse:
        wait: timedelta = getattr(self.attempt, "wait", timedelta(0))
        if wait > timedelta(0):
            return self.refuse(locked_sentence(wait), ceil(wait.total_seconds()))
        return super().form_invalid(form)

    def refuse(self, sentence: str, seconds: int) -> HttpResponse:
        """The sentence above an empty form, or in JSON; no password is checked for it."""
        response: HttpResponse
        if self.request.get_preferred_type(["text/html", "application/json"]) == "application/json":
            response = error_response(TooManyRequests.status, sentence, {"retry_after": seconds})
        else:
            form = self.get_form_class()(initial={"username": self.request.POST.get("username", "")})
            context = self.get_context_data(form=form, refusal=sentence)
            response = self.render_to_response(context, status=TooManyRequests.status)
        response.headers["Retry-After"] = str(seconds)
        patch_vary_headers(response, ["Accept"])
        return response


class SignOut(LogoutView):
    """Ends the session; the browser forgets what it has kept of the site."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


def locked_sentence(wait: timedelta) -> str:
    """What somebody is told whose sign-ins have failed too often."""
    minutes = ceil(wait / timedelta(minutes=1))
    return (
        f"Signing in with this name from your address has failed too often. Try again in {minutes} "
        f"minute{'s' if minutes > 1 else ''}; each further failure makes the wait longer. The people who run this "
        "site can let you in before, or set a new password."
    )
