"""Assets with many versions; what their series are, as a scan of the instances says; random histories of writes."""

import random
from datetime import UTC, datetime, timedelta
from itertools import groupby

from django.db import transaction

from access.models import Perimeter
from catalog import recording
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.metrics import number_of
from catalog.models import Asset, Branch, Component, Instance, Project
from catalog.recording import AssetAddress, BranchAddress, Registration
from catalog.recording.deploying import _declare
from catalog.recording.places import locked_all
from catalog.series import BLOCK, Span, assets_to_pack, pack_one, series_of
from obproject.metric_names import may_be_metric

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CI = Entity("ci", "deploy")


def task(number: int) -> Entity:
    return Entity("task", f"TrainFlow/{number}/train/1")


def asset_with(annotations, states=(), declared=(), leaving_out=(), asset_id="model"):
    """A model whose versions, from 1 on, have these annotations; each was made by a task of its own, in attempt 0."""
    perimeter, _ = Perimeter.objects.get_or_create(name="default")
    project, _ = Project.objects.get_or_create(perimeter=perimeter, name="churn", defaults={"created_at": BEGIN})
    branch, _ = Branch.objects.get_or_create(project=project, key="main", defaults={"created_at": BEGIN})
    component, _ = Component.objects.get_or_create(
        perimeter=perimeter, project_name="churn", kind=Component.Kind.FLOW, name="TrainFlow"
    )
    asset = Asset.objects.create(
        branch=branch,
        kind="models",
        asset_id=asset_id,
        created_at=BEGIN,
        created_by="ada",
        declared_metrics=list(declared),
    )
    states = dict(states)
    Instance.objects.bulk_create(
        Instance(
            asset=asset,
            number=number,
            state=states.get(number, "ready"),
            asset_kind="artifact",
            annotations=said,
            producer_kind="task",
            producer_id=task(number).id,
            component=component,
            attempt=0,
            created_at=BEGIN + number * MINUTE,
            actor="ada",
        )
        for number, said in enumerate(annotations, 1)
        if number not in leaving_out
    )
    Recount().run()
    asset.refresh_from_db()
    return asset


def pack_everything():
    """What the background pass does."""
    while pks := assets_to_pack():
        for pk in pks:
            assert pack_one(pk)


class Scan:
    """The series of an asset as its instances say, each looked at by itself."""

    def __init__(self, asset, span=None):
        self.names = {entry["name"] for entry in asset.declared_metrics}
        rows = Instance.objects.filter(asset=asset).order_by("number")
        self.rows = [row for row in rows if span is None or span.first <= row.number <= span.last]

    def value(self, row, name):
        counts = row.state == "ready" and (may_be_metric(name) or name in self.names)
        return number_of(row.annotations.get(name)) if counts else None

    def without(self, spans):
        self.rows = [row for row in self.rows if not any(span.first <= row.number <= span.last for span in spans)]
        return self

    def buckets(self, name, size):
        for _, some in groupby(self.rows, key=lambda row: (row.number - 1) // size):
            mine = list(some)
            known = [(self.value(row, name), row.number) for row in mine if self.value(row, name) is not None]
            if known:
                low, high = min(known), max(known, key=lambda each: (each[0], -each[1]))
                times = [row.created_at for row in mine]
                yield mine[0].number, mine[-1].number, min(times), max(times), *low, *high, len(known)


def assert_series_equal_a_scan(asset, names, span=None, most_points=500):
    """What is read of an asset is what its instances say, but for what the series says that it lacks."""
    series = series_of(asset, names, span, most_points)
    scan = Scan(asset, series.span).without(series.not_yet)
    states = [row.state for row in scan.rows]
    assert (series.count, series.failed, series.pending, series.not_yet) == (
        len(states),
        states.count("failed"),
        states.count("pending"),
        series.not_yet,
    )
    assert [metric.name for metric in series.metrics] == names
    if series.is_sampled:
        assert series.versions == []
        for metric in series.metrics:
            found = [tuple(vars(bucket).values()) for bucket in metric.buckets]
            assert found == list(scan.buckets(metric.name, series.per_bucket))
            assert 2 * len(found) <= max(most_points, 2)
        return series
    assert [(version.number, version.at, version.state) for version in series.versions] == [
        (row.number, row.created_at, row.state) for row in scan.rows
    ]
    for metric in series.metrics:
        assert metric.values == [scan.value(row, metric.name) for row in scan.rows]
    return series


class History:
    """A random but repeatable sequence of what adds, changes or forgets versions, and of passes and recounts."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.perimeter = Perimeter.objects.get(name="default")
        self.branch = BranchAddress(self.perimeter, "churn", "main", "main")
        self.at = AssetAddress(self.branch, "models", "model")
        self.acts = [self.settle] * 4 + [self.supersede] * 3 + [self.register] * 2 + [self.come_late] * 2
        self.acts += [self.pack] * 3 + [self.recount, self.declare]

    def run(self, acts):
        for _ in range(acts):
            self.chance.choice(self.acts)()

    @property
    def asset(self):
        return Asset.objects.get(deleted_at=None)

    def said(self):
        return {name: round(self.chance.random(), 3) for name in ("auc", "loss", "build") if self.chance.random() < 0.8}

    def any_of(self, **which):
        found = Instance.objects.filter(asset=self.asset, producer_kind="task", **which).order_by("number")
        return self.chance.choice(found) if found else None

    def settle(self):
        if row := self.any_of(state="pending"):
            recording.confirm(
                actor="ada",
                perimeter=self.perimeter,
                entity=Entity("task", row.producer_id),
                attempt=row.attempt,
                state=self.chance.choice(["ready", "failed"]),
                reason="",
                uids=[],
            )

    def supersede(self):
        if row := self.any_of():
            self.register(Entity("task", row.producer_id), (row.attempt or 0) + self.chance.choice([1, 1, -1]))

    def register(self, entity=None, attempt=0, **more):
        what = Registration("artifact", self.chance.choice(["ready", "pending"]), annotations=self.said())
        what = Registration(**{**vars(what), "attempt": max(0, attempt)})
        entity = entity or task(self.chance.randrange(10_000, 10**9))
        recording.register(actor="ada", at=self.at, entity=entity, what=what, **more)

    def come_late(self):
        """As reconciling does: with the number that it had, if that is free, or else with the next one."""
        numbers = {*range(1, self.asset.last_number)} - {*self.asset.instances.values_list("number", flat=True)}
        when = BEGIN + self.chance.random() * 600 * MINUTE
        self.register(number=self.chance.choice([*sorted(numbers), None]), when=when)

    def pack(self):
        for pk in assets_to_pack():
            pack_one(pk)

    def recount(self):
        assert Recount().run().corrections == []

    def declare(self):
        metrics = [{"name": name} for name in self.chance.sample(["auc", "loss", "build"], self.chance.randrange(3))]
        with transaction.atomic():
            (asset,) = locked_all([self.asset.pk])
            _declare(asset, {"declared_metrics": metrics}, config_hash="", entity=CI, actor="ada")

    def delete(self):
        recording.delete_asset(actor="ada", asset=self.asset)


def small_spans(chance, last):
    first = chance.randrange(1, last + 1)
    return Span(first, min(last + 5, first + chance.choice([10, BLOCK, 700])))
