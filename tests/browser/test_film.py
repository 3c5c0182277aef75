"""The film-strip in a real browser: four cards alive at most, whatever they are; keys, pins, pages without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.catalog.runs.conftest import FlowRuns
from tests.catalog.runs.test_browser import FLOOD, RESTLESS, listening, until
from tests.chromium import CHROMIUM, FLAGS
from tests.conftest import Site
from tests.places import CHECKOUT

pytestmark = pytest.mark.browser

WAYS = (CHECKOUT / "tests/catalog/runs/ways_out.js").read_text()
ENDINGS = re.findall(r"^  (\w+): ", WAYS.partition("const endings")[2], re.MULTILINE)
GROWS = """<!doctype html><p>grows</p><script>
const grow = () => { document.body.style.height = `${(height += 1e6)}px`; requestAnimationFrame(grow); };
let height = 0;
grow();
</script>"""
LOOPS = "<!doctype html><p>loops</p><script>addEventListener('load', () => { while (true); })</script>"
WANTS_ALL = """<!doctype html><p id="all">wants all</p><script>
for (const want of [
  () => window.focus(), () => alert(1), () => print(), () => open("about:blank"),
  () => document.body.requestFullscreen(), () => document.querySelector("p").requestPointerLock(),
  () => navigator.clipboard.writeText("mine"),
  () => parent.document.title = "mine", () => { top.location = "about:blank"; }, () => parent.postMessage({}, "*"),
]) { try { want()?.catch?.(() => {}); } catch {} }
</script>"""


def write_versions(site: Site, root: Path, name: str, cards: list[str]) -> str:
    """A model with a version for each card (empty: its task made none); the path of its page."""
    written = FlowRuns(root)
    for number, card in enumerate(cards, 1):
        task = f"Film/1/train/{name}{number}"
        if card:
            folder = written.card_folder(task) / "cards"
            folder.mkdir(parents=True)
            (folder / f"blank-{number:06}.html").write_text(card)
        body = {
            "entity_ref": {"entity_kind": "task", "entity_id": task},
            "model_asset_kind": "artifact",
            "annotations": {"auc": 0.5 + number / 1000},
            "datastore": {"type": "local", "root": str(root)},
        }
        answer = requests.patch(f"{site.branch}/models/{name}", json=body, timeout=20)
        assert answer.status_code == 201, answer.text
    return f"{site.url}/default/churn/main/models/{name}"


@pytest.fixture
def watched(open_page):
    return open_page(DESK)


NOTE_FRAMES = """() => {
  const count = () => document.querySelectorAll("iframe").length;
  window.mostFrames = count();
  const note = () => { window.mostFrames = Math.max(window.mostFrames, count()); };
  new MutationObserver(note).observe(document, {childList: true, subtree: true});
}"""


def hostile(port: int) -> Iterator[str]:
    """Fifty cards that try what a card must not be able to do. Those that never rest are looked at last: the browser
    gives all cards one process, so the others would have to wait."""
    tries = WAYS.replace("PORT", str(port))
    ways = [f"<!doctype html><body><p>way</p><script>{tries.replace('WAY', way)}</script>" for way in ["all", *ENDINGS]]
    kinds = [*ways, FLOOD, RESTLESS, GROWS, WANTS_ALL]
    for number in range(50):
        yield kinds[number % len(kinds)] if number > 1 else LOOPS


@pytest.fixture
def apart(browser: Browser) -> Iterator[Page]:
    """A page of a browser of its own: what never rests may hold up the cards of other pages."""
    own = browser.browser_type.launch(executable_path=str(CHROMIUM), args=FLAGS)
    width, height = DESK
    yield own.new_page(viewport={"width": width, "height": height})
    own.close()


def was_loaded(card: Locator) -> bool:
    """Whether a card of the strip stands in its frame, or was taken out of it."""
    return card.locator("iframe").count() == 1 or "taken out" in card.inner_text()


@pytest.mark.long
def test_fifty_hostile_cards_in_a_strip_stay_contained(served, apart, tmp_path):
    page = apart
    with listening() as (port, came):
        address = write_versions(served, tmp_path, "hostile", list(hostile(port)))
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{address}/film")
        page.evaluate(NOTE_FRAMES)
        before = page.evaluate("history.length")
        assert page.locator("[data-film] li").count() == 50
        page.locator("[data-film]").focus()
        page.keyboard.press("End")
        loaded = 0
        for number in range(50, 0, -1):
            card = page.locator(f"#v{number} .film-card")
            until(page, lambda card=card: was_loaded(card))
            loaded += card.locator("iframe").count()
            assert page.locator("iframe").count() <= 4
            page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(1500)
        assert came == []
    assert loaded >= 40
    assert page.evaluate("mostFrames") == 4
    expect(page.get_by_role("link", name="v1", exact=True)).to_be_focused()
    # it waits for v2, which never rests: 30 s until both are taken out
    expect(page.locator("#v1").get_by_text("it did not answer")).to_be_visible(timeout=90_000)
    assert page.url == f"{address}/film"
    assert page.title().startswith("Cards of hostile")
    assert page.evaluate("history.length") == before
    assert len(page.context.pages) == 1
    taken_out = page.get_by_text("This card was taken out, because")
    expect(taken_out.nth(2)).to_be_attached()  # v1, v2, and others that flood or take the keyboard
    page.get_by_role("link", name="v1", exact=True).click()
    expect(page).to_have_url(f"{address}/v1")


FINE = "<!doctype html><h1>Fine</h1>"


def titles(page: Page) -> list[str]:
    return page.locator("iframe").evaluate_all("all => all.map(frame => frame.title.split(' ').pop())")


def test_cards_load_when_they_come_into_view_and_go_when_they_are_far(served, open_page, tmp_path):
    address = write_versions(served, tmp_path, "strip", [FINE, "", *[FINE] * 10])
    watched = open_page(PHONE, "dark")
    page = watched.page
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{address}/film")
    until(page, lambda: "v12" in titles(page))
    expect(page.frame_locator("#v12 iframe").get_by_text("Fine")).to_be_attached()
    assert "v6" not in titles(page)
    assert not watched.scrolls_sideways()
    page.locator("[data-film]").focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    until(page, lambda: "v6" in titles(page) and "v12" not in titles(page))
    expect(page.locator("#v12")).to_contain_text("Loads when it is nearer to the middle")
    page.keyboard.press("Home")
    expect(page.get_by_role("link", name="v1", exact=True)).to_be_focused()
    expect(page.locator("#v2")).to_contain_text("The files of this task are gone, and its cards with them")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/v1")


def test_two_are_pinned_beside_each_other(served, watched, tmp_path):
    address = write_versions(served, tmp_path, "pinned", [FINE] * 6)
    page = watched.page
    page.goto(f"{address}/film")
    page.get_by_role("link", name="Pin v2").click()
    page.get_by_role("link", name="Pin v5").click()
    expect(page).to_have_url(f"{address}/film?pin=v2,v5#v5")
    until(page, lambda: titles(page).count("v2") == titles(page).count("v5") == 1)
    expect(page.locator("#v5")).to_contain_text("Pinned below")
    assert page.locator("iframe").count() <= 4
    one, other = (page.locator(".film-pinned li").nth(place).bounding_box() for place in (0, 1))
    assert one["y"] == other["y"]
    expect(page.get_by_role("link", name="compare all of both")).to_have_attribute("href", re.compile("of=v2,v5$"))


def test_without_scripts_each_card_is_a_link_to_its_version(served, open_page, tmp_path):
    address = write_versions(served, tmp_path, "plain", [FINE] * 8)
    page = open_page(DESK, scripts=False).page
    page.goto(f"{address}/film")
    expect(page.get_by_text("Its card is on the page of v8")).to_be_in_viewport()
    page.locator("#v8 .film-card").click(force=True)  # what lies above it is the link
    expect(page).to_have_url(f"{address}/v8")
