"""Adding an instance to its asset: the row, the asset's pointers to it, and the producer's edge, at once.

Every registration does this while it holds the asset's lock. The three writes are spelled once: PostgreSQL takes them
as one statement and one round trip; SQLite, which has no round trips and inserts nothing within a `WITH`, takes them
one after the other.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.db import connection

from access.prepared import insertion, planned_once, values_of
from catalog.edges import add_promotion, production
from catalog.models import Asset, Edge, Instance
from catalog.newest import Standing, point_to, standing
from catalog.states import State

LAST = ("last_at", "last_entity_kind", "last_entity_id", "last_instance_id")
"""What an edge keeps of the last event in time."""


def append(instance: Instance) -> None:
    """Insert a new instance of an asset, whose lock the caller holds; `catalog.newest` says what it becomes there."""
    asset, place = instance.asset, standing(instance)
    asset.last_number = max(asset.last_number, instance.number)
    asset.ready_count += instance.state == State.READY
    instance.pk = WRITES[connection.vendor](instance, place)
    instance._state.adding = False
    point_to(instance, place)
    add_promotion(instance)


def in_one_statement(instance: Instance, place: Standing) -> int:
    """Write the instance, the pointers and the edge; answers the key."""
    values = [*values_of(instance, connection), *_pointers(instance, place), *_edge(instance)]
    with connection.cursor() as cursor, planned_once(connection):
        cursor.execute(_all_in_one(), values)
        return int(cursor.fetchone()[0])


def in_three_statements(instance: Instance, place: Standing) -> int:
    """The same."""
    made = "WITH made AS (SELECT CAST(%s AS bigint) AS id)"
    with connection.cursor() as cursor:
        cursor.execute(_making(), values_of(instance, connection))
        pk = int(cursor.fetchone()[0])
        cursor.execute(f"{made} {_pointing()}", [pk, *_pointers(instance, place)])
        cursor.execute(f"{made} {_counting()}", [pk, *_edge(instance)])
    return pk


WRITES: dict[str, Callable[[Instance, Standing], int]] = {
    "postgresql": in_one_statement,
    "sqlite": in_three_statements,
}
"""By the name that Django gives the database."""


@functools.cache
def _all_in_one() -> str:
    return f"""
        WITH made AS ({_making()}), pointed AS ({_pointing()}), counted AS ({_counting()})
        SELECT id FROM made
    """  # noqa: S608 (names of tables and columns, and no values)


@functools.cache
def _making() -> str:
    return f"{insertion(Instance)} RETURNING id"


@functools.cache
def _pointing() -> str:
    assets = Asset._meta.db_table
    return f"""
        UPDATE {assets}
        SET last_number = %s, ready_count = %s, newest_at = %s, refreshed_at = %s,
            newest_id = CASE WHEN %s THEN made.id ELSE newest_id END,
            newest_ready_id = CASE WHEN %s THEN made.id ELSE newest_ready_id END
        FROM made WHERE {assets}.id = %s
    """  # noqa: S608 (names of tables and columns, and no values)


def _pointers(instance: Instance, place: Standing) -> list[Any]:
    asset = instance.asset
    newest_at = instance.created_at if place.newest else asset.newest_at
    refreshed_at = instance.settled_at if place.newest_ready else asset.refreshed_at
    return [asset.last_number, asset.ready_count, _time(newest_at), _time(refreshed_at), *place, asset.pk]


@functools.cache
def _counting() -> str:
    """As `catalog.edges.add_consumption`; an event that arrived late is not the last."""
    is_last = "edge.count = 0 OR excluded.last_at >= edge.last_at"
    is_first = "edge.count = 0 OR excluded.first_at < edge.first_at"
    last = ", ".join(f"{column} = CASE WHEN {is_last} THEN excluded.{column} ELSE edge.{column} END" for column in LAST)
    return f"""
        INSERT INTO {Edge._meta.db_table} AS edge (
            asset_id, component_id, direction, write_branch, write_branch_name, count, first_at, {", ".join(LAST)}
        )
        SELECT %s, %s, %s, %s, '', 1, %s, %s, %s, %s, made.id FROM made WHERE true
        ON CONFLICT (asset_id, component_id, direction, write_branch, COALESCE(role, '')) DO UPDATE
        SET count = edge.count + 1, {last},
            first_at = CASE WHEN {is_first} THEN excluded.first_at ELSE edge.first_at END
    """  # noqa: S608 (names of tables and columns, and no values)


def _edge(instance: Instance) -> list[Any]:
    asset, at = instance.asset, _time(instance.created_at)
    fact = [asset.pk, instance.component_id, _direction(instance).value, asset.branch.key]
    return [*fact, at, at, instance.producer_kind, instance.producer_id]


def _direction(instance: Instance) -> Edge.Direction:
    return production(instance.is_copy)


def _time(value: Any) -> Any:
    """As the database takes it."""
    return connection.ops.adapt_datetimefield_value(value)
