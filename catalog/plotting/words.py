"""What is said below a plot: what can't be seen in it, or could be taken for something else."""

from collections.abc import Callable, Iterator, Sequence

from catalog.plotting.places import NOT_ON_LOG, TOO_LARGE, Drawn
from catalog.plotting.texts import named
from catalog.states import DEPRECATED, State

NAMED = 3
"""How many versions a sentence names, before it counts them."""


def words_of(lines: Sequence[Drawn], write: Callable[[float], str], *, states: bool = True) -> Iterator[str]:
    """`states`: also which versions failed, are pending or deprecated, which is so for all metrics."""
    for drawn in lines:
        yield from _beyond(drawn, write)
        yield from _without(drawn, states)
        if drawn.line.groups:
            yield _grouped(drawn)
        if not (drawn.places or drawn.bands):
            yield f"{named(drawn.line.name)} has no version here." if drawn.line.name else "No version is here."
    values = [value for drawn in lines for value in drawn.line.values]
    if not values and any(drawn.places or drawn.bands for drawn in lines):
        yield "None of these versions has a number."
    elif len(values) > 1 and min(values) == max(values):
        yield "All values are equal."


def _beyond(drawn: Drawn, write: Callable[[float], str]) -> Iterator[str]:
    for look, where in (("above", "above"), ("below", "below")):
        found = [place.point for place in drawn.places if place.look == look]
        if found:
            named = [f"{_named(drawn, one.ref)} ({write(one.value or 0.0)})" for one in found[:NAMED]]
            yield f"{_listed(named, len(found))} {'lies' if len(found) == 1 else 'lie'} {where} the axis."


def _without(drawn: Drawn, states: bool) -> Iterator[str]:
    """Of those without a place on the line: which they are, and why."""
    reasons: dict[str, list[str]] = {}
    for place in drawn.places:
        if place.y is None and (states or place.point.is_ready):
            reasons.setdefault(place.why, []).append(_named(drawn, place.point.ref))
    for why, refs in reasons.items():
        one = len(refs) == 1
        said = {
            State.FAILED.value: State.FAILED.label,
            State.PENDING.value: f"{'is' if one else 'are'} {State.PENDING.label}",
            DEPRECATED: f"{'is' if one else 'are'} {DEPRECATED}",
            "not measured": "did not measure it",
            NOT_ON_LOG: f"{'is' if one else 'are'} zero or less, which has no place on a log scale",
            TOO_LARGE: f"{'is' if one else 'are'} too large for an axis",
        }.get(why, f"{'has' if one else 'have'} no number: {named(why)}")
        yield f"{_listed(refs[:NAMED], len(refs))} {said}."


def _named(drawn: Drawn, ref: str) -> str:
    return f"{named(drawn.line.name)} {ref}" if drawn.line.name else ref


def _listed(named: Sequence[str], count: int) -> str:
    """ "v3, v5 and 4 more" """
    if count > len(named):
        return f"{', '.join(named)} and {count - len(named):,} more"
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]


def _grouped(drawn: Drawn) -> str:
    """Of those that are drawn together: how many, and whether the axis has room for all of their values."""
    groups = drawn.line.groups
    whose = f" of {named(drawn.line.name)}" if drawn.line.name else ""
    said = f"Lowest and highest of each {max(group.count for group in groups):,} versions{whose}: no extreme is lost."
    cut = sum(band.is_cut for band in drawn.bands)
    return f"{said} {cut:,} of {len(groups):,} groups {'goes' if cut == 1 else 'go'} beyond the axis." if cut else said
