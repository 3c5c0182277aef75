"""What waits for the viewer's approval is the first of what needs attention, wherever that is shown."""

import pytest
from django.test import Client

from catalog import recording
from tests.catalog.pages.conftest import text_of
from tests.promoting.desk import Desk
from tests.promoting.desk import desk as desk
from tests.promoting.pages.test_requests import client

TITLE = "asked of you"
PAGES = ["/", "/alpha", "/alpha/churn/main", "/alpha/attention", "/alpha/churn/main/attention"]


@pytest.mark.parametrize("page", PAGES)
def test_it_is_told_to_whom_it_waits_for(desk: Desk, page: str):
    request = desk.ask()
    for who in ("ann", "bob", "vic"):
        told = text_of(client(desk, who).get(page))
        assert TITLE in told
        assert f'href="/alpha/churn/main/models/churn_model/requests/{request.pk}"' in told
    for who in ("ada", "eve"):
        assert TITLE not in text_of(client(desk, who).get(page))


def test_it_goes_with_what_is_done_about_it_whatever_the_browser_has(desk: Desk):
    request = desk.ask()
    ann = client(desk, "ann")
    ann.get("/")  # brings the cookie of forms
    before = ann.get("/")
    assert TITLE in text_of(before)
    desk.approve("ann", request)
    after = ann.get("/", headers={"If-None-Match": before.headers.get("ETag", "")})
    assert (after.status_code, TITLE in text_of(after)) == (200, False)


def test_other_branches_and_perimeters_have_their_own(desk: Desk):
    desk.ask()
    desk.world.register("data/other", branch="feature/x")
    assert TITLE not in text_of(client(desk, "ann").get("/alpha/churn/feature_x"))


def test_more_than_a_few_are_counted(desk: Desk):
    for number in range(3, 13):
        made = desk.world.register("models/churn_model", f"TrainFlow/{number}/train/1", annotations={"auc": 0.9})
        recording.approving.ask(
            viewer=desk.viewer("ada"), asset=desk.asset, name="production", target_uid=made.uid, comment="again"
        )
    told = text_of(client(desk, "ann").get("/"))
    assert ">2 more</a>" in told


def test_nobody_is_asked_in_local_mode(desk: Desk, settings):
    desk.ask()
    settings.MODE, settings.LOCAL_MODE = "local", True
    assert TITLE not in text_of(Client(SERVER_NAME="localhost").get("/"))
