"""Which arrows of lineage only one of two branches has: who makes and reads what there. Pure: no database.

A flow that has not run on a branch says nothing of it: what it makes and reads elsewhere is no arrow that was removed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, overload

from access.statements import moment_of
from catalog.models import Edge
from catalog.wire.shapes import time_shape
from comparing.branch_rows import ArrowRow
from comparing.sentences import Name, Sentence
from obproject.roles import INPUT

Side = Literal["added", "removed"]
Component = tuple[str, str]
Place = tuple[str, str, str, str]
"""Perimeter, project, kind and id of an asset, which is the same on all branches."""
READS, MAKES = Edge.Direction.CONSUMES.value, Edge.Direction.PRODUCES.value


@dataclass(frozen=True)
class Arrow:
    """A component that makes or reads an asset. `role` is empty but for readings that are more than an input."""

    component: Component
    direction: str
    role: str
    place: Place
    title: str
    branch: str
    """Key of the branch that the asset is on."""
    ref: str
    last_at: datetime

    @property
    def key(self) -> tuple[Component, str, str, Place]:
        return (self.component, self.direction, self.role, self.place)

    @property
    def shape(self) -> dict[str, Any]:
        perimeter, project, kind, asset_id = self.place
        return {
            "component": {"kind": self.component[0], "name": self.component[1]},
            "relation": self.direction,
            "role": self.role or (INPUT if self.direction == READS else None),
            "asset": {"perimeter": perimeter, "project": project, "kind": kind, "id": asset_id},
            "last_ref": self.ref or None,
            "last_at": time_shape(self.last_at),
        }


def _order(row: ArrowRow) -> tuple[str, ...]:
    place = (row.perimeter_name, row.project, row.kind, row.asset_id)
    return (*row.maker, "" if row.direction == READS else row.direction, *place, row.role or "")


class Sorted(Sequence[Arrow]):
    """Arrows in their order, each made from its row when it is asked for, and put in order when one is."""

    def __init__(self, rows: Iterable[ArrowRow] = ()) -> None:
        self._found = list(rows)

    @cached_property
    def rows(self) -> list[ArrowRow]:
        return sorted(self._found, key=_order)

    def of(self, components: Collection[Component]) -> "Sorted":
        return Sorted(row for row in self._found if row.maker in components)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, at: int) -> Arrow: ...
    @overload
    def __getitem__(self, at: slice) -> list[Arrow]: ...
    def __getitem__(self, at: int | slice) -> Arrow | list[Arrow]:
        found = self.rows[at]
        return list(map(_arrow_of, found)) if isinstance(found, list) else _arrow_of(found)


NO_ARROWS = Sorted()


@dataclass(frozen=True)
class Arrows:
    """The arrows of two branches. `added`: of the head alone; `removed`: of the base alone, by who has run on the head
    as well; `resting`: of the base alone, by who has not. `common` are on both, of the
    components that have others. `hidden` counts the arrows of one side
    alone at what the viewer may not see."""

    added: Sorted = NO_ARROWS
    removed: Sorted = NO_ARROWS
    resting: Sorted = NO_ARROWS
    common: Sorted = NO_ARROWS
    hidden: int = 0
    is_cut: bool = False

    @property
    def differing(self) -> int:
        """How many there are that only one of the branches has."""
        return len(self.added) + len(self.removed)

    def part(self, start: int, stop: int) -> list[tuple[Side, Arrow]]:
        """Some of these, those of the head first."""
        more = len(self.added)
        found: list[tuple[Side, Arrow]] = [("added", arrow) for arrow in self.added[start:stop]]
        return found + [("removed", arrow) for arrow in self.removed[max(start - more, 0) : max(stop - more, 0)]]

    def around(self, components: Collection[Component], most: int) -> list[Arrow]:
        """Some arrows of these components that are on both branches."""
        return self.common.of(components)[:most]

    @property
    def resting_components(self) -> list[str]:
        return list(dict.fromkeys(row.component for row in self.resting.rows))


def arrows_between(
    rows: Iterable[ArrowRow], base: str, head: str, visible: Collection[int], *, is_cut: bool = False
) -> Arrows:
    """`base` and `head` are keys of branches; `visible` the keys of the perimeters that the viewer may read."""
    sides: dict[str, dict[Any, ArrowRow]] = {base: {}, head: {}}
    hidden: dict[str, set[Any]] = {base: set(), head: set()}
    for row in rows:
        if row.perimeter not in visible:
            hidden[row.branch].add(row.ends)
            continue
        known = sides[row.branch].setdefault(row.ends, row)
        if known.last_at < row.last_at:
            sides[row.branch][row.ends] = row
    ours, theirs = sides[head], sides[base]
    added = [row for ends, row in ours.items() if ends not in theirs]
    missing = [row for ends, row in theirs.items() if ends not in ours]
    ran = {row.maker for row in ours.values()}
    differing = {row.maker for row in (*added, *missing)}
    return Arrows(
        added=Sorted(added),
        removed=Sorted(row for row in missing if row.maker in ran),
        resting=Sorted(row for row in missing if row.maker not in ran),
        common=Sorted(row for ends, row in ours.items() if ends in theirs and row.maker in differing),
        hidden=len(hidden[base] ^ hidden[head]),
        is_cut=is_cut,
    )


def sentence_of(side: Side, arrow: Arrow, base: Sentence) -> Sentence:
    """ "TrainFlow reads Interaction features v2"; "TrainFlow no longer reads Churn features (on main: v48)"."""
    who, what = Name(arrow.component[1] or arrow.component[0]), Name(arrow.title)
    verb = "reads" if arrow.direction == READS else "makes"
    role = Sentence(" as ", Name(arrow.role)) if arrow.role else Sentence()
    if side == "added":
        return Sentence(who, f" {verb} ", what, f" {arrow.ref}" if arrow.ref else "", role)
    last = Sentence(" (on ", base, f": {arrow.ref})") if arrow.ref else Sentence(" (as on ", base, ")")
    return Sentence(who, f" no longer {verb} ", what, role, last)


def _arrow_of(row: ArrowRow) -> Arrow:
    moment = moment_of(row.last_at)
    assert moment is not None  # a column that is never empty
    return Arrow(
        component=(row.component_kind, row.component),
        direction=row.direction,
        role=row.role if row.role and row.role != INPUT else "",
        place=(row.perimeter_name, row.project, row.kind, row.asset_id),
        title=row.name or row.asset_id,
        branch=row.asset_branch,
        ref=f"v{row.number}" if row.number else "",
        last_at=moment,
    )
