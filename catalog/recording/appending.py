"""Adding an instance to its asset: the row, the asset's pointers to it, and the producer's edge, at once.

Every registration does this while it holds the asset's lock, so on PostgreSQL it is one statement and one round trip.
SQLite, which has no round trips and no such statements, gets the same three writes one after the other.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.db import connection

from access.prepared import insertion, planned_once, values_of
from catalog.counters import add_promotion, add_to_edge, production
from catalog.entities import Entity
from catalog.models import Asset, Edge, Instance
from catalog.states import State

POINTERS = ("last_number", "newest", "newest_at", "newest_ready", "ready_count", "refreshed_at")


def append(instance: Instance) -> None:
    """Insert a new instance of an asset, whose lock the caller holds; it is the newest unless it arrives late."""
    asset = instance.asset
    late = asset.newest_at is not None and (
        instance.created_at < asset.newest_at or instance.number <= asset.last_number
    )
    asset.last_number = max(asset.last_number, instance.number)
    if instance.state == State.READY:
        asset.ready_count += 1
    if late:
        _insert(instance, _point_to_if_later)
    elif connection.vendor == "postgresql":
        _refresh(instance)
        instance.pk = _insert_all(instance)
        instance._state.adding = False
        _point_to(instance)
    else:
        _insert(instance, _point_to)
    add_promotion(instance)


def _insert(instance: Instance, point: Callable[[Instance], None]) -> None:
    instance.save(force_insert=True)
    point(instance)
    instance.asset.save(update_fields=POINTERS)
    _count(instance)


def _direction(instance: Instance) -> Edge.Direction:
    return production(instance.promoted_from_id is not None)


def _point_to(instance: Instance) -> None:
    instance.asset.newest, instance.asset.newest_at = instance, instance.created_at
    if instance.state == State.READY:
        instance.asset.newest_ready = instance
        _refresh(instance)


def _point_to_if_later(instance: Instance) -> None:
    asset = instance.asset
    if _is_later(instance, asset.newest):
        asset.newest, asset.newest_at = instance, instance.created_at
    if instance.state == State.READY and _is_later(instance, asset.newest_ready):
        asset.newest_ready = instance
        _refresh(instance)


def _is_later(instance: Instance, other: Instance | None) -> bool:
    return other is None or instance.place_in_time > other.place_in_time


def _refresh(instance: Instance) -> None:
    if instance.state == State.READY:
        instance.asset.refreshed_at = instance.settled_at


def _count(instance: Instance) -> None:
    add_to_edge(
        asset=instance.asset,
        component=instance.component,
        direction=_direction(instance),
        write_branch=(instance.asset.branch.key, ""),
        entity=Entity(instance.producer_kind, instance.producer_id),
        instance=instance,
        at=instance.created_at,
    )


def _insert_all(instance: Instance) -> int:
    asset = instance.asset
    row: list[Any] = values_of(instance, connection)
    pointers: list[Any] = [
        asset.last_number,
        asset.ready_count,
        asset.refreshed_at,
        instance.created_at,
        instance.state == State.READY,
        asset.pk,
    ]
    edge: list[Any] = [asset.pk, instance.component_id, _direction(instance).value, asset.branch.key]
    newest: list[Any] = [instance.created_at, instance.created_at, instance.producer_kind, instance.producer_id]
    with connection.cursor() as cursor, planned_once(connection):
        cursor.execute(_statement(), [*row, *pointers, *edge, *newest])
        (pk,) = cursor.fetchone()
    return int(pk)


@functools.cache
def _statement() -> str:
    assets, edges = Asset._meta.db_table, Edge._meta.db_table
    return f"""
        WITH made AS (
            {insertion(Instance)} RETURNING id
        ), pointed AS (
            UPDATE {assets}
            SET last_number = %s, ready_count = %s, refreshed_at = %s, newest_at = %s, newest_id = made.id,
                newest_ready_id = CASE WHEN %s THEN made.id ELSE newest_ready_id END
            FROM made WHERE {assets}.id = %s
        ), counted AS (
            INSERT INTO {edges} AS edge (
                asset_id, component_id, direction, write_branch, write_branch_name, count,
                first_at, last_at, last_entity_kind, last_entity_id, last_instance_id
            )
            SELECT %s, %s, %s, %s, '', 1, %s, %s, %s, %s, made.id FROM made
            ON CONFLICT (asset_id, component_id, direction, write_branch) DO UPDATE
            SET count = edge.count + 1, last_at = EXCLUDED.last_at, last_entity_kind = EXCLUDED.last_entity_kind,
                last_entity_id = EXCLUDED.last_entity_id, last_instance_id = EXCLUDED.last_instance_id
        )
        SELECT id FROM made
    """  # noqa: S608 (names of tables and columns, and no values)
