"""The answer that a card's frame gets, through the site's own middleware."""

import gzip
import re

import pytest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import path

from catalog.runs import CardPage, LiveData, Reason, Unavailable
from catalog.runs.card_frame import POLICY, frame_response, live_response, policy_of

CARD = gzip.compress(b"<html><body><p>the card</p></body></html>", mtime=0)
NONCE = re.compile(r"script-src 'nonce-[\w-]{4,}' 'unsafe-eval'")
IN_FRAME = {"Sec-Fetch-Dest": "iframe", "Accept-Encoding": "gzip"}


def finished(request: HttpRequest) -> HttpResponseBase:
    return frame_response(request, CardPage(CARD, "once", live=False))


def running(request: HttpRequest) -> HttpResponseBase:
    return frame_response(request, CardPage(CARD, "once", live=True))


def unreachable(request: HttpRequest) -> HttpResponseBase:
    return frame_response(request, Unavailable(Reason.UNREACHABLE, "The <storage> is down."))


def live(request: HttpRequest) -> HttpResponseBase:
    return live_response(LiveData("token", {"a": 1}, final=False))


def gone(request: HttpRequest) -> HttpResponseBase:
    return live_response(Unavailable(Reason.TASK_GONE, "Gone."))


urlpatterns = [path(view.__name__, view) for view in (finished, running, unreachable, live, gone)]


@pytest.fixture(autouse=True)
def site(settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "access.headers.PolicyMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]


@pytest.mark.parametrize("address", ["/finished", "/running", "/unreachable"])
@pytest.mark.parametrize("destination", ["iframe", "document", "empty"])
def test_every_answer_is_under_the_cards_policy_alone(client: Client, address: str, destination: str) -> None:
    response = client.get(address, headers={"Sec-Fetch-Dest": destination})
    policy, _, of_scripts = response["Content-Security-Policy"].partition(", ")
    assert policy == POLICY
    assert NONCE.fullmatch(of_scripts) or response.status_code == 403
    assert response["Connection-Allowlist"] == "()"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "no-referrer"
    assert not response.cookies


@pytest.mark.parametrize("directive", ["sandbox allow-scripts", "default-src 'none'", "connect-src 'none'"])
def test_the_policy_holds_what_keeps_a_card_in(directive: str) -> None:
    assert directive in POLICY.split("; ")
    assert "allow-same-origin" not in POLICY


def test_a_card_is_sent_as_it_is_kept(client: Client) -> None:
    response = client.get("/finished", headers=IN_FRAME)
    assert (response.status_code, response["Content-Encoding"]) == (200, "gzip")
    assert response.content == CARD
    plain = client.get("/finished", headers={"Sec-Fetch-Dest": "iframe"})
    assert plain.content == gzip.decompress(CARD)
    assert plain["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("destination", ["document", "empty", "frame", "object", "embed", ""])
def test_a_card_is_refused_outside_a_frame(client: Client, destination: str) -> None:
    response = client.get("/finished", headers={"Sec-Fetch-Dest": destination})
    assert response.status_code == 403
    assert response["Content-Type"].startswith("text/plain")
    assert b"the card" not in response.content


def test_a_card_is_shown_to_a_browser_that_does_not_say_what_it_is_for(client: Client) -> None:
    assert client.get("/finished").status_code == 200


def test_a_finished_card_that_the_browser_has_is_not_sent_again(client: Client) -> None:
    first = client.get("/finished", headers=IN_FRAME)
    assert first["Cache-Control"] == "private, no-cache"
    again = client.get("/finished", headers=IN_FRAME | {"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Content-Security-Policy"] == first["Content-Security-Policy"] == policy_of("once")
    refused = client.get("/finished", headers={"Sec-Fetch-Dest": "document", "If-None-Match": first["ETag"]})
    assert refused.status_code == 403


def test_a_running_tasks_card_is_not_kept_by_the_browser(client: Client) -> None:
    response = client.get("/running", headers=IN_FRAME)
    assert response["Cache-Control"] == "no-store"
    assert "ETag" not in response


def test_a_reason_is_told_as_text(client: Client) -> None:
    response = client.get("/unreachable", headers=IN_FRAME)
    assert response.status_code == 503
    assert "The &lt;storage&gt; is down." in response.text
    nonce = response["Content-Security-Policy"].rpartition("'nonce-")[2].partition("'")[0]
    assert response.text.startswith(f'<!doctype html><script nonce="{nonce}">')


def test_live_data_is_json_and_never_kept(client: Client) -> None:
    response = client.get("/live")
    assert response.json() == {"reload_token": "token", "data": {"a": 1}, "final": False}
    assert response["Cache-Control"] == "no-store"
    answer = client.get("/gone")
    assert (answer.status_code, answer.json()) == (404, {"error": "task-gone", "message": "Gone."})
