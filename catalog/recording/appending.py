"""Adding an instance to its asset: the row, the asset's pointers to it, and the producer's edge, at once.

Every registration does this while it holds the asset's lock. The three writes are spelled once: PostgreSQL takes them
as one statement and one round trip; SQLite, which has no round trips and inserts nothing within a `WITH`, takes them
one after the other.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection

from access.statements import Statement, inserting, insertion, values_of
from catalog.edges import add_promotion, production
from catalog.marks import mark_of
from catalog.models import Asset, Instance, Message
from catalog.newest import Standing, point_to, standing
from catalog.recording.expecting import arrived, shifted
from catalog.series import forget_changed
from catalog.statements import counting
from catalog.states import State

NOTHING: list[Message] = []
POINTING = f"""
    UPDATE catalog_asset
    SET last_number = %(last_number)s, ready_count = %(ready_count)s,
        newest_at = %(newest_at)s, failed_at = %(failed_at)s,
        ready_number = %(ready_number)s, refreshed_at = %(refreshed_at)s, changed = {mark_of(Asset)},
        due_at = %(due_at)s, late_at = %(late_at)s, dormant_at = %(dormant_at)s, late_told_at = %(late_told_at)s,
        to_look_at = %(to_look_at)s,
        newest_id = CASE WHEN %(newest)s THEN made.id ELSE newest_id END,
        newest_ready_id = CASE WHEN %(newest_ready)s THEN made.id ELSE newest_ready_id END
    FROM made WHERE catalog_asset.id = made.asset_id
"""  # noqa: S608 (the name of a table)
COUNTING = counting(
    """
    SELECT asset_id, component_id, %(direction)s AS direction, %(write_branch)s AS write_branch, NULL AS role,
        '' AS write_branch_name, created_at AS first_at, created_at AS last_at,
        producer_kind AS last_entity_kind, producer_id AS last_entity_id, id AS last_instance_id
    FROM made
    """
)
MADE = "WITH made AS (SELECT * FROM catalog_instance WHERE id = %(pk)s)"

append_at_once = Statement(
    f"""
    WITH made AS ({insertion(Instance)} RETURNING *), pointed AS ({POINTING}), counted AS ({COUNTING})
    SELECT id FROM made
    """  # noqa: S608 (names of tables and columns, and no values)
)
point = Statement(f"{MADE} {POINTING}")
count = Statement(f"{MADE} {COUNTING}")


def append(instance: Instance) -> list[Message]:
    """Insert a new instance of an asset, whose lock the caller holds; `catalog.newest` says what it becomes there.

    Answers what is to be told after it.
    """
    asset, place, messages = instance.asset, standing(instance), NOTHING
    if instance.number <= asset.series_packed:
        forget_changed([instance], {asset.pk: asset})
    asset.last_number = max(asset.last_number, instance.number)
    if instance.state == State.READY:
        asset.ready_count += 1
        messages = arrived(asset, [instance])
    instance.pk = WRITES[connection.vendor](instance, place)
    instance._state.adding = False
    point_to(instance, place)
    add_promotion(instance)
    return messages


def in_one_statement(instance: Instance, place: Standing) -> int:
    """Write the instance, the pointers and the edge; answers the key."""
    (pk,) = append_at_once.one(**values_of(instance), **_pointers(instance, place), **_edge(instance)) or (0,)
    return int(pk)


def in_three_statements(instance: Instance, place: Standing) -> int:
    """The same."""
    (pk,) = inserting(Instance, "RETURNING id").one(**values_of(instance)) or (0,)
    point.run(pk=pk, **_pointers(instance, place))
    count.run(pk=pk, **_edge(instance))
    return int(pk)


WRITES: dict[str, Callable[[Instance, Standing], int]] = {
    "postgresql": in_one_statement,
    "sqlite": in_three_statements,
}
"""By the name that Django gives the database."""


def _pointers(instance: Instance, place: Standing) -> dict[str, Any]:
    asset = instance.asset
    failed_at = instance.created_at if instance.is_failed else None
    return {
        "last_number": asset.last_number,
        "ready_count": asset.ready_count,
        "newest_at": instance.created_at if place.newest else asset.newest_at,
        "failed_at": failed_at if place.newest else asset.failed_at,
        "ready_number": instance.number if place.newest_ready else asset.ready_number,
        "refreshed_at": instance.settled_at if place.newest_ready else asset.refreshed_at,
        **shifted(asset),
        **place._asdict(),
    }


def _edge(instance: Instance) -> dict[str, Any]:
    return {"direction": production(instance.is_copy).value, "write_branch": instance.asset.branch.key}
