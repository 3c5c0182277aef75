"""Which assets have something derived that is not as their events say: found for many at once, without a lock.

What is read of some assets is read as of one moment, so nothing is wrong only because somebody writes meanwhile. (On
SQLite a moment would be a lock, so there what is written between two questions may seem wrong.) Whoever corrects an
asset looks at it again under its lock.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from catalog.edges import facts_of_edges, facts_of_promotions
from catalog.expected import right_expectation
from catalog.gates_in_force import gates_of_each
from catalog.models import Alias, Asset, Deprecation, Edge, Instance, NewNormal, Promotion, PropertyOverride
from catalog.newest import newest_of_each
from catalog.states import State

Row = dict[str, Any]
Kept = defaultdict[int, dict[Any, Any]]
"""By the key of an asset: the rows that are kept of it, by what tells them apart."""
OF_EDGE = ("component_id", "direction", "write_branch", "role")
INSTANCES_AT_ONCE = 20_000
ASSETS_AT_ONCE = 500


def batches(keys: Collection[int]) -> Iterator[list[int]]:
    """Some assets, in their order, in groups that are read at once: with not too many instances in all."""
    sizes = dict(Asset.objects.filter(pk__in=keys).values_list("pk", "last_number"))
    batch: list[int] = []
    instances = 0
    for key in keys:
        if batch and (instances + sizes.get(key, 0) > INSTANCES_AT_ONCE or len(batch) == ASSETS_AT_ONCE):
            yield batch
            batch, instances = [], 0
        batch.append(key)
        instances += sizes.get(key, 0)
    if batch:
        yield batch


def found_wrong(keys: Collection[int]) -> set[int]:
    """Those of some assets of which something derived is not as it should be, by their keys."""
    with _one_moment():
        rows = Asset.objects.filter(pk__in=keys).select_related("branch__project").defer("readme", "description")
        assets = {asset.pk: asset for asset in rows}
        right, aliases = _right_columns(assets), _wrong_aliases(assets)
        columns = {key for key, asset in assets.items() if _differs(asset, right[key])}
        wrong = columns | aliases | _with_wrong_deprecations(assets)
        return wrong | _with_wrong_edges(assets) | _with_wrong_promotions(assets)


@contextmanager
def _one_moment() -> Iterator[None]:
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _right_columns(assets: dict[int, Asset]) -> dict[int, Row]:
    found, overrides, aliases, consumers = newest_of_each(assets), Kept(dict), Kept(dict), Kept(dict)
    for asset, key, value in PropertyOverride.objects.filter(asset__in=assets).values_list("asset_id", "key", "value"):
        overrides[asset][key] = value
    readers = Edge.objects.filter(asset__in=assets, direction=Edge.Direction.CONSUMES)
    for asset, component in readers.values_list("asset_id", "component_id"):
        consumers[asset][component] = True
    for asset, name, uid in Alias.objects.filter(asset__in=assets).values_list("asset_id", "name", "instance__uid"):
        aliases[asset][name] = uid or assets[asset].definition_uid
    gates = gates_of_each(list(assets.values()))
    normals = dict(NewNormal.objects.filter(asset__in=assets).order_by("pk").values_list("asset_id", "since"))
    for pk, row in assets.items():
        found[pk] |= {
            "properties": row.declared_properties | overrides[pk],
            "alias_index": aliases[pk],
            "consumer_count": len(consumers[pk]),
            "gates_id": gates[pk],
            "normal_since": normals.get(pk),
            **right_expectation(row),
        }
    return found


def wrong_deprecations(assets: Collection[int]) -> dict[int, int | None]:
    """Instances of some assets that do not name the event by which they are deprecated, with the right one: the last
    one, of those that are ready, unless it undid another."""
    right: dict[int, int | None] = {}
    events = Deprecation.objects.filter(instance__asset__in=assets).order_by("pk")
    for pk, instance, undone, state in events.values_list("pk", "instance_id", "undone", "instance__state"):
        right[instance] = None if undone or state != State.READY else pk
    said = Q(pk__in=right) | Q(deprecation__isnull=False)
    kept = Instance.objects.filter(said, asset__in=assets).values_list("pk", "deprecation_id")
    return {pk: right.get(pk) for pk, event in kept if event != right.get(pk)}


def _with_wrong_deprecations(assets: Collection[int]) -> set[int]:
    wrong = wrong_deprecations(assets)
    return set(Instance.objects.filter(pk__in=wrong).values_list("asset_id", flat=True)) if wrong else set()


def _wrong_aliases(assets: dict[int, Asset]) -> set[int]:
    placed = Alias.objects.filter(asset__in=assets).values_list("asset_id", "branch_id")
    return {asset for asset, branch in placed if branch != assets[asset].branch_id}


def _with_wrong_edges(assets: dict[int, Asset]) -> set[int]:
    right, kept = facts_of_edges(assets), Kept(dict)
    for edge in Edge.objects.filter(asset__in=assets):
        kept[edge.asset_id][tuple(getattr(edge, name) for name in OF_EDGE)] = edge
    return {
        key
        for key, asset in assets.items()
        if kept[key].keys() != right[key].keys()
        or any(_differs(kept[key][fact], row | {"branch_id": asset.branch_id}) for fact, row in right[key].items())
    }


def _with_wrong_promotions(assets: dict[int, Asset]) -> set[int]:
    right, kept = facts_of_promotions(assets), Kept(dict)
    for promotion in Promotion.objects.filter(target__in=assets):
        kept[promotion.target_id][promotion.source_id] = promotion
    return {
        key
        for key in assets
        if kept[key].keys() != right[key].keys()
        or any(_differs(kept[key][source], row) for source, row in right[key].items())
    }


def _differs(kept: Any, right: Row) -> bool:
    return any(getattr(kept, name) != value for name, value in right.items())
