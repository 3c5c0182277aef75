"""Recording who consumed what."""

from datetime import datetime

from access.prepared import insert_with_key
from catalog.branch_keys import own_key
from catalog.counters import Recount
from catalog.edges import add_consumption
from catalog.entities import Entity
from catalog.lookups import locked_consumption_edge
from catalog.models import (
    Asset,
    Component,
    Consumption,
    Instance,
)
from catalog.recording.failing import has_later_attempt
from catalog.recording.places import in_one_transaction, locked_all, moment
from catalog.recording.registering import fail_earlier_attempts
from catalog.recording.runs import NOTHING_TOLD, Told, writer_of
from obproject.branches import branch_key, reference_key


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
    _lock_consumption(asset, component, key, role)
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
    insert_with_key(consumption)
    add_consumption(consumption)
    if superseded:
        Recount().edges_with(asset, component)
    return consumption


def _key_of_consumer(perimeter: int, project: str, name: str) -> str:
    """The key of the branch that a consumer writes to. A query only where its name loses letters."""
    key = branch_key(name)
    return key if key == reference_key(name) else own_key(perimeter, project, name)


def _lock_consumption(asset: Asset, component: Component, write_branch: str, role: str | None) -> None:
    """Lock the edge that a consumption adds to; before there is one, the asset, whose consumers will be one more."""
    edge = {"asset": asset.pk, "component": component.pk, "write_branch": write_branch, "role": role or ""}
    if not locked_consumption_edge(**edge):
        locked_all([asset.pk])
        locked_consumption_edge(**edge)
