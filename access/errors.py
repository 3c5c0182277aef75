"""Every way to say no: the site's own exceptions, and the one JSON shape that all errors have under /v1.

    SiteError
    ├── BadRequest    400   the request can't be understood
    ├── Unauthorized  401   nobody is signed in, or the token is no good
    ├── Forbidden     403   visible, but not allowed
    ├── NotFound      404   unknown, or not visible
    ├── MethodNotAllowed 405  an address that can't do that
    ├── Conflict      409   the catalogue has moved on, or a name is taken
    ├── TooLarge      413   over a stated limit
    └── TooManyRequests 429 too often, or too much at once

Above them stands GateRefused (422): the gates of an alias or a branch refuse it (`catalog/recording/gating.py`).

They are also Django's exceptions of the same meaning where there are such, so pages may raise them too.

What leaves a view besides is a 503 if it is trouble of the database (`access.database_trouble`), else a 500.
"""

import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import exceptions as django_errors
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.module_loading import import_string
from django.views import defaults
from rest_framework import exceptions as drf_errors
from rest_framework.response import Response

from access.database_trouble import STOPPED, Trouble, trouble_of

API_ROOT = "/v1/"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="assetsite"'}
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "gate_refused",
    429: "too_many_requests",
    503: "unavailable",
}
SENTENCES = {
    400: "The request can't be understood.",
    401: "Sign in, or send a token as `x-api-key` or `Authorization: Bearer`.",
    403: "This is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is larger than this site takes.",
    422: "The gates refuse this.",
    500: "The server failed; its log says why.",
}

FOREIGN_HOST = "The site does not answer to the host name of this request. "

LESS = (
    "Ask for less: in a list begin with a filter that names a value exactly, or leave some out; in a search write more "
    "letters; in lineage take less depth."
)


class SiteError(Exception):
    """A refusal with a sentence for people and named parts for programs."""

    status = 400
    code = ""
    """What programs are told in the place of the status's own word."""

    def __init__(self, message: str = "", **detail: Any) -> None:
        self.message = message or SENTENCES.get(self.status, "")
        self.detail = detail
        super().__init__(self.message)


class BadRequest(SiteError, django_errors.BadRequest):
    status = 400


class Unauthorized(SiteError):
    status = 401


class Forbidden(SiteError, django_errors.PermissionDenied):
    status = 403


class NotFound(SiteError, Http404):
    status = 404


class MethodNotAllowed(SiteError):
    status = 405


class Conflict(SiteError):
    status = 409


class TooLarge(SiteError):
    status = 413


class TooManyRequests(SiteError):
    status = 429


def error_body(status: int, message: str = "", detail: dict[str, Any] | None = None, code: str = "") -> dict[str, Any]:
    """The one JSON shape of an error."""
    code = code or CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_")
    return {"error": code, "message": message or SENTENCES.get(status, ""), "detail": detail or {}}


def error_response(
    status: int, message: str = "", detail: dict[str, Any] | None = None, code: str = ""
) -> JsonResponse:
    """The JSON answer for an error met outside the API framework."""
    headers = CHALLENGE if status == HTTPStatus.UNAUTHORIZED else None
    return JsonResponse(error_body(status, message, detail, code), status=status, headers=headers)


def code_of(exc: Exception) -> str:
    """The word of a refusal that has one of its own."""
    return exc.code if isinstance(exc, SiteError) else ""


def wants_json(request: HttpRequest) -> bool:
    """Whether errors at this address are JSON: in the API, and for the .json twins of pages."""
    return json_at(request.path_info)


def json_at(path: str) -> bool:
    """Whether errors at this path are JSON."""
    return path.startswith(API_ROOT) or path == API_ROOT.rstrip("/") or path.endswith(".json")


def answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; None lets a programming error become the 500 of `server_error`."""
    refusal = refusal_of(exc)
    if refusal is None:
        return None
    status, message, detail = refusal
    headers = dict(CHALLENGE) if status == HTTPStatus.UNAUTHORIZED else {}
    if isinstance(exc, drf_errors.MethodNotAllowed) and "view" in context:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(error_body(status, message, detail, code_of(exc)), status=status, headers=headers)


def refusal_of(exc: Exception) -> tuple[int, str, dict[str, Any]] | None:
    """Status, message and detail of an exception that means a refusal; None for any other."""
    match exc:
        case SiteError():
            return exc.status, exc.message, exc.detail
        case drf_errors.ValidationError():
            return _refusal_of_fields(exc)
        case drf_errors.NotAuthenticated():
            return 401, "", {}
        case drf_errors.UnsupportedMediaType():
            return 415, f"{exc.detail} Send JSON, with `Content-Type: application/json`.", {"field": "Content-Type"}
        case drf_errors.NotAcceptable():
            return 406, f"{exc.detail} This API answers with JSON: `Accept: application/json`.", {"field": "Accept"}
        case drf_errors.APIException():
            return exc.status_code, str(exc.detail), {}
        case Http404():
            return 404, "", {}
        case django_errors.PermissionDenied():
            return 403, str(exc), {}
        case django_errors.RequestDataTooBig():
            return 413, "", {}
        case django_errors.TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return 400, f"The request has more than {most:,} parameters, which is more than this site takes.", {}
        case django_errors.ValidationError():
            return 400, " ".join(exc.messages), {}
        case django_errors.DisallowedHost():
            return 400, FOREIGN_HOST + _names_that_it_answers_to(), {}
        case django_errors.SuspiciousOperation() | django_errors.BadRequest():
            return 400, "", {}
    return None


def _names_that_it_answers_to() -> str:
    if settings.LOCAL_MODE:
        return "In local mode it does to names of this machine only, such as localhost."
    return "Whoever runs it can add the name to ASSETSITE_ALLOWED_HOSTS."


def _refusal_of_fields(exc: drf_errors.ValidationError) -> tuple[int, str, dict[str, Any]]:
    problems = list(_flatten(exc.detail))
    field = problems[0][0] if problems else ""
    message = " ".join(f"{name}: {text}" if name else text for name, text in problems)
    return 400, message, {"field": field} if field else {}


def _flatten(problem: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The (dotted field, sentence) pairs in a serializer's nested errors."""
    match problem:
        case dict():
            for key, inner in problem.items():
                part = "" if key == "non_field_errors" else str(key)
                yield from _flatten(inner, ".".join(filter(None, (name, part))))
        case list() | tuple():
            for inner in problem:
                yield from _flatten(inner, name)
        case _:
            yield name, str(problem)


def answer_refusal(request: HttpRequest, exc: Exception, status: int = 400) -> HttpResponse:
    """The answer to a refusal met outside the API framework: JSON or a page, as the address asks for.

    `status` is that of an exception which does not tell its own. What is around the sentence on a page is known to the
    room that `ERROR_PAGE_CONTEXT` names.
    """
    status, message, detail = refusal_of(exc) or (status, "", {})
    if wants_json(request):
        return error_response(status, message, detail, code_of(exc))
    templates = [f"errors/{status}.html", "errors/_error.html"]
    around = import_string(settings.ERROR_PAGE_CONTEXT)
    return render(request, templates, {**around(request, status), "message": message}, status=status)


# The site's handler400, handler403, handler404 and handler500


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_refusal(request, exception, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_refusal(request, exception, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_refusal(request, exception, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    if (trouble := trouble_of(sys.exc_info()[1])) is not None:
        return _unavailable(request, trouble)
    if wants_json(request):
        return error_response(500)
    return defaults.server_error(request, template_name="errors/500.html")


def _unavailable(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """A 503, which asks nothing of the database."""
    message, detail = trouble.sentence, dict[str, float]()
    if trouble is STOPPED:
        seconds = getattr(request, "statement_limit", 0)
        message, detail = (
            f"This was stopped after {seconds:g} s, so as not to hold up others. {LESS}",
            {"stopped_after": seconds},
        )
    if wants_json(request):
        response: HttpResponse = error_response(503, message, detail)
    else:
        response = HttpResponse(get_template("errors/503.html").render({"message": message}), status=503)
    if trouble.retry_after is not None:
        response.headers["Retry-After"] = str(trouble.retry_after)
    return response
