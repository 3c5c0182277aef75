"""What is late and why, and what is unusual, from home on; and a receiver that an admin set up on a page, which is told
each of it once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import expect
from standardwebhooks import Webhook

from tests.browser.conftest import DESK
from tests.browser.test_promote import PEOPLE, TEAM, button, has_nothing_serious, link, says, sign_in
from tests.conftest import Site, served_from
from tests.telling.receivers import Kept, receiver

pytestmark = [pytest.mark.browser, pytest.mark.long]

SCHEDULE = {"every": "1d", "grace": "6h", "at": "data_until"}
ASSETS = {"customers": SCHEDULE, "churn_features": SCHEDULE, "payments": None}
SHARES = (0.067, 0.074, 0.065, 0.062, 0.066, 0.072, 0.063, 0.065, 0.064, 0.075, 0.055, 5.28)
"""The last one is in per cent."""
BACKGROUND = "from catalog.watching import lates, looking; looking.look(); lates.tell_lates()"
TOLD = """
import json
from catalog.models import Message
print(json.dumps([[one.uid, one.kind, one.asset_id] for one in Message.objects.order_by("id")]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Writer, Kept]]:
    with (
        receiver() as kept,
        served_from(tmp_path_factory.mktemp("told"), **TEAM, ASSETSITE_WEBHOOK_NETWORKS="127.0.0.0/8") as site,
    ):
        create = ("token", "create", "--user", "robot", "--perimeter", "default", "--role", "editor")
        token = site.manage(*create).strip()
        site.manage("shell", "-c", PEOPLE)
        yield Writer(site, token), kept


class Writer:
    """Writes what the runs of the demo write, to a project of the same name."""

    def __init__(self, site: Site, token: str) -> None:
        self.site, self._token, self._runs = site, token, 0

    def declare(self) -> None:
        assets = [
            {"kind": "data", "id": name, "name": name.replace("_", " ").capitalize(), "freshness": freshness or {}}
            for name, freshness in ASSETS.items()
        ]
        body = {"branch_name": "main", "spec": {}, "definitions": assets, "version_id": "6a20eaa"}
        self._send("POST", "deploys", body | {"entity_ref": {"entity_kind": "ci", "entity_id": "deploy"}})

    def register(self, asset: str, flow: str, reads: str = "", **annotations: object) -> None:
        self._runs += 1
        who = {"entity_ref": {"entity_kind": "task", "entity_id": f"{flow}/{self._runs}/end/1"}}
        if reads:
            self._send(
                "PUT", f"data/{reads}/instances/latest", who | {"consumer": {"project": "churn", "branch": "main"}}
            )
        self._send("PATCH", f"data/{asset}", who | {"data_asset_kind": "artifact", "annotations": annotations})

    def export(self, until: datetime) -> None:
        """Customers until a day, and the features that are made of them."""
        self.register("customers", "DatasetFlow", data_until=f"{until:%Y-%m-%d}")
        self.register("churn_features", "FeatureFlow", reads="customers", data_until=f"{until:%Y-%m-%d}")

    def _send(self, method: str, path: str, body: dict[str, object]) -> None:
        address = f"{self.site.url}/v1/perimeters/default/projects/churn/branches/main/{path}"
        answer = requests.request(method, address, json=body, headers={"x-api-key": self._token}, timeout=20)
        assert answer.ok, answer.text


def test_what_is_late_and_what_is_unusual_is_found_from_home_and_told_once(told, open_page):
    writer, kept = told
    watched = open_page(DESK)
    page = watched.page
    sign_in(page, writer.site, "ben")

    # an admin sets a receiver up, whose secret is shown this once
    page.goto(f"{writer.site.url}/default")
    link(page, "Webhooks").click()
    page.get_by_label("Address").fill(kept.url)
    button(page, "Make it").click()
    secret = re.search(r"whsec_[\w+/=]+", page.get_by_role("main").inner_text())
    assert secret
    has_nothing_serious(watched, scripts=True)

    # the export stopped three days ago, though its flow runs; and the bank counts in per cent
    now = datetime.now(UTC)
    writer.declare()
    writer.export(now - timedelta(days=3))
    for share in SHARES:
        writer.register("payments", "DatasetFlow", late_share=share)
    writer.site.manage("shell", "-c", BACKGROUND)

    # two steps: home, and the asset
    page.goto(writer.site.url)
    needed = page.get_by_role("main").get_by_role("listitem").filter(has_text="Customers is")
    expect(needed).to_contain_text("late, and with it Churn features")
    expect(needed).to_contain_text("its newest version v1 has data until")
    needed.get_by_role("link", name="Customers", exact=True).click()
    says(page, "Customers")
    expect(page.get_by_role("main")).to_contain_text(f"has data until {now - timedelta(days=3):%Y-%m-%d} only")
    has_nothing_serious(watched, scripts=True)

    page.goto(writer.site.url)
    page.get_by_role("main").get_by_role("listitem").filter(has_text="Payments").get_by_role("link", name="v12").click()
    expect(page.get_by_role("main")).to_contain_text("5.28, far above the last 11 values: 0.055 to 0.075")
    has_nothing_serious(watched, scripts=True)

    # it goes on, and home has nothing to say
    writer.export(now)
    page.goto(writer.site.url)
    expect(page.get_by_role("main")).not_to_contain_text("Customers is")

    # the receiver was told each of it once, in order for each asset, and can verify it
    messages = json.loads(writer.site.manage("shell", "--no-imports", "-c", TOLD))
    for _ in range(150):
        if len(kept.got) >= len(messages):
            break
        page.wait_for_timeout(200)
    assert sorted(kept.ids) == sorted(uid for uid, _, _ in messages)
    for asset in {asset for _, _, asset in messages}:
        of_it = [uid for uid, _, its in messages if its == asset]
        assert [uid for uid in kept.ids if uid in of_it] == of_it
    oracle = Webhook(secret.group())
    said = [oracle.verify(body.decode(), headers) for headers, body in kept.got]
    assert {(one["type"], (one["data"]["asset"] or {}).get("name")) for one in said} >= {
        ("branch.deployed", None),
        ("version.ready", "Payments"),
        ("version.unusual", "Payments"),
        ("asset.late", "Customers"),
        ("asset.late", "Churn features"),
        ("asset.fresh", "Customers"),
        ("asset.fresh", "Churn features"),
    }
    assert watched.errors == []
