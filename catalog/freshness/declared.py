"""`[freshness]` of an asset: what may be declared of when its versions come, and when the next one is due by it.

`checked` is for what somebody declares, and refuses what can't be read; `Declared.of` is for what is kept, and never
raises: what it can't read is not watched, and says why.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

Json = dict[str, Any]

KEYS = ("every", "cron", "timezone", "grace", "except", "at", "off")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAST, MOST = timedelta(minutes=5), timedelta(days=366)
LEAST_GRACE = timedelta(minutes=10)
GRACE = 0.25
"""Of the period; with `cron` of the nearer of the gaps before and after."""
EARLY = 0.25
"""What comes before its moment by up to this much of the nearer gap, and by an hour at most, has come for it."""
MOST_EARLY = HOUR
MOST_DATES = 400
NAME_LENGTH = 255
CRON_LENGTH = 100
SHOWN = 60
"""How much is repeated of what can't be read."""
DURATION = re.compile(r"([0-9]{1,6}) ?([mhdw])")
FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, L for the last or LW for the last weekday"),
    ("month", "1 to 12 or JAN to DEC"),
    (
        "day of the week",
        "0 to 7 or SUN to SAT, 0 and 7 being Sunday; 1#2 for the second Monday, 5L for the last Friday",
    ),
)
FROM = datetime(2024, 1, 1, tzinfo=UTC)
"""From when on it is counted what the usual gap of a cron expression is."""
GAPS = 60
OF_MACHINES = ("localtime", "posixrules", "posix/", "right/")
"""Files beside those of time zones, which are others on other machines, or nowhere."""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""Data says no earlier time: what stands there is a zero that was written as a date."""


@dataclass(frozen=True)
class FreshnessProblem:
    """What is wrong, with the place of it: the key."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"

    def as_json(self) -> Json:
        return {"key": self.key, "message": self.message}


class FreshnessProblems(ValueError):
    """Why freshness can't be declared so: all problems. `source` is where they stand, such as `asset_config.toml`."""

    def __init__(self, problems: Iterable[FreshnessProblem], source: str = "") -> None:
        self.problems, self.source = tuple(problems), source
        super().__init__(self.problems, source)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" if self.source else str(problem) for problem in self.problems)


def checked(json: Any, source: str = "") -> Json:
    """What is to be kept of it; raises FreshnessProblems, which has all that is wrong. Of `{}` nothing is kept."""
    if not isinstance(json, Mapping):
        raise FreshnessProblems(
            [FreshnessProblem("freshness", f"a table is expected, with some of {_known()}")], source
        )
    problems = [FreshnessProblem(_key(name), message) for name, message in _problems(json)]
    if problems:
        raise FreshnessProblems(problems, source)
    normal = {name: _normal(name, json[name]) for name in KEYS if name in json}
    return {name: value for name, value in normal.items() if value not in (False, [])}


@dataclass(frozen=True)
class Declared:
    """What an asset declares. `zone` is the one in which days and hours are meant, its own or that of the project;
    `unreadable` is why what is kept can't be read, and then the asset is not watched."""

    every: timedelta | None = None
    cron: str = ""
    zone: str = "UTC"
    names_zone: bool = False
    own_grace: timedelta | None = None
    excepted: frozenset[date] = frozenset()
    at: str = ""
    off: bool = False
    unreadable: str = ""

    NOTHING: ClassVar["Declared"]

    @classmethod
    def of(cls, json: Any, timezone: str = "") -> "Declared":
        """What is kept as JSON; `timezone` is that of the project, which counts if none is declared."""
        try:
            kept = checked(json or {})
        except FreshnessProblems as error:
            return cls(zone=known_zone(timezone), off=True, unreadable=str(error.problems[0]))
        return cls(
            every=duration(kept["every"]) if "every" in kept else None,
            cron=kept.get("cron", ""),
            zone=kept.get("timezone") or known_zone(timezone),
            names_zone="timezone" in kept,
            own_grace=duration(kept["grace"]) if "grace" in kept else None,
            excepted=frozenset(map(date.fromisoformat, kept.get("except", []))),
            at=kept.get("at", ""),
            off=kept.get("off", False),
        )

    @property
    def says_when(self) -> bool:
        """Whether the moment of the next version follows from it; else it is learned."""
        return not self.off and bool(self.every or self.cron)

    def in_zone(self, timezone: str) -> "Declared":
        """The same in the time zone of the project, if none is declared."""
        return self if self.names_zone else replace(self, zone=known_zone(timezone))

    @property
    def text(self) -> str:
        """When a version is expected, in words: `every 90 min`, `at 06:00 on weekdays, Europe/Berlin`."""
        if self.every:
            return f"every {_text(self.every)}"
        said = _explained(self.cron) if self.cron else ""
        return f"{said}, {self.zone}" if said else ""

    @property
    def usual(self) -> timedelta:
        """From one version to the next. Only for what says when."""
        return self.every or _usual(self.cron, self.zone)

    @property
    def grace(self) -> timedelta:
        """How long after its moment a version is not yet called late, as a rule; `grace_at` has it for each moment."""
        return self.own_grace if self.own_grace is not None else max(GRACE * self.usual, LEAST_GRACE)

    def grace_at(self, due: datetime) -> timedelta:
        """How long after `due` the version that is due then is not yet called late."""
        if self.own_grace is not None or not self.cron:
            return self.grace
        return max(GRACE * self._nearer_gap(due), LEAST_GRACE)

    def next_due(self, after: datetime) -> datetime | None:
        """When the version after the one of `after` is due: later than that, and on none of the excepted days.

        None: never. With `cron`, a version that comes shortly before its moment has come for it.
        """
        if self.every:
            return self._next_period(after)
        for due in self._moments(after) if self.cron else ():
            if due - after >= min(EARLY * self._nearer_gap(due), MOST_EARLY):
                return due
        return None

    def not_excepted(self, due: datetime) -> datetime:
        """The moment itself, or the same time of the next day on which something is expected."""
        if not self.excepted:
            return due
        local = due.astimezone(ZoneInfo(self.zone))
        while local.date() in self.excepted:
            local += timedelta(days=1)
        return local.astimezone(UTC)

    def _next_period(self, after: datetime) -> datetime:
        zone, every = ZoneInfo(self.zone), self.every or MOST
        due = after.astimezone(UTC) + every
        while (day := due.astimezone(zone).date()) in self.excepted:
            begins = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
            due += max(math.ceil((begins - due) / every), 1) * every
        return due

    def _moments(self, after: datetime) -> Iterator[datetime]:
        """The moments of the cron expression from `after` on, but for those of excepted days."""
        at = after.astimezone(ZoneInfo(self.zone))
        for _ in range(MOST_DATES * 2):
            due = next(CronSim(self.cron, at), None)
            if due is None:
                return
            if due.date() in self.excepted:
                at = datetime.combine(due.date(), time(23, 59, 59), due.tzinfo)
                continue
            yield due.astimezone(UTC)
            at = due

    def _nearer_gap(self, due: datetime) -> timedelta:
        return _nearer_gap(self.cron, self.zone, due)


Declared.NOTHING = Declared()


def duration(text: Any) -> timedelta:
    """`90m`, `12h`, `1d` or `2w`; raises ValueError for anything else."""
    match = DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(text)
    return int(match[1]) * UNITS[match[2]]


def known_zone(name: str) -> str:
    """The name, if it is one of a time zone; else `UTC`."""
    return name if name and _is_zone(name) else "UTC"


def data_time(value: Any, zone: str = "UTC") -> datetime | None:
    """The moment that an annotation names: RFC 3339, a date (its beginning) or seconds since 1970. None: it is none.

    What has no time zone is of the given one.
    """
    try:
        at = _moment_of(value, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at >= EARLIEST else None


def _moment_of(value: Any, zone: str) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    text = str(value).strip()
    if re.fullmatch(r"[0-9]{9,11}(\.[0-9]*)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(known_zone(zone)))).astimezone(UTC)


def _problems(json: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name in json:
        if name not in KEYS:
            yield str(name), f"not known here; known are {_known()}"
    if "every" in json and "cron" in json:
        yield "cron", "every says already when a version is expected; only one of the two can hold"
    for name in KEYS:
        if name in json and (message := CHECKS[name](json[name])):
            yield name, message


def _wrong_every(value: Any) -> str:
    return _wrong_duration(value, LEAST, "1d, 12h or 90m")


def _wrong_grace(value: Any) -> str:
    return _wrong_duration(value, timedelta(0), "30m or 2h")


def _wrong_duration(value: Any, least: timedelta, such_as: str) -> str:
    try:
        length = duration(value)
    except ValueError:
        return f"{_cut(value)} is no length of time; write a whole number and m, h, d or w, such as {such_as}"
    if least <= length <= MOST:
        return ""
    return f"{_cut(value)} is too {'short' if length < least else 'long'}: from {_text(least)} to {_text(MOST)}"


def _wrong_cron(value: Any) -> str:
    if not isinstance(value, str) or len(value) > CRON_LENGTH:
        return f'a text of at most {CRON_LENGTH} characters is expected, such as "0 6 * * 1-5"'
    return _wrong_expression(value)


@lru_cache(maxsize=1024)
def _wrong_expression(value: str) -> str:
    fields = value.split()
    if len(fields) != len(FIELDS):
        names = ", ".join(name for name, _ in FIELDS)
        return f'{_cut(value)} has {len(fields)} fields; five are expected ({names}), such as "0 6 * * 1-5"'
    for at, (name, expected) in enumerate(FIELDS):
        alone = ["*"] * len(FIELDS)
        alone[at] = fields[at]
        if not _can_be_read(" ".join(alone)):
            return f"{_cut(fields[at])} can't be the {name}: {expected}; also *, lists (1,3), ranges (1-5), steps (*/2)"
    if not _can_be_read(value) or next(CronSim(value, FROM), None) is None:
        return f"{_cut(value)} never comes: there is no such day"
    return ""


def _can_be_read(expression: str) -> bool:
    try:
        CronSim(expression, FROM)
    except (CronSimError, ValueError, OverflowError):
        return False
    return True


def _wrong_timezone(value: Any) -> str:
    if isinstance(value, str) and value and _is_zone(value):
        return ""
    return f'{_cut(value)} is not known as a time zone; write a name such as "Europe/Berlin" or "UTC"'


def _wrong_dates(value: Any) -> str:
    if not isinstance(value, list):
        return 'a list of dates is expected, such as ["2026-12-25"]'
    if len(value) > MOST_DATES:
        return f"at most {MOST_DATES} dates; here are {len(value):,}"
    wrong = [one for one in value if not _is_date(one)]
    return f"{_cut(wrong[0])} is no date; write it as 2026-12-25" if wrong else ""


def _is_date(value: Any) -> bool:
    if isinstance(value, date):  # as TOML has it without quotes
        return not isinstance(value, datetime)
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _wrong_at(value: Any) -> str:
    if isinstance(value, str) and value.strip() and len(value) <= NAME_LENGTH:
        return ""
    return "the name of an annotation is expected, which has the time of the data"


def _wrong_off(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false is expected"


CHECKS = {
    "every": _wrong_every,
    "cron": _wrong_cron,
    "timezone": _wrong_timezone,
    "grace": _wrong_grace,
    "except": _wrong_dates,
    "at": _wrong_at,
    "off": _wrong_off,
}


def _normal(name: str, value: Any) -> Any:
    if name == "except":
        return sorted({str(one) for one in value})
    if name in ("every", "grace"):
        return value.replace(" ", "")
    return " ".join(value.split()) if name == "cron" else value


@lru_cache(maxsize=4096)
def _nearer_gap(cron: str, zone: str, due: datetime) -> timedelta:
    local = due.astimezone(ZoneInfo(zone))
    before, after = next(CronSim(cron, local, reverse=True), None), next(CronSim(cron, local), None)
    gaps = [abs(other - local.astimezone(UTC)) for other in (before, after) if other is not None]
    return min([gap for gap in gaps if gap] or [MOST])


@lru_cache(maxsize=1024)
def _usual(cron: str, zone: str) -> timedelta:
    moments = CronSim(cron, FROM.astimezone(ZoneInfo(zone)))
    dues = [due.astimezone(UTC) for _, due in zip(range(GAPS + 1), moments, strict=False)]
    gaps = sorted(other - one for one, other in pairwise(dues))
    return gaps[(len(gaps) - 1) // 2] if gaps else MOST


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    if name.startswith(OF_MACHINES):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _known() -> str:
    return ", ".join(KEYS)


def _key(name: str) -> str:
    return "freshness" if name == "freshness" else f"freshness.{_cut(name)}"


def _text(length: timedelta) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h")):
        if length >= unit and not length % unit:
            return f"{length // unit} {name}"
    return f"{length // timedelta(minutes=1)} min"


@lru_cache(maxsize=1024)
def _explained(cron: str) -> str:
    said = CronSim(cron, FROM).explain().replace("Monday through Friday", "weekdays")
    return said[:1].lower() + said[1:]


def _cut(value: Any) -> str:
    text = str(value) if isinstance(value, str | date | int | float) else type(value).__name__
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
