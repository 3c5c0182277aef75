"""The jobs of the background: each when it is due, by one process at a time, in `serve` and by `assetsite work`."""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from catalog.jobs import background, packing, table
from catalog.jobs.background import Background
from catalog.jobs.packing import pack_series
from catalog.jobs.table import JOBS, Doing, Job
from catalog.models import Asset, Lease, SeriesBlock
from catalog.reconciling.lease import HeldLease, LeaseTaken
from catalog.reconciling.progress import Stopped
from tests import migrated
from tests.catalog.beside import Beside
from tests.catalog.series.worlds import asset_with
from tests.places import CHECKOUT, MANAGE

pytestmark = pytest.mark.slow
MEASURED = [{"auc": 0.5}] * 600


def printed(*args):
    out = StringIO()
    call_command("work", *args, stdout=out)
    return out.getvalue()


@pytest.mark.both
@pytest.mark.django_db
class TestSeries:
    def test_it_packs_what_can_be_packed_and_says_so_once(self):
        one, other = asset_with(MEASURED), asset_with(MEASURED[:300], asset_id="other")
        assert pack_series() == "3 blocks of series packed"
        assert pack_series() == ""
        assert SeriesBlock.objects.filter(asset=one).count() == 2
        assert SeriesBlock.objects.filter(asset=other).count() == 1

    def test_it_may_be_stopped_after_each_block_and_goes_on(self):
        asset_with(MEASURED)
        with pytest.raises(Stopped):
            pack_series(should_stop=lambda: True)
        assert SeriesBlock.objects.count() == 1
        assert Lease.objects.get(name=packing.LEASE).holder == ""
        assert pack_series(gently=True) == "1 block of series packed"

    def test_one_process_does_it_and_none_is_asked_where_nothing_is_to_be_done(self):
        held = HeldLease(packing.LEASE)
        assert pack_series() == ""
        asset_with(MEASURED)
        with pytest.raises(LeaseTaken, match="The job 'series' is being done already"):
            pack_series()
        HeldLease()  # that of reconciling is another one
        held.release()
        assert pack_series() == "2 blocks of series packed"

    def test_what_goes_wrong_with_one_asset_does_not_keep_others_from_it(self, monkeypatch, caplog):
        bad, good = asset_with(MEASURED), asset_with(MEASURED, asset_id="other")
        pack_one = packing.pack_one

        def fails(pk):
            if pk == bad.pk:
                raise ValueError("a broken row")
            return pack_one(pk)

        monkeypatch.setattr(packing, "pack_one", fails)
        assert pack_series() == "2 blocks of series packed"
        assert "can't be packed" in caplog.text
        assert {*SeriesBlock.objects.values_list("asset", flat=True)} == {good.pk}

    def test_a_database_that_is_away_ends_it(self, monkeypatch):
        def away(pk):
            raise OperationalError("the server closed the connection")

        asset_with(MEASURED)
        monkeypatch.setattr(packing, "pack_one", away)
        with pytest.raises(OperationalError):
            pack_series()


@pytest.mark.django_db
class TestWork:
    def test_it_does_each_job_once(self, settings):
        settings.RECONCILE_MINUTES = 5
        asset_with(MEASURED)
        assert printed("--once").splitlines() == [
            "recount: nothing to do",
            "reconcile: nothing to do",
            "series: 2 blocks of series packed",
            "look: 1 asset looked at",
            "late: nothing to do",
            "deliver: nothing to do",
            "mail: nothing to do",
            "prune: nothing to do",
        ]

    def test_it_does_those_that_are_named_also_one_that_is_off(self, settings):
        settings.RECONCILE_MINUTES = 0
        assert [line.split(":")[0] for line in printed("--once").splitlines()] == [
            *("recount", "series", "look", "late", "deliver", "mail", "prune"),
        ]
        assert printed("--once", "--only", "series", "reconcile").splitlines() == [
            "reconcile: nothing to do",
            "series: nothing to do",
        ]
        with pytest.raises(CommandError, match="never due: reconcile"):
            printed("--only", "reconcile")
        with pytest.raises(CommandError, match="invalid choice: 'everything'"):
            printed("--once", "--only", "everything")

    def test_what_another_process_does_is_said_and_the_rest_is_done(self):
        asset_with(MEASURED)
        HeldLease()
        out = StringIO()
        with pytest.raises(CommandError, match="Not done: reconcile"):
            call_command("work", "--once", "--only", "reconcile", "series", stdout=out)
        assert "reconcile: The catalogue is being brought up to date already." in out.getvalue()
        assert "series: 2 blocks of series packed" in out.getvalue()


class TestBackground:
    def test_each_job_is_done_when_it_is_due_and_an_error_stops_none(self, monkeypatch, caplog):
        monkeypatch.setattr(background, "FIRST_AFTER", 0)
        done = []

        def fail(doing):
            done.append("bad")
            raise RuntimeError("the disk is full")

        jobs = [
            Job("often", "", lambda: 0.05, lambda doing: done.append("often") or ""),
            Job("bad", "", lambda: 0.05, fail),
            Job("seldom", "", lambda: 60, lambda doing: done.append("seldom") or "something"),
            Job("off", "", lambda: 0, lambda doing: done.append("off") or ""),
        ]
        working = Background("somebody", jobs)
        working.start()
        until = time.monotonic() + 20
        while done.count("often") < 3 and time.monotonic() < until:
            time.sleep(0.01)
        working.stop()
        assert not working.is_working()
        assert done[:3] == ["often", "bad", "seldom"]
        assert done.count("bad") > 1
        assert (done.count("seldom"), done.count("off")) == (1, 0)
        assert "The job 'bad' can't be done: RuntimeError: the disk is full" in caplog.text

    def test_a_job_that_can_not_wait_does_not_wait_for_another(self, monkeypatch):
        monkeypatch.setattr(background, "FIRST_AFTER", 0)
        done = threading.Event()

        def waits(doing: Doing):
            assert done.wait(20)
            return ""

        jobs = [Job("long", "", lambda: 60, waits), Job("soon", "", lambda: 60, lambda _: done.set() or "", apart=True)]
        working = Background("somebody", jobs)
        working.start()
        assert done.wait(20)
        working.stop()
        assert not working.is_working()

    def test_a_job_hears_that_it_should_stop(self, monkeypatch):
        monkeypatch.setattr(background, "FIRST_AFTER", 0)
        begun, heard = threading.Event(), []

        def waits(doing: Doing):
            begun.set()
            while not doing.should_stop():
                time.sleep(0.01)
            heard.append((doing.actor, doing.gently))
            raise Stopped

        working = Background("somebody", [Job("waits", "", lambda: 60, waits)])
        working.start()
        assert begun.wait(20)
        working.stop()
        assert heard == [("somebody", True)]

    @pytest.mark.django_db(transaction=True)
    def test_series_are_packed_where_nothing_is_reconciled(self, monkeypatch, settings):
        settings.RECONCILE_MINUTES = 0
        monkeypatch.setattr(background, "FIRST_AFTER", 0)
        asset_with(MEASURED)
        Beside().done_once("series")
        assert Asset.objects.get().series_whole == 512


def test_every_job_has_a_name_of_its_own_and_says_what_it_is_for():
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.about for job in JOBS)
    assert [job.name for job in JOBS] == ["recount", "reconcile", "series", "look", "late"]
    assert table.MINUTE == 60


class Site:
    """A catalogue of its own, whose commands are other processes."""

    def __init__(self, home):
        self.file = home / "c.sqlite3"
        self.env = os.environ | {"ASSETSITE_HOME": str(home), "DATABASE_URL": f"sqlite:///{self.file}"}
        self.env |= {"ASSETSITE_RECONCILE_MINUTES": "0"}
        migrated.fill(self.env["DATABASE_URL"])

    def begun(self, *command):
        return subprocess.Popen([*MANAGE, *command], cwd=CHECKOUT, env=self.env, stdout=subprocess.PIPE, text=True)

    def manage(self, *command):
        process = self.begun(*command)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        return out

    def blocks(self):
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute("SELECT count(*) FROM catalog_seriesblock").fetchone()[0]


@pytest.mark.long
def test_it_works_until_it_is_told_to_stop(tmp_path):
    working = Site(tmp_path).begun("work")
    assert working.stdout.readline().startswith("Doing, each when it is due: recount, series")
    working.send_signal(signal.SIGTERM)
    assert working.wait(60) == 0


@pytest.mark.long
def test_it_may_be_killed_at_any_moment_and_the_next_one_goes_on(tmp_path):
    site = Site(tmp_path)
    seed = "from tests.catalog.series.worlds import asset_with; asset_with([{'auc': 0.5, 'loss': 1}] * 256 * 40)"
    site.manage("shell", "-v", "0", "-c", seed)
    working = site.begun("work", "--once", "--only", "series")
    while site.blocks() < 3:
        time.sleep(0.01)
    working.kill()
    working.wait()
    done = site.blocks()
    assert 3 <= done < 40
    assert site.manage("work", "--once") == (
        f"recount: nothing to do\nseries: {40 - done} blocks of series packed\n"
        "look: 1 asset looked at\nlate: nothing to do\n"
        "deliver: nothing to do\nmail: nothing to do\nprune: nothing to do\n"
    )
    assert "0 corrections" in site.manage("recount")
