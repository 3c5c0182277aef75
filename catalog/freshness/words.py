"""What is said of freshness: on pages, in the API and in messages.

Sentences are lists of parts, text and moments, so that a page can write the moments as it writes all of them; `plain`
makes text of one, with the moments in a time zone.
"""

import math
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
HOUR, DAY = 3_600, 86_400
NAMED = [
    *(minutes * 60.0 for minutes in (5, 10, 15, 20, 30)),
    *(hours * 3_600.0 for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
    *(days * 86_400.0 for days in (2, 3, 7, 14)),
]
"""Lengths of time that schedules have."""
EVERY = {HOUR: "hourly", DAY: "daily", 7 * DAY: "weekly"}


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
    return f"late by {lateness(due_at, now)}"


def lateness(due_at: datetime, now: datetime) -> str:
    """How late it is, in full hours once it is some of them, as pages count what was a while ago."""
    seconds = (now - due_at).total_seconds()
    return length(seconds - seconds % HOUR if seconds >= 10 * HOUR else seconds)


def usually(expected: Expectation) -> str:
    """`usually every 24 h ± 20 min`, `declared: At 06:00 on Monday through Friday, Europe/Berlin`; empty: not known."""
    if expected.watch == Watch.DECLARED:
        return f"declared: {expected.told['declared']}" if expected.told.get("declared") else "declared"
    if expected.watch != Watch.LEARNED or not expected.usual:
        return ""
    spread = expected.told.get("spread") or 0
    more = f" ± {length(spread)}" if spread >= 60 else ""
    return f"usually every {length(rounded(expected.usual, spread))}{more}"


def learning(told: Json, now: datetime) -> str:
    """`2 of 16 days seen; nothing is called late before`."""
    since, days = told.get("since"), told.get("wanted_days")
    if since and days and told["times"] >= told["wanted"]:
        seen = min(max((now - datetime.fromisoformat(since)).days, 0), days)
        return f"{seen} of {days} days seen; nothing is called late before"
    if "wanted" in told:
        return f"seen {min(told['times'], told['wanted'])} of {told['wanted']} times; nothing is called late before"
    return "nothing is called late yet"


def not_watched(expected: Expectation) -> str:
    if expected.told.get("unreadable"):
        return f"not watched: what is declared can't be read ({expected.told['unreadable']})"
    if expected.watch == Watch.DECLARED:
        return "nothing is expected yet: no version that counts has come"
    return "not watched"


def how_known(expected: Expectation) -> list[list[Part]]:
    """How it is known, as sentences: the rule, what it was learned from, the time zone, and from when it is late."""
    told = expected.told
    rule = told.get("rule")
    if rule == "learning":
        return [*_seen(told), [LEARNING]]
    if expected.watch == Watch.OFF or not rule:
        return [[not_watched(expected).capitalize() + "."]]
    late: list[list[Part]] = []
    if expected.due_at and expected.late_at:
        after = told.get("late_after", 0)
        said = f", {length(after)} after that: {_why(told)}." if after else f", at once: {_why(told)}."
        late = [["Expected ", expected.due_at, "; late ", expected.late_at, said]]
    return [*(_declared(told) if rule in ("every", "cron") else _learned(told)), *late]


LEARNING = (
    "The next version is expected when six have been seen, and, where they come every few days or more often, "
    "16 days of them."
)
WHY = {
    "quarter": "a quarter of the gap, and 10 min at least",
    "half": "half of the gap",
    "spread": "four times as much as the weeks differ",
    "lates": "twice as much as the latest of the last ones was late",
    "least": "10 min at least",
    "grace": "the grace that is declared",
    "weeks": "in two of these weeks it took as long",
    "gaps": "three of these gaps were as long",
    "usual": "not before a usual gap has passed",
    "twice": "the last two gaps were as long",
    "silence": "the last silence was as long, and longer than any before",
    "irregular": "it comes irregularly, so that only twice the longest silence of the last ones says something",
}
"""Why so much later than expected."""


def _why(told: Json) -> str:
    by = told.get("late_by", "slack")
    names = {"slack": told.get("why"), "before": told.get("rule")}
    return WHY.get(str(names.get(by, by)), "")


def _declared(told: Json) -> list[list[Part]]:
    days = told.get("except")
    free: list[list[Part]] = (
        [[f"Nothing is expected on {days} declared {'days' if days > 1 else 'day'}."]] if days else []
    )
    counts: list[list[Part]] = (
        [[f"What counts is the time of the data, by the annotation {told['at']}, not when a version came."]]
        if told.get("at")
        else []
    )
    return [[f"Declared: {told.get('declared', '')}."], *counts, *free]


def _learned(told: Json) -> list[list[Part]]:
    spread = told.get("spread", 0)
    about = f", give or take {length(spread)}" if spread >= 60 else ""
    gap = length(told["gap"])
    if told["rule"] == "weeks":
        weeks = f"at this moment of each of the last {told['weeks']} weeks, by the clocks of {told['zone']}"
        rule = f"As in the last weeks: {weeks}, the next one came {gap} later (the median){about}."
    else:
        rule = f"As the last {told['gaps']} gaps were: {gap} (the median){about}."
    return [[rule], *_seen(told)]


def _seen(told: Json) -> list[list[Part]]:
    since = told.get("since")
    return [["Known since ", datetime.fromisoformat(since), "."]] if since else []


def toml(expected: Expectation) -> str:
    """The TOML that declares what was learned. Empty: there is nothing to declare."""
    told = expected.told
    if expected.watch != Watch.LEARNED or not expected.usual or told.get("late_by") == "irregular":
        return ""
    lines = ["[freshness]"]
    if told.get("cron"):
        lines += [f'cron = "{told["cron"]}"', f'timezone = "{told["zone"]}"']
    else:
        lines += [f'every = "{_duration(rounded(told.get("longest") or expected.usual, told.get("spread", 0)))}"']
    return "\n".join([*lines, f'grace = "{_duration(told.get("slack", 0))}"']) + "\n"


def rounded(seconds: float, spread: float = 0) -> float:
    """The length of time that a person would name, if it is as near as the spread allows."""
    near = max(0.02 * seconds, min(spread, 0.1 * seconds))
    return next((one for one in NAMED if abs(one - seconds) <= near), seconds)


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


def _duration(seconds: float) -> str:
    """As TOML has it: at least as long, in a unit that a person would take."""
    for unit, name, least in ((7 * DAY, "w", 7 * DAY), (DAY, "d", 3 * DAY), (HOUR, "h", 3 * HOUR)):
        if (seconds % unit == 0 and seconds) or (seconds >= least and name != "w"):
            return f"{math.ceil(seconds / unit)}{name}"
    return f"{max(math.ceil(seconds / 300) * 5, 5)}m"
