"""From the table of versions to the cards side by side: by mouse, by keyboard, and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_lineage import complaints
from tests.catalog.runs.test_browser import until
from tests.lanes import long

pytestmark = pytest.mark.browser

ROWS = "default/world/main/data/rows"
SHOWN = re.compile("Three good rows|A second card")
"""What cards of this world say."""


def compares(page: Page, *versions: str) -> None:
    expect(page.locator(".versus thead .who")).to_have_text(versions)


def shows_cards(page: Page, count: int) -> None:
    cards = page.locator("iframe[data-card]")
    expect(cards).to_have_count(count)
    for card in cards.all():
        card.scroll_into_view_if_needed()
        expect(card.content_frame.get_by_text(SHOWN).first).to_be_visible(timeout=15_000)


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), *long((PHONE, "dark"))])
def test_by_mouse(world, open_page, size, scheme):
    watched = open_page(size, scheme)
    page = watched.page
    page.goto(world.url(ROWS))
    bar = page.locator(".compare-bar")
    for version in ("v2", "v1"):
        page.get_by_label(f"Compare {version}").check()
    expect(bar).to_be_in_viewport()  # it stays in sight once something is checked
    bar.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(world.url(f"{ROWS}/compare?of=v2&of=v1"))
    compares(page, "v2", "v1")
    assert not watched.scrolls_sideways()
    expect(page.locator(".versus .figure").first).to_have_text("3")
    shows_cards(page, 2)
    page.get_by_label("Add a version").fill("user_alice:v1")
    page.get_by_role("button", name="Add").click()
    compares(page, "v2", "v1", "v1")
    assert not watched.scrolls_sideways()
    if size == DESK:
        page.get_by_role("link", name="remove").first.click()
        compares(page, "v1", "v1")
    page.get_by_role("link", name="make base").first.click()
    expect(page).to_have_url(re.compile("base="))
    page.get_by_role("link", name="Show equal ones too").click() if size == DESK else page.goto(f"{page.url}&equal=yes")
    assert page.locator(".versus tbody tr").count() > 5
    assert complaints(watched) == []


def test_by_keyboard(world, open_page):
    watched = open_page()
    page = watched.page
    page.goto(world.url(f"{ROWS}/v2"))
    since = page.get_by_role("navigation", name="Compare").get_by_role("link", name="v1")
    since.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(world.url(f"{ROWS}/compare?of=v1,v2&base=v1"))
    page.locator(".adding input:visible").focus()
    page.keyboard.type("latest, nope:v1")
    page.keyboard.press("Enter")
    compares(page, "v1", "v2")
    expect(page.locator(".flash.warning")).to_contain_text(re.compile(r"nope:v1\s*:\s*It isn't there"))
    page.goto(world.url(ROWS))
    page.get_by_label("Compare v1").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # sends the form that the box belongs to
    expect(page).to_have_url(world.url(f"{ROWS}/compare?of=v1"))
    expect(page.locator("h1")).to_have_text("Rows of the world v1, and what else?")


@pytest.mark.parametrize("size", [DESK, *long((PHONE,))])
def test_without_scripts(world, open_page, size):
    watched = open_page(size, scripts=False)
    page = watched.page
    page.goto(world.url(ROWS))
    for version in ("v1", "v2"):
        page.get_by_label(f"Compare {version}").check()
    page.locator(".compare-bar button").click()
    expect(page).to_have_url(world.url(f"{ROWS}/compare?of=v2&of=v1"))
    compares(page, "v2", "v1")
    expect(page.get_by_role("button", name="scroll together")).not_to_be_visible()
    expect(page.locator("iframe[data-card]")).to_have_count(2)
    page.locator(".folded summary").first.click()
    expect(page.locator(".folded dl")).to_be_visible()
    page.goto(world.url(f"{ROWS}/compare?of=v1"))
    page.get_by_role("main").get_by_role("link", name="the newest on user.alice").click()
    compares(page, "v1", "v1")


def test_cards_scroll_together_or_each_by_itself(world, open_page):
    watched = open_page()
    page = watched.page
    page.goto(world.url(f"{ROWS}/compare?of=v1,v2,user_alice:v1"))
    page.locator("#cards").scroll_into_view_if_needed()
    cards = page.locator(".card-scroll")
    expect(cards).to_have_count(3)
    shows_cards(page, 3)
    cards.evaluate_all("all => all.forEach(one => { one.style.height = '80px'; })")
    tops = "all => all.map(one => Math.round(one.scrollTop))"
    cards.first.evaluate("one => { one.scrollTop = 40; }")
    until(page, lambda: min(cards.evaluate_all(tops)) > 30)
    page.get_by_role("button", name="each by itself").click()
    before = cards.evaluate_all(tops)
    cards.nth(1).evaluate("one => { one.scrollTop = 0; }")
    page.wait_for_timeout(300)
    assert cards.evaluate_all(tops) == [before[0], 0, before[2]]
    assert complaints(watched) == []


def test_no_more_than_four_cards_are_alive(world, open_page):
    watched = open_page()
    page = watched.page
    of = "v1,v2,user_alice:v1,data/trap:v1,data/trap:v2,user_alice/data/trap:v1"
    page.goto(world.url(f"{ROWS}/compare?of={of}"))
    expect(page.locator("iframe[data-card]")).to_have_count(4)
    page.get_by_role("link", name="Show its card").first.click()
    expect(page).to_have_url(re.compile("cards=.*#cards"))
    expect(page.locator("iframe[data-card]")).to_have_count(4)
    assert not watched.scrolls_sideways()
    assert world.leaks == []
