"""Flows that make and read assets at moments of a clock that a test moves."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from access.models import Perimeter
from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, Branch, Instance, Run
from catalog.newest import newest_of
from catalog.recording import AssetAddress, BranchAddress, Registration

BEGIN = datetime(2025, 3, 3, 6, tzinfo=UTC)
"""A Monday."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class World:
    """A project whose writes are made when the clock says; `now` is moved by the test."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.perimeter, _ = Perimeter.objects.get_or_create(name="default")
        self._runs = 0

    def clock(self):
        """The clock of the site is that of this world, as long as this lasts."""
        return patch.object(timezone, "now", lambda: self.now)

    def at(self, asset_id: str, branch: str = "main") -> AssetAddress:
        return AssetAddress(BranchAddress(self.perimeter, "churn", branch, branch), "data", asset_id)

    def asset(self, asset_id: str, branch: str = "main") -> Asset:
        return Asset.objects.select_related("branch__project__perimeter").get(
            asset_id=asset_id, branch__key=branch, deleted_at=None
        )

    def task(self, flow: str) -> Entity:
        self._runs += 1
        return Entity("task", f"{flow}/{self._runs}/make/1")

    def make(self, asset_id, flow="Flow", *, reads=(), branch="main", by=None, when=None, **said):
        """A run of a flow reads the newest versions of some assets, and makes a version of another."""
        entity = by or self.task(flow)
        for name in reads:
            self.read(name, entity, branch)
        what = Registration(**{"asset_kind": "artifact", "attempt": 0, **said})
        return recording.register(actor="ada", at=self.at(asset_id, branch), entity=entity, what=what, when=when)

    def history(self, asset_id, times, annotations=(), branch="main", flow="Flow"):
        """An asset whose versions became ready at these times, each with annotations, and made by a task of its own."""
        first = self.make(asset_id, flow, branch=branch, annotations=dict(*annotations[:1]))
        asset = self.asset(asset_id, branch)
        said = [*annotations, *[{}] * (len(times) - len(annotations))]
        Instance.objects.filter(pk=first.pk).update(created_at=times[0], settled_at=times[0])
        Instance.objects.bulk_create(
            Instance(
                asset=asset,
                number=number,
                state="ready",
                asset_kind="artifact",
                annotations=said[number - 1],
                producer_kind="task",
                producer_id=f"{flow}/a{number}/make/1",
                component_id=first.component_id,
                created_at=at,
                settled_at=at,
                actor="ada",
            )
            for number, at in enumerate(times[1:], 2)
        )
        Asset.objects.filter(pk=asset.pk).update(**newest_of(asset), to_look_at=True)
        self.now = max(self.now, *times)
        return self.asset(asset_id, branch)

    def read(self, asset_id, by, branch="main", *, of="main", role=None):
        asset = self.asset(asset_id, of)
        recording.consume(
            actor="ada",
            asset=asset,
            instance=asset.newest_ready,
            reference="latest",
            entity=by,
            write_branch=branch,
            role=role,
        )

    def settle(self, made, state="failed"):
        recording.confirm(
            actor="ada",
            perimeter=self.perimeter,
            entity=Entity("task", made.producer_id),
            attempt=made.attempt,
            state=state,
            reason="",
            uids=[],
        )

    def ran(self, by, state, ended=None):
        """Metaflow says how a run went."""
        Run.objects.filter(name=by.run).update(state=state, finished_at=ended)

    def late(self, asset_id, by=HOUR, *, usual=DAY, branch="main"):
        """An asset is late since a while, as the background would have it."""
        asset = self.asset(asset_id, branch)
        late_at = self.now - by
        Asset.objects.filter(pk=asset.pk).update(
            watch="learned",
            usual=usual.total_seconds(),
            due_at=late_at - HOUR,
            late_at=late_at,
            dormant_at=late_at + max(14 * DAY, 4 * usual),
        )
        return asset

    def deploy(self, branch):
        recording.deploy(
            actor="ada",
            at=BranchAddress(self.perimeter, "churn", branch, branch),
            entity=Entity("ci", "deploy"),
            version_id="1",
            spec={},
            definitions={},
        )
        return Branch.objects.get(key=branch)


@pytest.fixture
def world(db):
    world = World()
    with world.clock():
        yield world
