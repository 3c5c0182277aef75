"""A person walks the site in a real browser: every page from home to a card, at a desk and on a phone."""

import re

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.browser

LOOKS = [(PHONE, "dark"), (DESK, "light"), (DESK, "dark"), (PHONE, "light")]


@pytest.mark.sample(1)
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_from_home_to_the_card_of_an_instance(world, open_page, size, scheme):
    watched = open_page(size, scheme)
    page = watched.page
    page.goto(world.url())
    page.get_by_role("main").get_by_role("link", name="A small world").click()
    expect(page).to_have_url(world.url("default/world"))
    assert not watched.scrolls_sideways()
    page.get_by_role("main").get_by_role("link", name="main", exact=True).first.click()
    expect(page).to_have_url(world.url("default/world/main"))
    expect(page.get_by_role("main")).to_contain_text("It is small")
    assert not watched.scrolls_sideways()
    page.get_by_role("link", name="Data").first.click()
    expect(page).to_have_url(world.url("default/world/main/data"))
    assert not watched.scrolls_sideways()
    page.get_by_role("main").get_by_role("link", name="Rows of the world").first.click()
    expect(page).to_have_url(world.url("default/world/main/data/rows"))
    expect(page.get_by_role("main")).to_contain_text("ConsumerFlow")
    expect(page.get_by_role("main")).to_contain_text("feature/x")
    assert not watched.scrolls_sideways()
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport()
    assert page.locator(".code pre").first.evaluate("code => code.scrollWidth <= code.clientWidth")
    code, card = (page.locator(part).first.bounding_box() for part in (".code", "#card"))
    assert (code["y"] < card["y"]) if size == PHONE else (code["x"] > card["x"])
    # what is swapped into an element without an id, and an event of the document itself, which extensions send
    page.evaluate("htmx.ajax('GET', location.pathname + '/pulse?since=1-1', '.pulse')")
    expect(page.locator(".pulse")).to_contain_text("has arrived")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))")
    page.get_by_role("main").get_by_role("link", name="v1", exact=True).first.click()
    expect(page).to_have_url(world.url("default/world/main/data/rows/v1"))
    assert not watched.scrolls_sideways()
    page.emulate_media(media="print")
    printed = page.locator("main time").first.evaluate(
        "time => [getComputedStyle(time).fontSize, getComputedStyle(time, '::after').content]"
    )
    assert printed[0] == "0px"
    assert re.fullmatch(r'"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"', printed[1])
    for part in (".tabs", ".search", ".actions", ".code button"):
        expect(page.locator(part).first).not_to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("main").get_by_role("link", name="report").first.click()
    card = page.frame_locator("iframe[data-card]")
    expect(card.get_by_text("Three good rows")).to_be_visible()
    assert page.locator("iframe[data-card]").evaluate("frame => frame.clientHeight") > 150
    # the one thing that a card asks for elsewhere is a web font, and its policy refuses that
    assert [error for error in watched.errors if "fonts.googleapis.com" not in error] == []
    own = (world.site.url, "data:", "blob:")
    assert [url for url in watched.requests if not url.startswith(own) and "fonts.googleapis.com" not in url] == []


@pytest.mark.long
def test_a_hostile_card_reaches_nothing(world, open_page):
    watched = open_page()
    page = watched.page
    page.context.add_cookies([{"name": "assetsite_session", "value": "secret", "url": world.url()}])
    page.goto(world.url("default/world/main/data/trap/v1"))
    card = page.frame_locator("iframe[data-card]")
    expect(card.get_by_text("site: refused", exact=True)).to_be_visible()
    expect(card.get_by_text("world: refused", exact=True)).to_be_visible()
    lines = card.locator("#out li").all_inner_texts()
    assert sorted(lines) == [
        "cookie: refused", "parent: refused", "site: refused", "storage: refused", "top: refused", "world: refused",
    ]  # fmt: skip
    assert page.url == world.url("default/world/main/data/trap/v1")
    assert world.leaks == []


def test_a_card_is_refused_outside_a_frame(world, open_page):
    watched = open_page()
    watched.page.goto(world.url("default/world/main/data/rows/v1"))
    frame = watched.page.locator("iframe[data-card]").get_attribute("src")
    answer = watched.page.goto(world.url(frame.lstrip("/")))
    assert answer.status == 403


@pytest.mark.long
def test_branches_show_their_own_instances(world, open_page):
    page = open_page().page
    page.goto(world.url("default/world/main/data/rows"))
    expect(page.get_by_role("main")).to_contain_text("v2")
    page.goto(world.url("default/world/user_alice/data/rows"))
    expect(page.get_by_role("main")).not_to_contain_text("v2")
    expect(page.get_by_role("banner")).to_contain_text("user.alice")
    page.goto(world.url("default/world/feature_x/data"))
    expect(page.get_by_role("main")).to_contain_text("report")


def test_text_of_users_is_text(world, open_page):
    watched = open_page()
    alerts = []
    watched.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    watched.page.goto(world.url("default/world/feature_x/data/report"))
    expect(watched.page.get_by_role("main")).to_contain_text("<b>bold</b> & co")
    expect(watched.page.get_by_role("main")).to_contain_text("<i>")
    watched.page.goto(world.url("default/world/main/data/rows"))
    expect(watched.page.get_by_role("main")).to_contain_text("Some rows")
    assert alerts == []


@pytest.mark.long
def test_an_open_page_notices_a_new_instance(world, open_page):
    page = open_page().page
    body = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "data_asset_kind": "s3"}
    address = f"{world.site.url}/v1/perimeters/default/projects/world/branches/other/data/fresh"
    requests.patch(address, json=body, timeout=10).raise_for_status()
    page.goto(world.url("default/world/other/data/fresh"))
    expect(page.get_by_role("main")).to_contain_text("v1")
    requests.patch(address, json=body, timeout=10).raise_for_status()
    expect(page.get_by_text("v2").first).to_be_visible(timeout=5_000)


@pytest.mark.long
def test_without_scripts_lists_can_be_searched_sorted_and_filtered(world, open_page):
    page = open_page(scripts=False).page
    page.goto(world.url("default/world/main/data"))
    page.get_by_role("searchbox").first.fill("nothing like this")
    page.get_by_role("searchbox").first.press("Enter")
    expect(page.get_by_role("main")).not_to_contain_text("Rows of the world")
    page.goto(world.url("default/world/main/data?tag=env=test"))
    expect(page.get_by_role("main")).to_contain_text("Rows of the world")
    page.goto(world.url("default/world/main/data?tag=env=prod"))
    expect(page.get_by_role("main")).not_to_contain_text("Rows of the world")


@pytest.mark.long
def test_a_long_readme_is_folded_until_it_is_asked_for(world, open_page):
    watched = open_page(PHONE, "light", scripts=False)
    page = watched.page
    page.goto(world.url("default/world/main/data/rows"))
    far, fold = page.get_by_role("heading", name="Far below"), page.locator("summary", has_text="of the README")
    expect(far).to_be_hidden()
    fold.focus()
    page.keyboard.press("Enter")
    expect(far).to_be_visible()
    assert fold.bounding_box()["y"] > far.bounding_box()["y"]
    page.keyboard.press("Enter")
    expect(far).to_be_hidden()
    page.emulate_media(media="print")
    expect(far).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="far below").click()
    expect(far).to_be_in_viewport()
    assert not watched.scrolls_sideways()
    assert page.evaluate("document.querySelector('#readme pre').scrollWidth") <= 390
    assert page.get_by_role("region", name="Table 1").get_attribute("tabindex") == "0"


def test_the_page_of_the_api_shows_every_call(world, open_page):
    page = open_page().page
    page.goto(world.url("v1/docs"))
    expect(page.get_by_text("Register an instance, and with the first one the asset")).to_be_visible()


def test_every_page_has_a_twin_for_programs(world):
    for path in ("index", "default", "default/world", "default/world/main", "default/world/main/data",
                 "default/world/main/data/rows", "default/world/main/data/rows/v1"):  # fmt: skip
        answer = requests.get(world.url(f"{path}.json"), timeout=10)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith("application/json"), path
        assert answer.json(), path
