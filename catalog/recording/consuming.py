"""Recording who consumed what."""

from datetime import datetime

from catalog.counters import add_to_edge, component_of
from catalog.entities import Entity
from catalog.models import (
    Asset,
    Component,
    Consumption,
    Edge,
    Instance,
)
from catalog.recording.places import in_one_transaction, locked_all, moment
from obproject.branches import branch_key


@in_one_transaction
def consume(
    *,
    actor: str,
    asset: Asset,
    instance: Instance | None,
    reference: str,
    entity: Entity,
    consumer_project: str = "",
    write_branch: str = "",
    uid: str = "",
    when: datetime | None = None,
) -> Consumption:
    """Record that an entity consumed an instance, or the definition (None). `write_branch` is a git name or key.

    `uid` is the id that the client gave it; `when` is the past moment of a consumption that arrives only now.
    """
    project = asset.branch.project
    component = component_of(perimeter_id=project.perimeter_id, project=consumer_project or project.name, entity=entity)
    key, name = branch_key(write_branch), write_branch
    _lock_consumption(asset, component, key)
    at = moment(when)
    consumption = Consumption.objects.create(
        asset=asset,
        instance=instance,
        reference=reference,
        entity_kind=entity.kind,
        entity_id=entity.id,
        component=component,
        run=entity.run,
        write_branch=key,
        write_branch_name=name,
        at=at,
        actor=actor,
        uid=uid or None,
    )
    add_to_edge(
        asset=asset,
        component=component,
        direction=Edge.Direction.CONSUMES,
        write_branch=(key, name),
        entity=entity,
        instance=instance,
        at=at,
    )
    return consumption


def _lock_consumption(asset: Asset, component: Component, write_branch: str) -> None:
    """Lock the edge that a consumption adds to; before there is one, the asset, whose consumers will be one more."""
    edges = Edge.objects.filter(asset=asset, component=component, direction=Edge.Direction.CONSUMES)
    mine = edges.filter(write_branch=write_branch).select_for_update(no_key=True)
    if not mine.first():
        locked_all([asset.pk])
        mine.first()
