"""Why an asset is late: by its last run, by what is being made, by its inputs, by its flow."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Asset
from catalog.states import CauseKind
from catalog.watching.causes import Cause, cause_of, causes_of
from tests.built_once import built_once
from tests.catalog.watching.worlds import DAY, HOUR, MINUTE, World

pytestmark = [pytest.mark.both, pytest.mark.each, pytest.mark.django_db]


def why(world, asset_id="report"):
    cause = cause_of(world.asset(asset_id).pk, world.now)
    assert Cause.of(json.loads(json.dumps(cause.kept()))) == cause
    return cause


def made():
    """A report, made by a flow that reads two assets of two other flows, of which one reads a third."""
    world = World()
    with world.clock():
        for asset_id, flow, reads in (
            ("raw", "IngestFlow", ()),
            ("clean", "CleanFlow", ("raw",)),
            ("rates", "RatesFlow", ()),
            ("report", "ReportFlow", ("clean", "rates")),
        ):
            world.make(asset_id, flow, reads=reads)
            world.now += 10 * MINUTE
    return world


@pytest.fixture
def world(db):
    """A day later, when the report is late."""
    world = built_once(made)
    world.now += DAY
    world.late("report")
    with world.clock():
        yield world


def test_its_last_run_failed(world):
    made = world.make("report", "ReportFlow", state="pending")
    assert why(world).kind == CauseKind.MAKING
    assert why(world).sentence == "it is being made since 2025-03-04 06:40 UTC by ReportFlow/5"
    world.now += 5 * MINUTE
    world.settle(made)
    assert (why(world).kind, why(world).number) == (CauseKind.FAILED, 2)
    assert why(world).sentence == "its last run ReportFlow/5 failed at 2025-03-04 06:45 UTC"
    assert ("ReportFlow/5", "run") in why(world).parts


def test_its_run_failed_before_it_made_anything(world):
    task = world.task("ReportFlow")
    world.read("rates", task)
    world.ran(task, "running")
    assert why(world).sentence == "it is being made since 2025-03-04 06:40 UTC by ReportFlow/5"
    world.ran(task, "failed", world.now + MINUTE)
    assert why(world).sentence == "its last run ReportFlow/5 failed at 2025-03-04 06:41 UTC"
    world.ran(task, "succeeded", world.now + MINUTE)
    assert why(world).kind == CauseKind.NOT_MADE
    assert why(world).sentence == "ReportFlow/5 ended at 2025-03-04 06:41 UTC without making it"
    world.now += HOUR
    again = world.task("ReportFlow")
    world.read("rates", again)
    world.ran(again, "running")
    assert why(world).run == "ReportFlow/6"


def test_a_run_after_the_one_that_failed_is_the_last_one(world):
    world.settle(world.make("report", "ReportFlow", state="pending"))
    world.now += HOUR
    again = world.task("ReportFlow")
    world.read("rates", again)
    assert why(world).kind == CauseKind.NOT_RUN  # nobody has said how it goes
    world.ran(again, "running")
    assert (why(world).kind, why(world).run) == (CauseKind.MAKING, "ReportFlow/6")
    world.ran(again, "failed")
    assert (why(world).kind, why(world).since) == (CauseKind.FAILED, world.now)


def test_of_late_inputs_the_most_upstream_is_named(world):
    world.late("clean", 2 * HOUR)
    assert why(world).input.asset_id == "clean"
    world.late("raw", 3 * HOUR)
    assert why(world).input.asset_id == "raw"
    assert why(world).sentence == "raw is late, from which it is made: it was due at 2025-03-04 02:40 UTC"
    assert why(world, "clean").input.asset_id == "raw"
    assert why(world, "raw").kind == CauseKind.NOT_RUN
    world.late("rates", 5 * HOUR)
    assert why(world).input.asset_id == "rates"  # longer


def test_its_flow_has_not_run(world):
    assert why(world).sentence == "ReportFlow has not run since 2025-03-03 06:30 UTC"
    assert ("ReportFlow", "maker") in why(world).parts


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2025-03-03", "its newest version v2 has data until 2025-03-03 only"),
        ("2025-03-03T08:00:00+01:00", "its newest version v2 has data until 2025-03-03T08:00:00+01:00 only"),
        (1740985200, "its newest version v2 has data until 2025-03-03 07:00 UTC only"),
        ("soon", "its newest version v2 does not say until when its data is"),
        (None, "its newest version v2 does not say until when its data is"),
    ],
)
def test_its_flow_has_run_and_its_data_is_old(world, until, said):
    Asset.objects.filter(asset_id="report").update(declared_freshness={"every": "1d", "at": "data_until"})
    assert why(world).kind == CauseKind.NOT_RUN  # since it was due
    world.make("report", "ReportFlow", reads=["clean"], annotations={"data_until": until})
    world.late("report")
    assert why(world).kind == CauseKind.OLD_DATA
    assert why(world).sentence == said
    world.late("clean", 2 * HOUR)
    assert why(world).input.asset_id == "clean"
    world.settle(world.make("report", "ReportFlow", state="pending"))
    assert why(world).kind == CauseKind.FAILED


class TestNoCause:
    """What is no late input."""

    def test_what_was_due_after_it_was_late(self, world):
        world.late("clean", HOUR / 2)
        assert why(world).input.asset_id == "clean"
        Asset.objects.filter(asset_id="clean").update(due_at=world.now - HOUR / 2)
        assert why(world).kind == CauseKind.NOT_RUN

    def test_what_is_dormant_or_deleted(self, world):
        world.late("clean", 2 * HOUR)
        Asset.objects.filter(asset_id="clean").update(dormant_at=world.now)
        assert why(world).kind == CauseKind.NOT_RUN
        world.late("clean", 2 * HOUR)
        Asset.objects.filter(asset_id="clean").update(deleted_at=world.now)
        assert why(world).kind == CauseKind.NOT_RUN

    def test_what_it_reads_no_more(self, world):
        world.now += 10 * DAY
        world.make("report", "ReportFlow", reads=["rates"])
        world.now += DAY
        world.late("report")
        world.late("clean", 2 * HOUR)
        assert why(world).kind == CauseKind.NOT_RUN

    def test_what_is_read_to_compare_with_or_on_another_branch(self, world):
        world.make("baseline", "OtherFlow")
        world.make("trial", "OtherFlow", branch="trial")
        world.read("baseline", world.task("ReportFlow"), role="baseline")
        world.read("baseline", world.task("ReportFlow"), branch="trial")
        world.late("baseline", 2 * HOUR)
        assert why(world).kind == CauseKind.NOT_RUN

    def test_what_its_own_flow_makes(self, world):
        world.make("counts", "ReportFlow")
        world.read("counts", world.task("ReportFlow"))
        world.late("counts", 2 * HOUR)
        assert why(world).kind == CauseKind.NOT_RUN


def test_assets_that_are_made_from_each_other_are_no_trouble(world):
    world.read("report", world.task("IngestFlow"))
    world.late("raw", 3 * HOUR)
    world.late("clean", 2 * HOUR)
    assert why(world).input.asset_id == "raw"
    assert why(world, "raw").kind == CauseKind.NOT_RUN  # the others were due later
    for asset_id in ("raw", "clean", "report"):
        world.late(asset_id, 2 * HOUR)
    assert why(world).input.asset_id == "raw"
    assert why(world, "raw").input.asset_id == "clean"


def test_an_asset_without_versions_has_no_flow_that_is_known(world):
    failed = world.make("new", state="pending")
    world.settle(failed)
    Asset.objects.filter(asset_id="new").update(newest=None)
    world.make("uploaded", by=world.task("Flow"))
    assert why(world, "new").sentence == "Flow has not run"
    Asset.objects.get(asset_id="new").edges.update(last_entity_kind="user")
    assert why(world, "new").sentence == "its flow has not run"
    assert cause_of(0) is None
    assert Cause.of({}) is None


def test_many_are_asked_for_together(world):
    for number in range(5):
        world.make(f"more{number}", "MoreFlow", reads=["clean"])
    world.late("clean", 2 * HOUR)
    pks = [world.late(f"more{number}").pk for number in range(5)] + [world.asset("report").pk]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = causes_of(pks, world.now)
    assert len(asked) == 2
    assert {cause.input.asset_id for cause in found.values()} == {"clean"}
    with CaptureQueriesContext(connection) as asked:
        assert causes_of([]) == {}
    assert len(asked) == 0
