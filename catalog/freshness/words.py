"""What is said of freshness: on pages, in the API and in messages.

Sentences are lists of parts, text and moments, so that a page can write the moments as it writes all of them; `plain`
makes text of one, with the moments in a time zone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog.freshness.declared import known_zone
from catalog.freshness.learning import Expectation
from catalog.freshness.state import freshness_of
from catalog.states import Freshness, Watch

Json = dict[str, Any]
Part = str | datetime
"""Of a sentence: text, or a moment, which pages write as a <time>."""
EVERY = {3_600: "hourly", 86_400: "daily", 604_800: "weekly"}


def sentence(expected: Expectation, now: datetime, last: datetime | None = None) -> list[Part]:
    """How it stands, in a line. `last`: when the last version came."""
    state = freshness_of(expected.watch, expected.due_at, expected.late_at, expected.dormant_at, now)
    due, late = expected.due_at, expected.late_at
    if state == Freshness.LEARNING:
        return [learning(expected.told, now)]
    if state == Freshness.OFF or due is None or late is None:
        return [not_watched(expected)]
    if state == Freshness.DORMANT:
        silence = now - (last or due - timedelta(seconds=expected.usual or 0))
        return [
            f"nothing for {length(silence.total_seconds())}, usually {every(expected.usual or 0)}; no more news of it"
        ]
    if state == Freshness.LATE:
        return [f"{late_by(due, now)}; expected ", due]
    if state == Freshness.DUE:
        return ["expected ", due, ", late after ", late]
    return ["next expected ", due]


def late_by(due_at: datetime, now: datetime) -> str:
    """`late by 11 h`, counted from when it was expected."""
    return f"late by {length((now - due_at).total_seconds())}"


def usually(expected: Expectation) -> str:
    """`usually every 24 h ± 20 min`, `declared: At 06:00 on Monday through Friday, Europe/Berlin`; empty: not known."""
    if expected.watch == Watch.DECLARED:
        return f"declared: {expected.told['declared']}" if expected.told.get("declared") else "declared"
    if expected.watch != Watch.LEARNED or not expected.usual:
        return ""
    spread = expected.told.get("spread") or 0
    more = f" ± {length(spread)}" if spread >= 60 else ""
    return f"usually every {length(expected.usual)}{more}"


def learning(told: Json, now: datetime) -> str:
    """`2 of 16 days seen; nothing is called late before`."""
    seen = told.get("seen") or "nothing seen yet"
    return f"{seen}; nothing is called late before"


def not_watched(expected: Expectation) -> str:
    if expected.told.get("unreadable"):
        return f"not watched: what is declared can't be read ({expected.told['unreadable']})"
    if expected.watch == Watch.DECLARED:
        return "nothing is expected yet: no version has come"
    return "not watched"


def how_known(expected: Expectation) -> list[list[Part]]:
    """How it is known, as sentences: the rule, what it was learned from, the zone, from when it is called late."""
    return [[usually(expected)]]


def toml(expected: Expectation) -> str:
    """The TOML that declares what was learned. Empty: there is nothing to declare."""
    if expected.watch != Watch.LEARNED or not expected.usual:
        return ""
    minutes = max(round(expected.usual / 60), 5)
    return f'[freshness]\nevery = "{_duration(minutes)}"\n'


def every(usual: float) -> str:
    """`daily`, `every 6 h`."""
    for seconds, word in EVERY.items():
        if abs(usual - seconds) < 0.02 * seconds:
            return word
    return f"every {length(usual)}"


def length(seconds: float) -> str:
    """A length of time in units that fit it: `20 min`, `1 h 30 min`, `11 h`, `2 d 3 h`, `28 d`."""
    minutes = max(round(seconds / 60), 1)
    if minutes < 600:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"
    hours = round(minutes / 60)
    if hours < 48:
        return f"{hours} h"
    days, rest = divmod(hours, 24)
    return f"{days} d {rest} h" if rest and days < 7 else f"{round(hours / 24)} d"


def plain(parts: Sequence[Part], zone: str = "UTC") -> str:
    """The sentence as text; moments to the minute, in a time zone, which is named if it is another one than UTC's."""
    return "".join(part if isinstance(part, str) else moment(part, zone) for part in parts)


def moment(at: datetime, zone: str = "UTC") -> str:
    """`2026-03-04 20:11 UTC`."""
    return at.astimezone(ZoneInfo(known_zone(zone))).strftime("%Y-%m-%d %H:%M %Z")


def _duration(minutes: int) -> str:
    for length_, unit in ((7 * 24 * 60, "w"), (24 * 60, "d"), (60, "h")):
        if minutes % length_ == 0:
            return f"{minutes // length_}{unit}"
    return f"{minutes}m"
