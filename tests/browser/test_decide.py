"""Is it better? From the page of a branch to why its model is better: by mouse, by keyboard, and without scripts."""

from datetime import UTC, datetime

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from obproject.branches import branch_key
from tests.browser.conftest import DESK, PHONE
from tests.conftest import Site

pytestmark = pytest.mark.browser

PROJECT, FEATURE = "better", "feature/better-features"


class Writer:
    """Writes what runs would write, as in the demo, to a project of its own."""

    def __init__(self, site: Site) -> None:
        self._branches = f"{site.url}/v1/perimeters/default/projects/{PROJECT}/branches"

    def register(self, branch: str, path: str, task: str, **annotations: float) -> str:
        """A version; its id."""
        kind = "model_asset_kind" if path.startswith("models/") else "data_asset_kind"
        body = {"entity_ref": {"entity_kind": "task", "entity_id": task}, kind: "artifact", "annotations": annotations}
        answer = requests.patch(self._at(branch, path), json=body, timeout=20)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def consume(self, branch: str, path: str, task: str, to: str, role: str | None = None) -> None:
        consumer = {"project": PROJECT, "branch": to}
        body = {"entity_ref": {"entity_kind": "task", "entity_id": task}, "consumer": consumer}
        body |= {"role": role} if role else {}
        answer = requests.put(f"{self._at(branch, path)}/instances/latest", json=body, timeout=20)
        assert answer.status_code == 200, answer.text

    def train(self, branch: str, number: int, features: tuple[str, str], auc: float) -> str:
        """A model, trained on features of a branch and measured on main's holdout."""
        task = f"TrainFlow/{number}/choose/1"
        self.consume(*features, task, branch)
        self.consume("main", "data/holdout", task, branch, "evaluation")
        return self.register(branch, "models/churn_model", task, auc=auc, rows=720)

    def point(self, alias: str, branch: str, path: str, uid: str) -> None:
        body = {"instance_id": uid, "entity_ref": {"entity_kind": "user", "entity_id": "ada"}}
        answer = requests.put(f"{self._at(branch, path)}/aliases/{alias}", json=body, timeout=20)
        assert answer.status_code in (200, 201), answer.text

    def _at(self, branch: str, path: str) -> str:
        return f"{self._branches}/{branch_key(branch)}/{path}"


@pytest.fixture(scope="session")
def decided(served: Site) -> str:
    """Main's models and a better one on the feature branch; the address of the project's page."""
    writer = Writer(served)
    writer.register("main", "data/holdout", "DatasetFlow/1/end/1", rows=800)
    writer.register("main", "data/churn_features", "FeatureFlow/1/end/1", columns=5)
    numbered = enumerate((0.7847, 0.7892, 0.7805), 1)
    made = [writer.train("main", number, ("main", "data/churn_features"), auc) for number, auc in numbered]
    writer.point("production", "main", "models/churn_model", made[1])
    writer.register(FEATURE, "data/interaction_features", "FeatureFlow/2/end/1", columns=6)
    writer.train(FEATURE, 9, (FEATURE, "data/interaction_features"), 0.8278)
    return f"{served.url}/default/{PROJECT}"


def click(link: Locator) -> None:
    link.click()


def press_enter(link: Locator) -> None:
    """As one who has no mouse: link after link, until it is this one."""
    page = link.page
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"Nobody gets to {link} by the keyboard.")


def says_why(page: Page) -> None:
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_contain_text(
        "churn_model is better here: auc 0.7805 → 0.8278, on the same holdout"
    )
    models = main.locator("#models")
    expect(models).to_contain_text("0.7805")
    expect(models).to_contain_text("0.8278")
    expect(models).to_contain_text("same data")
    expect(models).to_contain_text("trained on interaction_features")


@pytest.mark.parametrize("follow", [click, press_enter])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_a_branch_to_why_its_model_is_better(decided, open_page, follow, scripts):
    watched = open_page(DESK, scripts=scripts)
    page = watched.page
    page.goto(f"{decided}/{branch_key(FEATURE)}")
    follow(page.get_by_role("main").get_by_role("link", name="Compare with main"))
    says_why(page)
    assert not watched.scrolls_sideways()
    follow(page.get_by_role("main").get_by_role("link", name="Compare the two versions"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("v1 is better: auc +0.0473 over v3 of main")
    expect(page.get_by_role("heading", name="Cards side by side")).to_be_visible()
    assert not watched.scrolls_sideways()
    assert watched.errors == []


@pytest.mark.parametrize("follow", [click, press_enter])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_changed_since_production_and_which_version_that_was(decided, open_page, follow, scripts):
    page = open_page(DESK, scripts=scripts).page
    page.goto(f"{decided}/main/models/churn_model/v3")
    follow(page.get_by_role("navigation", name="Compare").get_by_role("link", name="@production"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("v3 is worse: auc \N{MINUS SIGN}0.0087 against v2")
    page.goto(f"{decided}/main/models/churn_model")
    follow(page.get_by_role("main").get_by_role("link", name="@production", exact=True).first)
    asked = page.get_by_label("Who held it on")
    asked.fill(f"{datetime.now(UTC):%Y-%m-%d}")
    asked.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("then v2 (auc 0.7892), set by ada.")


def test_on_a_phone_it_is_all_there(decided, open_page):
    watched = open_page(PHONE, "dark")
    watched.page.goto(f"{decided}/{branch_key(FEATURE)}")
    click(watched.page.get_by_role("main").get_by_role("link", name="Compare with main"))
    says_why(watched.page)
    assert not watched.scrolls_sideways()
