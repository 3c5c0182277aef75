"""The digests of artifacts, for every client: Metaflow's own content keys, from its records of artifacts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q

from catalog.models import Instance
from catalog.reconciling.task_records import TaskRecord
from catalog.reconciling.task_status import Attempt, TaskStatuses
from catalog.recording import fill_digests
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.metadata import Metadata
from catalog.runs.results import UnavailableError
from catalog.states import State

ARTIFACT = "artifact"
"""The kind of assets that are artifacts, and the annotation that has the name."""
WITHOUT = Q(digest=None, asset_kind=ARTIFACT, **{f"annotations__{ARTIFACT}__isnull": False})


def digests_of(instances: Iterable[Instance], attempt: Attempt, statuses: TaskStatuses) -> dict[str, str]:
    """The digests by uid of those instances of an attempt that are artifacts and have none."""
    mine = Instance.objects.filter(WITHOUT, pk__in=[row.pk for row in instances])
    names = {uid: name for uid, name in mine.values_list("uid", f"annotations__{ARTIFACT}") if isinstance(name, str)}
    shas = statuses.digests(attempt, names.values())
    return {uid: shas[name] for uid, name in names.items() if name in shas}


def fill_in_digests(run: str, perimeter: int, tasks: Mapping[TaskPath, TaskRecord], place: Metadata) -> None:
    """Give ready instances of a run their digests, where these tasks, whose records were read, made them."""
    done = {path.folder: (path, record) for path, record in tasks.items() if record.state == "succeeded"}
    mine = Instance.objects.filter(WITHOUT, run=run, component__perimeter=perimeter, state=State.READY)
    wanted: dict[str, dict[int, str]] = defaultdict(dict)
    for pk, task, attempt, name in mine.values_list("pk", "producer_id", "attempt", f"annotations__{ARTIFACT}"):
        if task in done and isinstance(name, str) and attempt in (None, done[task][1].attempt):
            wanted[task][pk] = name
    for task, names in wanted.items():
        path, record = done[task]
        try:
            shas = place.digests(path, record.attempt, names.values())
        except UnavailableError:
            continue
        fill_digests({pk: shas[name] for pk, name in names.items() if name in shas})
