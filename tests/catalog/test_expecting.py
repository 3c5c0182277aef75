"""What writes leave of when the next version is expected: columns that need no pass to be right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import Perimeter
from catalog import recording
from catalog.attention import of_asset, raise_attention
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.expected import COLUMNS, as_declared, columns_of
from catalog.freshness.state import freshness_of
from catalog.models import Asset, Attention, Message, Project
from catalog.recording import AssetAddress, BranchAddress, Declaration, Registration
from catalog.states import AttentionKind, EventKind, Freshness, Watch
from catalog.watching.looking import look

pytestmark = pytest.mark.both

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TASK = Entity("task", "F/1/s/1")
ADA = Entity("user", "ada")


@pytest.fixture
def here(db: None) -> BranchAddress:
    return BranchAddress(Perimeter.objects.create(name="default"), "churn", "main", "main")


@pytest.fixture
def asset(here: BranchAddress) -> Asset:
    """One that was made two days ago, and that is learned to come every day: it is late by a day."""
    came(here, NOW - 2 * DAY)
    known = {"watch": Watch.LEARNED, "usual": 86_400, "due_at": NOW - DAY, "late_at": NOW - DAY + HOUR}
    Asset.objects.update(**known, dormant_at=NOW + 14 * DAY, to_look_at=False)
    return Asset.objects.get()


def came(
    here: BranchAddress, when: datetime | None = None, state: str = "ready", entity: Entity = TASK, **more: Any
) -> Asset:
    what = Registration("artifact", state=state, annotations=more)
    at = AssetAddress(here, "data", "xkcd")
    return recording.register(actor="ada", at=at, entity=entity, what=what, when=when).asset


def tried(here: BranchAddress, attempt: int, state: str = "ready") -> None:
    what = Registration("artifact", state=state, attempt=attempt)
    recording.register(actor="ada", at=AssetAddress(here, "data", "xkcd"), entity=TASK, what=what)


def confirmed(here: BranchAddress, when: datetime | None = None) -> None:
    ready = {"state": "ready", "reason": "", "uids": [], "attempt": None, "when": when}
    recording.confirm(actor="ada", perimeter=here.perimeter, entity=TASK, **ready)


def declared(here: BranchAddress, freshness: dict[str, Any] | None, **more: Any) -> Asset:
    recording.deploy(
        actor="ada",
        at=here,
        entity=ADA,
        version_id="1",
        spec={"data": [], "models": []},
        definitions={("data", "xkcd"): Declaration({}, declared_freshness=freshness)},
        **more,
    )
    return Asset.objects.get()


def moments() -> tuple[datetime | None, datetime | None, datetime | None]:
    asset = Asset.objects.get()
    return asset.due_at, asset.late_at, asset.dormant_at


def needs_attention(asset: Asset, here: BranchAddress) -> None:
    about: dict[str, Any] = {"perimeter_id": here.perimeter.pk, "asset_id": asset.pk, "since": NOW - DAY}
    for kind in (AttentionKind.LATE, AttentionKind.UNUSUAL):
        raise_attention(kind, of_asset(asset.pk), **about, facts={})


def needing_attention() -> list[str]:
    return list(Attention.objects.filter(until=None).values_list("kind", flat=True))


def test_what_arrives_moves_the_moments_on_without_a_query(here: BranchAddress, asset: Asset) -> None:
    with CaptureQueriesContext(connection) as watched:
        came(here, NOW)
    assert moments() == (NOW + DAY, NOW + DAY + HOUR, NOW + DAY + HOUR + 14 * DAY)
    assert Asset.objects.get().to_look_at
    Asset.objects.update(watch=Watch.OFF)
    with CaptureQueriesContext(connection) as unwatched:
        came(here, NOW)
    assert len(watched) == len(unwatched)
    assert moments()[0] == NOW + DAY


def test_a_pending_one_arrives_when_it_is_confirmed(here: BranchAddress, asset: Asset) -> None:
    came(here, NOW - HOUR, "pending")
    assert moments()[0] == asset.due_at
    assert not Asset.objects.get().to_look_at
    confirmed(here, NOW)
    assert moments()[:2] == (NOW + DAY, NOW + DAY + HOUR)
    assert Asset.objects.get().to_look_at


@pytest.mark.parametrize("more", [{"entity": ADA}, {"promoted_from_instance": "i_elsewhere"}, {"when": NOW - 3 * DAY}])
def test_people_copies_and_what_comes_late_move_nothing(
    here: BranchAddress, asset: Asset, more: dict[str, Any]
) -> None:
    came(here, **{"when": NOW} | more)
    assert moments() == (asset.due_at, asset.late_at, asset.dormant_at)
    assert Asset.objects.get().to_look_at


def test_what_failed_or_was_deprecated_is_looked_at(here: BranchAddress, asset: Asset) -> None:
    version = came(here).newest_ready
    for write in (recording.deprecate, recording.undo_deprecation):
        Asset.objects.update(to_look_at=False)
        write(actor="ada", asset=asset, target_uid=version.uid, reason="", entity=ADA)
        assert Asset.objects.get().to_look_at


def test_what_was_told_to_be_late_is_told_to_be_fresh(here: BranchAddress, asset: Asset) -> None:
    Project.objects.update(heard=EventKind.FRESH_AGAIN)
    Asset.objects.update(late_told_at=NOW - DAY)
    needs_attention(asset, here)
    came(here, NOW - 1.5 * DAY)  # by which it is still late
    assert moments()[0] == NOW - DAY / 2
    assert not Message.objects.exists()
    assert Asset.objects.get().late_told_at == NOW - DAY
    came(here, NOW - HOUR)
    assert Asset.objects.get().late_told_at is None
    assert needing_attention() == [AttentionKind.UNUSUAL]
    (message,) = Message.objects.all()
    assert (message.kind, message.asset_id) == (EventKind.FRESH_AGAIN, asset.pk)


def test_that_it_is_late_no_more_is_told_also_by_what_is_from_the_past(here: BranchAddress, asset: Asset) -> None:
    Project.objects.update(heard=" ".join([EventKind.FRESH_AGAIN, EventKind.READY]))
    Asset.objects.update(late_told_at=NOW - HOUR)
    came(here, NOW - 3 * HOUR)
    ready, fresh = Message.objects.order_by("pk")
    assert (ready.kind, bool(ready.withheld)) == (EventKind.READY, True)
    assert (fresh.kind, fresh.withheld) == (EventKind.FRESH_AGAIN, "")


def test_declared_it_is_due_by_its_declaration_at_once_and_after_each_version(here: BranchAddress) -> None:
    came(here, NOW - 3 * HOUR)
    asset = declared(here, {"every": "2h", "grace": "30m"})
    assert (asset.watch, asset.usual, asset.to_look_at) == (Watch.DECLARED, 7200, True)
    assert moments()[:2] == (NOW - HOUR, NOW - HOUR / 2)
    assert freshness_of(asset.watch, *moments(), NOW) is Freshness.LATE
    came(here, NOW)
    assert moments()[:2] == (NOW + 2 * HOUR, NOW + 2.5 * HOUR)
    assert columns_of(as_declared(Asset.objects.get())) == {
        name: getattr(Asset.objects.get(), name) for name in COLUMNS
    }


def test_a_project_says_in_which_zone_days_begin(here: BranchAddress) -> None:
    came(here, datetime(2026, 1, 5, 12, tzinfo=UTC))
    declared(here, {"cron": "0 6 * * *"}, zone="Asia/Tokyo")
    assert Project.objects.get().timezone == "Asia/Tokyo"
    assert moments()[0] == datetime(2026, 1, 5, 21, tzinfo=UTC)
    came(here, datetime(2026, 1, 6, 12, tzinfo=UTC), "pending")
    with CaptureQueriesContext(connection) as watched:
        confirmed(here, datetime(2026, 1, 6, 13, tzinfo=UTC))
    assert not any('SELECT "catalog_project"' in query["sql"] for query in watched)
    assert moments()[0] == datetime(2026, 1, 6, 21, tzinfo=UTC)
    Asset.objects.update(to_look_at=False)
    declared(here, None)
    assert not Asset.objects.get().to_look_at
    elsewhere = BranchAddress(here.perimeter, "churn", "feature_x", "feature/x")
    recording.deploy(
        actor="ada", at=elsewhere, entity=ADA, version_id="1", spec={}, definitions={}, zone="Europe/Berlin"
    )
    assert Project.objects.get().timezone == "Asia/Tokyo"
    declared(here, None, zone="")
    assert Project.objects.get().timezone == ""
    assert Asset.objects.get().to_look_at


def test_the_time_of_the_data_counts_where_an_annotation_has_it(here: BranchAddress) -> None:
    until = datetime(2026, 3, 1, tzinfo=UTC)
    came(here, NOW - DAY, until="2026-03-01")
    declared(here, {"every": "1d", "at": "until"})
    assert moments()[0] == until + DAY
    came(here, NOW, until="2026-02-01")  # a backfill
    assert moments()[0] == until + DAY
    came(here, NOW)
    came(here, NOW, until="soon")
    assert moments()[0] == until + DAY
    came(here, NOW, until="2026-03-02T00:00:00+01:00")
    assert moments()[0] == until + 2 * DAY - HOUR
    declared(here, {"cron": "0 6 * * *", "at": "until"})
    came(here, NOW, until="0001-01-01")  # a zero that was written as a date
    assert moments()[0] == datetime(2026, 3, 2, 6, tzinfo=UTC)


def test_data_that_reaches_into_the_future_came_when_its_version_did(here: BranchAddress) -> None:
    came(here, NOW - DAY, until="9999-12-31")
    declared(here, {"every": "2h", "at": "until"})
    assert moments()[0] == NOW - DAY + 2 * HOUR
    look(now=NOW + DAY)
    assert moments()[0] == NOW - DAY + 2 * HOUR
    assert Recount().run().corrections == []


def test_what_failed_after_it_was_ready_has_not_come(here: BranchAddress) -> None:
    came(here, NOW - DAY, entity=Entity("task", "F/0/s/1"))
    declared(here, {"every": "2h"})
    tried(here, 0)
    assert (moments()[0] or NOW) > NOW
    tried(here, 1, "failed")
    assert moments()[0] == NOW - DAY + 2 * HOUR
    assert Recount().run().corrections == []


def test_declared_off_or_no_more(here: BranchAddress, asset: Asset) -> None:
    Asset.objects.update(late_told_at=NOW)
    assert declared(here, {"off": True}).watch == Watch.OFF
    assert moments() == (None, None, None)
    assert Asset.objects.get().late_told_at is None
    assert declared(here, None).declared_freshness == {"off": True}
    assert declared(here, {}).watch == Watch.LEARNING
    assert declared(here, {"cron": "0 6 * * *"}).watch == Watch.DECLARED
    declared(here, {})
    assert (Asset.objects.get().watch, moments()[0]) == (Watch.LEARNING, None)


def test_a_new_normal_forgets_what_was_learned_and_keeps_what_is_declared(here: BranchAddress, asset: Asset) -> None:
    event = recording.start_anew(actor="ada", asset=asset, reason="Twice a week from now on.")
    known = Asset.objects.get()
    assert (known.watch, known.due_at, known.normal_since, known.to_look_at) == (
        Watch.LEARNING,
        None,
        event.since,
        True,
    )
    declared(here, {"every": "1d"})
    recording.start_anew(actor="ada", asset=asset, since=NOW - DAY)
    known = Asset.objects.get()
    assert (known.watch, known.normal_since) == (Watch.DECLARED, NOW - DAY)
    assert known.due_at
    assert Recount().run().corrections == []
    Asset.objects.update(normal_since=NOW)
    assert Recount().run().corrections == [f"Asset {asset.pk}: normal_since"]


def test_a_recount_finds_what_is_declared_and_lets_the_rest_be_learned_anew(here: BranchAddress, asset: Asset) -> None:
    assert Recount().run().corrections == []
    assert Asset.objects.get().to_look_at
    declared(here, {"every": "1d"})
    right = moments()
    assert Recount().run().corrections == []
    Asset.objects.update(due_at=NOW + DAY, watch=Watch.LEARNING)
    assert Recount().run().corrections == [f"Asset {asset.pk}: due_at, watch"]
    assert moments() == right


def test_deleted_nothing_of_it_is_late_and_recovered_it_is_looked_at(here: BranchAddress, asset: Asset) -> None:
    Asset.objects.update(late_told_at=NOW)
    needs_attention(asset, here)
    recording.delete_asset(actor="ada", asset=asset)
    assert needing_attention() == []
    recording.recover_asset(actor="ada", here=Asset.objects.all())
    known = Asset.objects.get()
    assert (known.late_told_at, known.to_look_at) == (None, True)
