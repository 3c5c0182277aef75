"""The headers of every answer but static files: who may keep it, what it depends on, what its page may do."""

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

KEPT_BY_NOBODY = ("admin", "sign-in", "sign-out")
"""The first segments of addresses whose answers are written to no disk."""
WHO_ASKS = ("Cookie", "Authorization", "X-Api-Key")
VARY = ", ".join(WHO_ASKS)
NOT_USED = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation"),
    *("gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment"),
    *("picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "usb"),
    *("window-management", "xr-spatial-tracking"),
)
"""What browsers can let a page do, and no page of this site does; so no card within a page can either."""
PERMISSIONS = ", ".join([*(f"{feature}=()" for feature in NOT_USED), "clipboard-write=(self)"])
EXPLAINED = (404, 500)
"""What Django explains while it debugs, on pages with styles and scripts in them."""


def policy(more: Mapping[str, Sequence[str]] | None = None) -> str:
    """The Content-Security-Policy of the settings; `more` has further sources for some of its directives."""
    further = more or {}
    directives = {name: [*sources, *further.get(name, ())] for name, sources in settings.SECURE_CSP.items()}
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


class PolicyMiddleware:
    """The settings' policy, written once, for whatever has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not (settings.DEBUG and response.status_code in EXPLAINED):
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class PrivateAnswersMiddleware:
    """Nobody but the browser that asked keeps an answer, and it asks again before it shows it a second time.

    An answer that says itself who may keep it is left as it is. Static files are answered before this middleware, and
    whatever is refused or redirected by another one comes through it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        if "Cache-Control" not in headers:
            secret = request.path_info.lstrip("/").partition("/")[0] in KEPT_BY_NOBODY
            headers["Cache-Control"] = "no-store" if secret else "private, no-cache"
        if "Vary" in headers:
            patch_vary_headers(response, WHO_ASKS)
        else:  # flows' calls
            headers["Vary"] = VARY
        if response.status_code == 304:  # which has the length of what it stands for, or tells none
            headers.pop("Content-Length", None)
        headers["Permissions-Policy"] = PERMISSIONS
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def mark_static(headers: dict[str, str], path: str, url: str) -> None:
    """Whitenoise's hook, once for each file: pages of other sites load nothing from here."""
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
