"""What axe finds on each kind of page, light and dark: nothing serious."""

from collections.abc import Callable

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import Route

from tests.browser.conftest import DESK, PHONE, Watched, World
from tests.browser.test_lineage import complaints
from tests.lanes import long

pytestmark = pytest.mark.browser

MAIN = "default/world/main"
ROWS = f"{MAIN}/data/rows"
PAGES = [
    *("", "default/world", MAIN, f"{MAIN}/data", ROWS, f"{ROWS}/v1", f"{ROWS}/aliases"),
    *(f"{ROWS}/film", f"{ROWS}/metrics"),
    "default/world/compare/main...feature_x",
    *(f"{MAIN}/lineage", f"{ROWS}/lineage", f"{ROWS}/v1/lineage", f"{MAIN}/flows/ProducerFlow"),
    *(f"{MAIN}/highlights", f"{MAIN}/evaluations", "v1/docs", "search?q=r", f"{MAIN}/data/row"),
    *(f"{ROWS}/compare?of=v1,v2,user_alice:v1&equal=yes", f"{ROWS}/compare?of=v1"),
    *(f"{ROWS}/move?to=v1", f"{ROWS}/aliases/staging/move?to=v1", f"{ROWS}/v1/promote?to=user_alice"),
    *("default/~webhooks", "default/attention", f"{MAIN}/attention", f"{ROWS}/normal"),
    *("me/watching", f"{ROWS}/watch", f"{MAIN}/watch"),
    *("admin/", "admin/catalog/asset/", "admin/auth/user/add/", "admin/catalog/reconciliation/"),
]


def findings(watched: Watched) -> dict[str, object]:
    """What is wrong with an open page, apart from the styles that axe itself tried to write into the page before."""
    wrong: list[object] = [error for error in complaints(watched) if "Applying inline style" not in error]
    wrong += ["scrolls sideways"] if watched.scrolls_sideways() else []
    found = Axe().run(watched.page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    wrong += [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave]
    watched.errors.clear()
    return {watched.page.url: wrong} if wrong else {}


@pytest.mark.parametrize(
    ("paths", "size", "scheme"), [(PAGES[::4], DESK, "light"), *long((PAGES, DESK, "light"), (PAGES, PHONE, "dark"))]
)
def test_axe_finds_nothing_serious_on_any_kind_of_page(
    world: World, open_page: Callable[..., Watched], paths, size, scheme
):
    watched = open_page(size, scheme)
    listed = requests.get(world.url("admin/catalog/asset/"), timeout=10).text
    asset = listed.partition('href="/admin/catalog/asset/')[2].partition("/")[0]
    wrong: dict[str, object] = {}
    for path in [*paths, f"admin/catalog/asset/{asset}/change/", f"admin/catalog/asset/{asset}/history/"]:
        watched.page.goto(world.url(path))
        watched.errors = [error for error in watched.errors if "404 (Not Found)" not in error]
        wrong |= findings(watched)
    assert wrong == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_where_a_team_signs_in_or_the_site_fails(world, open_page, client, db, settings, scheme):
    settings.MODE, settings.LOCAL_MODE = "team", False
    refused = client.post("/sign-in", {"username": "ada", "password": "wrong"})
    pages = {"sign-in": refused.content.decode(), "failed": render_to_string("errors/500.html")}
    watched = open_page(PHONE, scheme)
    wrong: dict[str, object] = {}
    for name, html in pages.items():
        watched.page.route(world.url(name), answered_with(html))
        watched.page.goto(world.url(name))
        wrong |= findings(watched)
    assert wrong == {}


def answered_with(html: str) -> Callable[[Route], None]:
    """Answers in place of the served site, which is in local mode; styles come from there."""
    return lambda route: route.fulfill(body=html, content_type="text/html")
