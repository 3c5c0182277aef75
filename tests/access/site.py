"""A small site of one page, one API address and the real access pages, so that the rules are tested by themselves."""

from django.contrib import admin
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.http import require_POST
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import errors
from access.api import me
from access.identity import viewer_of
from access.models import Perimeter, Role

handler400 = "access.errors.bad_request"
handler403 = "access.errors.permission_denied"
handler404 = "access.errors.page_not_found"
handler500 = "access.errors.server_error"

REFUSALS = {
    "bad": errors.BadRequest("Send a number.", field="count"),
    "conflict": errors.Conflict("Somebody else moved it.", current=None),
    "large": errors.TooLarge("At most 8 MiB."),
    "missing": errors.NotFound("There is no asset 'xkcd'.", asset="xkcd"),
    "huge": RequestDataTooBig("more than 8388608 bytes"),
    "fields": ValidationError({"tags": {"colour": ["This is not text."]}}),
}


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {viewer_of(request).actor}")


def search(request: HttpRequest, twin: bool) -> HttpResponse:
    return home(request)


def perimeter_page(request: HttpRequest, perimeter: str, twin: str = "") -> HttpResponse:
    return HttpResponse(viewer_of(request).require(perimeter).name)


@require_POST
def rename(request: HttpRequest, perimeter: str) -> HttpResponse:
    found = viewer_of(request).require(perimeter, Role.ADMIN)
    return HttpResponse(found.name)


def refuse_on_a_page(request: HttpRequest, how: str) -> HttpResponse:
    raise REFUSALS[how]


@api_view(["GET", "PATCH"])
def branch(request: Request, perimeter: str, branch: str) -> Response:
    """Reading needs viewer, writing needs editor and the branch."""
    if request.method == "GET":
        found = viewer_of(request).require(perimeter)
    else:
        found = viewer_of(request).require(perimeter, Role.EDITOR, [branch])
    return Response({"perimeter": found.name, "body": request.data})


@api_view(["GET"])
def perimeters(request: Request) -> Response:
    visible = Perimeter.objects.visible_to(viewer_of(request))
    return Response([perimeter.name for perimeter in visible])


@api_view(["GET"])
def refuse_in_the_api(request: Request, how: str) -> Response:
    raise REFUSALS[how]


@api_view(["GET"])
def fail(request: Request) -> Response:
    raise RuntimeError("a programming error")


urlpatterns = [
    path("", home, name="home"),
    path("admin/", admin.site.urls),
    path("", include("access.urls")),
    path("v1/docs", home, name="api-docs"),
    path("search", search, {"twin": False}, name="search"),
    path("me/watching", home, name="watching"),
    path("v1/me", me),
    path("v1/perimeters", perimeters),
    path("v1/perimeters/<str:perimeter>/branches/<path:branch>", branch),
    path("v1/plain/<str:perimeter>", rename),
    path("v1/refuse/<str:how>", refuse_in_the_api),
    path("v1/fail", fail),
    path("refuse/<str:how>", refuse_on_a_page),
    path("<str:perimeter>/rename", rename),
    path("<str:perimeter>.json", perimeter_page),
    re_path("^(?P<perimeter>[^/]+)(?P<twin>)/$", perimeter_page, name="perimeter"),
]
