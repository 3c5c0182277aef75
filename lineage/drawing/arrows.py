"""What arrows say: which version was read or made, when, how often and in which role."""

from collections.abc import Sequence
from datetime import datetime

from catalog.shown.names import printable
from lineage.drawing.shapes import ago, title_of
from lineage.graph import Link, Node, Relation
from obproject.roles import BASELINE, INPUT

KNOWN_BY = {
    "task": "what was read for it is known by task",
    "run": "what was read for it is presumed from the run",
    "session": "what was read for it is known by session",
}
"""How it is known what a run read for something that it made."""


def is_baseline(link: Link) -> bool:
    """Whether it was only read to compare with."""
    return link.roles == (BASELINE,)


def is_outdated(link: Link, source: Node) -> bool:
    """Whether what was read last is another version than the newest of the asset."""
    return bool(link.relation == Relation.CONSUMES and link.version and source.version not in ("", link.version))


def roles_in_words(roles: Sequence[str]) -> str:
    """ "as baseline and evaluation"; empty for what is only an input."""
    if set(roles) <= {INPUT}:
        return ""
    *others, last = roles
    return f"as {', '.join(others)} and {last}" if others else f"as {last}"


def sentence_of(link: Link, source: Node, target: Node, now: datetime) -> str:
    """All that is known of an arrow: "v3 read by dashboard, last 2 h ago, 4 times, as baseline"."""
    said = {
        Relation.CONSUMES: f"{link.version} read by {title_of(target)}",
        Relation.PRODUCES: f"{link.version} made by {title_of(source)}",
        Relation.PROMOTES: f"promoted as {link.version}" if link.version else f"promoted to {title_of(target)}",
    }[link.relation].strip()
    parts = [
        said,
        f"newest {source.version}" if is_outdated(link, source) else "",
        f"last {ago(link.last_at, now)}" if link.last_at else "",
        times(link.count),
        roles_in_words(link.roles),
        KNOWN_BY.get(link.by, ""),
    ]
    return printable(", ".join(part for part in parts if part))


def times(count: int | None) -> str:
    """How often it happened; of what only failed attempts did, that they failed."""
    if count is None:
        return ""
    return {0: "by attempts that failed", 1: "once"}.get(count, f"{count:,} times")
