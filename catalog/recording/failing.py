"""Readings of attempts that failed: they are marked, and no longer count in edges."""

from collections.abc import Iterable

from django.db.models import QuerySet

from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Component, Consumption
from catalog.recording.places import in_one_transaction, locked_all
from catalog.statements import attempts_of

AT_ONCE = 1_000


def readings_of_earlier_attempts(perimeter: int, entity: Entity, attempt: int | None) -> QuerySet[Consumption]:
    """Those that are not yet marked."""
    return _unmarked(perimeter, entity).filter(attempt__lt=attempt or 0)


def readings_of_attempt(perimeter: int, entity: Entity, attempt: int | None) -> QuerySet[Consumption]:
    """Those that are not yet marked; without a number, the readings of which none was told."""
    return _unmarked(perimeter, entity).filter(attempt=attempt)


def mark_failed(readings: QuerySet[Consumption]) -> None:
    """Mark readings as those of a failed attempt, and count their edges anew; the caller locks their assets."""
    pairs = sorted(set(readings.values_list("asset_id", "component_id")))
    if not pairs:
        return
    readings.update(failed=True)
    Asset.objects.filter(pk__in={asset for asset, _ in pairs}).mark()
    assets = Asset.objects.select_related("branch").in_bulk({asset for asset, _ in pairs})
    components = Component.objects.in_bulk({component for _, component in pairs})
    for asset, component in pairs:
        Recount().edges_with(assets[asset], components[component])


def fail_readings(pks: Iterable[int]) -> None:
    """Mark readings, by key, as those of failed attempts, as Metaflow says."""
    ordered = sorted(pks)
    for start in range(0, len(ordered), AT_ONCE):
        _fail_readings(ordered[start : start + AT_ONCE])


@in_one_transaction
def _fail_readings(pks: list[int]) -> None:
    readings = Consumption.objects.filter(pk__in=pks, failed=None)
    locked_all(_assets_of(readings))
    mark_failed(readings)


def has_later_attempt(perimeter: int, entity: Entity, attempt: int | None) -> bool:
    """Whether a higher attempt of a task has written anything."""
    if attempt is None:
        return False
    last = attempts_by(perimeter, entity)[1]
    if last is not None and last > attempt:
        return True
    return _readings(perimeter, entity).filter(attempt__gt=attempt).exists()


def attempts_by(perimeter: int, entity: Entity) -> tuple[int | None, int | None]:
    """The lowest and the highest attempt by which an entity registered anything; None if it told none."""
    first, last = attempts_of.one(perimeter=perimeter, kind=entity.kind, entity_id=entity.id) or (None, None)
    return first, last


def _assets_of(readings: QuerySet[Consumption]) -> set[int]:
    return {reading.asset_id for reading in readings.only("asset")}


def _unmarked(perimeter: int, entity: Entity) -> QuerySet[Consumption]:
    return _readings(perimeter, entity).filter(failed=None)


def _readings(perimeter: int, entity: Entity) -> QuerySet[Consumption]:
    if not entity.run:
        return Consumption.objects.none()
    same = Consumption.objects.filter(run=entity.run, entity_id=entity.id, entity_kind=entity.kind)
    return same.filter(component__perimeter=perimeter)
