"""Days, as addresses of pages ask for them; in UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LAST_DAY = date.max - timedelta(days=1)
"""The last one that has an end."""


def day_in(text: str) -> date | None:
    """A day, written as `2026-11-24`; None if it is none."""
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def end_of(day: date) -> datetime:
    """The first moment after a day."""
    return start_of(min(day, LAST_DAY)) + timedelta(days=1)
