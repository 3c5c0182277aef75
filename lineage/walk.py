"""Walk along arrows, one level at a time (breadth first). Pure: it reads rows through the protocol `Rows`."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from lineage.graph import Relation
from obproject.roles import BASELINE

Key = tuple[Any, ...]
"""Identifies a node among the rows; its id in an answer is another one."""

WALK_MOST = 15_000
"""The most arrows that one walk follows. Beyond that the answer says "at least".

A statement of PostgreSQL takes at most 65,535 parameters, and a key is up to four of them.
"""


@dataclass(frozen=True, slots=True)
class Arrow:
    source: Key
    target: Key
    relation: Relation
    first_at: datetime
    last_at: datetime | None
    count: int | None
    entity: str = ""
    """The last entity, as the client named it."""
    version: str = ""
    """The version that was read, made or promoted last; empty for a definition, or if older ones are not stored."""
    roles: tuple[str, ...] = ()
    """Those in which it was read."""
    by: str = ""
    """How it is known that the inputs of what was made are these: `task`, `run` or `session`."""

    @property
    def is_baseline(self) -> bool:
        """Whether it was read only to compare with, so that no path leads through it."""
        return self.roles == (BASELINE,)


def merged(arrows: Iterable[Arrow]) -> dict[tuple[Key, Key], Arrow]:
    """One arrow for each pair of ends: of several roles, or of several readings."""
    found: dict[tuple[Key, Key], Arrow] = {}
    for arrow in arrows:
        ends = (arrow.source, arrow.target)
        found[ends] = _together(found[ends], arrow) if ends in found else arrow
    return found


def _together(one: Arrow, other: Arrow) -> Arrow:
    """Two arrows as one; what is not stored of either is not stored of both.

    One all of whose events failed says nothing but its roles, unless both are such.
    """
    roles = tuple(sorted({*one.roles, *other.roles}))
    if (one.count == 0) != (other.count == 0):
        return replace(other if one.count == 0 else one, roles=roles)
    first = min(one.first_at, other.first_at)
    if one.last_at is None or other.last_at is None or one.count is None or other.count is None:
        return replace(one, first_at=first, last_at=None, count=None, version="", roles=roles)
    last = other if other.last_at >= one.last_at else one
    return replace(last, first_at=first, count=one.count + other.count, roles=roles)


class Rows(Protocol):
    """A source of arrows. Each call may cost one query, for any number of keys."""

    cut: bool
    """Whether a query reached its limit, so that there may be more arrows."""

    def arrows(self, into: Collection[Key], out_of: Collection[Key], most: int) -> list[Arrow]:
        """The arrows that end at any of `into`, and those that begin at any of `out_of`; the `most` newest."""

    def among(self, keys: Collection[Key]) -> list[Arrow]:
        """The arrows between any two of these keys, all of which `arrows` returned before."""


@dataclass
class Walk:
    """The result of a walk from a focus. Keys are in the order in which they were reached: near before far."""

    focus: Key | None
    distance: dict[Key, int] = field(default_factory=dict)
    """The number of arrows to the focus, negative upstream; of two directions the nearer counts, then downstream."""
    via: dict[Key, Key] = field(default_factory=dict)
    """The key from which each was reached first; as a baseline only what was reached in no other way."""
    arrows: dict[tuple[Key, Key], Arrow] = field(default_factory=dict)
    """The arrows between the keys reached."""
    beyond: set[tuple[Key, Key]] = field(default_factory=set)
    """The ends of the arrows that lead on from the last level."""
    further: set[Key] = field(default_factory=set)
    """The keys that would be reached next."""
    cut: bool = False
    """Whether the walk reached its limit."""


def walk(
    rows: Rows,
    focus: Key,
    direction: str,
    depth: int | None,
    most: int = WALK_MOST,
    *,
    to_baselines: bool = True,
    beside: Collection[Key] = (),
) -> Walk:
    """Walk at most `depth` arrows far (None: any number), against the arrows ("up"), along them ("down"), or "both".

    "both" means upstream and downstream of the focus: a path never changes its direction. A reading as a baseline may
    be the last arrow of a path downstream, and the only one upstream; with `to_baselines` false it is in no path. The
    result has every arrow between the nodes reached, and those `beside` them, whether or not the walk followed it.
    """
    walked = Walk(focus, {focus: 0})
    ups = _Side(walked, [focus] if direction in ("up", "both") else [], up=True, to_baselines=to_baselines)
    downs = _Side(walked, [focus] if direction in ("down", "both") else [], up=False, to_baselines=to_baselines)
    level = 0
    while ups.frontier or downs.frontier:
        level += 1
        room = most - len(walked.arrows)
        found = rows.arrows(ups.frontier, downs.frontier, room + 1)
        if len(found) > room:
            walked.cut, found = True, found[:room]
        walked.cut = walked.cut or rows.cut
        is_further = depth is not None and level > depth
        arrows = {(arrow.source, arrow.target): arrow for arrow in found}
        if is_further:
            walked.beyond |= arrows.keys()
        else:
            walked.arrows |= arrows
        ups.step(found, level, is_further)
        downs.step(found, level, is_further)
        if walked.cut:
            break
    kept = {**walked.distance, **dict.fromkeys(beside, 0)}
    was_walked = depth is None and direction != "both" and not downs.ends and len(kept) == len(walked.distance)
    if not was_walked:  # else no arrow between these is missing
        walked.arrows |= {(arrow.source, arrow.target): arrow for arrow in rows.among(kept)}
        walked.cut = walked.cut or rows.cut
    return walked


class _Side:
    """One of the two directions of a walk."""

    def __init__(self, walked: Walk, begin: Collection[Key], *, up: bool, to_baselines: bool) -> None:
        self.walked, self.up, self.to_baselines = walked, up, to_baselines
        self.frontier: dict[Key, None] = dict.fromkeys(begin)
        self.seen: set[Key] = set(self.frontier)
        self.ends: dict[Key, Key] = {}
        """What was reached as a baseline, from where no path leads on; and from which key."""

    def step(self, arrows: list[Arrow], level: int, is_further: bool) -> None:
        """Walk one level; beyond the depth only along nodes that the other side has reached, because they are shown."""
        reached: dict[Key, None] = {}
        for arrow in arrows:
            here, there = (arrow.target, arrow.source) if self.up else (arrow.source, arrow.target)
            if here not in self.frontier or there in self.seen:
                continue
            if arrow.is_baseline and not (self.to_baselines and (level == 1 or not self.up)):
                continue
            if is_further and there not in self.walked.distance:
                self.walked.further.add(there)
                continue
            if arrow.is_baseline:
                self.ends.setdefault(there, here)
            else:
                self.seen.add(there)
                reached[there] = None
                if there in self.ends and self.walked.via.get(there) == self.ends[there]:
                    self.walked.via[there] = here  # so that it does not lead through a baseline
            if not is_further:
                self._note(there, here, level)
        self.frontier = reached

    def _note(self, there: Key, here: Key, level: int) -> None:
        known = self.walked.distance.get(there)
        if known is None or (not self.up and known < 0 and level <= -known):
            self.walked.distance[there] = -level if self.up else level
            self.walked.via[there] = here


def neighbours(arrows: Collection[tuple[Key, Key]]) -> tuple[dict[Key, set[Key]], dict[Key, set[Key]]]:
    """The neighbours of each key: upstream, and downstream."""
    ups: dict[Key, set[Key]] = defaultdict(set)
    downs: dict[Key, set[Key]] = defaultdict(set)
    for source, target in arrows:
        ups[target].add(source)
        downs[source].add(target)
    return ups, downs
