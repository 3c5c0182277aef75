"""When the next version of an asset is expected, by what is declared of it and by those that came.

A version counts that became ready and that a task made here: a copy says nothing of when the next one comes. What
follows from times alone is in `catalog/freshness/`; the columns are kept by the writes (`recording/expecting.py`).
"""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone

from catalog.freshness.declared import Declared, data_time
from catalog.freshness.learning import LAST, Expectation, by_declaration
from catalog.models import Asset, Instance
from catalog.querysets import COPIED
from catalog.states import State, Watch

TASK = "task"
MOST_LOOKED_THROUGH = 300
"""So many versions are looked through for those that count."""
IN_ITS_ZONE = ("cron", "except", "at")
"""What is declared in the time zone of the asset, or else of its project."""
OF_ARRIVALS = ("asset_id", "number", "created_at", "producer_kind", "settled_at", "annotations", "promoted_from_id")
COLUMNS = ("watch", "usual", "due_at", "late_at", "dormant_at")
"""Of an asset: what is expected of it."""


def declared_of(asset: Asset, zone: str | None = None) -> Declared:
    """What is declared of its freshness. `zone` is that of its project, which else is asked for it where it counts."""
    said = asset.declared_freshness
    if not said:
        return Declared.NOTHING
    if zone is None:
        needs_zone = "timezone" not in said and any(key in said for key in IN_ITS_ZONE)
        zone = asset.branch.project.timezone if needs_zone else ""
    return _read(json.dumps(said), zone)


@lru_cache(maxsize=4096)
def _read(said: str, zone: str) -> Declared:
    return Declared.of(json.loads(said), zone)


def counts(instance: Instance) -> bool:
    """Whether a version that became ready says when the next one comes."""
    return instance.producer_kind == TASK and not instance.is_copy


def last_time(instances: Iterable[Instance], declared: Declared) -> datetime | None:
    """When the last of some versions came that count: when it became ready, or the time of its data if an annotation
    has that and it is earlier. No time is later than now."""
    times = [_time_of(instance, declared) for instance in instances if counts(instance)]
    known = [at for at in times if at]
    return min(max(known), timezone.now()) if known else None


def _time_of(instance: Instance, declared: Declared) -> datetime | None:
    came = instance.settled_at or instance.created_at
    if not declared.at:
        return came
    at = data_time(instance.annotations.get(declared.at), declared.zone)
    return min(at, came) if at else None


def as_declared(asset: Asset) -> Expectation:
    """What is expected of an asset by its declaration and its last versions. What has to be learned is not, here."""
    declared = declared_of(asset)
    if declared.off:
        return Expectation(Watch.OFF)
    if not declared.says_when:
        return Expectation(Watch.LEARNING if asset.newest_ready_id else Watch.OFF)
    return by_declaration(declared, last_time(_last_of(asset, declared), declared))


def _last_of(asset: Asset, declared: Declared) -> Iterable[Instance]:
    """The last versions that count, as the background looks at them."""
    if asset.newest_id is None:
        return ()
    ready: Any = Instance.objects.of(asset).filter(state=State.READY)
    looked_through = ready.latest_first().values("pk")[: LAST if declared.at else MOST_LOOKED_THROUGH]
    came = ready.filter(pk__in=looked_through, producer_kind=TASK).exclude(COPIED)
    last: Iterable[Instance] = came.only(*OF_ARRIVALS).latest_first()[:LAST]
    return last


def right_expectation(asset: Asset) -> dict[str, Any]:
    """The columns of what is expected of an asset as they follow from its declaration; none if that is learned."""
    declared = declared_of(asset)
    return columns_of(as_declared(asset)) if declared.off or declared.says_when else {}


def columns_of(expected: Expectation) -> dict[str, Any]:
    """As an asset keeps it."""
    return {name: getattr(expected, name) for name in COLUMNS}
