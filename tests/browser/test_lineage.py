"""From an asset over its lineage to the card of what another branch made: by mouse, by keyboard, without scripts."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, Watched

pytestmark = pytest.mark.browser

ASSET = "default/world/main/data/rows"
CONSUMER = "default/world/feature_x/flows/ConsumerFlow"
MADE = "default/world/feature_x/data/report/v1"
PLACES = """() => Object.fromEntries([...document.querySelectorAll("[data-drawing] .node")].map(
    node => [node.dataset.node, [node.getBoundingClientRect().x, node.getBoundingClientRect().y]]))"""


def complaints(watched: Watched) -> list[str]:
    """The errors in the console of a page, except for the web font of cards, which their policy refuses."""
    return [error for error in watched.errors if "fonts.googleapis.com" not in error]


def node(page: Page, name: str) -> Locator:
    return page.locator("[data-drawing]").get_by_role("link", name=re.compile(f"^{name}"))


def more(page: Page, name: str) -> Locator:
    """What opens a node, by the words after the number."""
    return page.locator("[data-drawing]").get_by_role("link", name=re.compile(f"^Show .* {name}$"))


def wait_for_scripts(page: Page) -> None:
    page.wait_for_function("window.htmx !== undefined")


def press_until(page: Page, key: str, wanted: Locator) -> None:
    """Presses a key until the focus is where it is wanted, as a person does who looks at it."""
    for _ in range(80):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard never reached {wanted}")


def test_by_mouse_from_an_asset_to_the_card_of_what_another_branch_made(world, open_page):
    watched = open_page()
    page = watched.page
    page.goto(world.url(ASSET))
    small = page.locator("#lineage-glance")
    expect(small.locator(".node.focus")).to_be_visible()
    small.get_by_role("link", name="open", exact=True).click()
    expect(page).to_have_url(world.url(f"{ASSET}/lineage"))
    expect(page.locator("[data-drawing] .lane")).to_contain_text(["main", "feature/x"])
    before = page.evaluate(PLACES)
    more(page, "downstream of ConsumerFlow").click()
    expect(node(page, "data report")).to_be_visible()
    assert "open=" in page.url
    after = page.evaluate(PLACES)
    assert all(abs(after[name][axis] - place[axis]) <= 30 for name, place in before.items() for axis in (0, 1))
    node(page, "flow ConsumerFlow").hover()
    expect(node(page, "data report")).to_have_class("node data on-way")
    node(page, "flow ConsumerFlow").click()
    expect(page).to_have_url(world.url(CONSUMER))
    page.get_by_role("link", name="report v1").click()
    expect(page).to_have_url(world.url(MADE))
    expect(page.locator("#card")).to_contain_text("Card")
    assert complaints(watched) == []


def test_by_keyboard_alone(world, open_page):
    page = open_page().page
    page.goto(world.url(ASSET))
    expect(page.locator("#lineage-glance .node.focus")).to_be_visible()
    press_until(page, "Tab", page.locator("#lineage-glance").get_by_role("link", name="open", exact=True))
    page.keyboard.press("Enter")
    expect(page).to_have_url(world.url(f"{ASSET}/lineage"))
    wait_for_scripts(page)
    press_until(page, "Tab", node(page, "data Rows of the world"))
    page.keyboard.press("ArrowRight")
    expect(node(page, "flow ConsumerFlow")).to_be_focused()
    press_until(page, "Tab", more(page, "downstream of ConsumerFlow"))
    page.keyboard.press("Enter")
    expect(node(page, "flow ConsumerFlow")).to_be_focused()  # the opened node keeps the focus
    page.keyboard.press("ArrowRight")
    expect(node(page, "data report")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(world.url(CONSUMER))
    press_until(page, "Tab", page.get_by_role("link", name="report v1"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(world.url(MADE))
    expect(page.locator("#card")).to_contain_text("Card")


@pytest.mark.long
def test_without_scripts(world, open_page):
    page = open_page(scripts=False).page
    page.goto(world.url(ASSET))
    page.locator("#lineage-glance").get_by_role("link", name="open").click()
    more(page, "downstream of ConsumerFlow").click()
    expect(node(page, "data report")).to_be_visible()
    page.get_by_text("As a table").click()
    page.get_by_role("link", name="Target").click()
    expect(page.get_by_role("columnheader", name="Target")).to_have_attribute("aria-sort", "ascending")
    expect(node(page, "data report")).to_be_visible()
    node(page, "flow ConsumerFlow").click()
    expect(page).to_have_url(world.url(CONSUMER))
    page.get_by_role("link", name="report v1").click()
    expect(page).to_have_url(world.url(MADE))


def test_going_back_shows_what_was_there(world, open_page):
    page = open_page().page
    page.goto(world.url(f"{ASSET}/lineage"))
    wait_for_scripts(page)
    shown = page.locator("[data-drawing] .node").count()
    more(page, "downstream of ConsumerFlow").click()
    expect(page.locator("[data-drawing] .node")).to_have_count(shown + 1)
    page.go_back()
    expect(page.locator("[data-drawing] .node")).to_have_count(shown)


AT_FIRST = """() => {
    const [drawing, frame] = ["[data-drawing]", "[data-frame]"].map(name => document.querySelector(name));
    const [node, around] = [drawing.querySelector(".node.focus"), frame].map(it => it.getBoundingClientRect());
    const zoom = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
    const across = around.left <= node.left && node.right <= around.right + 1;
    return [zoom * 11, across && around.top <= node.top && node.bottom <= around.bottom + 1];
}"""


@pytest.mark.parametrize("scripts", [True, False])
def test_at_first_the_focus_is_in_sight_and_readable(world, open_page, scripts):
    for size in (DESK, PHONE):
        page = open_page(size, scripts=scripts).page
        page.goto(world.url("default/world/feature_x/data/report/lineage?depth=5"))
        smallest, in_sight = page.evaluate(AT_FIRST)
        assert smallest >= 10
        assert in_sight


def test_parts_that_other_scripts_replace_do_no_harm(world, open_page):
    watched = open_page()
    watched.page.goto(world.url(f"{ASSET}/lineage"))
    watched.page.evaluate("""document.dispatchEvent(new CustomEvent("htmx:afterSwap", { detail: {
        target: document.createElement("p") } }))""")
    assert complaints(watched) == []


@pytest.mark.long
def test_a_drawing_is_moved_and_sized(world, open_page):
    page = open_page(PHONE).page
    page.goto(world.url("default/world/main/lineage"))
    wait_for_scripts(page)
    width = page.locator("[data-drawing]").evaluate("drawing => drawing.width.baseVal.value")
    page.get_by_role("button", name="Larger").click()
    assert page.locator("[data-drawing]").evaluate("drawing => drawing.width.baseVal.value") > width
    frame = page.locator("[data-frame]")
    box = frame.bounding_box()
    frame.evaluate("frame => { frame.scrollLeft = 0 }")
    page.mouse.move(box["x"] + 300, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 8, steps=4)
    page.mouse.up()
    assert frame.evaluate("frame => frame.scrollLeft") >= 150
    page.get_by_role("button", name="Fit into the frame").click()
    assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth")
