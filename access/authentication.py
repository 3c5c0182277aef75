"""How a request says who is asking: a token, else a session, else (in local mode) being on this machine."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from access import token_use
from access.addresses import address_of
from access.errors import CHALLENGE, Unauthorized
from access.identity import Viewer, is_member, viewer_of
from access.local_mode import local_user
from access.models import FeedKey, Token
from access.refused_forms import refusal_of_form

if TYPE_CHECKING:  # this module is loaded while APIView is being made, from the settings
    from rest_framework.views import APIView


def identify(request: HttpRequest) -> Viewer:
    """The viewer of a request. A token that is no good raises Unauthorized, in local mode too."""
    feed_secret: str | None = getattr(request, "feed_secret", None)  # see FeedAddressMiddleware
    if feed_secret is not None:
        return viewer_of_feed(feed_secret)
    secret = secret_in(request)
    if secret:
        return viewer_of_secret(secret, address_of(request))
    if getattr(request, "signed_in_locally", False):
        return Viewer(local_user(), local=True)
    return Viewer(request.user)


def secret_in(request: HttpRequest) -> str:
    """The token that the request carries, or an empty string."""
    key: str = request.META.get("HTTP_X_API_KEY", "").strip()
    scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key or (bearer.strip() if scheme.lower() == "bearer" else "")


def viewer_of_secret(secret: str, address: str = "") -> Viewer:
    """The viewer of a token's secret, by one query; raises Unauthorized saying what is wrong with the token.

    `address` is where it is used from, empty if that is not known.
    """
    token, now = Token.objects.of_secret(secret), timezone.now()
    if token is None:
        raise Unauthorized("The token is unknown.")
    if token.revoked_at is not None:
        raise Unauthorized(f"The token {token} was revoked.")
    if token.expired(now):
        raise Unauthorized(f"The token {token} has expired.")
    if not token.user.is_active:
        raise Unauthorized(f"The account of the token {token} is closed.")
    token_use.note(token, now, address)
    return Viewer(token.user, token=token)


def viewer_of_feed(secret: str) -> Viewer:
    """The viewer of a key of feeds, by one query; one that is no good, and that of somebody who is gone, is refused."""
    key, now = FeedKey.objects.of_secret(secret) if secret else None, timezone.now()
    if key is None or key.revoked_at is not None or not is_member(key):
        raise Unauthorized("The key of feeds is unknown.")
    if key.last_used_at is None or key.last_used_at < now - token_use.PRECISION:
        FeedKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return Viewer(key.user, feed_key=key)


def from_browser(request: HttpRequest) -> bool:
    """Whether a browser sent this; every current one marks what can change something with one of these headers."""
    return any(name in request.META for name in ("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_SEC_FETCH_SITE"))


class ViewerAuthentication(SessionAuthentication):
    """The API's authentication; `request.auth` and `request.viewer` are the Viewer.

    Who is known by a cookie must also send the CSRF token with an unsafe method. In local mode there is no cookie to
    abuse: programs on this machine need none, and what browsers send keeps the rule.
    """

    def authenticate(self, request: Request) -> tuple[object, Viewer] | None:
        viewer = viewer_of(request)
        if not viewer.signed_in:
            return None
        if viewer.token is None and not (viewer.local and not from_browser(request)):
            self.enforce_csrf(request)
        return viewer.user, viewer

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as exc:
            raise refusal_of_form(request, str(exc.detail)) from None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE["WWW-Authenticate"]


class SignedIn(BasePermission):
    """The API answers nobody who has not said who they are."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return viewer_of(request).signed_in
