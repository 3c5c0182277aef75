"""A newcomer's first minutes: an empty site, a page that is left open, and a flow that is really run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from obproject.first_steps import FIRST_FLOW
from tests.browser.conftest import DESK, PHONE, Watched
from tests.browser.test_axe import findings
from tests.conftest import Site, served_from
from tests.obproject.flows import run_flow, write_flow

pytestmark = pytest.mark.browser

WRITES = "v1/perimeters/default/projects/churn/branches/user.ada/data/points"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    with served_from(tmp_path / "empty") as site:
        yield site


def test_an_open_page_notices_the_first_run(empty: Site, open_page: Callable[..., Watched], tmp_path: Path):
    log = (empty.home / "server.log").read_text()
    assert "It is empty: that page leads through the first steps." in log
    assert "in another shell: ASSETSITE_HOME=~/assetsite-demo PORT=8080 assetsite demo" in log
    assert "System check" not in log
    watched = open_page()
    page = watched.page
    page.goto(empty.url)
    assert page.get_by_role("heading", name="First steps").is_visible()
    assert page.get_by_text(f"export ASSETSITE_URL={empty.url}").is_visible()
    page.get_by_label("Your project").fill("first_try")
    page.keyboard.press("Enter")
    page.get_by_text('project = "first_try"').wait_for()
    for size, scheme in ((DESK, "light"), (PHONE, "dark")):
        looked = open_page(size, scheme)
        for path in ("", "default/~first-steps?project=Not%20One"):
            looked.page.goto(f"{empty.url}/{path}")
            assert findings(looked) == {}

    folder = tmp_path / "flow"
    folder.mkdir()
    write_flow(folder, FIRST_FLOW, page.locator(".step").nth(1).locator("code").last.inner_text())
    run = run_flow(folder, empty.url)
    assert run.ok, run.output
    page.get_by_role("heading", name="Your first run has arrived").wait_for()
    assert page.locator(".step.done").count() == 5
    page.get_by_role("link", name="Look at it").click()
    assert "/default/first_try/" in page.url
    assert watched.errors == []
    page.go_back()
    page.reload()
    page.get_by_role("heading", name="first_try is set up").wait_for()
    assert findings(watched) == {}


def test_what_is_on_its_way_is_noticed_and_asking_ends(empty: Site, open_page: Callable[..., Watched]):
    watched = open_page()
    page = watched.page
    page.goto(empty.url)
    for state in ("pending", "ready"):
        body = {
            "data_asset_kind": "artifact",
            "entity_ref": {"entity_kind": "user", "entity_id": "ada"},
            "state": state,
        }
        answer = requests.patch(f"{empty.url}/{WRITES}", json=body, timeout=30)
        assert answer.ok, answer.text
        if state == "pending":
            page.get_by_text("is on its way").wait_for()
            assert page.url.endswith("/default/~first-steps?project=churn")
    page.get_by_role("heading", name="Your first run has arrived").wait_for()
    asked = len(watched.requests)
    page.wait_for_timeout(5000)
    assert len(watched.requests) == asked
    assert watched.errors == []
