"""Lists of runs and sessions, newest first, and what each of them made and read: a fixed number of queries a page."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet

from access.errors import BadRequest
from access.identity import Viewer
from access.models import Perimeter
from catalog.addresses import asset_url_by_id
from catalog.models import Branch, Component, Consumption, Instance, Project, Run
from catalog.querysets import COPIED

OUTCOMES = 1_000
"""The most assets that are told of for all runs of a page together, the newest first."""
UNTOLD_EVENTS = 100
"""How many of the newest registrations, and readings, are looked through for those of runs without a row."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(\d{1,17})-(\d{1,18})")
_OF_ASSET = ("kind", "asset_id", "name", "branch__key", "branch__project__name", "branch__project__perimeter__name")


@dataclass(frozen=True)
class RunPlace:
    """Where a list of runs goes on: behind this run."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, run: Run) -> "RunPlace":
        return cls(run.first_at, run.pk)

    @classmethod
    def parse(cls, text: str, name: str) -> "RunPlace | None":
        """Read what `str` made; None for an empty text. `name` is that of the parameter."""
        if not text:
            return None
        parts = _PLACE.fullmatch(text)
        if not text.isascii() or parts is None:
            raise BadRequest(f"'{name}' is not one that this list gave out. Begin without it.", field=name)
        return cls(_EPOCH + timedelta(microseconds=int(parts[1])), int(parts[2]))

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.pk}"


@dataclass(frozen=True)
class Outcome:
    """An asset that a run made versions of, or read: how often, and which versions; None: the definition."""

    branch: Branch
    kind: str
    asset_id: str
    name: str
    role: str | None
    count: int
    first: int | None
    last: int | None

    @property
    def title(self) -> str:
        return self.name or self.asset_id

    @property
    def asset_url(self) -> str:
        return asset_url_by_id(self.branch, self.kind, self.asset_id)

    @property
    def is_one_version(self) -> bool:
        return self.first == self.last


@dataclass
class Outcomes:
    made: list[Outcome] = field(default_factory=list)
    read: list[Outcome] = field(default_factory=list)


def runs_of_component(
    viewer: Viewer, component: Component, keys: Collection[str], after: RunPlace | None, most: int
) -> list[Run]:
    """The newest runs of a component that write to these branches, after a place in the list."""
    mine = _after(Run.objects.visible_to(viewer).of_component(component.pk), after)
    found = Q()
    for key in keys:  # each by itself, so that an index finds them in their order
        found |= Q(pk__in=mine.filter(branch=key).newest_first().values("pk")[:most])
    return list(mine.filter(found).newest_first().defer("graph")[:most])


def runs_of_branch(
    viewer: Viewer, perimeter: Perimeter, project: str, key: str, *, flow: str, after: RunPlace | None, most: int
) -> list[Run]:
    """The newest runs and sessions of a project that write to a branch, after a place in the list."""
    found = Run.objects.visible_to(viewer).filter(perimeter=perimeter, branch=key, component__project_name=project)
    if flow:
        found = found.filter(component__kind=Component.Kind.FLOW, component__name=flow)
    return list(_after(found, after).select_related("component").newest_first().defer("graph")[:most])


def _after(runs: Any, place: RunPlace | None) -> Any:
    if place is None:
        return runs
    return runs.filter(first_at__lte=place.at).filter(Q(first_at__lt=place.at) | Q(pk__lt=place.pk))


def outcomes_of(viewer: Viewer, perimeter: int, names: Collection[str]) -> dict[str, Outcomes]:
    """What runs made and read, by their names. Two queries, or none for no runs."""
    found = {name: Outcomes() for name in names}
    if not found:
        return found
    mine = {"run__in": found, "component__perimeter": perimeter}
    made = Instance.objects.visible_to(viewer).filter(**mine).exclude(COPIED)
    for run, outcome in _grouped(made, "number"):
        found[run].made.append(outcome)
    read = Consumption.objects.visible_to(viewer).filter(**mine, failed=None)
    for run, outcome in _grouped(read, "instance__number", "role"):
        found[run].read.append(outcome)
    return found


def _grouped(events: QuerySet[Any], number: str, *more: str) -> Iterable[tuple[str, Outcome]]:
    columns = ["run", *(f"asset__{name}" for name in _OF_ASSET), *more]
    groups = (
        events.order_by()
        .values(*columns)
        .annotate(count=Count("pk"), first=Min(number), last=Max(number), newest=Max("pk"))
    )
    for row in groups.order_by("-newest")[:OUTCOMES]:
        yield row["run"], _outcome(row, row["count"], row["first"], row["last"])


def _outcome(row: dict[str, Any], count: int, first: int | None, last: int | None) -> Outcome:
    kind, asset_id, name, key, project, perimeter = (row[f"asset__{column}"] for column in _OF_ASSET)
    branch = Branch(key=key, project=Project(name=project, perimeter=Perimeter(name=perimeter)))
    return Outcome(branch, kind, asset_id, name, row.get("role"), count, first, last)


@dataclass
class Untold:
    """A run of which there is no row, or an entity without run or session; `at` is when it was last seen."""

    run: str
    entity_kind: str
    entity_id: str
    at: datetime
    outcomes: Outcomes = field(default_factory=Outcomes)


def untold_of_component(viewer: Viewer, component: Component, branch: Branch) -> list[Untold]:
    """What a component did on a branch outside of the runs that have a row, newest first. Two queries.

    It is found among the newest events only: older versions kept no rows of runs, and apps of theirs no sessions.
    """
    has_row = Exists(Run.objects.visible_to(viewer).filter(perimeter=component.perimeter_id, name=OuterRef("run")))
    made = Instance.objects.visible_to(viewer).filter(component=component, asset__branch=branch).exclude(COPIED)
    read = Consumption.objects.visible_to(viewer).filter(component=component, failed=None)
    read = read.filter(write_branch__in=(branch.key, ""))
    found: dict[str, Untold] = {}
    for events, is_made, names in (
        (made, True, {"who_kind": F("producer_kind"), "who": F("producer_id"), "seen": F("created_at")}),
        (read, False, {"who_kind": F("entity_kind"), "who": F("entity_id"), "seen": F("at")}),
    ):
        number, more = ("number", ()) if is_made else ("instance__number", ("role",))
        columns = ["run", "number_", "has_row", *names, *(f"asset__{name}" for name in _OF_ASSET), *more]
        rows = events.annotate(has_row=has_row, number_=F(number), **names).order_by("-pk").values(*columns)
        for row in rows[:UNTOLD_EVENTS]:
            if not row["has_row"]:
                _add(found, row, is_made)
    return sorted(found.values(), key=lambda one: one.at, reverse=True)


def _add(found: dict[str, Untold], row: dict[str, Any], is_made: bool) -> None:
    key = row["run"] or f"{row['who_kind']} {row['who']}"
    one = found.setdefault(key, Untold(row["run"], row["who_kind"], row["who"], row["seen"]))
    one.at = max(one.at, row["seen"])
    known = one.outcomes.made if is_made else one.outcomes.read
    new = _outcome(row, 1, row["number_"], row["number_"])
    for at, other in enumerate(known):
        if (other.asset_url, other.role) == (new.asset_url, new.role):
            known[at] = _outcome({**row, "role": new.role}, other.count + 1, new.first, other.last)
            return
    known.append(new)
