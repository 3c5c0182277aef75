"""When a delivery that failed is tried again, and when it is not. No database."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.states import DeliveryState

WAITS = (
    *(timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30)),
    *(timedelta(hours=1), timedelta(hours=3), timedelta(hours=8), timedelta(days=1)),
)
"""After the first failed try, the second, and so on; after the last wait there is one more try."""
SET_ASIDE_AFTER = timedelta(hours=1)
"""So long others of the same asset wait for one that fails."""
JITTER = 0.1
"""A part of the wait by which it is made shorter or longer, so that what failed together does not come together."""


@dataclass(frozen=True)
class Next:
    """What becomes of a delivery whose try has failed."""

    state: DeliveryState
    at: datetime


def after_failure(failures: int, failing_since: datetime, now: datetime) -> Next:
    """`failures`: how many tries have failed, this one counted; `failing_since`: when the first one did."""
    if failures > len(WAITS):
        return Next(DeliveryState.GIVEN_UP, now)
    wait = WAITS[failures - 1] * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311 (no secret)
    ends = failing_since + SET_ASIDE_AFTER
    if now >= ends:
        return Next(DeliveryState.SET_ASIDE, now + wait)
    return Next(DeliveryState.WAITING, min(now + wait, ends))
