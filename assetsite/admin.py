"""The administration: Django's admin, entered by everybody who may write somewhere."""

from functools import update_wrapper
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from access.addresses import address_of, place_of
from access.errors import BadRequest, NotFound
from access.identity import viewer_of
from access.models import AuditEntry
from access.sign_in import SignOut
from access.turns import turns


class SiteAdmin(admin.AdminSite):
    """Open to people with the role editor or admin in a perimeter, and to superusers.

    Django's `is_staff` and model permissions play no part: what a person may do behind the door follows from the same
    `Viewer` as everywhere else. Tokens are for programs, which have the API.
    """

    site_title = site_header = "assetsite administration"
    index_title = "Administration"

    def has_permission(self, request: HttpRequest) -> bool:
        return viewer_of(request).may_administer

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        entered = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                raise NotFound("The administration is for people with the role editor or admin in a perimeter.")
            if "%00" in request.META.get("QUERY_STRING", ""):
                raise BadRequest("The address asks for a NUL character (%00), which no row can hold. Take it out.")
            return entered(request, *args, **kwargs)

        return update_wrapper(guarded, entered)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """People sign in at the site's own page, to which whoever is not signed in has been sent already."""
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """People sign out in the site's own way."""
        return SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        if getattr(request, "signed_in_locally", False):
            # saving the local user would keep the rights that it is lent for the request
            raise NotFound("In local mode nobody signs in, so there is no password.")
        if request.method != "POST":
            return super().password_change(request, extra_context)
        with turns().taken(place_of(request)):  # the old password is checked, as for signing in
            response = super().password_change(request, extra_context)
        if response.status_code == HTTPStatus.FOUND:
            who = viewer_of(request)
            detail = {"address": address_of(request)}
            AuditEntry.objects.record(who, action="password.change", perimeter="", target=who.actor, detail=detail)
        return response
