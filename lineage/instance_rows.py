"""The exact lineage graph by instance, from events: instances, the runs that made them, and the inputs of these runs.

`lineage.run_rule` says which readings count for what a run registers. A run is one node for each set of inputs with
which it registered something, and one more for the readings that count for nothing. So the exact graph is acyclic, and
data can really have flowed along every path in it. Who made something without a run is a node, too, and so is who read
something without one: two nodes, as the reading is no evidence for what the same reader makes later. A promoted
instance comes from its source alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    F,
    IntegerField,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import Exact

from access.errors import NotFound
from catalog.models import Consumption, Instance, Run
from catalog.querysets import PROMOTED_FROM
from catalog.reading import Resolved
from lineage.graph import Relation, RunFacts
from lineage.reading_roles import in_roles, role_named
from lineage.run_rows import RunKey, RunRows, run_of
from lineage.run_rule import Part, Position, Reading, RunInputs, Series, TakenOver, part_of_session, path_of, step_of
from lineage.walk import Arrow, Key, merged
from obproject.roles import BASELINE
from obproject.sessions import is_session_id

ONLY_READ = "only read"
"""Stands for the part of a run whose readings count for nothing."""


def instance_key(pk: int) -> Key:
    return ("instance", pk)


def definition_key(asset: int) -> Key:
    return ("definition", asset)


def part_key(run: RunKey, ident: int | str) -> Key:
    """The key of a run with one set of inputs."""
    return ("run", *run, ident)


def reader_key(reading: Reading) -> Key:
    """The key of a reader without a run."""
    return ("entity", reading.component, reading.branch)


@dataclass(frozen=True, slots=True)
class Made:
    """A registration, with what the graph needs of it."""

    pk: int
    asset: int
    number: int
    run: RunKey
    at: datetime
    entity: str
    component: int
    branch: str
    position: Position
    source: int | None
    unknown_source: str

    @property
    def is_copy(self) -> bool:
        return self.source is not None or self.unknown_source != ""

    @property
    def ref(self) -> str:
        return f"v{self.number}"


class PartOfRun:
    """A run with one set of inputs, as far as it is asked for: what counts for what it registered, and its tasks."""

    def __init__(self) -> None:
        self.made_by: set[Position] = set()
        """The tasks that registered something with these inputs."""
        self.spans = Spans()
        self.only_read: list[Reading] = []

    def add(self, part: Part, position: Position) -> None:
        self.made_by.add(position)
        self.spans.add(part)

    @property
    def readings(self) -> Sequence[Reading]:
        return self.only_read or self.spans.readings


class Spans:
    """The readings of several parts, each once; of those with the same beginning only the longest is kept."""

    def __init__(self) -> None:
        self._longest: dict[tuple[int, int], Part] = {}

    def add(self, part: Part) -> None:
        begin = (id(part.series), part.first)
        if begin not in self._longest or self._longest[begin].end < part.end:
            self._longest[begin] = part

    def add_all(self, other: "Spans") -> None:
        for part in other._longest.values():
            self.add(part)

    @property
    def readings(self) -> Sequence[Reading]:
        parts = list(self._longest.values())
        if len(parts) == 1:
            return parts[0].readings
        return _in_time({row.pk: row for part in parts for row in part.readings}.values())


class InstanceRows:
    """The arrows by instance as of a time (None: now), with readings in some roles only (empty: in all). `whole_runs`:
    of the runs that are met all that is known is kept."""

    def __init__(self, as_of: datetime | None, roles: Collection[str] = (), *, whole_runs: bool = False) -> None:
        self.as_of, self.roles = as_of, roles
        self.cut = False
        self.made: dict[int, Made] = {}
        self.readings: dict[RunKey, dict[int, Reading]] = defaultdict(dict)
        self.registered: dict[RunKey, dict[int, Made]] = defaultdict(dict)
        self.readers: dict[Key, set[RunKey]] = defaultdict(set)
        """The runs that read an instance or definition."""
        self.parts: dict[Key, PartOfRun] = defaultdict(PartOfRun)
        self._runs = RunRows(whole=whole_runs)
        self._inputs: dict[RunKey, RunInputs | Series] = {}
        self._taken: dict[RunKey, TakenOver] = {}
        self._by_task: dict[RunKey, dict[str, list[Reading]]] = defaultdict(lambda: defaultdict(list))
        self._loaded: set[RunKey] = set()
        """The runs whose readings are all loaded."""
        self._followed: set[Key] = set()
        """The contents whose readers were asked for."""

    def begin(self, found: Resolved) -> Key:
        """The key of the focus."""
        if found.instance is None:
            return definition_key(found.asset.pk)
        if not self._store(self._instances(Q(pk=found.instance.pk)).values_list(*COLUMNS)):
            raise NotFound(f"'{found.uid}' was not there yet at that time.", focus=found.uid)
        return instance_key(found.instance.pk)

    def arrows(self, into: Collection[Key], out_of: Collection[Key], most: int) -> list[Arrow]:
        """The arrows: at most three queries where instances are new, as their runs are read with them."""
        upwards = [self.made[key[1]] for key in keys_of("instance", into)]
        contents = [key for key in out_of if kind_of(key) in ("instance", "definition")]
        self._followed.update(contents)
        promoted = self._load(upwards, contents, most)
        arrows: list[Arrow] = []
        for made in upwards:
            arrows += self._into_instance(made)
        for key in keys_of("run", into):
            arrows += self._into_part(key)
        if contents:
            arrows += self._out_of_contents(contents)
        arrows += self._out_of_parts(keys_of("run", out_of))
        arrows += [_promotion(made) for made in promoted]
        return arrows[:most]

    def among(self, keys: Collection[Key]) -> list[Arrow]:
        """The arrows between these keys. No query: the readings of a run were loaded with it."""
        arrows: list[Arrow] = []
        for key in keys_of("instance", keys):
            arrows += self._into_instance(self.made[key[1]])
        for key in keys_of("run", keys):
            arrows += self._into_part(key, keys)
        readers = {key for key in keys if kind_of(key) == "entity"}
        if readers:
            contents = [key for key in keys if kind_of(key) in ("instance", "definition")]
            arrows += [arrow for arrow in self._out_of_contents(contents) if arrow.target in readers]
        return [arrow for arrow in arrows if arrow.source in keys and arrow.target in keys]

    # what went into versions

    def runs_among(self, runs: Iterable[RunKey]) -> tuple[dict[RunKey, Run], set[RunKey]]:
        """What is known of those of these runs that were met, with `whole_runs`; and the others."""
        wanted = set(runs)
        met = {run for run in wanted if self._runs.asked(run)}
        return {run: self._runs.said[run] for run in met if run in self._runs.said}, wanted - met

    def know(self, instances: Iterable[Instance]) -> None:
        """Take versions that were read already, each with its asset, branch and project: no query."""
        for row in instances:
            branch = row.asset.branch
            position = Position(row.producer_id, row.attempt, path_of(row.foreach_path), row.iteration)
            unknown = "" if row.promoted_from_id or not row.is_copy else str(row.annotations[PROMOTED_FROM])
            self.made[row.pk] = Made(
                row.pk,
                row.asset_id,
                row.number,
                (branch.project.perimeter_id, row.run),
                row.created_at,
                row.producer_id,
                row.component_id,
                branch.key,
                position,
                row.promoted_from_id,
                unknown,
            )

    def read(self, pks: Collection[int]) -> None:
        """Read what is not known of these versions: one query."""
        if unknown := set(pks) - self.made.keys():
            self._store(self._instances(Q(pk__in=unknown)).values_list(*COLUMNS))

    def load_inputs(self, made: Sequence[Made], most: int) -> None:
        """Load all that may have gone into versions that are no copies: two queries, and those for resumed runs."""
        for one in made:
            if one.run[1] and not one.is_copy:
                self.registered[one.run][one.pk] = one
        self._load(list(made), [], most)

    def readings_of(self, made: Made) -> Sequence[Reading]:
        """The readings that count for a version that is no copy, once they are loaded; none if it has no run."""
        return self._part_of(made).readings if made.run[1] else ()

    def is_presumed(self, made: Made) -> bool:
        """Whether it is not known yet what the run of a version took over, or the run that it resumed."""
        return bool(self._runs.unread([made.run]))

    # arrows into a node

    def _into_instance(self, made: Made) -> Iterable[Arrow]:
        if made.is_copy:
            yield _promotion(made)
        else:
            yield self._production(made)

    def _into_part(self, key: Key, contents: Collection[Key] | None = None) -> Iterable[Arrow]:
        """The readings of a part in the roles asked for, of these contents only or of all."""
        rows = (row for row in self.parts[key].readings if contents is None or row.content in contents)
        return merged(self._read(row, key) for row in rows if self._is_asked_for(row)).values()

    def _is_asked_for(self, row: Reading) -> bool:
        return not self.roles or role_named(row.role) in self.roles

    # arrows out of a node

    def _out_of_contents(self, contents: Collection[Key]) -> Iterable[Arrow]:
        wanted = set(contents)
        readers = {run for content in contents for run in self.readers[content]}
        resumes = {later for run in readers for later in self._runs.resumes(run)}
        for run in sorted(readers | resumes):
            if run[1]:
                keys = dict.fromkeys(self._add_part(made)[0] for made in self.registered[run].values())
                if run in readers:
                    keys[self._only_read(run, keys)] = None
                for key in keys:
                    yield from self._into_part(key, wanted)
            else:
                rows = (row for row in self.readings[run].values() if row.content in wanted)
                yield from merged(self._read(row, reader_key(row)) for row in _in_time(rows)).values()

    def _out_of_parts(self, keys: Collection[Any]) -> Iterable[Arrow]:
        wanted = set(keys)
        for run in dict.fromkeys((key[1], key[2]) for key in keys):
            for made in self.registered[run].values():
                arrow = self._production(made)
                if arrow.source in wanted:
                    yield arrow

    def _production(self, made: Made) -> Arrow:
        source, by = self._add_part(made) if made.run[1] else (("maker", made.component, made.branch), "")
        return Arrow(
            source,
            instance_key(made.pk),
            Relation.PRODUCES,
            made.at,
            made.at,
            1,
            made.entity,
            version=made.ref,
            by=by,
        )

    def facts_of(self, run: RunKey) -> RunFacts | None:
        """What is known of a run that was read with the arrows."""
        return self._runs.row(run).facts

    # the parts of a run

    def _add_part(self, made: Made) -> tuple[Key, str]:
        """The key of the part of a run that registered something, and how its inputs are known."""
        part = self._part_of(made)
        key = part_key(made.run, part.ident)
        self.parts[key].add(part, made.position)
        return key, part.by

    def _part_of(self, made: Made) -> Part:
        inputs = self._inputs_of(made.run)
        if isinstance(inputs, Series):
            return part_of_session(inputs, made.at)
        return inputs.of(made.position).until(made.at)

    def _only_read(self, run: RunKey, parts: Iterable[Key]) -> Key:
        """The part of a run with its own readings that count for none of its registrations."""
        spans = Spans()
        for part in parts:
            spans.add_all(self.parts[part].spans)
        counted = {row.pk for row in spans.readings}
        key = part_key(run, ONLY_READ)
        self.parts[key].only_read = [row for row in _in_time(self.readings[run].values()) if row.pk not in counted]
        return key

    def _inputs_of(self, run: RunKey) -> RunInputs | Series:
        if run not in self._inputs:
            own = [row for row in self.readings[run].values() if row.role != BASELINE]
            if is_session_id(run[1]):
                self._inputs[run] = Series(own)
            else:
                self._inputs[run] = RunInputs(self._runs.row(run).graph, own, self._taken_over(run))
        return self._inputs[run]

    def _taken_over(self, run: RunKey) -> TakenOver:
        """The readings of other runs' tasks that a resumed run took over, through any number of resumes."""
        if run not in self._taken:
            self._taken[run] = TakenOver()  # which ends a circle of resumes
            self._taken[run] = self._presumed_of(run) if self._runs.is_unread(run) else self._known_of(run)
        return self._taken[run]

    def _known_of(self, run: RunKey) -> TakenOver:
        found = TakenOver()
        for task in self._runs.originals(run).values():
            found.add(self._read_by_task(run[0], task))
        return found

    def _presumed_of(self, run: RunKey) -> TakenOver:
        row = self._runs.row(run)
        if row.origin is None:
            return TakenOver()
        anew = {made.position.step for made in self.registered[run].values()}
        anew |= {reading.position.step for reading in self.readings[run].values()}
        anew |= {after for step in tuple(anew) for after in row.graph.reached(step)}
        before = self._taken_over(row.origin)
        own = (reading for reading in self.readings[row.origin].values() if _may_count(reading))
        found = TakenOver(left=list(before.left))
        for reading in (*own, *before.known, *before.presumed):
            (found.left if reading.position.step in anew else found.presumed).append(reading)
        return found

    def _read_by_task(self, perimeter: int, task: str) -> TakenOver:
        """What a task read, or its original if it was taken over itself."""
        run = run_of(perimeter, task)
        originals: set[str] = set()
        while task not in originals and (original := self._runs.originals(run).get(task)):
            originals.add(task)
            task, run = original, run_of(perimeter, original)
        found = TakenOver([row for row in self._by_task[run][task] if _may_count(row)])
        if self._runs.is_unread(run):
            step, before = step_of(task), self._taken_over(run)
            found.presumed = [row for row in before.presumed if row.position.step == step]
            found.left = [row for row in before.left if row.position.step == step]
        return found

    # what is not known yet

    def unread(self, distance: Mapping[Key, int], depth: int) -> set[RunKey]:
        """The resumed runs of which it is not known what they took over, where that matters to an answer.

        They made what is shown, or they may have made something from what the focus feeds.
        """
        runs = {(key[1], key[2]) for key in keys_of("run", distance) if key[3] != ONLY_READ}
        contents = {key for key, far in distance.items() if 0 <= far < depth}
        readers = {run for content in contents & self._followed for run in self.readers[content]}
        resumed = {later for run in readers for later in self._runs.resumes(run) if self.registered[later]}
        return self._runs.unread(runs | resumed)

    # loading

    def _load(self, upwards: list[Made], contents: list[Key], most: int) -> list[Made]:
        """Load what the arrows into registrations and out of contents need; return the promotions from these.

        The runs that read something are asked for first: the indexes can be used only with their names.
        """
        pks = [key[1] for key in keys_of("instance", contents)]
        definitions = [key[1] for key in keys_of("definition", contents)]
        use = Q(instance__in=pks) | Q(asset__in=definitions, instance=None)
        above = {made.run for made in upwards if made.run[1] and not made.is_copy} - self._loaded
        below = self._users(use, most) if contents else set()
        self._runs.load(above | below)
        self.cut = self.cut or self._runs.cut
        above = self._runs.resumed(above) - self._loaded
        below = self._runs.family(below)
        sources = {made.source for made in upwards if made.source} - self.made.keys()
        asked = []
        if above - below:
            asked.append(self._consumptions(_by(above - below)))
            asked += [self._instances(_by(resumed)) for resumed in [self._unread_among(above - below)] if resumed]
        if sources:
            asked.append(self._instances(Q(pk__in=sources)))
        if contents:
            asked += [self._consumptions(self._in_roles(use) & Q(run="")), self._instances(Q(promoted_from__in=pks))]
        if below:
            asked += [self._consumptions(_by(below)), self._instances(_by(below) & Q(promoted_from=None))]
        registrations = self._store(self._union(asked, most)) if asked else []
        self._loaded |= above | below
        for run in above | below:
            self._inputs.pop(run, None)
            self._taken.pop(run, None)
        wanted = set(pks)
        return [made for made in registrations if made.source in wanted]

    def _users(self, use: Q, most: int) -> set[RunKey]:
        users = self._until(Consumption.objects.filter(self._in_roles(use)), "at").exclude(run="")
        runs = list(users.order_by("-id").values_list("component__perimeter", "run")[:most])
        self.cut = self.cut or len(runs) == most
        return set(runs)

    def _unread_among(self, runs: Iterable[RunKey]) -> set[RunKey]:
        return {run for run in runs if self._runs.is_unread(run)}

    def _in_roles(self, readings: Q) -> Q:
        return readings & in_roles(self.roles) if self.roles else readings

    def _union(self, asked: list[QuerySet[Any]], most: int) -> Iterable[Any]:
        first, *others = (rows.values_list(*COLUMNS) for rows in asked)
        found = list(first.union(*others, all=True).order_by("-own_at", "what", "pk")[:most])
        self.cut = self.cut or len(found) == most
        return found

    def _consumptions(self, which: Q) -> QuerySet[Any]:
        return self._until(Consumption.objects.filter(which), "at").annotate(
            what=Value("read"),
            content=F("instance_id"),
            asset_=F("asset_id"),
            perimeter=F("component__perimeter_id"),
            **{f"own_{name}": F(column) for name, column in OWN.items()},
            **{f"its_{name}": F(f"instance__{column}") for name, column in ITS.items()},
            its_unknown_source=_unknown_source("instance__"),
        )

    def _instances(self, which: Q) -> QuerySet[Any]:
        return self._until(Instance.objects.filter(which), "created_at").annotate(
            what=Value("made"),
            content=F("pk"),
            asset_=F("asset_id"),
            perimeter=F("component__perimeter_id"),
            **{f"own_{name}": Value(None, output_field=NONE.get(name, TextField())) for name in OWN if name != "at"},
            own_at=F("created_at"),
            **{f"its_{name}": F(column) for name, column in ITS.items()},
            its_unknown_source=_unknown_source(),
        )

    def _until(self, rows: QuerySet[Any], time: str) -> QuerySet[Any]:
        return rows.order_by().filter(**{f"{time}__lte": self.as_of}) if self.as_of else rows.order_by()

    def _store(self, rows: Iterable[Any]) -> list[Made]:
        """Store the rows; return the registrations among them."""
        registrations = []
        for what, pk, content, asset, perimeter, *own_and_its in rows:
            own, its = own_and_its[: len(OWN)], own_and_its[len(OWN) :]
            if content is not None:
                made = self.made[content] = _made(content, perimeter, *its)
                if not made.is_copy and made.run[1]:
                    self.registered[made.run][content] = made
                if what == "made":
                    registrations.append(made)
            if what == "read":
                reading = _reading(
                    pk, definition_key(asset) if content is None else instance_key(content), perimeter, *own
                )
                if pk not in self.readings[reading.run]:
                    self._by_task[reading.run][reading.entity].append(reading)
                self.readings[reading.run][pk] = reading
                if self._is_asked_for(reading):
                    self.readers[reading.content].add(reading.run)
        return registrations

    def _read(self, row: Reading, reader: Key) -> Arrow:
        version = self.made[row.content[1]].ref if row.content[0] == "instance" else ""
        count = 0 if row.failed and reader[-1] == ONLY_READ else 1
        return Arrow(
            row.content,
            reader,
            Relation.CONSUMES,
            row.at,
            row.at,
            count,
            row.entity,
            version=version,
            roles=(role_named(row.role),),
        )


OWN = {
    "run": "run",
    "at": "at",
    "entity": "entity_id",
    "component": "component_id",
    "branch": "write_branch",
    "role": "role",
    "failed": "failed",
    "attempt": "attempt",
    "path": "foreach_path",
    "iteration": "iteration",
}
"""What is read of a consumption, by its name here."""
ITS = {
    "asset": "asset_id",
    "number": "number",
    "run": "run",
    "at": "created_at",
    "entity": "producer_id",
    "component": "component_id",
    "branch": "asset__branch__key",
    "attempt": "attempt",
    "path": "foreach_path",
    "iteration": "iteration",
    "source": "promoted_from_id",
}
"""What is read of an instance, also beside a reading of it."""
COLUMNS = (
    *("what", "pk", "content", "asset_", "perimeter"),
    *(f"own_{name}" for name in OWN),
    *(f"its_{name}" for name in ITS),
    "its_unknown_source",
)
NONE: dict[str, Any] = {
    "component": BigIntegerField(),
    "failed": BooleanField(),
    "attempt": IntegerField(),
    "iteration": IntegerField(),
}
"""The types of those columns that are no text, for rows that have none."""


def _reading(
    pk: int,
    content: Key,
    perimeter: int,
    run: str,
    at: datetime,
    entity: str,
    component: int,
    branch: str,
    role: str | None,
    failed: bool | None,
    attempt: int | None,
    path: str | None,
    iteration: int | None,
) -> Reading:
    position = Position(entity, attempt, path_of(path), iteration)
    return Reading(pk, content, (perimeter, run), at, entity, component, branch, role, bool(failed), position)


def _made(
    pk: int,
    perimeter: int,
    asset: int,
    number: int,
    run: str,
    at: datetime,
    entity: str,
    component: int,
    branch: str,
    attempt: int | None,
    path: str | None,
    iteration: int | None,
    source: int | None,
    unknown_source: str | None,
) -> Made:
    position = Position(entity, attempt, path_of(path), iteration)
    return Made(
        pk, asset, number, (perimeter, run), at, entity, component, branch, position, source, unknown_source or ""
    )


def _by(runs: Collection[RunKey]) -> Q:
    """The condition for the rows of these runs. Their names find them: as a column, the perimeter would have SQLite,
    which does not know how many there are, go through all rows of all its components."""
    by_perimeter: dict[int, list[str]] = defaultdict(list)
    for perimeter, name in sorted(runs):
        by_perimeter[perimeter].append(name)
    theirs = Q(pk__in=[])
    for perimeter, names in by_perimeter.items():
        theirs |= Q(Exact(F("component__perimeter_id") + Value(0), Value(perimeter)), run__in=names)
    return theirs


def _unknown_source(prefix: str = "") -> Case:
    """The source that an instance names but the catalogue does not have; `prefix` is the path to the instance."""
    says = KeyTextTransform(PROMOTED_FROM, f"{prefix}annotations")
    names_it = Q(**{f"{prefix}promoted_from": None}) & ~Q(**{f"{prefix}annotations__{PROMOTED_FROM}": None})
    return Case(When(names_it, then=says), output_field=TextField())


def kind_of(key: Key) -> str:
    return str(key[0])


def keys_of(kind: str, keys: Collection[Key]) -> list[Any]:
    return [key for key in keys if kind_of(key) == kind]


def _may_count(reading: Reading) -> bool:
    """Whether a reading can count for what another task registers."""
    return not reading.failed and reading.role != BASELINE


def _in_time(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda row: (row.at, row.pk))


def _promotion(made: Made) -> Arrow:
    source = ("unknown", made.unknown_source) if made.source is None else instance_key(made.source)
    return Arrow(source, instance_key(made.pk), Relation.PROMOTES, made.at, made.at, 1, made.entity, version=made.ref)
