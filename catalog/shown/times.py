"""Times on pages: relative to now for reading, exact in UTC for hovering and for machines."""

from datetime import UTC, datetime

from django.utils import timezone

# From how many seconds on a unit is used, its length in seconds, and its name; static/app.js keeps the same table
UNITS = [
    (2 * 365 * 86_400, 365 * 86_400, "y"),
    (60 * 86_400, 30 * 86_400, "mo"),
    (86_400, 86_400, "d"),
    (3_600, 3_600, "h"),
    (60, 60, "min"),
    (10, 1, "s"),
]


def relative_time(at: datetime, now: datetime) -> str:
    """How far `at` lies from `now`: `just now`, `40 s ago`, `2 h ago`, `in 3 d`."""
    seconds = round((now - at).total_seconds())
    for threshold, length, name in UNITS:
        if abs(seconds) >= threshold:
            distance = f"{abs(seconds) // length} {name}"
            return f"{distance} ago" if seconds > 0 else f"in {distance}"
    return "just now"


def relative(at: datetime) -> str:
    """How long ago `at` was, as of now."""
    return relative_time(at, timezone.now())


def span(at: datetime, now: datetime | None = None) -> str:
    """How long ago `at` was, as of now, where the words around it say that it is past: `11 h`."""
    return relative_time(at, now or timezone.now()).removesuffix(" ago")


def exact(at: datetime) -> str:
    """`at` to the second, in UTC: `2026-03-04 20:11:04 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def minute(at: datetime) -> str:
    """`at` to the minute, in UTC, where a page says the zone elsewhere: `2026-03-04 20:11`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def machine(at: datetime) -> str:
    """`at` for the datetime attribute of a <time>: RFC 3339 in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """How long something took: `0.4 s`, `12 s`, `4 min 10 s`, `3 h 20 min`, `2 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for length, name, below, below_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= length:
            rest = whole % length // below
            return f"{whole // length} {name} {rest} {below_name}" if rest else f"{whole // length} {name}"
    return f"{whole} s"
