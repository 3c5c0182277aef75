"""The jobs `look` and `late`: by one process at a time, ended at any moment, and gone on with by the next."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.jobs import watching
from catalog.jobs.watching import look_at_all, tell_all_lates
from catalog.models import Asset, Lease, Reconciliation
from catalog.reconciling.lag import known_until
from catalog.reconciling.lease import HeldLease, LeaseTaken
from catalog.reconciling.progress import Stopped
from tests.catalog.jobs.test_jobs import Site
from tests.catalog.watching.worlds import HOUR, World

NOW = datetime(2025, 3, 3, 6, tzinfo=UTC)


@pytest.fixture
def world(db):
    world = World()
    with world.clock():
        world.make("xkcd")
        yield world


@pytest.mark.both
@pytest.mark.django_db
class TestJobs:
    def test_what_came_is_looked_at_and_said(self, world):
        world.make("other")
        assert look_at_all() == "2 assets looked at"
        assert look_at_all() == ""
        for share in (*[0.04] * 8, 4.1):
            world.make("other", annotations={"late_share": share})
            assert look_at_all(gently=True) == ("1 asset looked at, 1 unusual version" if share > 1 else "")
        assert not Lease.objects.exclude(holder="").exists()

    def test_what_has_become_late_is_told_and_said(self, world, settings):
        settings.RECONCILE_MINUTES = 0
        assert tell_all_lates() == ""
        world.late("xkcd")
        assert tell_all_lates(gently=True) == "1 asset late"
        assert tell_all_lates() == ""
        Asset.objects.update(late_at=world.now + HOUR)
        assert tell_all_lates() == "1 no longer"
        assert tell_all_lates() == ""

    @pytest.mark.parametrize(("name", "do"), [(watching.LOOK, look_at_all), (watching.LATE, tell_all_lates)])
    def test_one_process_does_it_and_it_may_be_stopped(self, world, settings, name, do):
        settings.RECONCILE_MINUTES = 0
        world.late("xkcd")
        held = HeldLease(name)
        with pytest.raises(LeaseTaken, match=f"The job '{name}' is being done already"):
            do()
        held.release()
        with pytest.raises(Stopped):
            do(should_stop=lambda: True)
        assert Lease.objects.get(name=name).holder == ""
        do()
        assert not Asset.objects.filter(
            **{"to_look_at": True} if do is look_at_all else {"late_told_at": None}
        ).exists()


@pytest.mark.django_db
class TestKnownUntil:
    """What tasks kept while the catalogue was away is not known before a pass of reconciling has read it."""

    def passed(self, ago, *, complete=True):
        return Reconciliation.objects.create(started_at=NOW - ago, actor="ada", complete=complete)

    def test_it_is_up_to_the_last_whole_pass(self, settings):
        settings.RECONCILE_MINUTES = 5
        assert known_until(NOW) == NOW  # none was ever made
        self.passed(timedelta(minutes=4))
        self.passed(timedelta(minutes=1), complete=False)
        assert known_until(NOW) == NOW - timedelta(minutes=4)

    def test_nobody_waits_for_a_pass_for_ever(self, settings):
        settings.RECONCILE_MINUTES = 5
        self.passed(timedelta(hours=9))
        assert known_until(NOW) == NOW - timedelta(minutes=15)
        settings.RECONCILE_MINUTES = 20
        assert known_until(NOW) == NOW - timedelta(minutes=60)
        settings.RECONCILE_MINUTES = 0
        assert known_until(NOW) == NOW

    def test_what_became_late_since_is_told_after_the_next_pass(self, world, settings):
        settings.RECONCILE_MINUTES = 5
        Reconciliation.objects.create(started_at=world.now - 2 * HOUR, actor="ada", complete=True)
        world.late("xkcd", timedelta(minutes=2))
        assert tell_all_lates() == ""
        Reconciliation.objects.create(started_at=world.now, actor="ada", complete=True)
        assert tell_all_lates() == "1 asset late"


SEED = """
from tests.catalog.watching.worlds import HOUR, World
world = World()
with world.clock():
    for number in range(6):
        world.make(f'data{number}')
"""
LATE = """
from datetime import timedelta
from django.utils.timezone import now
from catalog.models import Asset
hour, at = timedelta(hours=1), now()
Asset.objects.update(refreshed_at=at, late_at=at - hour, due_at=at - 2 * hour, dormant_at=at + 99 * hour)
"""
KILLED = """
import os
from catalog.watching import looking, lates
{what}
call_command = __import__('django.core.management').core.management.call_command
call_command('work', '--once', '--only', '{job}')
"""


@pytest.mark.long
def test_killed_in_the_middle_of_a_transaction_it_leaves_what_the_next_one_does(tmp_path):
    site = Site(tmp_path)
    site.manage("shell", "-v", "0", "-c", SEED)
    dies = "looking.statements.take_flags.run = lambda **values: os._exit(9)"
    process = site.begun("shell", "-v", "0", "-c", KILLED.format(what=dies, job="look"))
    process.communicate(timeout=120)
    assert process.returncode == 9
    assert site.manage("work", "--once", "--only", "look") == "look: 6 assets looked at\n"
    site.manage("shell", "-v", "0", "-c", LATE)
    dies = "lates.keep = lambda messages: os._exit(9)"
    process = site.begun("shell", "-v", "0", "-c", KILLED.format(what=dies, job="late"))
    process.communicate(timeout=120)
    assert process.returncode == 9
    assert site.manage("work", "--once", "--only", "late") == "late: 6 assets late\n"
    assert site.manage("work", "--once", "--only", "late") == "late: nothing to do\n"
