"""The exact lineage graph by instance, from events: instances, the runs that made them, and the inputs of these runs.

The rule: a run's reading is an input of everything that the run registers afterwards. A task names its run, so a flow
that reads in `start` and registers in `train` links the two. A reading without a run (by an app, a person) has no
outputs: it is no evidence for what the same reader registers much later. A promoted instance comes from its source
alone. A run is identified by its name within a perimeter: each perimeter may have a Metaflow of its own.

A run is one node for each prefix of its readings, so a later reading never leads to an earlier registration. So the
exact graph is acyclic, and data can really have flowed along every path in it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform

from access.errors import NotFound
from catalog.models import Consumption, Instance
from catalog.querysets import PROMOTED_FROM
from catalog.reading import Resolved
from lineage.graph import Relation
from lineage.walk import Arrow, Key

Run = tuple[int, str]
"""Perimeter and name."""


def instance_key(pk: int) -> Key:
    return ("instance", pk)


def definition_key(asset: int) -> Key:
    return ("definition", asset)


def run_key(run: Run, readings: int) -> Key:
    """The key of a run after so many readings."""
    return ("run", *run, readings)


@dataclass(frozen=True, slots=True)
class Made:
    """A registration, with what the graph needs of it."""

    pk: int
    run: Run
    at: datetime
    entity: str
    component: int
    branch: str
    source: int | None
    unknown_source: str

    @property
    def is_promoted(self) -> bool:
        return self.source is not None


@dataclass(frozen=True, slots=True)
class Reading:
    """A consumption, by a run or by an entity without one."""

    pk: int
    content: Key
    run: Run
    at: datetime
    entity: str
    component: int
    branch: str


class InstanceRows:
    """The arrows by instance as of a time (None: now). Rows are loaded as they are needed."""

    def __init__(self, as_of: datetime | None) -> None:
        self.as_of = as_of
        self.cut = False
        self.made: dict[int, Made] = {}
        self.readings: dict[Run, dict[int, Reading]] = defaultdict(dict)
        self.registered: dict[Run, dict[int, Made]] = defaultdict(dict)
        self.readers: dict[Key, set[Run]] = defaultdict(set)
        """The runs that read an instance or definition."""
        self.ordered: dict[Run, list[Reading]] = {}
        self.loaded: set[Run] = set()
        """The runs whose readings are all loaded."""

    def begin(self, found: Resolved) -> Key:
        """The key of the focus."""
        if found.instance is None:
            return definition_key(found.asset.pk)
        if not self._store(self._instances(Q(pk=found.instance.pk)).values_list(*COLUMNS)):
            raise NotFound(f"'{found.uid}' was not there yet at that time.", focus=found.uid)
        return instance_key(found.instance.pk)

    def arrows(self, into: Collection[Key], out_of: Collection[Key], most: int) -> list[Arrow]:
        """The arrows, with one query for each direction in which instances are new; their runs are read with them."""
        upwards = [self.made[key[1]] for key in keys_of("instance", into)]
        self._load_sources(upwards, most)
        contents = [key for key in out_of if kind_of(key) in ("instance", "definition")]
        promoted = self._load_uses(contents, most)
        arrows: list[Arrow] = []
        for made in upwards:
            arrows += self._into_instance(made)
        for key in keys_of("run", into):
            arrows += self._into_run(key)
        if contents:
            arrows += self._out_of_contents(contents)
        for key in keys_of("run", out_of):
            arrows += self._out_of_run(key)
        arrows += [_promotion(made) for made in promoted]
        return arrows[:most]

    def among(self, keys: Collection[Key]) -> list[Arrow]:
        """The arrows between these keys. No query: the readings of a run were loaded with it."""
        arrows: list[Arrow] = []
        for key in keys_of("instance", keys):
            arrows += self._into_instance(self.made[key[1]])
        for key in keys_of("run", keys):
            arrows += self._into_run(key)
        return [arrow for arrow in arrows if arrow.source in keys and arrow.target in keys]

    # arrows into a node

    def _into_instance(self, made: Made) -> Iterable[Arrow]:
        if made.is_promoted:
            yield _promotion(made)
            return
        if made.unknown_source:
            yield Arrow(("unknown", made.unknown_source), instance_key(made.pk), Relation.PROMOTES, made.at, made.at, 1)
        if made.run[1]:
            yield self._production(made)

    def _into_run(self, key: Any) -> Iterable[Arrow]:
        _, perimeter, name, count = key
        return _merged(_read(row, key) for row in self._ordered((perimeter, name))[:count])

    # arrows out of a node

    def _out_of_contents(self, contents: list[Key]) -> Iterable[Arrow]:
        wanted = set(contents)
        readers = {run for content in contents for run in self.readers[content]}
        for run in sorted(readers):
            arrows = [
                _read(row, reader)
                for place, row in enumerate(self._ordered(run))
                if row.content in wanted
                for reader in self._readers_of(run, place, row)
            ]
            yield from _merged(arrows)

    def _readers_of(self, run: Run, place: int, row: Reading) -> list[Key]:
        """The run at each registration after a reading; at its end if there is none."""
        if not run[1]:
            return [("entity", row.component, row.branch)]
        states = {self._prefix(made) for made in self.registered[run].values()}
        return [run_key(run, count) for count in sorted(states) if count > place] or [run_key(run, self._last(run))]

    def _out_of_run(self, key: Any) -> Iterable[Arrow]:
        _, perimeter, name, count = key
        for made in self.registered[perimeter, name].values():
            if self._prefix(made) == count:
                yield self._production(made)

    def _production(self, made: Made) -> Arrow:
        state = run_key(made.run, self._prefix(made))
        return Arrow(state, instance_key(made.pk), Relation.PRODUCES, made.at, made.at, 1, made.entity)

    def _ordered(self, run: Run) -> list[Reading]:
        if run not in self.ordered:
            self.ordered[run] = sorted(self.readings[run].values(), key=lambda row: (row.at, row.pk))
        return self.ordered[run]

    def _last(self, run: Run) -> int:
        return len(self.readings[run])

    def _prefix(self, made: Made) -> int:
        """The number of readings of its run before a registration."""
        return bisect_right(self._ordered(made.run), made.at, key=lambda row: row.at)

    # loading

    def _load_sources(self, upwards: list[Made], most: int) -> None:
        """Load the readings of the runs of these registrations, and the sources of promoted ones, in one query."""
        runs = {made.run for made in upwards if made.run[1] and not made.is_promoted} - self.loaded
        sources = {made.source for made in upwards if made.source} - self.made.keys()
        if not runs and not sources:
            return
        self._store(self._union(self._consumptions(_by(runs)), self._instances(Q(pk__in=sources)), most=most))
        self.loaded |= runs

    def _load_uses(self, contents: list[Key], most: int) -> list[Made]:
        """Load the readings of these, all rows of the runs that read them, and the promotions from them: two queries.

        Return the promotions. Runs are read first: the indexes can be used only with their names.
        """
        if not contents:
            return []
        pks = [key[1] for key in keys_of("instance", contents)]
        definitions = [key[1] for key in keys_of("definition", contents)]
        use = Q(instance__in=pks) | Q(asset__in=definitions, instance=None)
        users = self._until(Consumption.objects.filter(use), "at").exclude(run="")
        runs = list(users.order_by("-id").values_list("component__perimeter", "run")[:most])
        self.cut = self.cut or len(runs) == most
        theirs = _by(set(runs))
        registrations = self._store(
            self._union(
                self._consumptions(use & Q(run="")),
                self._consumptions(theirs),
                self._instances(theirs & Q(promoted_from=None)),
                self._instances(Q(promoted_from__in=pks)),
                most=most,
            )
        )
        wanted = set(pks)
        return [made for made in registrations if made.source in wanted]

    def _union(self, first: QuerySet[Any], *others: QuerySet[Any], most: int) -> Iterable[Any]:
        both = first.values_list(*COLUMNS).union(*(rows.values_list(*COLUMNS) for rows in others), all=True)
        found = list(both.order_by("-at_", "what", "pk")[:most])
        self.cut = self.cut or len(found) == most
        return found

    def _consumptions(self, which: Q) -> QuerySet[Any]:
        return self._until(Consumption.objects.filter(which), "at").annotate(
            what=Value("read"),
            content=F("instance_id"),
            asset_=F("asset_id"),
            run_=F("run"),
            perimeter=F("component__perimeter_id"),
            at_=F("at"),
            entity=F("entity_id"),
            component_=F("component_id"),
            branch=F("write_branch"),
            its_run=F("instance__run"),
            its_at=F("instance__created_at"),
            its_entity=F("instance__producer_id"),
            its_component=F("instance__component_id"),
            its_branch=F("asset__branch__key"),
            its_source=F("instance__promoted_from_id"),
            its_unknown_source=_unknown_source("instance__"),
        )

    def _instances(self, which: Q) -> QuerySet[Any]:
        return self._until(Instance.objects.filter(which), "created_at").annotate(
            what=Value("made"),
            content=F("pk"),
            asset_=F("asset_id"),
            run_=F("run"),
            perimeter=F("component__perimeter_id"),
            at_=F("created_at"),
            entity=F("producer_id"),
            component_=F("component_id"),
            branch=F("asset__branch__key"),
            its_run=F("run"),
            its_at=F("created_at"),
            its_entity=F("producer_id"),
            its_component=F("component_id"),
            its_branch=F("asset__branch__key"),
            its_source=F("promoted_from_id"),
            its_unknown_source=_unknown_source(),
        )

    def _until(self, rows: QuerySet[Any], time: str) -> QuerySet[Any]:
        return rows.order_by().filter(**{f"{time}__lte": self.as_of}) if self.as_of else rows.order_by()

    def _store(self, rows: Iterable[Any]) -> list[Made]:
        """Store the rows; return the registrations among them."""
        registrations = []
        for what, pk, content, asset, run, perimeter, at, entity, component, branch, *its in rows:
            if content is not None:
                its_run, its_at, its_entity, its_component, its_branch, source, unknown = its
                made = Made(
                    content, (perimeter, its_run), its_at, its_entity, its_component, its_branch, source, unknown or ""
                )
                self.made[content] = made
                if not made.is_promoted:
                    self.registered[made.run][content] = made
                if what == "made":
                    registrations.append(made)
            if what == "read":
                key = definition_key(asset) if content is None else instance_key(content)
                reading = Reading(pk, key, (perimeter, run), at, entity, component, branch)
                self.readings[reading.run][pk] = reading
                self.readers[key].add(reading.run)
                self.ordered.pop(reading.run, None)
        return registrations


def _by(runs: Collection[Run]) -> Q:
    """The condition for the rows of these runs."""
    by_perimeter: dict[int, list[str]] = defaultdict(list)
    for perimeter, name in sorted(runs):
        by_perimeter[perimeter].append(name)
    theirs = Q(pk__in=[])
    for perimeter, names in by_perimeter.items():
        theirs |= Q(component__perimeter=perimeter, run__in=names)
    return theirs


def _unknown_source(prefix: str = "") -> Case:
    """The source that an instance names but the catalogue does not have; `prefix` is the path to the instance."""
    says = KeyTextTransform(PROMOTED_FROM, f"{prefix}annotations")
    return Case(When(**{f"{prefix}promoted_from": None}, then=says), output_field=TextField())


COLUMNS = (
    "what",
    "pk",
    "content",
    "asset_",
    "run_",
    "perimeter",
    "at_",
    "entity",
    "component_",
    "branch",
    "its_run",
    "its_at",
    "its_entity",
    "its_component",
    "its_branch",
    "its_source",
    "its_unknown_source",
)


def kind_of(key: Key) -> str:
    return str(key[0])


def keys_of(kind: str, keys: Collection[Key]) -> list[Any]:
    return [key for key in keys if kind_of(key) == kind]


def _promotion(made: Made) -> Arrow:
    assert made.source is not None
    source, target = instance_key(made.source), instance_key(made.pk)
    return Arrow(source, target, Relation.PROMOTES, made.at, made.at, 1, made.entity)


def _read(row: Reading, reader: Key) -> Arrow:
    return Arrow(row.content, reader, Relation.CONSUMES, row.at, row.at, 1, row.entity)


def _merged(arrows: Iterable[Arrow]) -> Iterable[Arrow]:
    """One arrow for each pair of ends, with its count; `arrows` are in the order of their times."""
    merged: dict[tuple[Key, Key], Arrow] = {}
    for arrow in arrows:
        ends = (arrow.source, arrow.target)
        before = merged.get(ends)
        count = (before.count or 0) + 1 if before else 1
        merged[ends] = replace(arrow, first_at=before.first_at if before else arrow.first_at, count=count)
    return merged.values()
