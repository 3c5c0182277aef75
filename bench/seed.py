"""A catalogue of 200 assets on each of 5 branches, written in bulk: `python -m bench.seed large` (or `small`).

Instances are spread as they are in life: one asset of `main` holds a fifth of them, thirteen more are refreshed all the
time, and all others were made once. The small size is the same catalogue with one hundredth of the history: the same
components and edges, and pages that show as many rows. Written are the events alone; what is derived from them is
left to `Recount` and to the jobs, so it is right by construction.
"""

import heapq
import json
import random
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import django
from django.core.management import call_command
from django.db import connection, models, transaction
from django.utils import timezone

from bench import SMOKE, gated

PERIMETER, PROJECT = "default", "shop"
BRANCHES = ["main", "feature/new-model", "feature/prices", "user.alice", "user.bob"]
DATA, MODELS = (12, 6) if SMOKE else (120, 80)
ASSETS = [("data", f"table_{n:03}") for n in range(DATA)] + [("models", f"model_{n:03}") for n in range(MODELS)]
WIDE_PROJECT, WIDE_BRANCHES = "wide", ["main", "feature/wide"]
WIDE = 20 if SMOKE else 1_000
"""How many assets each of the two branches has that are compared, every second one a model."""
WIDE_VERSIONS, WIDE_READ = 8, 3
"""How many versions each of them has; of so many assets one is read, by a flow that makes ten."""
BIG = ASSETS[0]
BUSY = [*ASSETS[1:10], *ASSETS[DATA : DATA + 4]]
"""Refreshed all the time on `main`, as is the big one."""
HISTORY = {"large": (20_000, 6_078), "small": (200, 60)}
"""How many instances the big asset has, and each of the busy ones; in all 100,000 and 1,966."""
if SMOKE:
    HISTORY = {"large": (40, 12), "small": (20, 6)}
CONSUMERS = 3
ALIAS_EVERY = 5
"""One asset of so many has an alias."""
DAYS = 90
BATCH = 1000
Timed = tuple[datetime, models.Model]


def flow_of(place: int) -> str:
    """The flow that produces the asset at a place of `ASSETS`; each flow produces five."""
    return f"Flow{place // 5:02}"


def consumers_of(place: int) -> list[str]:
    return [flow_of((place + 5 * step) % len(ASSETS)) for step in range(1, CONSUMERS + 1)]


def seed(size: str) -> None:
    """Fill an empty database."""
    from catalog.counters import Recount
    from catalog.jobs.packing import pack_series

    call_command("migrate", verbosity=0, run_syncdb=True)
    with transaction.atomic():
        Seeding(*HISTORY[size]).run()
    Recount().run()
    pack_series()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


class Seeding:
    def __init__(self, big: int, busy: int) -> None:
        from access.models import Perimeter
        from catalog.models import Project

        self.big, self.busy = big, busy
        self.random = random.Random(5)  # noqa: S311 (the same catalogue each time)
        self.now = timezone.now()
        self.begin = self.now - timedelta(days=DAYS)
        self.perimeter, _ = Perimeter.objects.get_or_create(name=PERIMETER)
        self.project = Project.objects.create(
            perimeter=self.perimeter, name=PROJECT, title="A busy shop", created_at=self.begin
        )

    def run(self) -> None:
        from bench.models import Row

        Row.objects.create(name="bare", at=self.now)
        self.flows = self.components()
        for name in BRANCHES:
            self.branch(name)
        self.wide()
        gated.seed(self.perimeter, self.begin)

    def wide(self) -> None:
        """A project with two branches that are compared: every fourth asset is the same on both."""
        from catalog.models import Asset, Branch, Component, Consumption, Instance, Project
        from obproject.branches import branch_key

        project = Project.objects.create(perimeter=self.perimeter, name=WIDE_PROJECT, created_at=self.begin)
        names = [f"Flow{place:02}" for place in range(-(-WIDE // 10))]
        flows = Component.objects.bulk_create(
            Component(perimeter=self.perimeter, project_name=WIDE_PROJECT, kind=Component.Kind.FLOW, name=name)
            for name in names
        )
        for side, name in enumerate(WIDE_BRANCHES):
            branch = Branch.objects.create(project=project, key=branch_key(name), git_name=name, created_at=self.begin)
            assets = Asset.objects.bulk_create(self.wide_assets(branch))
            in_batches(
                Instance, in_order(self.wide_versions(asset, at, side, flows) for at, asset in enumerate(assets))
            )
            newest = Instance.objects.filter(asset__branch=branch, number=WIDE_VERSIONS)
            made = dict(newest.values_list("asset", "pk"))
            read = list(enumerate(assets))[::WIDE_READ]
            in_batches(Consumption, (self.wide_reading(one, made[one.pk], at, side, flows) for at, one in read))

    def wide_assets(self, branch: Any) -> Iterator[Any]:
        from catalog.models import Asset

        for place in range(WIDE):
            kind, name = ASSETS[-1][0] if place % 2 else ASSETS[0][0], f"asset_{place:04}"
            yield Asset(branch=branch, kind=kind, asset_id=name, created_at=self.begin, declared_at=self.begin)

    def wide_versions(self, asset: Any, place: int, side: int, flows: list[Any]) -> Iterator[Timed]:
        from catalog.models import Instance
        from catalog.states import State

        flow = flows[place // 10]
        for number, at in enumerate(self.times(WIDE_VERSIONS), start=1):
            yield (
                at,
                Instance(
                    asset=asset,
                    number=number,
                    state=State.READY,
                    asset_kind="artifact",
                    annotations=self.annotations(number) | {"auc": round(self.random.random(), 4)},
                    producer_kind="task",
                    producer_id=f"{flow.name}/{side}{number}/end/{place}",
                    component=flow,
                    run=f"{flow.name}/{side}{number}",
                    digest=None if place % 4 else f"same {place}",
                    created_at=at,
                    settled_at=at,
                    actor="bench",
                ),
            )

    def wide_reading(self, asset: Any, instance: int, place: int, side: int, flows: list[Any]) -> Any:
        from catalog.models import Consumption

        flow, branch = flows[(place // 10 + 1 + side) % len(flows)], asset.branch
        return Consumption(
            asset=asset,
            instance_id=instance,
            reference="latest",
            entity_kind="task",
            entity_id=f"{flow.name}/{side}{WIDE_VERSIONS}/start/{place}",
            component=flow,
            run=f"{flow.name}/{side}{WIDE_VERSIONS}",
            write_branch=branch.key,
            write_branch_name=branch.git_name,
            at=self.begin,
            actor="bench",
        )

    def components(self) -> dict[str, Any]:
        from catalog.models import Component

        names = sorted({flow_of(place) for place in range(len(ASSETS))})
        kind = Component.Kind.FLOW
        made = Component.objects.bulk_create(
            Component(perimeter=self.perimeter, project_name=PROJECT, kind=kind, name=name) for name in names
        )
        return {component.name: component for component in made}

    def branch(self, name: str) -> None:
        from catalog.models import Asset, Branch, Consumption, Instance, SpecVersion
        from obproject.branches import branch_key

        branch = Branch.objects.create(project=self.project, key=branch_key(name), git_name=name, created_at=self.begin)
        spec = {"title": "A busy shop", "markdown": "# A busy shop\n\nWhat it sells.", "data": [], "models": []}
        SpecVersion.objects.create(
            branch=branch, version_id="5eed", document=json.dumps(spec), at=self.now, actor="bench"
        )
        assets = Asset.objects.bulk_create(self.assets(branch))
        in_batches(Instance, in_order(self.instances(asset, flow_of(place)) for place, asset in enumerate(assets)))
        made: dict[int, list[tuple[int, str]]] = {}
        rows = Instance.objects.filter(asset__branch=branch).order_by("asset", "number")
        for asset, pk, uid in rows.values_list("asset", "pk", "uid"):
            made.setdefault(asset, []).append((pk, uid))
        consumed = (self.consumptions(asset, consumers_of(place), made[asset.pk]) for place, asset in enumerate(assets))
        in_batches(Consumption, in_order(consumed))
        self.aliases(assets, made)

    def assets(self, branch: Any) -> Iterator[Any]:
        from catalog.models import Asset

        for kind, asset_id in ASSETS:
            yield Asset(
                branch=branch,
                kind=kind,
                asset_id=asset_id,
                created_at=self.begin,
                created_by="bench",
                name=asset_id.replace("_", " ").title(),
                description=f"What the shop knows as {asset_id}.",
                readme=f"# {asset_id}\n\nHow it is made, and **what it is good for**.\n\n- one\n- two\n",
                source=f"{kind}/{asset_id}/asset_config.toml",
                declared_properties={"owner": "shop", "source": "warehouse"},
                declared_tags={"team": "shop"},
                config_hash=f"hash of {asset_id}",
                declared_at=self.begin,
                declared_by_kind="ci",
                declared_by_id="obproject-deploy",
            )

    def count_of(self, asset: Any) -> int:
        if asset.branch.git_name != "main":
            return 1
        name = (asset.kind, asset.asset_id)
        return self.big if name == BIG else self.busy if name in BUSY else 1

    def instances(self, asset: Any, flow: str) -> Iterator[Timed]:
        from catalog.models import Instance
        from catalog.states import State

        for number, at in enumerate(self.times(self.count_of(asset)), start=1):
            yield (
                at,
                Instance(
                    asset=asset,
                    number=number,
                    state=State.READY,
                    asset_kind="artifact",
                    description="A run of the night.",
                    annotations=self.annotations(number),
                    tags={"env": "prod", "region": "eu"},
                    producer_kind="task",
                    producer_id=f"{flow}/{number}/end/{number}",
                    component=self.flows[flow],
                    run=f"{flow}/{number}",
                    attempt=0,
                    created_at=at,
                    settled_at=at,
                    actor="bench",
                ),
            )

    def annotations(self, number: int) -> dict[str, Any]:
        chance = self.random.random
        metrics = {f"metric_{name}": round(chance(), 4) for name in "abcde"}
        return {"artifact": "table", "run_pathspec": f"Flow/{number}", "rows": int(chance() * 1e6), **metrics}

    def consumptions(self, asset: Any, consumers: list[str], instances: list[tuple[int, str]]) -> Iterator[Timed]:
        """One for every second instance, and at least one by each consumer."""
        from catalog.models import Consumption

        branch = asset.branch
        for number, at in enumerate(self.times(max(CONSUMERS, len(instances) // 2))):
            flow = consumers[number % CONSUMERS]
            yield (
                at,
                Consumption(
                    asset=asset,
                    instance_id=instances[min(2 * number, len(instances) - 1)][0],
                    reference="latest",
                    entity_kind="task",
                    entity_id=f"{flow}/{number}/start/{number}",
                    component=self.flows[flow],
                    run=f"{flow}/{number}",
                    write_branch=branch.key,
                    write_branch_name=branch.git_name,
                    at=at,
                    actor="bench",
                ),
            )

    def aliases(self, assets: list[Any], instances: dict[int, list[tuple[int, str]]]) -> None:
        """Of some assets the first instance is in production."""
        from catalog.models import Alias, AliasMove

        chosen = [(asset, *instances[asset.pk][0]) for asset in assets[::ALIAS_EVERY]]
        who = {"name": "production", "entity_kind": "user", "entity_id": "ada"}
        Alias.objects.bulk_create(
            Alias(asset=asset, branch_id=asset.branch_id, instance_id=pk, updated_at=self.now, **who)
            for asset, pk, _ in chosen
        )
        AliasMove.objects.bulk_create(
            AliasMove(asset=asset, to_uid=uid, at=self.now, actor="bench", **who) for asset, _, uid in chosen
        )

    def times(self, count: int) -> Iterator[datetime]:
        """So many times, evenly over the last days, oldest first."""
        step = (self.now - self.begin) / (count + 1)
        for number in range(1, count + 1):
            yield self.begin + number * step


def in_order(sources: Iterable[Iterator[Timed]]) -> Iterator[models.Model]:
    """The events of all sources by time, as they would have come in."""
    return (row for _, row in heapq.merge(*sources, key=itemgetter(0)))


def in_batches(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    batch: list[models.Model] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            model._default_manager.bulk_create(batch)
            batch = []
    model._default_manager.bulk_create(batch)


if __name__ == "__main__":
    django.setup()
    seed(sys.argv[1])
