"""Edges and promotions: counted while writing, and as their events say.

The events of an edge are registrations or consumptions; those of failed attempts are not counted. The times and the
last event are those of the others, and of all only while there are no others.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Coalesce, Least, RowNumber

from catalog.models import Asset, Consumption, Edge, Instance, Promotion
from catalog.querysets import COPIED
from catalog.states import State

Row = dict[str, Any]
Fact = tuple[int, str, str, str | None]
"""What makes an edge of an asset: the key of the component, direction, write branch, role."""
FACT = ("asset_id", "component_id", "direction_", "branch_", "role_")
OF_EVENT = ("moment", "failed_", "branch_name_", "entity_kind_", "entity_id_", "its_instance")
AT_ONCE = 1_000
EVERY = Q()


def production(copied: bool) -> Edge.Direction:
    """The named producer of a copy made it elsewhere: it did not write here."""
    return Edge.Direction.PROMOTED if copied else Edge.Direction.PRODUCES


def count_consumers(asset: Asset) -> int:
    """How many components consume the asset."""
    edges = Edge.objects.filter(asset=asset, direction=Edge.Direction.CONSUMES)
    return edges.values("component").distinct().count()


def add_promotion(instance: Instance) -> None:
    """Count one more promotion to the asset of a new instance, whose lock the caller holds."""
    if not instance.is_copy:
        return
    source, at = instance.promoted_from, instance.created_at
    pair = {"source_id": source.asset_id if source else None, "target": instance.asset}
    known, again = Promotion.objects.filter(**pair), {"count": F("count") + 1, "first_at": Least("first_at", Value(at))}
    if known.filter(last_at__lte=at, count__gt=0).update(**again, last_at=at, last_instance=instance):
        return
    if known.filter(count=0).update(count=1, first_at=at, last_at=at, last_instance=instance):
        return
    if not known.update(**again):
        Promotion.objects.create(**pair, first_at=at, last_at=at, last_instance=instance)


def facts_of_edges(assets: Collection[int], which: Q = EVERY) -> dict[int, dict[Fact, Row]]:
    """The columns of the edges of some assets, as their events say, by their keys; `which` narrows the events.

    The last event of an edge is the last in time, and of equal times the one that arrived last.
    """
    found: dict[int, dict[Fact, Row]] = {asset: {} for asset in assets}
    for (asset, *fact), row in _summed(_productions(assets).filter(which)):
        found[asset][tuple(fact)] = row
    if Consumption.objects.filter(which, asset__in=assets).exists():  # summing up nothing takes many times as long
        for (asset, *fact), row in _summed(_consumptions(assets).filter(which)):
            found[asset][tuple(fact)] = row
    return found


def facts_of_promotions(assets: Collection[int]) -> dict[int, dict[int | None, Row]]:
    """The columns of the promotions to some assets, by their keys and the sources, as their instances say."""
    counted, pair = Q(failed_=0), [F("asset_id"), F("source")]
    found: dict[int, dict[int | None, Row]] = {asset: {} for asset in assets}
    copies = Instance.objects.filter(COPIED, asset__in=assets).order_by()
    if not copies.exists():  # as of most assets; to sum up nothing takes many times as long
        return found
    flagged = copies.annotate(source=F("promoted_from__asset"), failed_=_flag(Q(state=State.FAILED)))
    rows = flagged.annotate(
        place=Window(
            RowNumber(),
            partition_by=pair,
            order_by=[F("failed_").asc(), F("created_at").desc(), F("pk").desc()],
        ),
        first=Coalesce(
            Window(Min("created_at", filter=counted), partition_by=pair),
            Window(Min("created_at"), partition_by=pair),
        ),
        total=Window(Count("pk", filter=counted), partition_by=pair),
    )
    last = rows.filter(place=1).values_list("asset_id", "source", "first", "created_at", "total", "pk")
    for asset, origin, first, at, total, pk in last:
        found[asset][origin] = {"first_at": first, "last_at": at, "count": total, "last_instance_id": pk}
    return found


def _productions(assets: Collection[int]) -> QuerySet[Any]:
    return Instance.objects.filter(asset__in=assets).annotate(
        direction_=Case(
            When(COPIED, then=Value(Edge.Direction.PROMOTED.value)),
            default=Value(Edge.Direction.PRODUCES.value),
            output_field=CharField(),
        ),
        branch_=F("asset__branch__key"),
        branch_name_=_constant(""),
        role_=_constant(None),
        moment=F("created_at"),
        entity_kind_=F("producer_kind"),
        entity_id_=F("producer_id"),
        its_instance=F("pk"),
        failed_=_flag(Q(state=State.FAILED)),
    )


def _consumptions(assets: Collection[int]) -> QuerySet[Any]:
    return Consumption.objects.filter(asset__in=assets).annotate(
        direction_=_constant(Edge.Direction.CONSUMES.value),
        branch_=F("write_branch"),
        branch_name_=F("write_branch_name"),
        role_=F("role"),
        moment=F("at"),
        entity_kind_=F("entity_kind"),
        entity_id_=F("entity_id"),
        its_instance=F("instance_id"),
        failed_=_flag(Q(failed=True)),
    )


def _constant(value: str | None) -> Cast:
    """A text, whose type PostgreSQL would have to guess."""
    return Cast(Value(value), TextField())


def _flag(which: Q) -> Case:
    return Case(When(which, then=1), default=0, output_field=IntegerField())


def _summed(events: QuerySet[Any]) -> Iterable[tuple[Any, Row]]:
    """One row for each edge: what its events add up to, and the last one, which is one of those at the last time.

    Windows would say it in one query, but sort all events for each.
    """
    counted = Q(failed_=0)
    sums = {
        "total": Count("pk", filter=counted),
        "first": Min("moment"),
        "first_counted": Min("moment", filter=counted),
        "last": Max("moment"),
        "last_counted": Max("moment", filter=counted),
    }
    edges = {tuple(row.pop(part) for part in FACT): row for row in events.order_by().values(*FACT).annotate(**sums)}
    times = sorted({row[time] for row in edges.values() for time in ("first", "last", "last_counted") if row[time]})
    names: dict[Any, str] = {}
    last: dict[Any, Row] = {}
    for some in (times[at : at + AT_ONCE] for at in range(0, len(times), AT_ONCE)):
        for event in events.filter(moment__in=some).order_by("pk").values(*FACT, *OF_EVENT):
            fact = tuple(event[part] for part in FACT)
            row = edges[fact]
            if event["moment"] == row["first"]:
                names.setdefault(fact, event["branch_name_"])
            if event["moment"] == (row["last_counted"] or row["last"]) and event["failed_"] == (not row["total"]):
                last[fact] = event
    for fact, row in edges.items():
        yield (
            fact,
            {
                "first_at": row["first_counted"] or row["first"],
                "count": row["total"],
                "write_branch_name": names[fact],
                "last_at": last[fact]["moment"],
                "last_entity_kind": last[fact]["entity_kind_"],
                "last_entity_id": last[fact]["entity_id_"],
                "last_instance_id": last[fact]["its_instance"],
            },
        )
