"""Settle instances that stayed pending because their task was killed, or the catalogue was away when it ended."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import groupby

from django.utils import timezone

from catalog.entities import Entity
from catalog.models import Instance
from catalog.querysets import IS_LOST, PENDING
from catalog.reconciling import ACTOR
from catalog.reconciling.digests import digests_of
from catalog.reconciling.progress import Progress
from catalog.reconciling.task_status import Attempt, End, TaskStatus, TaskStatuses
from catalog.recording import confirm
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.results import Datastore
from catalog.states import State

YOUNG = timedelta(minutes=1)
"""For so long after a registration its task never counts as lost."""
BELIEVED_LOST = timedelta(days=7)
"""For so long each pass checks again whether a task that counts as lost has ended after all."""
BATCH = 200
UNCOMMITTED = 1_000
"""The number of keys that others may be given before the row of a smaller key is committed."""

Group = list[Instance]


def settle(statuses: TaskStatuses, progress: Progress) -> None:
    """Settle every pending instance whose task is over."""
    for group in _groups(progress.row.instances_from):
        progress.tick()
        first = group[0]
        path = TaskPath.parse(first.producer_id)
        if path is None or first.producer_kind != "task":
            continue
        attempt = _attempt(first, path)
        status = statuses.of(attempt)
        if status.end is End.UNKNOWN:
            progress.report(f"{first.producer_id} stays pending: {status.reason}")
        elif status.over:
            digests = digests_of(group, attempt, statuses) if status.end is End.READY else {}
            progress.row.settled += _settle(group, status, digests)


def oldest_unsettled(instances_from: int) -> int:
    """The smallest key from which the next pass must look for pending instances."""
    unsettled = _unsettled(instances_from, 1)
    newest = Instance.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return max(0, min(unsettled[0] if unsettled else newest, newest - UNCOMMITTED))


def _unsettled(instances_from: int, most: int) -> list[int]:
    """The keys, from one on, of pending instances, and of those that failed lately only because their task counted as
    lost; in order. Each of the two is asked for by itself, as each has an index."""
    since = timezone.now() - BELIEVED_LOST
    lost = Instance.objects.filter(IS_LOST, settled_at__gt=since)
    pending = Instance.objects.filter(PENDING, pk__gte=instances_from).order_by("pk")
    found = {*pending.values_list("pk", flat=True)[:most]}
    found.update(lost.filter(pk__gte=instances_from).order_by().values_list("pk", flat=True))
    return sorted(found)[:most]


def _groups(instances_from: int) -> Iterator[Group]:
    """The instances in groups, one for each attempt; an attempt that spans two batches has two groups."""
    rows = Instance.objects.defer("annotations", "tags", "blobs", "description")
    rows = rows.select_related("asset__branch__project__perimeter")
    while keys := _unsettled(instances_from, BATCH):
        batch = rows.filter(pk__in=keys).order_by("pk")
        for _, group in groupby(sorted(batch, key=_attempt_key), key=_attempt_key):
            yield list(group)
        instances_from = keys[-1] + 1


def _attempt_key(row: Instance) -> tuple[str, str, int, str]:
    return row.producer_kind, row.producer_id, -1 if row.attempt is None else row.attempt, row.state


def _attempt(instance: Instance, path: TaskPath) -> Attempt:
    perimeter = instance.asset.branch.project.perimeter.name
    datastore = Datastore(instance.datastore_type or None, instance.datastore_root or None, perimeter)
    return Attempt(path, instance.attempt, datastore, instance.created_at, instance.uid)


def _settle(group: Group, status: TaskStatus, digests: Mapping[str, str]) -> int:
    """Confirm the instances in place of their task; as lost only those that are pending and not young."""
    first = group[0]
    if status.end is End.LOST:
        old = timezone.now() - YOUNG
        group = [row for row in group if row.state == State.PENDING and row.created_at < old]
    if not group:
        return 0
    settled = confirm(
        actor=ACTOR,
        perimeter=first.asset.branch.project.perimeter,
        entity=Entity(first.producer_kind, first.producer_id),
        attempt=first.attempt,
        state=State.READY if status.end is End.READY else State.FAILED,
        reason=status.reason,
        uids=[row.uid for row in group],
        digests=digests,
        when=max(status.at, *(row.created_at for row in group)) if status.at else None,
        deleted=True,
        run_goes_on=status.run_goes_on,
    )
    return len(settled)
