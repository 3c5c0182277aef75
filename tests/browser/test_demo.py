"""The site while the demo fills it: usable from the first second, with a bar that goes up and ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Request, expect

from examples.progress import AtWork, Progress
from tests.browser.conftest import DESK, PHONE, Watched
from tests.browser.test_axe import findings
from tests.conftest import Site, served_from

pytestmark = pytest.mark.browser

MODEL = "/default/churn/main/models/churn_model"
RUNNING = ("TrainFlow on feature/better-features", "ComicExplainer on feature/better-features")


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own, with nothing in it."""
    with served_from(tmp_path_factory.mktemp("demo")) as site:
        yield site


def test_pages_say_how_far_the_demo_is_until_it_is_over(empty: Site, open_page: Callable[..., Watched]) -> None:
    at_work = AtWork(empty.home / "demo")
    home, phone = open_page(DESK), open_page(PHONE, "dark")
    home.page.goto(empty.url)
    expect(home.page.get_by_text("The demo is getting ready")).to_be_visible()
    expect(home.page.get_by_text("The first assets come in a few seconds")).to_be_visible()

    # the first thing to see comes by itself
    register(empty)
    at_work.tell(Progress(38, 1, RUNNING, look_at=MODEL))
    expect(home.page.get_by_role("heading", name="churn")).to_be_visible()
    expect(home.page.get_by_text("1 of 38 runs")).to_be_visible()
    phone.page.goto(f"{empty.url}{MODEL}")
    at_work.tell(Progress(38, 12, RUNNING, look_at=MODEL))
    for watched in (home, phone):
        expect(watched.page.get_by_text("12 of 38 runs")).to_be_visible()
        expect(watched.page.get_by_role("progressbar", name="Runs of the demo")).to_have_attribute("value", "12")
        assert findings(watched) == {}
    register(empty)
    phone.page.get_by_role("link", name="Show what is new").click()
    expect(phone.page.get_by_role("main")).to_contain_text("v2")

    at_work.tell(Progress(38, 38, look_at=MODEL, over=True))
    at_work.end()
    for watched in (home, phone):
        expect(watched.page.get_by_role("status").filter(has_text="All 38 runs of the demo are there")).to_be_visible()
        assert findings(watched) == {}
    asked: list[Request] = []
    home.page.on("request", lambda request: asked.append(request))
    home.page.wait_for_timeout(2_500)
    assert asked == []
    home.page.get_by_role("link", name="Look first at the churn model").click()
    expect(home.page.get_by_role("heading", name="churn_model")).to_be_visible()
    expect(home.page.get_by_text("of the demo")).to_have_count(0)


def register(site: Site) -> None:
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "TrainFlow/1/train/1"}, "model_asset_kind": "artifact"}
    assert requests.patch(f"{site.branch}/models/churn_model", json=body, timeout=20).ok
