"""What only pages and browsers need is not done for calls."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from access.for_pages import Htmx, Messages, Sessions, Users, is_call


@pytest.mark.parametrize("path", ["/v1/me", "/v1/", "/v1/perimeters/a/projects/b"])
def test_an_address_below_v1_is_a_call(path):
    assert is_call(path)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/docs", "/v1ch/", "/alpha/churn/main.json"])
def test_pages_are_no_calls(path):
    assert not is_call(path)


@pytest.mark.parametrize(("middleware", "adds"), [(Messages, "_messages"), (Htmx, "htmx")])
def test_a_call_has_nothing_that_only_pages_need(middleware, adds):
    got = []

    def view(request):
        got.append(hasattr(request, adds))
        return HttpResponse()

    for path in ("/v1/docs", "/v1/me"):
        request = RequestFactory().get(path)
        request.session = {}
        middleware(view)(request)
    assert got == [True, False]


@pytest.mark.parametrize(("path", "cookies", "has"), [("/", "", True), ("/v1/me", "a=b", True), ("/v1/me", "", False)])
def test_a_call_without_cookies_has_no_session_and_is_nobody(path, cookies, has):
    got = []

    def view(request):
        got.append(hasattr(request, "session"))
        assert not request.user.is_authenticated
        return HttpResponse()

    cookie = {"HTTP_COOKIE": cookies} if cookies else {}
    Sessions(Users(view))(RequestFactory().get(path, **cookie))
    assert got == [has]
