"""Cards in a real browser: they are fully drawn in their frame, kept up to date, and reach nothing outside of it."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from select import select
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
from tests.places import STATIC

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
    return HttpResponse((STATIC / "card.js").read_bytes(), "text/javascript")


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
    settings.MIDDLEWARE = ["access.headers.PolicyMiddleware", "django.middleware.clickjacking.XFrameOptionsMiddleware"]
    settings.SECURE_CSP = settings.SECURE_CSP | {"style-src": ["'unsafe-inline'"]}
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


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A port of UDP and TCP, and what came in there."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(tcp.getsockname())

        def note() -> None:
            while True:
                for ready in select([tcp, udp], [], [])[0]:
                    if ready is tcp:
                        tcp.accept()[0].close()
                    elif udp.recv(64) == b"end":
                        return
                    came.append("TCP" if ready is tcp else "UDP")

        noting = threading.Thread(target=note, daemon=True)
        noting.start()
        yield tcp.getsockname()[1], came
        udp.sendto(b"end", udp.getsockname())
        noting.join()


def write_cards(root: Path, **cards: str) -> FlowRuns:
    """A datastore with one task, Flow/1/start/2, that has these cards by their types."""
    written = FlowRuns(root)
    folder = written.card_folder("Flow/1/start/2") / "cards"
    folder.mkdir(parents=True)
    for name, page in cards.items():
        (folder / f"{name}-abcdef.html").write_text(page)
    return written


def test_no_packet_leaves_a_card_whatever_it_tries(page: Page, site: str, tmp_path: Path) -> None:
    tries = (Path(__file__).parent / "ways_out.js").read_text()
    endings = re.findall(r"^  (\w+): ", tries.partition("const endings")[2], re.MULTILINE)
    assert len(endings) == 7
    with listening() as (port, came):
        tries = tries.replace("PORT", str(port))
        call = tries.partition("const CALL = `")[2].partition("`;")[0].replace("${at}", f"127.0.0.1:{port}")
        framed = f'<iframe srcdoc="{escape(f"<script>{call}</script>")}"></iframe>'
        static = f'{framed}<div><template shadowrootmode="closed">{framed}</template></div><object></object>'
        start = f"<!doctype html><body><link rel='preconnect' href='http://127.0.0.1:{port}'>{static}<script>"
        cards = {way: f"{start}{tries.replace('WAY', way)}</script><p>tried</p>" for way in ["all", *endings]}
        written = write_cards(tmp_path, **cards)
        page.goto(address(site, "task", written, "Flow/1/start/2"))
        page.wait_for_timeout(1500)
        assert came == []
        expect(page.frame_locator("iframe >> nth=0").get_by_text("tried")).to_be_visible()
        page.wait_for_timeout(1500)
    assert came == []
    assert len(page.context.pages) == 1


WIDE = """<style>body { overflow-x: hidden; white-space: nowrap }</style>
<h1 onclick="this.textContent += ' heard'">AUC 0.8016 on the holdout rows, a headline far too long for a phone</h1>"""


def test_a_wide_card_scrolls_inside_of_its_frame_on_a_phone(page: Page, site: str, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(address(site, "task", write_cards(tmp_path, wide=WIDE), "Flow/1/start/2"))
    page.frame_locator("iframe").locator("h1").click(position={"x": 5, "y": 5})
    expect(page.frame_locator("iframe").get_by_text("heard")).to_be_visible()
    page.mouse.wheel(300, 0)
    until(page, lambda: page.frames[1].evaluate("scrollX") > 100)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


RESTLESS = """<!doctype html><p id="end">restless</p><a href="#end">down</a><script>
for (let i = 0; i < 20; i += 1) history.pushState(i, "", "?" + i);
addEventListener("load", () => setTimeout(() => {
  history.back();
  document.querySelector("a").click();
  document.body.append("walked");
  addEventListener("click", () => { for (let i = 0; i < 20; i += 1) location.hash = "p" + i; });
}));
</script>"""
FLOOD = """<!doctype html><p>flood</p><script>
const pour = () => { for (let i = 0; i < 20000; i += 1) parent.postMessage({card: "height", height: i}, "*"); };
setInterval(pour, 1);
</script>"""


def test_a_card_adds_nothing_to_the_history(page: Page, site: str, tmp_path: Path) -> None:
    written = write_cards(tmp_path, restless=RESTLESS)
    page.goto(f"{site}/card.js")
    page.goto(address(site, "task", written, "Flow/1/start/2"))
    card, before = page.frame_locator("iframe"), page.evaluate("history.length")
    expect(card.locator("body")).to_contain_text("walked")
    page.wait_for_timeout(300)
    assert page.evaluate("history.length") == before
    card.locator("p").click()
    expect(page.get_by_text("it filled the history of the browser")).to_be_visible()
    page.wait_for_timeout(300)
    page.go_back()
    assert page.url == f"{site}/card.js"


def test_a_card_that_floods_its_page_is_taken_out_until_it_is_asked_for_again(
    page: Page, site: str, tmp_path: Path
) -> None:
    written = write_cards(tmp_path, flood=FLOOD)
    page.goto(address(site, "task", written, "Flow/1/start/2"), timeout=PATIENCE_SECONDS * 1000)
    again = page.get_by_role("button", name="Load it again")
    expect(again).to_be_visible()
    began = time.monotonic()
    assert page.title() == "The page"
    assert time.monotonic() - began < 1
    assert page.locator("iframe").count() == 0
    again.click()
    expect(page.get_by_text("it sent so much that the page could not answer")).to_be_visible()


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
