"""The audit page: every kind of event, for whom it is, and page by page without a gap."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import AuditEntry, Membership, Role
from catalog import recording
from catalog.models import (
    AliasMove,
    Approval,
    BranchName,
    DefinitionRevision,
    Deletion,
    Deprecation,
    GateRevision,
    GateVerdict,
    NewNormal,
    PromotionRequest,
    PropertyEdit,
)
from catalog.pages.audit import ROWS
from catalog.pages.audited import SOURCES
from catalog.recording import Declaration
from tests.catalog.pages.conftest import World, text_of

PAGE = "/alpha/audit"


def happen(world: World) -> None:
    """One event of each kind at least."""
    first = world.register("models/churn_model", annotations={"auc": 0.8})
    second = world.register("models/churn_model", "TrainFlow/2/train/1")
    world.alias("production", first)
    world.alias("production", second)
    world.deploy(models__churn_model=Declaration({"owner": "eve"}))
    asset, ada = world.asset("models/churn_model"), world.people["ada"]
    recording.override_property(user=ada, actor="ada", asset=asset, key="owner", value="ada")
    at = {"branch": asset.branch, "kind": asset.kind, "asset_id": asset.asset_id}
    by = {"at": timezone.now(), "actor": "ada via token as_1a2b3c4d…"}
    task = {"entity_kind": "task", "entity_id": "TrainFlow/2/train/1"}
    gates = GateRevision.objects.create(**at, **by, **task, gates={"production": {"approvals": 1}})
    what = {"instance_uid": second.uid, "gates": gates}
    what["rules"] = [{"rule": "auc >= 0.9", "says": "refuses", "has": "0.8", "passes": False}]
    refused = {"alias": "production", "outcome": "refused", "count": 3}
    GateVerdict.objects.create(**at, **by, **task, **what, **refused)
    GateVerdict.objects.create(**at, **by, **task, **what, outcome="override", comment="it burns", copy=second)
    request = PromotionRequest.objects.create(
        **at, **by, alias="production", instance=first, gates=gates, state="rejected", reason="not yet",
        closed_at=timezone.now(), closed_by="vic",
    )  # fmt: skip
    Approval.objects.create(request=request, user=ada, **by)
    Deprecation.objects.create(instance=first, reason="wrong labels", **by, **task)
    Deletion.objects.create(asset=asset, recovered=True, **by)
    NewNormal.objects.create(asset=asset, since=timezone.now(), reason="twice a week from now on", **by)
    BranchName.objects.get_or_create(branch=asset.branch, defaults={"git_name": "main", **by})
    AuditEntry.objects.record("grace", action="token.create", perimeter="alpha", target="as_99")


@pytest.fixture
def happened(world):
    happen(world)
    return world


def events(client, query: str = "") -> list[dict]:
    return client.get(f"{PAGE}.json{query}").json()["events"]


def test_every_kind_of_event_is_told(happened):
    membership = Membership.objects.get(user=happened.people["ada"])
    membership.role = Role.ADMIN
    membership.save()
    told = {event["kind"]: event for event in reversed(events(happened.client("ada")))}
    assert set(told) == set(SOURCES)
    assert (told["moves"]["subject"], told["moves"]["detail"]) == ("@production of churn_model", "v1 → v2")
    assert told["refusals"]["detail"] == "auc >= 0.9; 3 times"
    assert (told["promotions"]["what"], told["promotions"]["comment"]) == ("overridden", "it burns")
    assert (told["decisions"]["what"], told["decisions"]["by"]) == ("rejected", "vic")
    assert told["deletions"]["what"] == "recovered"
    assert (told["edits"]["subject"], told["edits"]["detail"]) == ("owner of churn_model", "eve → ada")
    assert (told["normals"]["what"], told["normals"]["comment"]) == ("new normal", "twice a week from now on")
    assert told["access"]["what"] == "token.create"
    client = happened.client("ada")
    for event in told.values():
        if event["url"] and "/requests/" not in event["url"]:
            assert client.get(event["url"]).status_code == 200, event


def test_entries_of_the_audit_log_are_for_admins(happened):
    assert "access" not in {event["kind"] for event in events(happened.client("ada"))}
    assert events(happened.client("ada"), "?what=access") == []
    assert "as_99" not in text_of(happened.client("vic").get(PAGE))


def test_who_is_no_member_is_told_nothing(happened):
    assert happened.client("olga").get(PAGE).status_code == 404
    assert happened.client("olga").get(f"{PAGE}.csv").status_code == 404
    assert "churn_model" not in text_of(happened.client("olga").get("/beta/audit"))


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("?what=deprecations", {"deprecations"}),
        ("?by=ci-bot", {"deploys", "definitions"}),
        ("?by=vic", {"decisions"}),
        ("?by=nobody", set()),
        ("?project=other", set()),
        ("?project=churn&what=gates", {"gates"}),
        ("?by=%00", set()),
    ],
)
def test_filters(happened, query, kinds):
    assert {event["kind"] for event in events(happened.client(), query)} == kinds


def test_what_a_token_did_is_found_by_its_person(happened):
    assert "gates" in {event["kind"] for event in events(happened.client(), "?by=ada")}


@pytest.mark.parametrize("query", ["?what=nothing", "?before=x", "?before=2026-01-01,moves,x", "?before=1,2,3", "?q=x"])
def test_what_it_does_not_understand_is_refused(happened, query):
    assert happened.client().get(f"{PAGE}.json{query}").status_code == 400


def test_pages_follow_each_other_without_a_gap_whatever_happened_at_once(happened, monkeypatch):
    moment = timezone.now()
    for model in (AliasMove, GateRevision, GateVerdict, PropertyEdit, DefinitionRevision, Approval, BranchName):
        model.objects.update(at=moment)
    whole = events(happened.client())
    monkeypatch.setattr("catalog.pages.audit.ROWS_IN_FILE", 2)
    found, address = [], f"{PAGE}.json"
    while address:
        answer = happened.client().get(address).json()
        assert len(answer["events"]) <= 2
        found += answer["events"]
        address = answer["older"]
    assert found == whole


def test_as_csv(happened):
    answer = happened.client().get(f"{PAGE}.csv?what=moves")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0][:3] == ["at", "kind", "what"]
    assert [row[4] for row in rows[1:]] == ["v1 → v2", "nothing → v1"]


def test_it_costs_the_same_however_much_has_happened(happened):
    client = happened.client()
    with CaptureQueriesContext(connection) as before:
        client.get(PAGE)
    asset = happened.asset("models/churn_model")
    verdict = {"entity_kind": "user", "entity_id": "ada", "actor": "ada", "at": timezone.now(), "to_uid": "x"}
    AliasMove.objects.bulk_create(AliasMove(asset=asset, name="production", **verdict) for _ in range(ROWS + 5))
    with CaptureQueriesContext(connection) as after:
        page = client.get(PAGE)
    # who is there (3); whether a project is called so; the kinds (14); the versions that aliases were moved between
    assert len(after) == len(before) == 19
    assert "before=" in text_of(page)


def test_a_project_of_that_name_keeps_its_address(happened):
    happened.register("data/xkcd", project="audit")
    client = happened.client()
    assert "Who changed what" not in text_of(client.get(PAGE))
    assert client.get(f"{PAGE}.json").json()["project"]["name"] == "audit"
    assert "Who changed what" in text_of(client.get("/alpha/~audit"))
    assert client.get(f"{PAGE}.csv").status_code == 200


def test_nothing_has_happened_yet(world):
    assert "Nothing of the kind has happened here." in text_of(world.client().get(PAGE))
