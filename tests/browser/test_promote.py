"""May it go to production? Two people and a model: refused with the reason, made better, approved by the other one,
moved, and rolled back; deprecated and back; deleted and recovered. By keyboard, with scripts and without them, in team
mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, Watched
from tests.browser.test_axe import findings
from tests.browser.test_decide import press_enter
from tests.conftest import Site, served_from

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"
TEAM = {
    "ASSETSITE_MODE": "team",
    "ASSETSITE_ALLOWED_HOSTS": "127.0.0.1",
    "ASSETSITE_BIND": "127.0.0.1",
    "ASSETSITE_SECRET_KEY": "k1" * 30,
    "ASSETSITE_WORKERS": "1",
}
PEOPLE = f"""
from django.contrib.auth.models import User
from access.models import Membership, Perimeter, Role
here = Perimeter.objects.get(name="default")
for name, role in (("ann", Role.EDITOR), ("ben", Role.ADMIN)):
    person = User.objects.create_user(name, password="{PASSWORD}")
    Membership.objects.create(user=person, perimeter=here, role=role)
"""
GATES = {"production": {"require": ["auc >= @production - 0.002", "auc >= 0.78"], "approvals": 1}}


@dataclass
class Desk:
    """A served site in team mode, on which a program trains models of a project of its own."""

    site: Site
    token: str
    project: str
    trained: int = 0

    @property
    def model(self) -> str:
        return f"{self.site.url}/default/{self.project}/main/models/churn_model"

    def train(self, auc: float) -> str:
        """The id of a new version."""
        self.trained += 1
        body = {"model_asset_kind": "artifact", "annotations": {"auc": auc}}
        return str(self._send("PATCH", "models/churn_model", f"TrainFlow/{self.trained}/train/1", body)["id"])

    def promote(self, uid: str) -> None:
        self._send("PUT", "models/churn_model/aliases/production", "GateFlow/1/gate/1", {"instance_id": uid})

    def declare(self) -> None:
        asset = {"kind": "models", "id": "churn_model", "name": "Churn model", "gates": GATES}
        body = {"branch_name": "main", "spec": {}, "definitions": [asset], "version_id": "6a20eaa"}
        self._send("POST", "deploys", "", body)

    def _send(self, method: str, path: str, task: str, body: dict[str, object]) -> dict[str, object]:
        who = {"entity_kind": "task", "entity_id": task} if task else {"entity_kind": "ci", "entity_id": "deploy"}
        branch = f"{self.site.url}/v1/perimeters/default/projects/{self.project}/branches/main"
        headers = {"x-api-key": self.token}
        answer = requests.request(
            method, f"{branch}/{path}", json=body | {"entity_ref": who}, headers=headers, timeout=20
        )
        assert answer.ok, answer.text
        found: dict[str, object] = answer.json()
        return found


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    with served_from(tmp_path_factory.mktemp("promoting"), **TEAM) as site:
        create = ("token", "create", "--user", "robot", "--perimeter", "default", "--role", "editor")
        token = site.manage(*create).strip()
        site.manage("shell", "-c", PEOPLE)
        yield site, token


def sign_in(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("link", name=name)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("button", name=name)


def has_nothing_serious(watched: Watched, *, scripts: bool) -> None:
    """It fits, and axe, which is a script, finds nothing."""
    assert not watched.scrolls_sideways()
    assert not scripts or findings(watched) == {}


def says(page: Page, text: str) -> None:
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_contain_text(text)


@pytest.mark.parametrize(("scripts", "size"), [(True, DESK), (False, PHONE)], ids=["scripts", "no scripts on a phone"])
def test_refused_made_better_approved_moved_and_rolled_back(team, open_page, scripts, size):
    desk = Desk(*team, project=f"promoted-{'on' if scripts else 'off'}")
    desk.promote(desk.train(0.8024))
    desk.declare()
    desk.train(0.7991)
    watched, other = open_page(size, scripts=scripts), open_page(size, scripts=scripts)
    ann, ben = watched.page, other.page
    sign_in(ann, desk.site, "ann")
    sign_in(ben, desk.site, "ben")

    # refused, with the reason
    ann.goto(f"{desk.model}/v2")
    press_enter(link(ann, "Move an alias here"))
    press_enter(link(ann, "@production"))
    says(ann, "@production can't move to v2: 1 of 3 rules refuses")
    expect(ann.locator("#rules")).to_contain_text("needs 0.8004, has 0.7991: 0.0013 short")
    expect(button(ann, "Move it to v2")).to_be_disabled()
    has_nothing_serious(watched, scripts=scripts)

    # made better, but it needs somebody else
    desk.train(0.8107)
    ann.goto(f"{desk.model}/compare?of=v3,@production&base=@production")
    press_enter(link(ann, "Move @production to v3"))
    says(ann, "@production can't move to v3 yet: it waits for 1 approval")
    ann.get_by_label("Comment").fill("Same holdout as v1")
    press_enter(button(ann, "Ask for approval"))
    expect(ann.locator("#why-not")).to_be_visible()
    asked = ann.url
    expect(button(ann, "Approve")).to_have_count(0)

    # approved by the other one, which moves it
    ben.goto(asked)
    expect(ben.get_by_role("main")).to_contain_text("Same holdout as v1")
    press_enter(button(ben, "Approve, and move"))
    expect(link(ben, "History of the alias")).to_be_visible()
    ann.goto(f"{desk.model}/aliases/production")
    history = ann.locator("#history")
    expect(history.get_by_role("row").nth(1)).to_contain_text("v3")
    expect(history.get_by_role("row").nth(1)).to_contain_text("passed")
    has_nothing_serious(watched, scripts=scripts)

    # rolled back, for which nobody has to be asked
    press_enter(link(ann, "Roll back to v1"))
    says(ann, "@production can be rolled back to v1: 1 of 3 rules is asked of a roll-back, and passes")
    ann.get_by_label("Comment").fill("Scores on the dashboard halved")
    press_enter(button(ann, "Move it to v1"))
    expect(ann.get_by_role("main")).to_contain_text("@production leads to v1.")
    expect(history.get_by_role("row").nth(1)).to_contain_text("rolled back")
    expect(history.get_by_role("row").nth(1)).to_contain_text("Scores on the dashboard halved")

    # and past a rule by an admin only, for a reason
    ben.goto(f"{desk.model}/aliases/production/move?to=v2")
    press_enter(ben.get_by_text("Move it all the same"))
    ben.get_by_label("Reason").fill("The old one leaks")
    press_enter(button(ben, "Override"))
    expect(ben.locator("#history").get_by_role("row").nth(1)).to_contain_text("overridden")

    # nobody should begin to use one, and then they may
    ann.goto(f"{desk.model}/v3")
    press_enter(link(ann, "Deprecate…"))
    ann.get_by_label("Reason").fill("Trained on a broken holdout")
    has_nothing_serious(watched, scripts=scripts)
    press_enter(button(ann, "Deprecate v3"))
    expect(ann.get_by_role("main")).to_contain_text("Trained on a broken holdout")
    press_enter(link(ann, "Undo deprecation…"))
    press_enter(button(ann, "Undo the deprecation"))
    expect(ann.get_by_role("main")).to_contain_text("v3 is no longer deprecated.")

    # deleted, once no alias with gates holds it
    ann.goto(desk.model)
    press_enter(link(ann, "Delete…"))
    expect(ann.get_by_role("main")).to_contain_text("It can't be deleted while @production holds it.")
    expect(ann.get_by_label("to confirm")).to_have_count(0)
    press_enter(ann.locator("#aliases").get_by_role("link", name="@production"))
    press_enter(link(ann, "Delete…"))
    press_enter(button(ann, "Delete it"))
    expect(ann.get_by_role("main")).to_contain_text("is deleted. Its history stays.")
    ann.goto(f"{desk.model}/delete")
    has_nothing_serious(watched, scripts=scripts)
    ann.get_by_label("to confirm").fill("another_model")
    press_enter(button(ann, "Delete it"))
    expect(ann.get_by_role("main")).to_contain_text("That is not its id.")
    ann.get_by_label("to confirm").fill("churn_model")
    press_enter(button(ann, "Delete it"))
    says(ann, "Deleted from main")
    assert ben.goto(desk.model).status == 404

    # and recovered by the other one, with its versions
    press_enter(link(ben, "What can be recovered"))
    press_enter(button(ben, "Recover"))
    expect(ben.get_by_role("main").get_by_role("heading", level=1)).to_contain_text("Churn model")
    assert ann.goto(f"{desk.model}/v3").ok
    answers = "Failed to load resource: the server responded with a status of 4"  # to what was wrong on purpose
    assert [error for error in watched.errors + other.errors if not error.startswith(answers)] == []
