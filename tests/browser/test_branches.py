"""Two branches compared in a real browser: by mouse, by keyboard, without scripts, at a desk and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.browser
ADDRESS = "default/world/compare/main...feature_x"


@pytest.mark.sample(1)
@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_from_the_branch_to_what_is_different(world, open_page, size, scheme):
    watched = open_page(size, scheme)
    page = watched.page
    page.goto(world.url("default/world/feature_x"))
    page.get_by_role("link", name="Compare with main").click()
    expect(page).to_have_url(world.url(ADDRESS))
    expect(page.locator("h1")).to_contain_text("1 new asset")
    main = page.get_by_role("main")
    expect(main.locator("#data")).to_contain_text("report")
    expect(main.locator("#lineage")).to_contain_text("ConsumerFlow")
    expect(main.locator("#lineage svg.drawing .signs .added").first).to_be_visible()
    assert not watched.scrolls_sideways()
    # by keyboard: what is folded opens, and the menu leads to another comparison
    fold = main.locator("summary", has_text="not built here")
    fold.focus()
    page.keyboard.press("Enter")
    expect(main.get_by_text("Rows of the world").first).to_be_visible()
    menu = main.locator("summary", has_text="Compare with another branch")
    menu.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(main.locator(".actions .panel a:focus")).to_have_count(1)
    page.get_by_role("link", name="main against this").click()
    expect(page).to_have_url(world.url("default/world/compare/feature_x...main"))
    assert watched.errors == []
    page.emulate_media(media="print")
    expect(page.locator(".actions")).not_to_be_visible()


def test_without_scripts_all_of_it_can_be_read(world, open_page):
    page = open_page(DESK, scripts=False).page
    page.goto(world.url(ADDRESS))
    page.locator("summary", has_text="not built here").click()
    expect(page.get_by_text("Rows of the world").first).to_be_visible()
    page.locator("summary", has_text="Compare with another branch").click()
    page.locator(".actions .panel a").first.click()
    expect(page.locator("h1")).not_to_be_empty()
    page.goto(world.url(ADDRESS))
    page.locator(".drawing a.node").first.click()
    expect(page.locator("h1")).not_to_be_empty()
