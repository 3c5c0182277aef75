"""One pass: collect and backfill missed writes, settle pending instances; and the rebuild of a whole catalogue."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from access.models import Perimeter
from catalog.models import Asset, MissedWrite, Reconciliation, SourceFlow
from catalog.reconciling import ACTOR
from catalog.reconciling.applying import FIRST, THEN, Applier
from catalog.reconciling.branches import tagged_branch
from catalog.reconciling.collecting import collect
from catalog.reconciling.lease import HeldLease
from catalog.reconciling.missed import raise_missed
from catalog.reconciling.progress import Progress, Stopped
from catalog.reconciling.run_facts import read_runs
from catalog.reconciling.settling import oldest_unsettled, settle
from catalog.reconciling.sources import Source, learn_roots, remember_root, sources
from catalog.reconciling.task_records import TaskRecords
from catalog.reconciling.task_status import TaskStatuses
from catalog.recording import learn_branches

LEARNT_AGAIN = timedelta(days=1)
KEPT_PASSES = 2_000

Say = Callable[[str], None]


class NotEmpty(Exception):
    """A catalogue that is not empty can't be rebuilt."""


def reconcile(
    *, actor: str, say: Say, roots: Iterable[str] = (), should_stop: Callable[[], bool] = lambda: False
) -> Reconciliation:
    """Bring the catalogue up to date with the journals of tasks since the last pass.

    `should_stop` is called often: once it returns true, the pass ends, and the next one continues. Raises `LeaseTaken`
    if another process reconciles, `RootNotAllowed` for a folder among `roots` that may not be read.
    """
    with _pass(actor, say, should_stop) as progress:
        for root in roots:
            remember_root(root)
        _run(progress)
    return progress.row


def rebuild(
    *, actor: str, say: Say, roots: Iterable[str] = (), should_stop: Callable[[], bool] = lambda: False
) -> Reconciliation:
    """Rebuild an empty catalogue from all journals of tasks; raises `NotEmpty`. Continues where it was stopped."""
    if Asset.objects.exclude(created_by=ACTOR).exists():
        raise NotEmpty("The catalogue has assets that were not backfilled from Metaflow, so it can't be rebuilt.")
    unfinished = Reconciliation.objects.order_by("pk").last()
    with _pass(actor, say, should_stop, rebuild=True) as progress:
        for root in roots:
            remember_root(root)
        if not (unfinished and unfinished.rebuild and not unfinished.complete):
            SourceFlow.objects.all().delete()
        _run(progress)
    return progress.row


@contextmanager
def _pass(actor: str, say: Say, should_stop: Callable[[], bool], *, rebuild: bool = False) -> Iterator[Progress]:
    """The progress of a pass, with its row in the database and the lease."""
    lease = HeldLease()
    try:
        last = Reconciliation.objects.filter(complete=True).order_by("pk").last()
        row = Reconciliation.objects.create(
            started_at=timezone.now(), actor=actor, rebuild=rebuild, instances_from=last.instances_from if last else 0
        )
        progress = Progress(row, lease, say, should_stop)
        try:
            yield progress
        except Exception as error:
            progress.report(f"It failed: {error}")
            raise
        finally:
            row.stuck = MissedWrite.objects.exclude(error="").count()
            raise_missed()
            row.finished_at = timezone.now()
            progress.save()
        Reconciliation.objects.filter(pk__lte=row.pk - KEPT_PASSES).delete()
    finally:
        lease.release()


def _run(progress: Progress) -> None:
    row = progress.row
    try:
        if settings.LOCAL_MODE:  # before anybody has visited the site
            Perimeter.objects.get_or_create(name=settings.LOCAL_PERIMETER)
        learn_roots(row.instances_from)
        found = sources()
        has_new = any(source.row.read_at is None for source in found)
        for source in found:
            collect(source, progress)
        if row.rebuild:
            _make_perimeters(found)
        with TaskRecords(found) as records:
            statuses = TaskStatuses(records)
            applier = Applier(found, statuses, progress)
            applier.run(FIRST)
            settle(statuses, progress)
            applier.run(THEN)
            read_runs(records, progress, again=has_new)
        learn_branches(row.started_at - LEARNT_AGAIN, tagged_branch)
        row.instances_from = oldest_unsettled(row.instances_from)
        row.complete = True
    except Stopped:
        progress.report("It was stopped before it was done; the next pass goes on.")


def _make_perimeters(found: list[Source]) -> None:
    """Create the perimeters that tasks have written into, as far as their sources may write there."""
    for source in found:
        missed = MissedWrite.objects.filter(source=source.row).exclude(address="")
        names = {address.partition("/")[0] for address in missed.values_list("address", flat=True).iterator()}
        for name in sorted(filter(source.allows, names)):
            try:
                Perimeter.objects.get_or_create(name=name)
            except ValidationError:
                continue  # each write reports that there is no such perimeter
