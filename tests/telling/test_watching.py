"""Watching: a person says on a page which mail they want about an asset or a branch, and stops it there or at home."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Membership, Role, Token
from assetsite.public_address import PublicAddress
from catalog.models import Delivery, Project, Subscription
from telling.groups import chosen, groups_in, in_words
from telling.sorting import sort_some
from telling.subscriptions import next_morning
from tests.telling.worlds import World

pytestmark = pytest.mark.django_db
BRANCH, ASSET = "/alpha/churn/main", "/alpha/churn/main/models/model"


@pytest.fixture
def world(settings):
    settings.MODE, settings.LOCAL_MODE, settings.ALLOWED_HOSTS = "team", False, ["testserver", "assets.example.org"]
    settings.EMAIL_FROM, settings.PUBLIC_ADDRESS = "assets@example.org", PublicAddress.of("https://assets.example.org")
    world = World()
    world.asset()
    return world


@pytest.fixture
def vic(world):
    user = User.objects.create(username="vic", email="vic@example.org")
    Membership.objects.create(user=user, perimeter=world.perimeter, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    return client


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().replace("<wbr>", "")).split())


@pytest.mark.parametrize("page", [BRANCH, ASSET])
def test_a_viewer_watches_changes_and_stops(world, vic, page):
    assert f'href="{page}/watch"' in vic.get(page).content.decode()
    shown = vic.get(f"{page}/watch")
    assert "You get no mail about this" in text_of(shown)
    assert "vic@example.org" in text_of(shown)
    answer = vic.post(f"{page}/watch", {"groups": ["aliases"], "kinds": ["asset.late"], "when": "daily"}, follow=True)
    assert "once a day: aliases and approvals, asset late." in text_of(answer)
    row = Subscription.objects.get()
    assert (row.user.username, row.daily, row.asset is None) == ("vic", True, page == BRANCH)
    assert row.kinds == chosen(["aliases"], ["asset.late"])
    assert Project.objects.get().heard.split() == row.kinds
    shown = text_of(vic.get(f"{page}/watch"))
    assert "watching You get mail once a day: aliases and approvals, asset late." in shown
    vic.post(f"{page}/watch", {"groups": ["problems"]})
    changed = Subscription.objects.get()
    assert (changed.pk, changed.daily, in_words(changed.kinds)) == (row.pk, False, "problems")
    assert "problems at once" in text_of(vic.get("/me/watching"))
    vic.post(f"{page}/watch", {"act": "stop"})
    assert not Subscription.objects.exists()
    assert Project.objects.get().heard == ""
    assert vic.post(f"{page}/watch", {"act": "stop"}).status_code == 302


def test_all_that_one_watches_is_on_ones_own_page_and_stopped_there(world, vic):
    vic.post(f"{ASSET}/watch", {"groups": ["versions"]})
    vic.post(f"{BRANCH}/watch", {"groups": ["problems", "versions", "aliases", "deploys"]})
    shown = text_of(vic.get("/me/watching"))
    assert "main alpha/churn everything" in shown
    assert "model alpha/churn on main versions" in shown
    assert "watch the whole branch" in text_of(vic.get(f"{ASSET}/watch"))
    assert Subscription.objects.get(asset=None).kinds == []
    other = User.objects.create(username="other")
    of_other = Subscription.objects.create(
        user=other, perimeter=world.perimeter, branch=world.main, created_at=datetime.now(tz=UTC)
    )
    assert vic.post(f"/me/watching/{of_other.pk}/stop").status_code == 404
    assert vic.post(f"/me/watching/{2**70}/stop").status_code == 404
    for row in Subscription.objects.exclude(user=other):
        assert vic.post(f"/me/watching/{row.pk}/stop").status_code == 302
    assert Subscription.objects.get() == of_other


def test_what_is_wrong_is_said(world, vic, settings):
    assert "Choose what you want to be told of." in text_of(vic.post(f"{ASSET}/watch", {"kinds": ["no.kind"]}))
    User.objects.update(email="")
    assert "Your account has no address for mail." in text_of(vic.get(f"{ASSET}/watch"))
    assert vic.post(f"{ASSET}/watch", {"groups": ["problems"]}).status_code == 422
    settings.EMAIL_FROM = ""
    assert "This site sends no mail" in text_of(vic.get(f"{BRANCH}/watch"))
    assert "This site sends no mail" in text_of(vic.get("/me/watching"))
    assert not Subscription.objects.exists()


def test_only_people_who_see_it_watch(world, vic):
    stranger = Client()
    stranger.force_login(User.objects.create(username="olga"))
    _, secret = Token.objects.issue(user=User.objects.get(username="vic"), perimeter=world.perimeter, role=Role.VIEWER)
    token = Client(headers={"x-api-key": secret})
    for page in (BRANCH, ASSET):
        assert stranger.post(f"{page}/watch", {"groups": ["problems"]}).status_code == 404
        assert token.post(f"{page}/watch", {"groups": ["problems"]}).status_code == 403
        assert f"{page}/watch" not in token.get(page).content.decode()
    assert "there is nobody here to send it to" in text_of(token.get(f"{ASSET}/watch"))


def test_what_waits_follows_a_change_of_when(world, vic):
    vic.post(f"{BRANCH}/watch", {"groups": ["versions"], "when": "daily"})
    world.message(created_at=datetime.now(tz=UTC))
    sort_some()
    row = Delivery.objects.get()
    assert row.next_at.hour == 8
    vic.post(f"{BRANCH}/watch", {"groups": ["versions"]})
    row.refresh_from_db()
    assert row.next_at <= datetime.now(tz=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "morning"),
    [
        ((2026, 3, 2, 7, 59), "", (2026, 3, 2, 8)),
        ((2026, 3, 2, 8), "no/zone", (2026, 3, 3, 8)),
        ((2026, 3, 28, 7), "Europe/Berlin", (2026, 3, 29, 6)),
        ((2026, 12, 31, 23), "America/New_York", (2027, 1, 1, 13)),
    ],
)
def test_the_morning_is_that_of_the_project(now, zone, morning):
    assert next_morning(datetime(*now, tzinfo=UTC), zone) == datetime(*morning, tzinfo=UTC)


def test_groups_hold_every_kind_once():
    everything = chosen(["problems", "versions", "aliases", "deploys"], [])
    assert in_words(everything) == "everything"
    assert chosen([], everything) == everything
    assert [group.name for group in groups_in(chosen(["versions"], ["asset.late"]))] == ["versions"]
    assert chosen(["nothing"], ["webhook.test"]) == []
