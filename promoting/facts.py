"""What rules ask of a version, answered from the database (`GATE_FACTS` in the settings names `facts_of`).

Each is read when a rule asks, and once. A rule sees all of the perimeter that the version is in, whoever asks, and
nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from access.errors import SiteError
from access.visibility import AllOf
from catalog.branch_keys import names_of
from catalog.freshness.state import freshness_of
from catalog.freshness.words import late_by
from catalog.gates.facts import Absent, Origin, Other, Told
from catalog.gates.rules import Reference
from catalog.metrics import annotations_of, metrics_of
from catalog.models import AliasMove, Asset, Branch, Instance
from catalog.reading import find_instance
from catalog.recording import is_promotion
from catalog.recording.gating import Candidate
from catalog.recording.places import EARLIEST
from catalog.statements import annotations_before, own_instance
from catalog.states import Freshness
from catalog.unusual import LAST, unusual_of
from comparing.noise import VERSIONS, noise_of, steps_between
from comparing.sameness import BASE, HERE, Data, as_sentence, comparability
from lineage.graph import Input, Inputs
from lineage.inputs import inputs_of

Json = dict[str, Any]
LINKS_MOST = 100
"""How far a chain of promotions is followed."""
NAMED = 3
"""How many metrics are named."""
DEFINITION = "the definition"
NOT_LATE = {
    Freshness.OFF: "not late: nothing is expected",
    Freshness.LEARNING: "not late: it is still being learned when versions come",
    Freshness.FRESH: "not late",
    Freshness.DUE: "due, but not yet late",
}
"""What is said of an asset that is not late."""
NOT_LOOKED_UP = Told(False, "it was not looked up whether there is a card", known=False)


def facts_of(candidate: Candidate) -> "RowFacts":
    return RowFacts(candidate)


def numbers_of(annotations: Mapping[str, Any]) -> dict[str, Decimal]:
    """The metrics of a version as decimals of what its JSON shows.

    >>> numbers_of({"auc": 0.1, "rows": "2e3", "name": "x"})
    {'auc': Decimal('0.1'), 'rows': Decimal('2E+3')}
    """
    return {name: _decimal(annotations[name]) for name in metrics_of(annotations)}


def _decimal(value: Any) -> Decimal:
    """A number exactly as it is shown; what is smaller than all floats, such as the text `1e-999`, is 0 here, too."""
    if not float(value):
        return Decimal(0)
    return Decimal(value if isinstance(value, str | int) else repr(value))


@dataclass(frozen=True)
class _Found:
    """What a reference leads to; `instance` is None for a definition."""

    ref: str
    instance: Instance | None


class RowFacts:
    """The facts of a candidate."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._asset, self._instance = candidate.asset, candidate.instance
        self._others: dict[Reference, _Found | Absent] = {}

    @property
    def ref(self) -> str:
        if self._instance is None:
            return DEFINITION
        if self._is_kept:
            return self._instance.ref
        return self._source.ref if self._source else self._candidate.uid  # the number of a copy means nothing yet

    @property
    def is_definition(self) -> bool:
        return self._instance is None

    @cached_property
    def numbers(self) -> dict[str, Decimal]:
        return numbers_of(self._annotations)

    @property
    def tags(self) -> Mapping[str, str]:
        return self._instance.tags if self._instance else self._asset.declared_tags

    @property
    def deprecated(self) -> bool:
        marked = self._instance if self._is_kept else self._source
        return marked is not None and marked.deprecation_id is not None

    def other(self, reference: Reference) -> Other | Absent:
        found = self._found(reference)
        if isinstance(found, Absent):
            return found
        return Other(found.ref, numbers_of(found.instance.annotations) if found.instance else {})

    def noise(self, metric: str) -> Decimal | None:
        """As declared, or as learned from the last versions before it."""
        declared = self._asset.metrics.noise(metric)
        found = noise_of([declared], [] if declared is not None else self._steps(metric))
        return Decimal(repr(found.size)) if found else None

    def card(self) -> Told:
        return self._candidate.card or NOT_LOOKED_UP

    def origin(self) -> Origin | None:
        if self._instance is None:
            made, branch = self._asset.declared_at or self._asset.created_at, self._asset.branch
        elif begin := self._begin:
            made, branch = begin.created_at, begin.asset.branch
        else:
            return None
        return Origin(max(self._candidate.at - made, timedelta()), _names(branch))

    def parents(self, alias: str) -> list[Told]:
        begin = self._begin
        if begin is None or self._instance is None:
            return [Told(False, "it is not known what went into it", known=False)]
        direct = self._inputs([begin])[begin.pk]
        if not direct.complete:
            return [*self._told(direct, alias), Told(False, "it is not known what all went into it", known=False)]
        return self._told(direct, alias)

    def same_data(self, reference: Reference) -> Told:
        found = self._found(reference)
        if isinstance(found, Absent):
            return Told(found is Absent.NEVER, "" if found is Absent.NEVER else f"there is no {reference.text}")
        begin = self._begin
        if begin is None or self._instance is None or found.instance is None:
            return Told(False, "it is not known what went into both", known=False)
        theirs = found.instance
        inputs = self._inputs([begin, theirs])
        said = comparability(inputs[theirs.pk], inputs[begin.pk], BASE, HERE)
        return Told(said.data is Data.SAME, str(as_sentence(said)), known=said.data is not Data.UNKNOWN)

    def unusual(self) -> Told:
        """Which of its metrics are unusual by the versions before, with the reasons."""
        if self._instance is None:
            return Told(False, "a definition has no metrics", known=False)
        found = unusual_of(self._annotations_before, self._annotations)
        return Told(bool(found), "; ".join(f"{name}: {reason}" for name, reason in list(found.items())[:NAMED]))

    def late(self) -> Told:
        """Whether the asset is late where tasks register its versions: of a copy, where its promotions begin."""
        begin = self._begin if self._instance else None
        if self._instance is not None and begin is None:
            return Told(False, "where it was made is not known", known=False)
        asset, now = begin.asset if begin else self._asset, self._candidate.at
        state = freshness_of(asset.watch, asset.due_at, asset.late_at, asset.dormant_at, now)
        said = NOT_LATE.get(state) or late_by(asset.due_at or now, now)
        named = "" if asset is self._asset else f"{asset.asset_id} of {asset.branch.name} is "
        return Told(state not in NOT_LATE, f"{named}{said}")

    # what was read

    @property
    def _annotations(self) -> Json:
        return self._instance.annotations if self._instance else {}

    @property
    def _is_kept(self) -> bool:
        """Whether it is in the catalogue, and not a copy that is to be made."""
        return self._instance is not None and self._instance.pk is not None

    @property
    def _sees(self) -> AllOf:
        return AllOf(self._asset.branch.project.perimeter)

    @cached_property
    def _source(self) -> Instance | None:
        """What it was copied from, where that is in this perimeter."""
        return self._before(self._instance) if self._instance else None

    def _before(self, copy: Instance) -> Instance | None:
        if copy.promoted_from_id is None:
            return None
        here = Instance.objects.of(self._sees.perimeter).filter(pk=copy.promoted_from_id)
        found: Instance | None = here.select_related("asset__branch__project__perimeter").first()
        return found

    @cached_property
    def _begin(self) -> Instance | None:
        """Where its chain of promotions begins; itself, if it is no copy. None: that is not in this catalogue."""
        at = self._instance
        for _ in range(LINKS_MOST):
            if at is None or not is_promotion(at.annotations):
                if at is not None and at is self._instance:
                    at.asset = self._asset
                return at
            at = self._before(at)
        return None

    @cached_property
    def _past(self) -> list[Instance]:
        """The last ready versions before it, in the order of time; none that are deprecated."""
        ready = Instance.objects.of(self._asset).in_states(()).filter(deprecation=None) if self._asset.pk else None
        if ready is None:
            return []
        if self._is_kept and self._instance is not None:
            at, number = self._instance.place_in_time
            ready = ready.filter(Q(created_at__lt=at) | Q(created_at=at, number__lt=number), created_at__lte=at)
        rows = [*ready.latest_first()[:LAST]]
        return [_with_asset(row, self._asset) for row in reversed(rows)]

    @cached_property
    def _annotations_before(self) -> list[Mapping[str, Any]]:
        """What the last ready versions before it say, in the order of time."""
        if self._asset.pk is None:
            return []
        at, number = self._candidate.at, 0
        if self._is_kept and self._instance is not None:
            at, number = self._instance.place_in_time
        since = self._asset.normal_since or EARLIEST
        rows = annotations_before.all(asset=self._asset.pk, at=at, number=number, since=since, most=LAST)
        return annotations_of(text for (text,) in reversed(rows))

    def _inputs(self, versions: list[Instance]) -> dict[int, Inputs]:
        return inputs_of(self._sees, versions)

    def _steps(self, metric: str) -> list[float]:
        past = self._past[-VERSIONS:]
        measured = [metrics_of({metric: one.annotations.get(metric)}).get(metric) for one in past]
        return steps_between(list(zip(past, measured, strict=True)), self._on_same_data)

    @cached_property
    def _past_inputs(self) -> dict[int, Inputs]:
        return self._inputs(self._past[-VERSIONS:])

    def _on_same_data(self, one: Instance, other: Instance) -> bool:
        return comparability(self._past_inputs[one.pk], self._past_inputs[other.pk]).data is Data.SAME

    def _told(self, direct: Inputs, alias: str) -> list[Told]:
        assets = Asset.objects.visible_to(self._sees).in_bulk([one.asset for one in direct if one.asset])
        return [_on_alias(one, assets.get(one.asset or 0), alias) for one in direct]

    # references

    def _found(self, reference: Reference) -> _Found | Absent:
        """What a reference leads to, which several rules may ask."""
        if reference not in self._others:
            self._others[reference] = self._looked_up(reference)
        return self._others[reference]

    def _looked_up(self, reference: Reference) -> _Found | Absent:
        if reference.alias:
            return self._holder(reference.alias)
        if self._asset.pk is None:  # a copy would make it
            return Absent.GONE
        try:
            found = find_instance(self._asset, reference.text)
        except SiteError:
            return Absent.GONE
        if found.instance is None:
            return _Found(DEFINITION, None)
        return _Found(found.instance.ref, _with_asset(found.instance, self._asset))

    def _holder(self, alias: str) -> _Found | Absent:
        """What holds an alias, or else held it last at this address, on this asset or on one that was deleted."""
        asset = self._asset
        if present := asset.alias_index.get(alias):
            held = own_instance.one(asset=asset.pk, uid=present)
            return _Found(held.ref, _with_asset(held, asset)) if held else _Found(DEFINITION, None)
        uid = self._last_holder(alias)
        if not uid:
            return Absent.NEVER
        last: Instance | None = self._ever_here().filter(uid=uid).first()
        return _Found(f"{last.ref if last else DEFINITION}, the last that held it", last)

    def _last_holder(self, alias: str) -> str:
        asset = self._asset
        moves = AliasMove.objects.of(asset.branch).filter(
            asset__kind=asset.kind, asset__asset_id=asset.asset_id, name=alias
        )
        last = moves.exclude(to_uid="").order_by("-id").values_list("to_uid", flat=True).first()
        return last or ""

    def _ever_here(self) -> QuerySet[Instance]:
        asset = self._asset
        here: QuerySet[Instance] = Instance.objects.of(asset.branch).filter(
            asset__kind=asset.kind, asset__asset_id=asset.asset_id
        )
        return here.select_related("asset__branch__project")


def _with_asset(instance: Instance, asset: Asset) -> Instance:
    instance.asset = asset
    return instance


def _names(branch: Branch) -> tuple[str, ...]:
    return tuple(dict.fromkeys([branch.name, branch.key, *names_of(branch)]))


def _on_alias(one: Input, asset: Asset | None, alias: str) -> Told:
    """Whether an alias of an input's asset is on exactly this version."""
    if one.is_hidden or not one.node.key:
        return Told(False, "something went into it that is not in this perimeter, or not known")
    what = " ".join(filter(None, [one.node.version, "of", one.node.key]))
    if asset is None or not one.node.version:
        return Told(False, f"{one.node.key} was read without a version, or is deleted")
    if asset.alias_index.get(alias) == one.node.id:
        return Told(True, f"{what} is @{alias}")
    return Told(False, f"{what} is not @{alias}")
