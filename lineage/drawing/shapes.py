"""The look of each kind of node: outline, icon, word and text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString, mark_safe

from catalog.shown.names import isolated, printable
from catalog.shown.times import exact, minute, relative_time
from catalog.states import State
from lineage.drawing.text import fitted, fitted_apart, width_of
from lineage.graph import Kind, Node

NAME_SIZE, UNDER_SIZE = 13, 11
NARROWEST, WIDEST = 72, 184
"""Bounds of the width of the text in a node."""
TEXT_AT = 36
"""The x of the text, right of the icon."""
LEAST_FIRST = 60
"""The least room in pixels in which the first fact of the second line is cut; with less it is left to the title."""
PAD = 16
GRID = 8
WORDS = {
    Kind.DATA: "data",
    Kind.MODEL: "model",
    Kind.FLOW: "flow",
    Kind.DEPLOYMENT: "deployment",
    Kind.PERSON: "person",
    Kind.CI: "CI",
    Kind.RUN: "run",
    Kind.UNKNOWN: "unknown",
    Kind.HIDDEN: "hidden",
    Kind.GROUP: "group",
}
ICONS = {kind: kind.value for kind in Kind} | {Kind.UNKNOWN: "other"}
_LOW = (Kind.FLOW, Kind.RUN, Kind.PERSON, Kind.CI)
_LONGEST_TIME = "00 min ago"
"""The time that a node has room for, so that its width does not change with the clock. A date is not wider."""


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one node."""

    name: str
    under: str
    ago: str
    """The time at the end of the second line, as screens show it; empty if there is none."""
    on: str
    """The same as a date, for paper and files."""
    width: int
    height: int
    outline: str
    icon: str

    @property
    def both_times(self) -> SafeString:
        """The time for screens and for paper, of which the style shows one."""
        if not self.ago:
            return SafeString("")
        return mark_safe(f'<tspan class="ago">{self.ago}</tspan><tspan class="on">{self.on}</tspan>')  # noqa: S308


def looks_of(nodes: Sequence[Node], now: datetime) -> dict[str, Look]:
    """The look of each node of a drawing, by its id. Names and ids that differ do not look alike."""
    sizes = {node.id: size_of(node) for node in nodes}
    rooms = {name: width - TEXT_AT - PAD for name, (width, _) in sizes.items()}
    names = {node.id: (printable(title_of(node)), rooms[node.id]) for node in nodes}
    firsts, tails, times = {}, {}, {}
    for node in nodes:
        first, *rest = _facts(node)
        tails[node.id] = printable("".join(f" · {part}" for part in rest))
        times[node.id] = f" · {ago(node.at, now)}" if has_time(node) else ""
        firsts[node.id] = printable(first), rooms[node.id] - width_of(tails[node.id] + times[node.id], UNDER_SIZE)
    shown = fitted_apart(names, NAME_SIZE, bold=True)
    ids = fitted_apart(firsts, UNDER_SIZE)
    looks = {}
    for node in nodes:
        (width, height), under = sizes[node.id], isolated(ids[node.id]) + tails[node.id]
        if firsts[node.id][1] < LEAST_FIRST and ids[node.id] != firsts[node.id][0]:
            room = rooms[node.id] - width_of(times[node.id], UNDER_SIZE)
            under = fitted(tails[node.id].removeprefix(" · "), UNDER_SIZE, room)
        outline = _OUTLINES[node.kind](width, height)
        begun = times[node.id] if under else times[node.id].removeprefix(" · ")
        on = f"{' · ' if under else ''}{node.at:%Y-%m-%d}" if node.at and begun else ""
        looks[node.id] = Look(shown[node.id], under, begun, on, width, height, outline, ICONS[node.kind])
    return looks


def look_of(node: Node, now: datetime) -> Look:
    """The look of a node on its own."""
    return looks_of([node], now)[node.id]


def size_of(node: Node) -> tuple[int, int]:
    """Width and height in pixels: by the text, within bounds, and on a grid so that small changes move nothing."""
    under = " · ".join([*_facts(node), *([_LONGEST_TIME] if has_time(node) else [])])
    needed = max(
        width_of(printable(title_of(node)), NAME_SIZE, bold=True),
        width_of(printable(under), UNDER_SIZE),
    )
    text = min(max(needed, NARROWEST), WIDEST)
    return -(-(TEXT_AT + text + PAD) // GRID) * GRID, 40 if node.kind in _LOW else 48


def title_of(node: Node) -> str:
    return "hidden" if node.kind == Kind.HIDDEN else node.name or node.key or node.id


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in minutes at the finest, so that a drawing can be cached."""
    if at is None:
        return ""
    return "just now" if (now - at).total_seconds() < 60 else relative_time(at, now)


def whole(node: Node) -> str:
    """All that is known of a node in a sentence, for its title."""
    if node.kind == Kind.HIDDEN:
        return "Something that you may not see"
    parts = [f"{WORDS[node.kind]} {isolated(node.name)}" if node.kind != Kind.GROUP else node.name]
    if node.key and node.key != node.name:
        parts.append(isolated(node.key))
    if node.branch_name or node.branch:
        parts.append(f"on {isolated(node.branch_name or node.branch)} of {node.project}")
    parts += [part for part in (node.version, node.state if node.state != State.READY else "") if part]
    if node.deleted:
        parts.append("deleted")
    if node.late_since:
        parts.append(f"late, as it was expected {minute(node.late_since)} UTC")
    if node.at:
        parts.append(exact(node.at))
    if node.fault:
        parts.append(node.fault)
    return printable(", ".join(parts))


def has_time(node: Node) -> bool:
    """Whether the second line of a node ends with its time."""
    return node.at is not None and node.kind not in (Kind.HIDDEN, Kind.GROUP) and not node.deleted


def _facts(node: Node) -> list[str]:
    """What the second line of a node says before its time."""
    if node.kind == Kind.HIDDEN:
        return ["you may not see it"]
    if node.kind == Kind.GROUP:
        return ["gathered · open"]
    has_key = node.kind.is_asset or node.kind == Kind.RUN  # of a run it says which part of it
    named = node.key if has_key and node.key not in ("", node.name) else WORDS[node.kind]
    if node.deleted:
        return [named, "deleted"]
    state = node.state if node.state not in ("", State.READY) else ""
    return [part for part in (named, node.version, state) if part]


def _card(width: int, height: int) -> str:
    return _rounded(width, height, 8)


def _pill(width: int, height: int) -> str:
    half = height // 2
    return f"M{half} 0H{width - half}a{half} {half} 0 0 1 0 {height}H{half}a{half} {half} 0 0 1 0-{height}z"


def _window(width: int, height: int) -> str:
    """A window with a title bar."""
    return f"{_rounded(width, height, 3)}M0 6H{width}"


def _figure(width: int, height: int) -> str:
    """Round on the left, like a head, and square on the right."""
    half = height // 2
    return f"M{half} 0H{width - 3}q3 0 3 3V{height - 3}q0 3-3 3H{half}a{half} {half} 0 0 1 0-{height}z"


def _hexagon(width: int, height: int) -> str:
    half = height // 2
    return f"M12 0H{width - 12}l12 {half}-12 {half}H12L0 {half}z"


def _ticket(width: int, height: int) -> str:
    """A pill with a line before its right end."""
    return f"{_pill(width, height)}M{width - 14} 2V{height - 2}"


def _cut(width: int, height: int) -> str:
    """A rectangle with its corners cut off."""
    return f"M8 0H{width - 8}l8 8V{height - 8}l-8 8H8l-8-8V8z"


def _plain(width: int, height: int) -> str:
    return f"M0 0H{width}V{height}H0z"


def _stack(width: int, height: int) -> str:
    """A card with two more behind it."""
    return f"{_behind(width + 4, height + 4)}{_behind(width, height)}{_rounded(width, height, 8)}"


def _behind(width: int, height: int) -> str:
    """The visible part of a card behind one of this size."""
    return f"M8 {height}v4H{width + 4}V8h-4V{height}z"


def _rounded(width: int, height: int, r: int) -> str:
    return f"M{r} 0H{width - r}q{r} 0 {r} {r}V{height - r}q0 {r}-{r} {r}H{r}q-{r} 0-{r}-{r}V{r}q0-{r} {r}-{r}z"


_OUTLINES: dict[Kind, Callable[[int, int], str]] = {
    Kind.DATA: _card,
    Kind.MODEL: _card,
    Kind.FLOW: _pill,
    Kind.DEPLOYMENT: _window,
    Kind.PERSON: _figure,
    Kind.CI: _hexagon,
    Kind.RUN: _ticket,
    Kind.UNKNOWN: _cut,
    Kind.HIDDEN: _plain,
    Kind.GROUP: _stack,
}
