"""The history of an alias as rows: what held it, and what was refused; each with what the rules said and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from catalog.addresses import asset_url, instance_url, move_url
from catalog.gates.judgement import rulings_from
from catalog.models import Asset, GateVerdict, Instance
from catalog.pagekit.rulings import OutcomeLabel, RulingRow, counted, in_order
from catalog.pagekit.uses import EntityLink
from catalog.pages.holds import DEFINITION, Told
from catalog.plotting.held import Hold
from catalog.shown.times import duration
from catalog.states import Outcome

MOST_RULES = 400
"""So many rules are told on a page; of further rows only how many there were."""


@dataclass(frozen=True)
class Refused:
    """An attempt that rules refused, with the version that it was about; `ref` is empty if that is gone."""

    verdict: GateVerdict
    ref: str
    url: str

    @classmethod
    def of(cls, asset: Asset, verdict: GateVerdict, instances: Mapping[str, Instance]) -> "Refused":
        wanted = instances.get(verdict.instance_uid)
        if wanted is not None:
            return cls(verdict, wanted.ref, instance_url(asset, wanted))
        return cls(verdict, DEFINITION if verdict.instance_uid == asset.definition_uid else "", asset_url(asset))


@dataclass(frozen=True)
class HistoryRow:
    """A hold, or an attempt that was refused (`refused`). `rules` are what the rules said then; `counted` how many said
    what. `roll_back_url` leads back to the version, for who may."""

    at: datetime
    who: EntityLink
    hold: Hold | None = None
    took: str = ""
    refused: Refused | None = None
    outcome: OutcomeLabel | None = None
    comment: str = ""
    has_receipt: bool = False
    count: int = 1
    rules: Sequence[RulingRow] = ()
    counted: str = ""
    first_refusing: RulingRow | None = field(default=None)
    roll_back_url: str = ""

    @property
    def is_deletion(self) -> bool:
        return self.hold is not None and not self.hold.ref


class Shown(Protocol):
    """What of the page the rows are made of."""

    @property
    def asset(self) -> Asset: ...

    @property
    def alias(self) -> str: ...

    @property
    def told(self) -> Sequence[Told]: ...

    @property
    def refused(self) -> Sequence[Refused]: ...


def history_of(seen: Shown, now: datetime, *, edits: bool) -> list[HistoryRow]:
    """The newest first. `edits`: whether the viewer may move the alias."""
    rows, room = [], MOST_RULES
    led = set[str]()
    present = seen.asset.alias_index.get(seen.alias, "")
    for at, one in _in_time(seen):
        verdict = one.move.verdict if isinstance(one, Told) else one.verdict
        rules = in_order(rulings_from(verdict.rules).rulings) if verdict else []
        said = _said(verdict, rules, with_rules=len(rules) <= room)
        room -= len(rules) if len(rules) <= room else 0
        if isinstance(one, Refused):
            row = one.verdict
            rows.append(HistoryRow(at, EntityLink.of(row.entity_kind, row.entity_id), refused=one, **said))
            continue
        back = edits and one.hold.ref not in ("", DEFINITION, *led) and one.move.to_uid != present
        led.add(one.hold.ref)
        rows.append(
            HistoryRow(
                at,
                EntityLink.of(one.move.entity_kind, one.move.entity_id),
                hold=one.hold,
                took=duration(one.hold.seconds(now)),
                roll_back_url=move_url(seen.asset, seen.alias, one.hold.ref) if back else "",
                **said,
            )
        )
    return rows


def _in_time(seen: Shown) -> list[tuple[datetime, Told | Refused]]:
    """Holds and refusals, the newest first; of one moment the hold comes after, as it was refused before."""
    found: list[tuple[datetime, Told | Refused]] = [(one.hold.start, one) for one in seen.told]
    found += [(one.verdict.at, one) for one in reversed(seen.refused)]
    return sorted(found, key=lambda pair: pair[0])[::-1]


def _said(verdict: GateVerdict | None, rules: Sequence[RulingRow], *, with_rules: bool) -> dict[str, Any]:
    if verdict is None:
        return {}
    had_rules = verdict.gates_id is not None or verdict.outcome != Outcome.PASSED
    return {
        "outcome": OutcomeLabel.of(verdict.outcome) if had_rules else None,
        "comment": verdict.comment,
        "has_receipt": bool(verdict.receipt),
        "count": verdict.count,
        "rules": rules if with_rules else (),
        "counted": counted(rules),
        "first_refusing": next((row for row in rules if row.refuses), None),
    }
