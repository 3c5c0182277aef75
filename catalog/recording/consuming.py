"""Recording who consumed what."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from access.statements import Statement, insert_with_key, insertion, values_of
from catalog.attention import of_reading, raise_attention
from catalog.branch_keys import own_key
from catalog.counters import Recount
from catalog.edges import count_consumers
from catalog.entities import Entity
from catalog.models import (
    Asset,
    Consumption,
    Instance,
)
from catalog.recording.failing import has_later_attempt
from catalog.recording.places import in_one_transaction, locked_all, moment
from catalog.recording.registering import fail_earlier_attempts
from catalog.recording.runs import NOTHING_TOLD, Told, writer_of
from catalog.statements import counting, counting_in_known
from catalog.states import AttentionKind
from obproject.branches import branch_key, reference_key

DEPRECATED_FOR = timedelta(days=14)
"""So long after the last reading it needs attention that a deprecated version was read."""
EVENT = """
    SELECT asset_id, component_id, 'consumes' AS direction, write_branch, role, write_branch_name,
        at AS first_at, at AS last_at, entity_kind AS last_entity_kind, entity_id AS last_entity_id,
        instance_id AS last_instance_id
    FROM made
"""
MADE = "WITH made AS (SELECT * FROM catalog_consumption WHERE id = %(pk)s)"

consume_at_once = Statement(
    f"""
    WITH made AS ({insertion(Consumption)} RETURNING *), counted AS ({counting_in_known(EVENT)})
    SELECT made.id, (SELECT count(*) FROM counted) FROM made
    """  # noqa: S608 (names of tables and columns, and no values)
)
count_again = Statement(f"{MADE} {counting_in_known(EVENT)}")
count = Statement(f"{MADE} {counting(EVENT)}")


@in_one_transaction
def consume(
    *,
    actor: str,
    asset: Asset,
    instance: Instance | None,
    reference: str,
    entity: Entity,
    role: str | None = None,
    told: Told = NOTHING_TOLD,
    consumer_project: str = "",
    write_branch: str = "",
    uid: str = "",
    when: datetime | None = None,
    settles: bool = False,
) -> Consumption:
    """Record that an entity consumed an instance, or the definition (None). `write_branch` is a git name or key.

    `uid` is the id that the client gave it; `when` is the past moment of a consumption that arrives only now;
    `settles`: who consumes may also fail what earlier attempts of the same task registered.
    """
    project = asset.branch.project
    name, at = write_branch, moment(when)
    key = _key_of_consumer(project.perimeter_id, consumer_project or project.name, name)
    component, run = writer_of(
        perimeter_id=project.perimeter_id,
        project=consumer_project or project.name,
        entity=entity,
        branch=key,
        is_written=False,
        told=told,
        when=when,
    )
    if told.attempt and entity.run:
        fail_earlier_attempts(project.perimeter, entity, told.attempt, actor, also=asset.pk, settles=settles)
    superseded = when is not None and has_later_attempt(component.perimeter_id, entity, told.attempt)
    if superseded:  # all edges of the pair are counted anew, and not only its own
        locked_all([asset.pk])
    consumption = Consumption(
        asset=asset,
        instance=instance,
        reference=reference,
        entity_kind=entity.kind,
        entity_id=entity.id,
        component=component,
        run=run,
        role=role,
        attempt=told.attempt,
        foreach_path=told.foreach_path,
        iteration=told.iteration,
        failed=superseded or None,
        write_branch=key,
        write_branch_name=name,
        at=at,
        actor=actor,
        uid=uid or None,
    )
    if not WRITES[connection.vendor](consumption):
        _add_edge(consumption)
    if superseded:
        Recount().edges_with(asset, component)
    elif instance is not None and instance.deprecation_id is not None:
        _raise_deprecated(consumption, instance)
    return consumption


def _raise_deprecated(consumption: Consumption, instance: Instance) -> None:
    """Who reads a version that was deprecated before needs attention, until they don't for a while."""
    asset, component, event = consumption.asset, consumption.component, instance.deprecation
    at, until = consumption.at, consumption.at + DEPRECATED_FOR
    if event is None or at < event.at or until < timezone.now():
        return
    raise_attention(
        AttentionKind.DEPRECATED,
        of_reading(component.pk, asset.pk),
        perimeter_id=asset.branch.project.perimeter_id,
        branch_id=asset.branch_id,
        asset_id=asset.pk,
        since=at,
        until=until,
        facts={
            "component": component.name,
            "component_kind": component.kind,
            "component_project": component.project_name,
            "version": instance.number,
            "uid": instance.uid,
            "reason": event.reason,
            "by": event.actor,
            "deprecated_at": event.at.isoformat(),
            "last_read": at.isoformat(),
        },
        matter=["uid", "reason", "by"],
    )


def _key_of_consumer(perimeter: int, project: str, name: str) -> str:
    """The key of the branch that a consumer writes to. A query only where its name loses letters."""
    key = branch_key(name)
    return key if key == reference_key(name) else own_key(perimeter, project, name)


def in_one_statement(consumption: Consumption) -> bool:
    """Write the consumption, and count it in its edge; whether there is one."""
    consumption.pk, counted = consume_at_once.one(**values_of(consumption)) or (0, 0)
    consumption._state.adding = False
    return bool(counted)


def in_two_statements(consumption: Consumption) -> bool:
    """The same, for SQLite, which inserts nothing within a `WITH`."""
    insert_with_key(consumption)
    return count_again.one(pk=consumption.pk) is not None


WRITES: dict[str, Callable[[Consumption], bool]] = {"postgresql": in_one_statement, "sqlite": in_two_statements}
"""By the name that Django gives the database."""


def _add_edge(consumption: Consumption) -> None:
    """Count a consumption that is the first of its edge, unless another write is faster by a hair."""
    asset = consumption.asset
    locked_all([asset.pk])  # its consumers may be one more
    count.run(pk=consumption.pk)
    Asset.objects.filter(pk=asset.pk).update(consumer_count=count_consumers(asset))
