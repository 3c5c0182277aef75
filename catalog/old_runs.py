"""Rows of the runs whose events an older version has recorded: before 0.4 a run was but a name."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef

from catalog.models import Asset, Consumption, Instance, Run
from catalog.querysets import COPIED

AT_ONCE = 500


def add_missing_runs(asset: int, tick: Callable[[], None] = lambda: None) -> None:
    """A row for each run that has registered or consumed this asset and has none, as all events of the run say.

    `tick` is called often, between two transactions.
    """
    perimeter: int = Asset.objects.values_list("branch__project__perimeter", flat=True).get(pk=asset)
    rows = Run.objects.filter(perimeter=perimeter, name=OuterRef("run"))
    names: set[str] = set()
    for events in (Instance.objects, Consumption.objects):
        without = events.filter(~Exists(rows), asset=asset).exclude(run="").order_by()
        names.update(without.values_list("run", flat=True).distinct())
    ordered = sorted(names)
    for first in range(0, len(ordered), AT_ONCE):
        runs = _runs(perimeter, ordered[first : first + AT_ONCE])
        Run.objects.bulk_create(runs, ignore_conflicts=True)
        tick()


def _runs(perimeter: int, names: list[str]) -> Iterator[Run]:
    """New rows; the branch is that of the last registration which is no copy, else the first that a reader named."""
    made = Instance.objects.filter(run__in=names, component__perimeter=perimeter).order_by("pk")
    read = Consumption.objects.filter(run__in=names, component__perimeter=perimeter).order_by("pk")
    copies = set(made.filter(COPIED).values_list("pk", flat=True))
    began: dict[str, tuple[datetime, int]] = {}
    branches: dict[str, str] = {}
    for pk, run, at, component, branch in made.values_list(
        "pk", "run", "created_at", "component", "asset__branch__key"
    ).iterator():
        began[run] = min(began.get(run, (at, component)), (at, component))
        if pk not in copies:
            branches[run] = branch
    for run, at, component, branch in read.values_list("run", "at", "component", "write_branch").iterator():
        began[run] = min(began.get(run, (at, component)), (at, component))
        if branch:
            branches.setdefault(run, branch)
    for run, (at, component) in began.items():
        branch = branches.get(run, "")
        yield Run(perimeter_id=perimeter, name=run, component_id=component, branch=branch, first_at=at)
