"""How it stands with the next version of an asset: a comparison of its columns with now, in Python and in SQL.

Each moment belongs to what begins with it: at `due_at` it is due, at `late_at` late, at `dormant_at` dormant. Where
nothing is expected (`due_at` is empty), it is not watched.
"""

from datetime import datetime

from django.db.models import Case, CharField, Q, Value, When

from catalog.states import Freshness, Watch

KNOWN = (Watch.LEARNED.value, Watch.DECLARED.value)
"""Where it is known when the next one should come."""


def freshness_of(
    watch: str, due_at: datetime | None, late_at: datetime | None, dormant_at: datetime | None, now: datetime
) -> Freshness:
    """How it stands with an asset that has these values in its columns."""
    if watch == Watch.LEARNING:
        return Freshness.LEARNING
    if watch not in KNOWN or due_at is None:
        return Freshness.OFF
    if dormant_at is not None and now >= dormant_at:
        return Freshness.DORMANT
    if late_at is not None and now >= late_at:
        return Freshness.LATE
    return Freshness.DUE if now >= due_at else Freshness.FRESH


def sql_state(now: datetime, prefix: str = "") -> Case:
    """The same as an expression, for queries of assets, or of what leads to them by `prefix`, such as `asset__`."""
    return Case(
        When(**{f"{prefix}watch": Watch.LEARNING.value}, then=Value(Freshness.LEARNING.value)),
        When(~Q(**{f"{prefix}watch__in": KNOWN}) | Q(**{f"{prefix}due_at": None}), then=Value(Freshness.OFF.value)),
        When(**{f"{prefix}dormant_at__lte": now}, then=Value(Freshness.DORMANT.value)),
        When(**{f"{prefix}late_at__lte": now}, then=Value(Freshness.LATE.value)),
        When(**{f"{prefix}due_at__lte": now}, then=Value(Freshness.DUE.value)),
        default=Value(Freshness.FRESH.value),
        output_field=CharField(),
    )


def is_late(now: datetime, prefix: str = "") -> Q:
    """Those that are late, and not dormant. The index by `late_at` answers it."""
    not_dormant = Q(**{f"{prefix}dormant_at__gt": now}) | Q(**{f"{prefix}dormant_at": None})
    known = Q(**{f"{prefix}watch__in": KNOWN, f"{prefix}due_at__isnull": False})
    return Q(**{f"{prefix}late_at__lte": now}) & known & not_dormant


def next_change(
    watch: str, due_at: datetime | None, late_at: datetime | None, dormant_at: datetime | None, now: datetime
) -> datetime | None:
    """The next moment at which the state becomes another one by itself. None: never."""
    if watch not in KNOWN or due_at is None:
        return None
    return min((at for at in (due_at, late_at, dormant_at) if at is not None and at > now), default=None)
