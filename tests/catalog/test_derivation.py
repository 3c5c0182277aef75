"""A catalogue that an older version has derived: it is recounted once, in pieces, and says so until then."""

import threading
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import derivation
from catalog.jobs import background, table
from catalog.models import Asset, Consumption, Derivation, Instance, Promotion, Run
from catalog.old_runs import add_missing_runs
from catalog.reconciling import lease, recounting
from catalog.reconciling.progress import Stopped
from catalog.reconciling.recounting import recount
from tests.catalog.beside import Beside

pytestmark = [pytest.mark.both, pytest.mark.slow]

WAITS = "The catalogue waits for being brought up to date with version 0.4. Until then lineage may lack arrows."


@pytest.fixture
def unknown(monkeypatch):
    """A process that has not asked yet what the derived columns are."""
    monkeypatch.setattr(derivation, "_current", threading.Event())


@pytest.fixture
def old(api, unknown):
    """Three assets, with a promotion that an older version did not count."""
    made = api.register()
    api.consume("data/xkcd/instances/latest")
    api.register("models/churn")
    api.register("data/stable", annotations={"promoted_from_instance": made["id"]})
    right = list(Promotion.objects.values("source", "target", "count"))
    grow_old()
    api.right = right
    return api


def grow_old():
    Promotion.objects.all().delete()
    Derivation.objects.update(version=0)
    derivation._current.clear()


def silently(**options):
    return recount(say=lambda line: None, **options)


def stop_after(assets):
    """What is true once so many assets are recounted."""
    left = iter([False] * (assets - 1))
    return lambda: next(left, True)


class TestWhatIsSaid:
    def page(self, api, path="/default/churn/main"):
        return api.client.get(path).content.decode()

    def test_every_page_says_so_until_it_is_recounted(self, old):
        pages = ["/", "/default/churn/main", "/default/churn/main/data/xkcd", "/default/nowhere", "/admin/"]
        assert all(WAITS in self.page(old, page) for page in pages)
        assert silently() == "3 assets recounted, 1 correction."
        assert not any("brought up to date" in self.page(old, page) for page in pages)
        assert list(Promotion.objects.values("source", "target", "count")) == old.right

    def test_how_far_it_is_is_said_as_a_part(self, old):
        Derivation.objects.update(target=derivation.VERSION, assets=1_299, total=10_000)
        line = "The catalogue is being brought up to date with version 0.4: 12 % of its assets are done. Until then"
        assert line in self.page(old)
        Derivation.objects.update(assets=10_004)
        assert "99 % of its assets are done" in self.page(old)

    def test_a_page_that_needs_no_database_is_shown_without_it(self, old, monkeypatch):
        def fail():
            raise DatabaseError

        monkeypatch.setattr(derivation, "outstanding", fail)
        assert "Churn" not in self.page(old, "/default/churn/no/branch")

    def test_the_api_answers_as_ever(self, old):
        before = old.get("data").content
        silently()
        assert old.get("data").content == before

    def test_lineage_by_component_is_not_complete(self, old):
        answer = old.get("data/xkcd/lineage").data
        assert (answer["complete"], answer["left_out"], answer["notes"]) == (False, [], [WAITS])
        file = old.client.get("/default/churn/main/data/xkcd/lineage.dot")
        assert file.headers["X-Lineage-Complete"] == "false"
        assert WAITS in file.content.decode()
        silently()
        answer = old.get("data/xkcd/lineage").data
        assert (answer["complete"], answer["notes"]) == (True, [])

    def test_lineage_by_instance_comes_from_the_events(self, old):
        answer = old.get("data/stable/instances/latest/lineage").data
        assert (answer["complete"], answer["notes"]) == (True, [])

    def test_once_a_process_knows_it_does_not_ask_again(self, old):
        silently()
        derivation._current.clear()
        asked = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as queries:
                assert derivation.notice() == ""
            asked.append(len(queries))
        assert asked == [1, 0, 0]


class TestAfterMigrate:
    def test_an_empty_catalogue_is_of_this_version(self, db, unknown):
        Derivation.objects.all().delete()
        assert derivation.begin(apps)
        assert Derivation.objects.get().version == derivation.VERSION
        assert derivation._current.is_set()

    def test_one_with_assets_is_to_be_recounted(self, old):
        Derivation.objects.all().delete()
        out = StringIO()
        call_command("migrate", stdout=out)
        assert "This catalogue is to be recounted once" in out.getvalue()
        assert not derivation.is_current()
        silently()
        out = StringIO()
        call_command("migrate", stdout=out)
        assert "recounted" not in out.getvalue()

    def test_an_older_state_of_the_models_is_no_trouble(self, old):
        def lacks(room, model):
            raise LookupError

        assert derivation.begin(SimpleNamespace(get_model=lacks))


class TestInPieces:
    @pytest.fixture(autouse=True)
    def _saved_each_time(self, monkeypatch):
        monkeypatch.setattr(recounting, "SAVED_EVERY", -1)

    def test_what_was_stopped_is_gone_on_with(self, old):
        first, *rest = Asset.objects.order_by("pk").values_list("pk", flat=True)
        with pytest.raises(Stopped):
            silently(should_stop=stop_after(1))
        row = Derivation.objects.get()
        assert (row.version, row.last_asset, row.assets, row.total) == (0, first, 1, 3)
        assert silently() == "2 assets recounted, 1 correction. 1 asset had been before."
        row.refresh_from_db()
        assert (row.version, row.last_asset, row.assets) == (derivation.VERSION, rest[-1], 3)
        assert row.started_at < row.finished_at

    def test_what_was_killed_is_gone_on_with(self, old, monkeypatch):
        class Killed(BaseException):
            pass

        def die(line):
            raise Killed

        with pytest.raises(Killed):
            silently(correction=die)  # within the third asset
        assert Derivation.objects.get().assets == 2
        assert silently().startswith("1 asset recounted")
        assert derivation.is_current()

    def test_what_led_to_another_version_begins_anew(self, old, monkeypatch):
        with pytest.raises(Stopped):
            silently(should_stop=stop_after(2))
        monkeypatch.setattr(recounting, "VERSION", 2)
        assert silently() == "3 assets recounted, 1 correction."
        assert Derivation.objects.get().version == 2

    def test_what_is_recounted_by_hand_later_begins_anew_each_time(self, old):
        silently()
        with pytest.raises(Stopped):
            silently(should_stop=stop_after(2))
        assert derivation.is_current()
        assert silently() == "3 assets recounted, 0 corrections."

    def test_it_looks_assets_up_in_parts(self, old, monkeypatch):
        monkeypatch.setattr("catalog.counters.AT_ONCE", 2)
        assert silently() == "3 assets recounted, 1 correction."

    def test_it_rests_as_long_as_it_works(self, old, monkeypatch):
        rests = []
        monkeypatch.setattr(recounting.time, "sleep", rests.append)
        silently()
        assert rests == []
        silently(gently=True)
        assert len(rests) == 3
        assert all(0 < rest <= recounting.LONGEST_REST for rest in rests)

    def test_it_says_how_far_it_is(self, old, monkeypatch):
        monkeypatch.setattr(recounting, "SAID_EVERY", -1)
        said = []
        recount(say=said.append)
        assert said == [f"{number} of 3 assets recounted" for number in (1, 2, 3)]

    def test_one_process_at_a_time(self, old):
        held = lease.HeldLease()
        with pytest.raises(CommandError, match="being brought up to date already"):
            call_command("recount")
        held.release()
        call_command("recount", stdout=StringIO())
        assert derivation.is_current()
        lease.HeldLease()  # was given back


@pytest.mark.django_db(transaction=True)
class TestBesideTheServer:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch, settings):
        monkeypatch.setattr(background, "FIRST_AFTER", 0)
        monkeypatch.setattr(table, "MINUTE", 0.1)
        settings.RECONCILE_MINUTES = 0

    def test_it_recounts_also_where_nothing_is_reconciled(self, old, monkeypatch):
        monkeypatch.setattr(table, "reconcile", None)
        Beside().done_once("recount")
        assert derivation.is_current()
        assert Promotion.objects.count() == 1

    def test_it_waits_for_another_process(self, old, monkeypatch, caplog):
        held, told = lease.HeldLease(), []
        monkeypatch.setattr(background.log, "info", lambda text, *what: told.append(text % what))
        Beside().done_once("recount")
        assert any("already" in line for line in told)
        assert not derivation.is_current()
        held.release()
        Beside().done_once("recount")
        assert derivation.is_current()

    def test_what_goes_wrong_does_not_keep_it_from_reconciling(self, old, monkeypatch, caplog, settings):
        def fail(**_):
            raise RuntimeError("the disk is full")

        passed = threading.Event()
        settings.RECONCILE_MINUTES = 60
        monkeypatch.setattr(table, "recount", fail)
        monkeypatch.setattr(table, "reconcile", lambda **_: passed.set() or SimpleNamespace(made=0, settled=0))
        Beside().done_once("reconcile")
        assert passed.is_set()
        assert "The job 'recount' can't be done: RuntimeError: the disk is full" in caplog.text


class TestRuns:
    """Before 0.4 a run was but a name."""

    def rows(self):
        return sorted(Run.objects.values_list("name", "branch", "component__name"))

    def test_each_run_gets_the_row_that_its_events_would_have_made(self, old):
        old.consume("data/xkcd/instances/latest", "Elsewhere/1/start/1", consumer={"project": "p", "branch": "x"})
        right = self.rows()
        assert ("Elsewhere/1", "x", "Elsewhere") in right
        Run.objects.all().delete()
        silently()
        assert self.rows() == right

    def test_a_run_began_with_its_first_event_on_any_asset(self, old):
        early = timezone.now() - timedelta(days=1)
        xkcd, churn = (Asset.objects.get(asset_id=name) for name in ("xkcd", "churn"))
        Instance.objects.filter(asset=churn).update(created_at=early)
        Run.objects.all().delete()
        add_missing_runs(xkcd.pk)
        assert Run.objects.get(name="ComicData/1").first_at == early
        assert Run.objects.get(name="Reader/1").first_at == Consumption.objects.get().at

    def test_many_runs_are_added_in_parts_between_which_it_may_be_stopped(self, old, monkeypatch):
        monkeypatch.setattr("catalog.old_runs.AT_ONCE", 1)
        Run.objects.all().delete()
        ticks = []
        add_missing_runs(Asset.objects.get(asset_id="xkcd").pk, lambda: ticks.append(Run.objects.count()))
        assert ticks == [1, 2]

    def test_what_a_run_has_reported_stays(self, old):
        Run.objects.update(commit="6a20eaa")
        silently()
        assert set(Run.objects.values_list("commit", flat=True)) == {"6a20eaa"}
