"""Cards in a real browser: they are fully drawn in their frame, kept up to date, and reach nothing outside of it."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from playwright.sync_api import Browser, Error, Page, expect

from catalog.runs import Datastore, Unavailable, card_of, card_page, cards_of, live_data
from catalog.runs.card_frame import frame_response, live_response
from tests.catalog.runs.conftest import Elsewhere, FlowRuns, start_flow

pytestmark = [pytest.mark.browser, pytest.mark.flows]

PATIENCE_SECONDS = 60
SECRETS: list[str] = []


def task_page(request: HttpRequest, root: str, task: str) -> HttpResponse:
    """A page like the site's own, with every card of a task in its frame."""
    frames = "".join(
        f'<iframe data-card sandbox="allow-scripts" style="width: 100%" src="/card/{root}/{task}/{card.key}?embed=true"'
        + (f' data-live="/live/{root}/{task}/{card.key}"' if card.live else "")
        + "></iframe>"
        for card in cards_of(task.replace("~", "/"), datastore(root))
    )
    response = HttpResponse(f"<!doctype html><title>The page</title>{frames}<script src='/card.js' defer></script>")
    response.set_cookie("session", "of-ada", samesite="Lax")
    return response


def datastore(root: str) -> Datastore:
    return Datastore("local", root.replace("~", "/"))


def card_view(request: HttpRequest, root: str, task: str, key: str) -> HttpResponseBase:
    card = card_of(task.replace("~", "/"), datastore(root), key)
    return frame_response(request, card if isinstance(card, Unavailable) else card_page(card))


def live_view(request: HttpRequest, root: str, task: str, key: str) -> HttpResponse:
    card = card_of(task.replace("~", "/"), datastore(root), key)
    return live_response(card if isinstance(card, Unavailable) else live_data(card))


def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse((Path(__file__).parents[3] / "static" / "card.js").read_bytes(), "text/javascript")


def secret(request: HttpRequest) -> HttpResponse:
    SECRETS.append(request.headers.get("Cookie", ""))
    return HttpResponse("secret")


urlpatterns = [
    path("task/<root>/<task>", task_page),
    path("card/<root>/<task>/<key>", card_view),
    path("live/<root>/<task>/<key>", live_view),
    path("card.js", script),
    path("secret", secret),
]


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(settings) -> Iterator[str]:
    """A site of these pages, under the policy that the real site has."""
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.MIDDLEWARE = ["csp.middleware.CSPMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware"]
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"] | {"style-src": ["'unsafe-inline'"]}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives}
    with make_server("127.0.0.1", 0, get_wsgi_application(), ThreadingServer, QuietHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    yield context.new_page()
    context.close()


def address(site: str, view: str, runs: FlowRuns, task: str) -> str:
    return f"{site}/{view}/{str(runs.root).replace('/', '~')}/{task.replace('/', '~')}"


def until(page: Page, happened: Callable[[], bool]) -> None:
    """Wait for something; the page's own policy forbids Playwright to wait by evaluating text there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if happened():
            return
        page.wait_for_timeout(100)
    raise AssertionError("waited in vain")


def height_of(page: Page, index: int = 0) -> float:
    box = page.locator("iframe").nth(index).bounding_box()
    assert box is not None
    return box["height"]


def test_cards_are_drawn_in_their_frames_at_their_full_height(page: Page, site: str, runs: FlowRuns) -> None:
    page.goto(address(site, "task", runs, runs.task("CardsFlow", "pair")))
    numbers, picture = page.frame_locator("iframe >> nth=0"), page.frame_locator("iframe >> nth=1")
    expect(numbers.locator("td", has_text="9801")).to_be_visible()
    expect(picture.locator("h1", has_text="A dot")).to_be_visible()
    assert picture.locator("img").first.evaluate("image => image.naturalWidth") == 1
    until(page, lambda: height_of(page, 0) > 2000)
    until(page, lambda: 200 < height_of(page, 1) < 800)
    for index, frame in enumerate(page.frames[1:]):
        page.locator("iframe").nth(index).scroll_into_view_if_needed()  # a browser lays out late what is out of view
        until(page, lambda frame=frame: frame.evaluate("document.documentElement.scrollHeight <= innerHeight + 1"))


def test_the_height_follows_the_content_both_ways(page: Page, site: str, runs: FlowRuns) -> None:
    page.goto(address(site, "task", runs, runs.task("CardsFlow", "pair")))
    expect(page.frame_locator("iframe >> nth=0").locator("td", has_text="9801")).to_be_visible()
    until(page, lambda: height_of(page) > 2000)
    page.frames[1].evaluate("document.querySelector('table').remove()")
    until(page, lambda: height_of(page) < 1000)


def test_the_default_card_is_drawn(page: Page, site: str, runs: FlowRuns) -> None:
    page.goto(address(site, "task", runs, runs.task("CardsFlow", "start")))
    expect(page.frame_locator("iframe").get_by_text("CardsFlow").first).to_be_visible()
    until(page, lambda: height_of(page) > 300)


def test_a_hostile_card_reaches_nothing(page: Page, site: str, runs: FlowRuns, elsewhere: Elsewhere) -> None:
    page.goto(address(site, "task", runs, runs.task("CardsFlow", "hostile")))
    report = page.frame_locator("iframe").locator("#report[data-done]")
    expect(report).to_have_text("reached: ")
    page.wait_for_timeout(3500)
    assert elsewhere.requests == []
    assert page.title() == "The page"
    assert page.url.startswith(site)
    assert "of-ada" not in "".join(SECRETS)
    assert height_of(page) <= 20_000
    assert len(page.context.pages) == 1


def test_a_card_opened_by_itself_is_refused(page: Page, site: str, runs: FlowRuns) -> None:
    task = runs.task("CardsFlow", "hostile")
    (card,) = cards_of(task, runs.datastore)
    answer = page.goto(f"{address(site, 'card', runs, task)}/{card.key}")
    assert answer is not None
    assert answer.status == 403


@pytest.mark.long
def test_an_open_page_follows_a_running_task_to_its_final_card(page: Page, site: str, tmp_path: Path) -> None:
    live, signs = FlowRuns(tmp_path / "project" / ".metaflow"), tmp_path / "signs"
    signs.mkdir()
    (signs / "show").touch()
    process = start_flow("live_flow", tmp_path / "project", SIGNS=str(signs))
    try:
        until(page, lambda: (signs / "started").exists())
        until(page, lambda: bool(cards_of(live.task("LiveFlow", "start"), live.datastore)))
        page.goto(address(site, "task", live, live.task("LiveFlow", "start")))
        counter = page.frame_locator("iframe").get_by_text("Counted to")
        first = counter.inner_text()
        expect(counter).not_to_have_text(first)
        (signs / "finish").touch()
        until(page, lambda: shows_final_card(page))
        expect(counter).to_be_visible()
    finally:
        (signs / "finish").touch()
        process.communicate()


def shows_final_card(page: Page) -> bool:
    """Whether the frame holds the final card; false while it is loading."""
    try:
        return bool(page.frames[1].evaluate("window.METAFLOW_RELOAD_TOKEN === 'final'"))
    except Error:
        return False
