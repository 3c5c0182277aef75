"""Kinds of events as people choose them: a few groups, and each kind of its own."""

from collections.abc import Collection
from dataclasses import dataclass

from catalog.outbox import TELLABLE
from catalog.states import EventKind as Kind


@dataclass(frozen=True)
class Group:
    """Some kinds of events that are chosen together."""

    name: str
    label: str
    help: str
    kinds: tuple[Kind, ...]


GROUPS = (
    Group(
        "problems",
        "Problems",
        "late and fresh again, unusual, failed, refused by a gate or overridden",
        (Kind.LATE, Kind.FRESH_AGAIN, Kind.UNUSUAL, Kind.FAILED, Kind.GATE_REFUSED, Kind.GATE_OVERRIDDEN),
    ),
    Group("versions", "Versions", "registered, ready, deprecated", (Kind.REGISTERED, Kind.READY, Kind.DEPRECATED)),
    Group(
        "aliases",
        "Aliases and approvals",
        "moved; asked for, given, closed without a move",
        (Kind.ALIAS_MOVED, Kind.APPROVAL_ASKED, Kind.APPROVAL_GIVEN, Kind.APPROVAL_VOID),
    ),
    Group(
        "deploys",
        "Deploys and deletions",
        "of the branch; of assets, and their return",
        (Kind.DEPLOYED, Kind.DELETED, Kind.RESTORED),
    ),
)
FIRST_CHOICE = GROUPS[0].kinds
"""What a form begins with."""


def chosen(groups: Collection[str], kinds: Collection[str]) -> list[str]:
    """The kinds that a form asks for, in the order in which they are kept."""
    wanted = {kind.value for group in GROUPS if group.name in groups for kind in group.kinds} | set(kinds)
    return [kind for kind in TELLABLE if kind in wanted]


def groups_in(kinds: Collection[str]) -> list[Group]:
    """The groups of which all kinds are among these."""
    return [group for group in GROUPS if {kind.value for kind in group.kinds} <= set(kinds)]


def in_words(kinds: Collection[str]) -> str:
    """Kinds of events as a person reads them: whole groups by their names, then single kinds."""
    if not kinds or set(TELLABLE) <= set(kinds):
        return "everything"
    whole = groups_in(kinds)
    told = {kind.value for group in whole for kind in group.kinds}
    words = [group.label for group in whole]
    words += [str(Kind(kind).label) for kind in TELLABLE if kind in kinds and kind not in told]
    text = ", ".join(words)
    return text[:1].lower() + text[1:]
