"""What has become late is told once, with its cause, as long as it lasts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import recording
from catalog.attention import SETTLED
from catalog.models import Asset, Attention, Branch, Cadence, Message, Project
from catalog.states import EventKind
from catalog.watching.causes import Cause
from catalog.watching.lates import is_anything_late, tell_lates
from catalog.watching.looking import look
from tests.built_once import built_once
from tests.catalog.watching.worlds import DAY, HOUR, MINUTE, World

pytestmark = [pytest.mark.both, pytest.mark.each, pytest.mark.django_db]


def made():
    """Two assets, of which one is made from the other, with weeks behind them; and one on a branch without a deploy."""
    world = World()
    with world.clock():
        for asset_id, flow, branch in (("raw", "Ingest", "main"), ("xkcd", "Train", "main"), ("own", "Train", "trial")):
            world.make(asset_id, flow, branch=branch)
        world.read("raw", world.task("Train"))
        for asset in Asset.objects.all():
            Asset.objects.filter(pk=asset.pk).update(to_look_at=False)
        Project.objects.update(heard=f"{EventKind.LATE.value} {EventKind.FRESH_AGAIN.value}")
    return world


@pytest.fixture
def world(db):
    world = built_once(made)
    world.now += DAY
    with world.clock():
        yield world


def rows():
    """What needs attention because it is late: subjects with why."""
    found = Attention.objects.filter(kind="late").exclude(fingerprint=SETTLED).order_by("pk")
    return {row.subject: row.facts.get("why", "") for row in found}


def events():
    return list(Message.objects.order_by("pk").values_list("kind", "asset__asset_id"))


NOT_RUN = "Train has not run since 2025-03-03 06:00 UTC"


class TestTelling:
    def test_it_is_told_once_with_its_cause(self, world):
        xkcd = world.late("xkcd")
        assert is_anything_late()
        assert vars(tell_lates()) == {"late": 1, "over": 0}
        assert rows() == {f"asset:{xkcd.pk}": NOT_RUN}
        assert events() == [("asset.late", "xkcd")]
        told = Message.objects.get()
        assert told.body["sentence"] == f"xkcd is late by 2 h: {NOT_RUN}."
        assert Cause.of(told.body["cause"]) == Cause.of(Cadence.objects.get().cause)
        assert (told.at, told.withheld) == (world.now, "")
        row, xkcd = Attention.objects.get(), world.asset("xkcd")
        assert (row.since, row.until, xkcd.late_told_at) == (xkcd.late_at, xkcd.dormant_at, world.now)
        world.now += MINUTE
        assert vars(tell_lates()) == {"late": 0, "over": 0}
        assert (len(rows()), len(events())) == (1, 1)

    def test_nothing_is_asked_or_written_where_nothing_is_late(self, world):
        world.late("xkcd", -HOUR)
        with CaptureQueriesContext(connection) as asked:
            assert not is_anything_late()
        assert len(asked) == 2
        assert vars(tell_lates()) == {"late": 0, "over": 0}

    def test_after_a_night_without_a_server_it_is_told_as_late_since_then(self, world):
        world.late("xkcd", 9 * HOUR)
        tell_lates()
        assert Message.objects.get().withheld == ""
        assert Attention.objects.get().since == world.now - 9 * HOUR

    def test_what_became_late_after_all_was_known_waits(self, world):
        world.late("xkcd")
        world.late("raw", 3 * HOUR)
        assert tell_lates(known_until=world.now - 2 * HOUR).late == 1
        assert events() == [("asset.late", "raw")]

    def test_what_nobody_expects_any_more_is_no_news(self, world):
        world.late("xkcd", 15 * DAY)
        assert not is_anything_late()
        assert vars(tell_lates()) == {"late": 0, "over": 0}

    def test_branches_without_a_deploy_and_those_of_people_never_alarm(self, world):
        world.late("own", branch="trial")
        assert tell_lates().late == 0
        world.deploy("trial")
        assert tell_lates().late == 1
        Branch.objects.filter(key="trial").update(git_name="user.ada", key="user_ada")
        assert vars(tell_lates()) == {"late": 0, "over": 1}
        assert rows() == {}
        assert Asset.objects.get(asset_id="own").late_told_at is None

    def test_many_are_told_some_at_a_time(self, world):
        for number in range(5):
            world.make(f"more{number}", "Train")
            world.late(f"more{number}")
        assert tell_lates(at_once=2).late == 5
        assert len(rows()) == len(events()) == 5


class TestItsCause:
    def test_it_is_brought_up_to_date_and_who_dismissed_it_sees_it_again(self, world):
        xkcd = world.late("xkcd")
        tell_lates()
        Attention.objects.update(dismissed_at=world.now)
        tell_lates()
        assert Attention.objects.get().dismissed_at
        raw = world.late("raw", 3 * HOUR)
        tell_lates()
        row = Attention.objects.get(asset=xkcd)
        assert (row.dismissed_at, row.facts["upstream"]) == (None, f"asset:{raw.pk}")
        assert Cadence.objects.get(asset=xkcd).cause["input"]["asset_id"] == "raw"
        assert len(events()) == 2

    def test_while_nothing_changes_nothing_is_written(self, world):
        world.late("xkcd")
        tell_lates()
        with CaptureQueriesContext(connection) as asked:
            tell_lates()
        assert not [one for one in asked if one["sql"].lstrip().startswith(("INSERT", "UPDATE"))]

    def test_what_is_learned_anew_changes_its_moments(self, world):
        world.late("xkcd")
        tell_lates()
        world.late("xkcd", 2 * HOUR)
        tell_lates()
        assert Attention.objects.get().since == world.now - 2 * HOUR
        assert len(events()) == 1


class TestItsEnd:
    def test_what_is_deleted_needs_no_attention_until_it_is_recovered(self, world):
        xkcd = world.late("xkcd")
        tell_lates()
        recording.delete_asset(actor="ada", asset=xkcd)
        tell_lates()
        assert rows() == {}
        recording.recover_asset(actor="ada", here=Asset.objects.filter(pk=xkcd.pk))
        tell_lates()
        assert (len(rows()), len(events())) == (1, 2)

    def test_what_is_not_late_by_what_is_learned_is_over(self, world):
        xkcd = world.late("xkcd")
        tell_lates()
        Asset.objects.filter(pk=xkcd.pk).update(to_look_at=True)
        look()
        assert world.asset("xkcd").late_told_at is None
        assert rows() == {}
        assert events() == [("asset.late", "xkcd"), ("asset.fresh", "xkcd")]
        assert "is not late by what is known by now" in Message.objects.last().body["sentence"]

    def test_what_comes_while_it_is_told_is_not_late(self, world, monkeypatch):
        from catalog.watching import lates

        xkcd, find = world.late("xkcd"), lates.causes_of

        def meanwhile(*args):
            Asset.objects.filter(pk=xkcd.pk).update(late_at=world.now + DAY)
            return find(*args)

        monkeypatch.setattr(lates, "causes_of", meanwhile)
        assert tell_lates().late == 0
        assert (rows(), events()) == ({}, [])


class TestDormantBranches:
    @pytest.fixture
    def quiet(self, world):
        """Nothing was refreshed for two weeks where two assets are late since nearly as long, and were told so."""
        world.late("xkcd")
        world.late("raw")
        tell_lates()
        world.now += 13 * DAY
        return Branch.objects.get(key="main")

    def test_all_that_is_late_there_is_one_row(self, world, quiet):
        assert len(rows()) == 2
        tell_lates()
        assert rows() == {f"branch:{quiet.pk}": ""}
        row = Attention.objects.get(subject=f"branch:{quiet.pk}")
        assert (row.since, row.until, row.asset) == (world.now - 14 * DAY, None, None)
        assert len(events()) == 2
        world.now += 30 * DAY
        tell_lates()
        assert rows() == {f"branch:{quiet.pk}": ""}

    def test_what_is_usually_rarer_is_news_of_its_own(self, world, quiet):
        xkcd = world.late("xkcd", HOUR, usual=4 * DAY)
        tell_lates()
        assert set(rows()) == {f"branch:{quiet.pk}", f"asset:{xkcd.pk}"}

    def test_what_becomes_late_there_is_told_by_the_branch(self, world, quiet):
        Asset.objects.update(late_told_at=None)
        Attention.objects.all().delete()
        tell_lates()
        assert rows() == {f"branch:{quiet.pk}": ""}
        assert len(events()) == 2

    def test_once_something_is_refreshed_the_others_are_late_again(self, world, quiet):
        tell_lates()
        world.make("raw", "Ingest")
        tell_lates()
        xkcd = world.asset("xkcd")
        assert rows()[f"asset:{xkcd.pk}"] == NOT_RUN
        assert f"branch:{quiet.pk}" not in rows()
        assert events().count(("asset.late", "xkcd")) == 1

    def test_it_ends_with_the_last_that_is_late(self, world, quiet):
        world.history("other", [world.now - 40 * DAY])
        tell_lates()
        recording.delete_asset(actor="ada", asset=world.asset("raw"))
        tell_lates()
        assert rows() == {f"branch:{quiet.pk}": ""}
        recording.delete_asset(actor="ada", asset=world.asset("xkcd"))
        Asset.objects.filter(asset_id="other").update(refreshed_at=world.now - 14 * DAY)
        tell_lates()
        assert rows() == {}

    def test_it_ends_with_what_alarms(self, world, quiet):
        tell_lates()
        Branch.objects.filter(pk=quiet.pk).update(key="trial2")
        tell_lates()
        assert rows() == {}
