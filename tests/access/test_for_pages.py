"""What only pages need is not done for calls."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from access.for_pages import Htmx, Messages, is_call


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
