"""Finding out afterwards which branch a consumer writes to, where its client did not say so."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from catalog.branch_keys import own_key
from catalog.counters import Recount, count_consumers
from catalog.models import Asset, Branch, Component, Consumption, Instance, Run
from catalog.recording.places import locked_all

TaggedBranch = Callable[[int, str], str]
"""The branch that the tags of a run name, by its perimeter and one of its tasks; empty if they name none."""


def learn_branches(since: datetime, tagged: TaggedBranch) -> int:
    """Fill in the branches of consumptions after `since`: how many runs were found out. Doing it again changes nothing.

    What a run registered says where it writes; a run that registered nothing is asked for its tags.
    """
    unknown = Consumption.objects.filter(write_branch="", at__gte=since).exclude(run="")
    tasks: dict[tuple[int, str], str] = {}
    for perimeter, run, task in unknown.values_list("component__perimeter", "run", "entity_id").iterator():
        tasks.setdefault((perimeter, run), task)
    learnt = 0
    for (perimeter, run), task in tasks.items():
        name = _registered_on(perimeter, run) or tagged(perimeter, task)
        if name:
            _fill_in(perimeter, run, name)
            learnt += 1
    return learnt


def _registered_on(perimeter: int, run: str) -> str:
    mine = Instance.objects.filter(run=run, component__perimeter=perimeter, promoted_from=None)
    first = mine.order_by("pk").select_related("asset__branch").first()
    return first.asset.branch.name if first else ""


@transaction.atomic
def _fill_in(perimeter: int, run: str, name: str) -> None:
    mine = Consumption.objects.filter(run=run, component__perimeter=perimeter, write_branch="")
    pairs = sorted(set(mine.values_list("asset_id", "component_id")))
    assets = {asset.pk: asset for asset in locked_all({asset for asset, _ in pairs})}
    project = mine.values_list("component__project_name", flat=True).first() or ""
    key = own_key(perimeter, project, name)
    known = Branch.objects.filter(project__perimeter=perimeter, project__name=project, key=key).first()
    Run.objects.filter(perimeter=perimeter, name=run, branch="").update(branch=key)
    mine.update(write_branch=key, write_branch_name=known.name if known else name)
    for pk, component in pairs:
        Recount().edges_with(assets[pk], Component.objects.get(pk=component))
    for asset in assets.values():
        Asset.objects.filter(pk=asset.pk).update(consumer_count=count_consumers(asset))
