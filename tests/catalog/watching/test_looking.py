"""The background looks at what came: what is expected next, and what is unusual."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import recording
from catalog.freshness.learning import LAST, learn
from catalog.metrics import annotations_of
from catalog.models import Asset, Attention, Cadence, Instance, Message, Project, Unusual
from catalog.statements import annotations_before
from catalog.states import EventKind
from catalog.unusual import unusual_of
from catalog.watching import looking, statements
from catalog.watching.looking import look
from tests.catalog.watching.worlds import BEGIN, DAY, HOUR, MINUTE

pytestmark = [pytest.mark.both, pytest.mark.each, pytest.mark.django_db]
COLUMNS = ("watch", "usual", "due_at", "late_at", "dormant_at")


def expected_of(asset):
    asset.refresh_from_db()
    assert not asset.to_look_at
    return tuple(getattr(asset, name) for name in COLUMNS)


def as_learned(times, now, **more):
    found = learn(times, now=now, **more)
    return tuple(getattr(found, name) for name in COLUMNS)


def withdraw(world, asset, instance):
    task = world.task("Flow")
    recording.deprecate(actor="ada", asset=asset, target_uid=instance.uid, reason="wrong", entity=task)


class TestTimes:
    def test_it_learns_from_what_came_and_says_how(self, world):
        times = [BEGIN + number * DAY for number in range(20)]
        asset = world.history("xkcd", times)
        assert vars(look()) == {"assets": 1, "unusual": 0}
        assert expected_of(asset) == as_learned(times, world.now)
        assert asset.watch == "learned"
        assert asset.due_at == times[-1] + DAY
        cadence = Cadence.objects.get()
        assert cadence.told == learn(times, now=world.now).told
        with CaptureQueriesContext(connection) as asked:
            assert vars(look()) == {"assets": 0, "unusual": 0}
        assert len(asked) == 1

    def test_of_a_long_history_it_reads_a_part_that_says_the_same(self, world):
        times = [BEGIN + number * HOUR for number in range(24 * 50)]
        short = world.history("short", times[-LAST:])
        asset = world.history("long", times)
        with CaptureQueriesContext(connection) as asked:
            look()
        assert expected_of(asset) == as_learned(times, world.now)
        assert asset.watch == "learned"
        assert expected_of(short)[0] == "learning"
        assert len(asked) < 25
        Asset.objects.update(to_look_at=True, normal_since=times[-29])
        look()
        assert expected_of(asset) == as_learned(times[-29:], world.now)

    def test_normal_since_the_year_1_is_normal_ever_since(self, world):
        times = [BEGIN + number * HOUR for number in range(24 * 30)]
        world.history("xkcd", times)
        look()
        learned = expected_of(world.asset("xkcd"))
        recording.start_anew(actor="ada", asset=world.asset("xkcd"), since=datetime(1, 1, 1, tzinfo=UTC))
        look()
        assert expected_of(world.asset("xkcd")) == learned

    def test_what_takes_long_to_be_made_is_found_among_the_weeks_before(self, world):
        times = [BEGIN + number * 2 * HOUR for number in range(12 * 50)]
        asset = world.history("long", times)
        for row in Instance.objects.all():
            row.created_at -= 90 * MINUTE
            row.save()
        look()
        assert expected_of(asset) == as_learned(times, world.now)

    def test_only_what_tasks_made_here_counts(self, world):
        times = [BEGIN + number * DAY for number in range(20)]
        asset = world.history("xkcd", times)
        theirs = Instance.objects.filter(number__in=[5, 6]).order_by("number")
        theirs.filter(number=5).update(producer_kind="user")
        theirs.filter(number=6).update(annotations={"promoted_from_instance": "gone"})
        Instance.objects.filter(number=7).update(annotations={"promoted_from_instance": ""})
        withdraw(world, asset, Instance.objects.get(number=8))
        look()
        assert expected_of(asset) == as_learned(times[:4] + times[6:], world.now)
        Instance.objects.update(producer_kind="user")
        Asset.objects.update(to_look_at=True)
        look()
        assert expected_of(asset) == ("off", None, None, None, None)

    def test_the_time_zone_is_that_of_the_project(self, world):
        times = [BEGIN + number * HOUR for number in range(24 * 30)]
        asset = world.history("xkcd", times)
        Project.objects.update(timezone="Europe/Berlin")
        look()
        assert expected_of(asset) == as_learned(times, world.now, timezone="Europe/Berlin")
        assert Cadence.objects.get().told["zone"] == "Europe/Berlin"

    def test_what_is_declared_wins_and_data_has_its_own_time(self, world):
        times = [BEGIN + number * DAY for number in range(3)]
        said = [{"data_until": "2025-02-03"}, {"data_until": "2025-02-04T12:00:00Z"}, {"data_until": "soon"}]
        asset = world.history("xkcd", times, said)
        Asset.objects.update(declared_freshness={"every": "1d"})
        look()
        assert expected_of(asset)[:3] == ("declared", DAY.total_seconds(), times[-1] + DAY)
        Asset.objects.update(declared_freshness={"every": "1d", "at": "data_until"}, to_look_at=True)
        look()
        assert expected_of(asset)[2] == times[0].replace(month=2, day=5, hour=12)
        Asset.objects.update(normal_since=world.now + DAY, to_look_at=True)
        look()
        assert expected_of(asset)[2] == times[0].replace(month=2, day=5, hour=12)  # a declaration needs no history
        Asset.objects.update(declared_freshness={"off": True}, to_look_at=True)
        look()
        assert expected_of(asset) == ("off", None, None, None, None)

    def test_data_that_comes_often_has_its_weeks_too(self, world):
        times = [BEGIN + number * 2 * HOUR for number in range(12 * 20)]
        asset = world.history("xkcd", times, [{"until": (at - HOUR).isoformat()} for at in times])
        Asset.objects.update(declared_freshness={"at": "until"})
        look()
        assert expected_of(asset)[0] == "learned"
        assert expected_of(asset)[2] == times[-1] + 2 * HOUR  # it came an hour after what it has
        world.now += HOUR
        world.make("xkcd", annotations={"until": times[3].isoformat()})
        look()
        assert expected_of(asset)[2] == times[-1] + 2 * HOUR  # old data brought anew is no news

    def test_while_the_clock_is_behind_it_is_looked_at_again(self, world):
        times = [BEGIN + number * DAY for number in range(20)]
        world.history("xkcd", times)
        world.now = times[-1] - 9 * HOUR
        look()
        asset = world.asset("xkcd")
        assert (asset.to_look_at, asset.due_at) == (True, learn(times, now=world.now).due_at)
        world.now = times[-1] + MINUTE
        look()
        assert expected_of(asset)[2] == times[-1] + DAY

    def test_deleted_assets_are_not_looked_at(self, world):
        asset = world.history("xkcd", [BEGIN])
        recording.delete_asset(actor="ada", asset=asset)
        assert look().assets == 0
        asset.refresh_from_db()
        assert asset.to_look_at


class TestUnusual:
    USUAL = [{"auc": 0.9 + number % 3 / 100} for number in range(12)]
    TIMES = [BEGIN + number * DAY for number in range(12)]

    def heard(self):
        Project.objects.update(heard=EventKind.UNUSUAL.value)

    def attention(self):
        return list(Attention.objects.filter(kind="unusual", until=None).values_list("subject", "facts"))

    def test_a_new_version_is_judged_by_those_before(self, world):
        asset = world.history("xkcd", self.TIMES, self.USUAL)
        self.heard()
        assert look().unusual == 0
        world.now += DAY
        bad = world.make("xkcd", annotations={"auc": 900})
        assert vars(look()) == {"assets": 1, "unusual": 1}
        row = Unusual.objects.get()
        assert (row.instance_id, row.rule, list(row.reasons)) == (bad.pk, 1, ["auc"])
        assert "far above" in row.reasons["auc"]
        assert self.attention() == [(f"asset:{asset.pk}", {"number": 13, "reasons": row.reasons})]
        told = Message.objects.get()
        assert (told.kind, told.instance_uid, told.asset_id, told.withheld) == (
            "version.unusual",
            bad.uid,
            asset.pk,
            "",
        )
        Asset.objects.update(to_look_at=True)
        assert look().unusual == 0
        world.now += DAY
        world.make("xkcd", annotations={"auc": 0.9})
        assert look().unusual == 0
        assert (Unusual.objects.count(), Message.objects.count(), self.attention()) == (1, 1, [])

    def test_when_what_is_unusual_is_deprecated_the_one_before_is_the_newest(self, world):
        asset = world.history("xkcd", self.TIMES, self.USUAL)
        look()
        bad = world.make("xkcd", annotations={"auc": 900})
        look()
        withdraw(world, asset, bad)
        Asset.objects.update(to_look_at=True)
        look()
        assert self.attention() == []
        recording.undo_deprecation(actor="ada", asset=asset, target_uid=bad.uid, entity=world.task("Flow"))
        Asset.objects.update(to_look_at=True)
        assert look().unusual == 0
        assert len(self.attention()) == 1

    def test_of_what_was_there_before_any_look_the_newest_is_judged(self, world):
        world.history("xkcd", self.TIMES, [*self.USUAL[:10], {"auc": 900}, {"auc": -900}])
        self.heard()
        assert look().unusual == 1
        assert Unusual.objects.get().instance.number == 12
        world.now += DAY
        world.history("other", self.TIMES, self.USUAL)
        look()
        assert Message.objects.get().withheld == ""  # it came just now

    def test_several_new_ones_are_each_judged_by_those_before_it(self, world):
        world.history("xkcd", self.TIMES, self.USUAL)
        look()
        for auc in (0.91, 900, 0.92, None):
            world.now += MINUTE
            world.make("xkcd", annotations={} if auc is None else {"auc": auc})
        assert look().unusual == 2
        assert dict(Unusual.objects.values_list("instance__number", "reasons")) == {
            14: {"auc": "900, far above the last 13 values: 0.9 to 0.92, median 0.91"},
            16: {"auc": "missing, and the last 8 versions had it"},
        }

    def test_what_is_ready_late_is_judged_then(self, world):
        world.history("xkcd", self.TIMES, self.USUAL)
        look()
        world.now += HOUR
        slow = world.make("xkcd", state="pending", annotations={"auc": 900})
        world.now += HOUR
        world.make("xkcd", annotations={"auc": 0.92})
        assert look().unusual == 0
        world.settle(slow, "ready")
        Asset.objects.update(to_look_at=True)
        assert look().unusual == 1
        assert self.attention() == []  # it is not the newest

    def test_what_is_older_than_the_new_normal_says_nothing(self, world):
        world.history("xkcd", self.TIMES, self.USUAL)
        look()
        Asset.objects.update(normal_since=world.now)
        world.now += DAY
        world.make("xkcd", annotations={"auc": 900})
        assert look().unusual == 0

    def test_what_is_unusual_and_older_than_the_new_normal_needs_no_attention(self, world):
        asset = world.history("xkcd", self.TIMES, self.USUAL)
        look()
        world.make("xkcd", annotations={"auc": 900})
        look()
        recording.start_anew(actor="ada", asset=asset, since=world.now)
        assert len(self.attention()) == 1
        world.now += HOUR
        recording.start_anew(actor="ada", asset=asset)
        assert self.attention() == []
        look()
        assert self.attention() == []

    def test_it_is_advice_everywhere_and_alarms_where_branches_do(self, world):
        world.history("xkcd", self.TIMES, self.USUAL, branch="trial")
        self.heard()
        look()
        world.make("xkcd", branch="trial", annotations={"auc": 900})
        assert look().unusual == 1
        assert (self.attention(), Message.objects.count()) == ([], 0)
        world.deploy("trial")
        Asset.objects.update(to_look_at=True)
        look()
        assert len(self.attention()) == 1

    def test_it_says_what_gates_say(self, world):
        said = [{"auc": 0.9 + number * number % 7 / 100, "loss": number} for number in range(40)]
        asset = world.history("xkcd", [BEGIN + number * DAY for number in range(40)], said)
        look()
        new = world.make("xkcd", annotations={"auc": 5, "loss": 40})
        look()
        rows = annotations_before.all(asset=asset.pk, since=BEGIN, at=new.created_at, number=new.number, most=30)
        asked = unusual_of(annotations_of(text for (text,) in reversed(rows)), new.annotations)
        assert Unusual.objects.get().reasons == asked


class TestRaces:
    """What is written while it is looked at is looked at, too."""

    TIMES = [BEGIN + number * DAY for number in range(20)]

    @pytest.fixture
    def two(self, world):
        return world.history("one", self.TIMES), world.history("other", self.TIMES)

    def meanwhile(self, monkeypatch, act):
        """Something is written after the assets were read, and before they are locked."""
        acts, ask = [act], statements.lock_free.all

        def all_(**values):
            if acts:
                acts.pop()()
            return ask(**values)

        monkeypatch.setattr(statements.lock_free, "all", all_)

    @pytest.mark.django_db(transaction=True)  # the mark of a row is that of its transaction
    def test_a_version_that_comes_meanwhile(self, world, two, monkeypatch):
        world.now += DAY
        self.meanwhile(monkeypatch, lambda: world.make("one"))
        assert look().assets == 2
        assert expected_of(two[0])[2] == world.now + DAY
        assert expected_of(two[1])[2] == world.now

    @pytest.mark.django_db(transaction=True)
    def test_an_asset_that_is_deleted_meanwhile(self, world, two, monkeypatch):
        self.meanwhile(monkeypatch, lambda: recording.delete_asset(actor="ada", asset=two[0]))
        assert look().assets == 1
        two[0].refresh_from_db()
        assert two[0].to_look_at

    def test_one_that_somebody_else_has_locked_is_waited_for_at_last(self, world, two, monkeypatch):
        ask = statements.lock_free.all
        monkeypatch.setattr(statements.lock_free, "all", lambda **values: ask(**values)[1:])
        assert look().assets == 2
        assert not Asset.objects.filter(to_look_at=True).exists()

    def test_it_may_end_between_two_transactions(self, world, two):
        def stop():
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            look(after_each=stop, at_once=1)
        assert Asset.objects.filter(to_look_at=True).count() == 1
        assert look().assets == 1

    def test_nobody_waits_for_one_that_can_not_be_looked_at(self, world, two, monkeypatch, caplog):
        def fail(times, **about):
            if about["declared"].zone == "Asia/Tokyo":
                raise OverflowError("date value out of range")
            return learn(times, **about)

        monkeypatch.setattr(looking, "learn", fail)
        Asset.objects.filter(pk=two[0].pk).update(declared_freshness={"timezone": "Asia/Tokyo"})
        assert look().assets == 1
        assert list(Asset.objects.filter(to_look_at=True)) == [two[0]]
        assert f"The asset with the key {two[0].pk} can't be looked at." in caplog.text

    def test_an_error_while_it_is_kept_leaves_the_marks(self, world, two, monkeypatch):
        def fail(*args):
            raise RuntimeError

        monkeypatch.setattr(looking, "_keep_attention", fail)
        with pytest.raises(RuntimeError):
            look()
        assert Asset.objects.filter(to_look_at=True, watch="off").count() == 2
        assert not Cadence.objects.exists()
