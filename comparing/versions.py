"""Versions compared: of one asset or of several, across branches and projects, each beside one of them.

Whatever is compared costs five queries: the last versions of the base's asset, what went into all of them with what is
known of their runs (three), and their definitions as they were; one more for inputs with equal content, and a few where
there are copies, resumed runs or definitions among the inputs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q

from access.identity import Viewer
from catalog.models import Asset, Instance, Run
from catalog.reading import Resolved
from catalog.states import Kind
from comparing.changing import LeftOut, NotCompared
from comparing.fact_rows import Told, code_rows, contents_rows, definition_rows, facts_rows, tables_of
from comparing.input_rows import input_rows
from comparing.measured import Comparison, Measured, Past
from comparing.noise import VERSIONS
from comparing.sameness import End
from comparing.sentences import Name, Sentence
from comparing.table import Folded, Group, Metrics, group_of
from comparing.then import definitions_then
from comparing.verdict import Verdict
from lineage.graph import Inputs
from lineage.inputs import inputs_and_runs_of

RunKey = tuple[int, str]
HISTORY = (
    *("asset", "number", "state", "annotations", "tags", "blobs", "component", "created_at"),
    *("run", "producer_id", "promoted_from", "attempt", "foreach_path", "iteration"),
)
"""What is read of the base's last versions."""


@dataclass(frozen=True)
class VersionComparison:
    """The whole, in the order in which somebody decides. `best`: the place of the best version, if one is."""

    versions: Sequence[Resolved]
    base: int
    names: Sequence[Sentence]
    runs: Sequence[Run | None]
    verdict: Verdict
    best: int | None
    metrics: Metrics
    groups: Sequence[Group]
    folded: Folded

    @cached_property
    def differing(self) -> int:
        """How many rows differ."""
        return len(self.metrics.differing) + sum(len(group.differing) for group in self.groups)

    @cached_property
    def equal(self) -> int:
        """How many rows are equal in all versions."""
        rows = len(self.metrics.rows) - len(self.metrics.differing)
        return rows + sum(len(group.equal) for group in self.groups)

    @property
    def shape(self) -> dict[str, Any]:
        """As JSON, in plain words."""
        best = None if self.best is None else self.versions[self.best].uid
        return {
            "base": self.versions[self.base].uid,
            "versions": [version.uid for version in self.versions],
            "verdict": {
                "sentence": str(self.verdict.sentence),
                "more": [str(line) for line in self.verdict.lines],
                "best": best,
            },
            "metrics": {"rows": [row.shape for row in self.metrics.rows], "left_out": self.metrics.left_out},
            **{group.key: group.shape for group in self.groups},
            "differing": self.differing,
            "equal": self.equal,
            "not_compared": {
                "changing_in_every_version": list(self.folded.changing),
                "by_the_project": list(self.folded.not_compared),
            },
        }


@dataclass(frozen=True)
class _Read:
    """All that was read for one comparison: the base's last versions in the order of time, what went into versions, by
    their keys, and what is known of runs."""

    past: Sequence[Instance]
    inputs: Mapping[int, Inputs]
    runs: Mapping[RunKey, Run]

    def run_of(self, instance: Instance | None) -> Run | None:
        return self.runs.get(_run_key(instance)) if instance else None

    def inputs_of(self, instance: Instance | None) -> Inputs:
        return self.inputs[instance.pk] if instance else Inputs()


def compare(viewer: Viewer, versions: Sequence[Resolved], base: int, home: Asset | None = None) -> VersionComparison:
    """Compare at least two versions, each with its asset, branch and project loaded, with one of them. Sentences name
    them as seen from `home`, the asset whose page it is, or else from the base's."""
    read = _read(viewer, versions, base)
    definitions = definitions_then(viewer, versions)
    told = [
        Told(one, read.run_of(one.instance), definition) for one, definition in zip(versions, definitions, strict=True)
    ]
    mine = versions[base].asset
    names = [name_of(one, home or mine) for one in versions]
    ends = [_end(one, name, is_base=at == base) for at, (one, name) in enumerate(zip(versions, names, strict=True))]
    direct = [read.inputs_of(one.instance) for one in versions]
    left_out = LeftOut.learned(
        [tables_of(one, read.run_of(one)) for one in read.past],
        NotCompared(word for one in versions for word in one.asset.not_compared),
    )
    past = Past([one.annotations for one in read.past], [read.inputs_of(one) for one in read.past])
    measured = [_measured(one, end, went_in) for one, end, went_in in zip(versions, ends, direct, strict=True)]
    numbers = Comparison(measured, base, past, left_out.by_project)
    first = _first_with_content(viewer, direct)
    return VersionComparison(
        versions=versions,
        base=base,
        names=names,
        runs=[one.run for one in told],
        verdict=numbers.verdict,
        best=numbers.best,
        metrics=numbers.metrics,
        groups=[
            group_of("facts", "Facts", facts_rows(told, base, left_out)),
            group_of("code", "Code and parameters", code_rows(told, base, left_out)),
            group_of("inputs", "Inputs", input_rows(direct, ends, base, mine.kind == Kind.MODELS, first)),
            group_of("contents", "Tags and contents", contents_rows(told, base, left_out)),
            group_of("definition", "Definition then", definition_rows(told, base, left_out)),
        ],
        folded=left_out.folded([one.tables for one in told]),
    )


def name_of(version: Resolved, beside: Asset) -> Sentence:
    """How a sentence calls a version: "v3", "v2 of feature/x" beside one on main, "baseline v3" of another asset."""
    asset, home = version.asset, beside.branch
    ref = version.instance.ref if version.instance else "the definition"
    parts: list[str] = []
    if (asset.kind, asset.asset_id) != (beside.kind, beside.asset_id):
        parts += [Name(asset.asset_id), " "]
    parts.append(ref)
    if asset.branch_id != home.pk:
        own = asset.branch
        place = own.name if own.project_id == home.project_id else f"{own.project.name}/{own.name}"
        parts += [" of ", Name(place)]
    return Sentence(*parts)


def _end(version: Resolved, name: Sentence, *, is_base: bool) -> End:
    return End("in the base" if is_base else "here", name, version.asset.branch.key)


def _measured(version: Resolved, end: End, inputs: Inputs) -> Measured:
    instance = version.instance
    annotations = instance.annotations if instance else None
    unsettled = instance.state if instance and not instance.is_ready else ""
    return Measured(end, version.asset.metrics, annotations, inputs, unsettled)


# reading


def _read(viewer: Viewer, versions: Sequence[Resolved], base: int) -> _Read:
    past = _past(viewer, versions[base])
    instances = [*past, *(_with_asset(one.instance, one.asset) for one in versions if one.instance)]
    inputs, runs, lacking = inputs_and_runs_of(viewer, instances)
    return _Read(past, inputs, runs | _runs(viewer, lacking))


def _with_asset(instance: Instance, asset: Asset) -> Instance:
    instance.asset = asset
    return instance


def _past(viewer: Viewer, base: Resolved) -> list[Instance]:
    """The last ready versions up to the base, in the order of time."""
    if base.instance is None:
        return []
    at, number = base.instance.place_in_time
    before = Q(created_at__lt=at) | Q(created_at=at, number__lte=number)
    ready = Instance.objects.visible_to(viewer).filter(asset=base.asset.pk).in_states(())
    rows = ready.filter(before, created_at__lte=at).latest_first().only(*HISTORY)[:VERSIONS]
    return [_with_asset(row, base.asset) for row in reversed(rows)]


def _run_key(instance: Instance) -> RunKey:
    return (instance.asset.branch.project.perimeter_id, instance.run)


def _runs(viewer: Viewer, keys: Collection[RunKey]) -> dict[RunKey, Run]:
    """What is known of some runs. One query, or none."""
    if not keys:
        return {}
    asked = Q()
    for perimeter, name in sorted(keys):
        asked |= Q(perimeter=perimeter, name=name)
    rows = Run.objects.visible_to(viewer).filter(asked).defer("graph")
    return {(row.perimeter_id, row.name): row for row in rows}


@dataclass(frozen=True)
class _Content:
    """An input, as `first_with_content_of` asks for it."""

    pk: str
    asset_id: int
    number: int
    digest: str
    state: str


def _first_with_content(viewer: Viewer, versions: Iterable[Inputs]) -> dict[str, str]:
    """The first version of its asset with the same content, by the id of each input that has one before it. One query,
    or none."""
    known = [
        _Content(one.node.id, one.asset, int(one.node.version[1:]), one.node.digest, one.node.state)
        for inputs in versions
        for one in inputs
        if one.asset and one.node.digest
    ]
    found: dict[Any, str] = Instance.objects.visible_to(viewer).first_with_content_of(known)
    return found
