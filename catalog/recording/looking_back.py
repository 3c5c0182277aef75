"""What new gates would have done: to the last versions of an asset, and to what its aliases are on now."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from catalog.gates.declared import EVERY_ALIAS, INTO_BRANCH, Gate, Gates
from catalog.gates.judgement import Judgement
from catalog.gates.judging import judge
from catalog.gates.rules import Age, CardPresent, Is, Property, Rule
from catalog.models import Asset, Instance
from catalog.recording.gating import Candidate, facts_of
from catalog.recording.receipts import is_promotion

Json = dict[str, Any]
VERSIONS = 20
"""So many are looked at: the last ones that are ready."""


@dataclass(frozen=True)
class LookBack:
    """What one gate would have done. `refused` counts versions, `by_rule` those that each rule refuses; `holder` is
    what holds the alias now, with what the gate says of it."""

    name: str
    versions: int
    refused: int
    by_rule: Counter[str]
    left_out: list[str]
    approvals: int
    holder: str = ""
    of_holder: Judgement | None = None

    @property
    def as_json(self) -> Json:
        holder = None
        if self.of_holder is not None:
            said = self.of_holder
            holder = {"ref": self.holder, "passes": said.passes, "rules": said.as_json()}
        return {
            "gate": self.name,
            "versions": self.versions,
            "refused": self.refused,
            "by_rule": [{"rule": rule, "refused": count} for rule, count in self.by_rule.most_common()],
            "left_out": self.left_out,
            "approvals": self.approvals,
            "holder": holder,
        }


def look_back(asset: Asset, declared: Json) -> list[LookBack]:
    """What each of these gates, as `checked` leaves them, would have done to an asset. Nothing is written."""
    gates, found = Gates.of(declared), []
    last = [_of(asset, row) for row in Instance.objects.of(asset).in_states(()).latest_first()[:VERSIONS]]
    for name in _names(asset, declared):
        gate = gates.into_branch if name == INTO_BRANCH else gates.for_alias(name)
        if name == EVERY_ALIAS:
            gate = gates.by_name[EVERY_ALIAS]
        if gate is not None:
            copies = [row for row in last if name != INTO_BRANCH or is_promotion(row.annotations)]
            found.append(_looked_back(asset, name, gate, copies))
    return found


def _names(asset: Asset, declared: Json) -> Iterable[str]:
    """What there are gates for: with one for every alias, also those aliases that the asset has."""
    return [
        *declared,
        *(name for name in sorted(asset.alias_index) if EVERY_ALIAS in declared and name not in declared),
    ]


def _looked_back(asset: Asset, name: str, gate: Gate, versions: list[Instance]) -> LookBack:
    rules: list[Rule] = [rule for rule in gate.require if not _is_of_its_moment(rule)]
    lasting = Gate(tuple(rules))
    said = [_judged(asset, lasting, version) for version in versions]
    uid = asset.alias_index.get(name, "")
    holder = Instance.objects.of(asset).filter(uid=uid).first() if uid else None
    return LookBack(
        name=name,
        versions=len(versions),
        refused=sum(not one.passes for one in said),
        by_rule=Counter(ruling.rule for one in said for ruling in one.refusals),
        left_out=[rule.text for rule in gate.require if _is_of_its_moment(rule)],
        approvals=gate.approvals,
        holder=(holder.ref if holder else "definition") if uid else "",
        of_holder=_judged(asset, lasting, holder and _of(asset, holder)) if uid else None,
    )


def _is_of_its_moment(rule: Rule) -> bool:
    """Whether a rule says nothing of another day: those are left out."""
    return isinstance(rule, Age | CardPresent) or (isinstance(rule, Is) and rule.property is Property.LATE)


def _judged(asset: Asset, gate: Gate, version: Instance | None) -> Judgement:
    uid = version.uid if version else asset.definition_uid
    return judge(gate, facts_of(Candidate(asset, version, uid, None, timezone.now())))


def _of(asset: Asset, instance: Instance) -> Instance:
    instance.asset = asset
    return instance
