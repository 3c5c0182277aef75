"""Charts by mouse, by keyboard, by touch and without scripts: what is read of a point, and where it leads."""

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_lineage import complaints, press_until

pytestmark = pytest.mark.browser

BRANCH = "v1/perimeters/default/projects/charts/branches"
MODEL = "default/charts/main/models/churn"
AUC = [0.75, 0.8129, 0.8016, "n/a", 0.8031]


@pytest.fixture(scope="module")
def measured(served):
    """A model with five versions on main and two on a branch; @production is v2. Its address."""
    ids = []
    for branch, values in (("main", AUC), ("feature/new", [0.806, 0.8107])):
        for number, value in enumerate(values, 1):
            annotations = {"auc": value, "log_loss": number / 10}
            task = f"TrainFlow/{branch.replace('/', '-')}{number}/train/1"
            ids.append(register(served, branch, task, annotations))
    alias = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "instance_id": ids[1]}
    answer = requests.put(f"{served.url}/{BRANCH}/main/models/churn/aliases/production", json=alias, timeout=10)
    assert answer.ok, answer.text
    return f"{served.url}/{MODEL}"


def register(served, branch, task, annotations):
    """The id of a version that is registered."""
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": task},
        "model_asset_kind": "artifact",
        "annotations": annotations,
        "branch_name": branch,
    }
    key = branch.replace("/", "_")
    answer = requests.patch(f"{served.url}/{BRANCH}/{key}/models/churn", json=body, timeout=10)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def read(page: Page) -> list[str]:
    """What the reading lines say that can be seen."""
    return page.locator("[data-plot] .read").evaluate_all(
        "all => all.filter(one => getComputedStyle(one).visibility === 'visible').map(one => one.textContent)"
    )


def point(page: Page, ref: str, plot: int = 0):
    return page.locator("[data-plot]").nth(plot).get_by_role("link", name=re.compile(f"^{ref}[,:]"))


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_from_the_asset_to_a_version_by_mouse(measured, open_page, size, scheme):
    watched = open_page(size, scheme)
    page = watched.page
    page.goto(measured)
    page.get_by_role("link", name="charts", exact=True).click()
    expect(page).to_have_url(f"{measured}/metrics")
    assert not watched.scrolls_sideways()
    point(page, "v2").locator(".hit").hover()
    assert [text.partition(" · ")[0] for text in read(page)] == ["v2"]
    assert "0.8129 · @production" in read(page)[0]
    page.get_by_role("link", name="by time").click()
    expect(page).to_have_url(f"{measured}/metrics?along=time")
    expect(page.get_by_role("link", name="by time")).to_have_attribute("aria-current", "true")
    page.get_by_text("branch", exact=True).last.click()
    page.get_by_role("link", name="feature/new", exact=True).last.click()
    expect(page.locator("[data-plot]").first.locator("path.line.b")).to_have_count(1)
    assert not watched.scrolls_sideways()
    point(page, "v3", plot=1).locator(".hit").click()
    expect(page).to_have_url(f"{measured}/v3")
    assert complaints(watched) == []


def test_by_keyboard_from_point_to_point(measured, open_page):
    page = open_page().page
    page.goto(f"{measured}/metrics?metric=auc")
    press_until(page, "Tab", point(page, "v1"))
    page.keyboard.press("Tab")
    expect(point(page, "v2")).to_be_focused()
    assert read(page) == [point(page, "v2").locator(".read").text_content()]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(point(page, "v4")).to_be_focused()
    assert "text: 'n/a'" in read(page)[0]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{measured}/v3")


def test_a_tap_reads_a_point_before_it_leads_there(measured, browser):
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{measured}/metrics?metric=auc")
    point(page, "v2").locator(".hit").tap()
    assert "0.8129" in read(page)[0]
    assert page.url.endswith("metric=auc")
    point(page, "v3").locator(".hit").tap()
    assert [text.partition(" · ")[0] for text in read(page)] == ["v3"]
    point(page, "v3").locator(".hit").tap()
    expect(page).to_have_url(f"{measured}/v3")
    context.close()


def test_without_scripts(measured, open_page):
    watched = open_page(scripts=False)
    page = watched.page
    page.goto(f"{measured}/metrics")
    page.get_by_role("link", name="by time").click()
    page.get_by_text("branch", exact=True).last.click()
    page.get_by_role("link", name="feature/new", exact=True).last.click()
    page.get_by_label("from", exact=True).first.fill("v2")
    page.get_by_role("button", name="Show").click()
    assert "with=feature" in page.url
    assert "along=time" in page.url
    assert point(page, "v1").count() == 0
    point(page, "v2").locator(".hit").hover()
    assert "0.8129" in read(page)[0]
    expect(page.locator("table").get_by_role("link", name="v5")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("[data-plot]").first).to_be_visible()
    point(page, "v3").locator(".hit").click()
    expect(page).to_have_url(f"{measured}/v3")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_drawing_opens_by_itself(measured, open_page, scheme):
    watched = open_page(scheme=scheme)
    page = watched.page
    page.goto(f"{measured}/metrics.svg?with=feature/new")
    paper = page.locator(".paper").evaluate("paper => getComputedStyle(paper).fill")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(24, 27, 31)")
    dot = page.get_by_role("link", name=re.compile("^v2[,:]")).first.locator(".dot")
    assert dot.bounding_box()["width"] > 4
    # a browser asks for the site's icon besides, as a file names none
    assert [error for error in complaints(watched) if "404 (Not Found)" not in error] == []
