"""The journal of a task while the catalogue answers, refuses, or is away."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

import pytest
from metaflow.packaging_sys import MetaflowCodeContent

from obproject import Asset
from obproject import connection as connection_module
from obproject.catalogue.reader import AssetReader
from obproject.errors import BadRequest, GateRefused, NotAllowed, ServerFault, ServerUnreachable, WrongToken
from obproject.journal import Operation
from obproject.task import journal_writer, running
from tests.obproject.stub_server import Canned, StubCatalogue, StubServer
from tests.obproject.tasks import MemoryMetadata, running_task

HTML = {"Content-Type": "text/html"}
AWAY = [
    Canned(500, b'{"error": "error", "message": "It broke."}'),
    Canned(502, b"<html>", HTML),
    Canned(200, b"<html>Sign in</html>", HTML),
    Canned(302, b"", {"Location": "https://sso.example/login"}),
]

STOPPED = b'{"error": "unavailable", "message": "Too long.", "detail": {"stopped_after": 5}}'


@pytest.fixture
def metadata(unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> MemoryMetadata:
    metadata = MemoryMetadata()
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_RETRIES", "0")
    unconfigured.setattr(connection_module, "_FIRST_PAUSE", 0.01)
    unconfigured.setattr(running, "_current", running_task(metadata=metadata))
    return metadata


@pytest.fixture
def asset(metadata: MemoryMetadata) -> Asset:
    return Asset("churn", "feature/x", entity_ref={"entity_kind": "task", "entity_id": "TrainFlow/12/start/3"})


def close() -> None:
    task = running.running_task()
    assert task
    task.journal.close()


def test_an_answered_write_is_kept_before_it_is_sent_and_its_answer_at_the_end(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    instance = asset.register_data_asset("rows", kind="table", annotations={"n": 1}, tags={"a": "b"})
    assert instance
    (entry,) = metadata.entries
    assert (entry.id, entry.operation) == (instance["id"], Operation.REGISTER)
    assert (entry.perimeter, entry.project, entry.branch, entry.kind, entry.asset) == (
        *("default", "churn", "feature/x"),
        *("data", "rows"),
    )
    (sent,) = catalogue.of("PATCH")
    assert sent.body == {**entry.body, "id": entry.id}
    assert sent.headers["idempotency-key"] == entry.id
    assert metadata.outcomes == {}
    close()
    outcome = metadata.outcomes[entry.id]
    assert outcome.number == 1
    assert outcome.at
    assert outcome.at.isoformat() == instance["created_at"]
    assert all(datum.tags == ["attempt_id:1"] for datum in metadata.data)


def test_a_consumption_is_kept_with_the_instance_that_it_led_to(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    registered = asset.register_data_asset("rows", kind="table")
    assert registered
    asset.consume_data_asset("rows")
    entry = metadata.entries[-1]
    assert (entry.operation, entry.instance) == (Operation.CONSUME, registered["id"])
    assert entry.body["reference"] == "latest"
    (consumption,) = catalogue.consumptions
    assert consumption["id"] == entry.id


@pytest.fixture
def own(metadata: MemoryMetadata, monkeypatch: pytest.MonkeyPatch) -> Asset:
    """The asset as the running task itself uses it."""
    task = running.running_task()
    assert task
    monkeypatch.setattr("obproject.assets.who_is_running", lambda: task.ref)
    monkeypatch.setattr(MetaflowCodeContent, "get_info", lambda: {"commit_sha": "6a20eaa"})
    return Asset("churn", "feature/x")


def test_the_facts_of_a_run_are_kept_with_its_first_write_and_where_it_is_with_each(
    own: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    catalogue.assets["default", "churn", "feature_x", "data", "rows"] = [{"id": "i_1", "number": 1, "state": "ready"}]
    own.register_data_asset("more", kind="table")
    own.consume_data_asset("rows", role="baseline")
    read(own, "v1")
    close()
    first, *later = [entry.body for entry in metadata.entries]
    assert (first["run"]["commit"], first["run"]["dirty"]) == ("6a20eaa", False)
    assert len(later) == 2
    position = {"step": "start", "foreach": "", "iteration": 0}
    assert [(body["position"], body["attempt"]) for body in (first, *later)] == [(position, 1)] * 3
    assert [body.get("role") for body in later] == ["baseline", None]
    assert not any("run" in body for body in later)
    for sent, entry in zip(catalogue.requests, metadata.entries, strict=True):
        assert sent.body
        # The address of a consumption says which one is meant.
        assert entry.body | {"id": entry.id, "reference": 0} == sent.body | {"reference": 0}


def test_facts_that_the_catalogue_refused_go_with_the_next_write_and_those_that_are_kept_do_not(
    own: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    catalogue.answer_next(Canned(400, b'{"error": "refused", "message": "Not like this."}'), Canned(503))
    with pytest.raises(BadRequest):
        own.register_data_asset("rows", kind="table")
    assert own.register_data_asset("rows", kind="table") is None
    assert own.register_data_asset("rows", kind="table") is None
    assert ["run" in entry.body for entry in metadata.entries] == [True, True, False]


def test_an_asset_that_is_found_on_the_second_branch_has_told_the_facts(
    own: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    Asset("churn", "main", entity_ref={"entity_kind": "task", "entity_id": "F/1/a/2"}).register_data_asset(
        "rows", kind="table"
    )
    own.reader = AssetReader(own.catalogue, ("feature/x", "main"))
    own.consume_data_asset("rows")
    own.consume_data_asset("rows")
    assert ["run" in sent for sent in catalogue.consumptions] == [True, False]


@pytest.mark.parametrize("answer", AWAY, ids=lambda answer: answer.status)
def test_a_write_without_an_answer_is_kept_and_said_once(
    asset: Asset,
    metadata: MemoryMetadata,
    catalogue: StubCatalogue,
    answer: Canned,
    capsys: pytest.CaptureFixture[str],
) -> None:
    catalogue.answer_next(answer)
    assert asset.register_data_asset("rows", kind="table") is None
    assert asset.register_model_asset("more", kind="table") is None
    assert len(catalogue.requests) == 1, "the second write did not wait for the server that is away"
    assert [entry.asset for entry in metadata.entries] == ["rows", "more"]
    (line,) = capsys.readouterr().out.splitlines()
    assert "'rows'" in line
    assert catalogue.url in line
    assert "kept with the run" in line


def test_writes_are_sent_again_after_a_pause(
    asset: Asset, catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "PAUSE", 0.0)
    catalogue.answer_next(Canned(503))
    assert asset.register_data_asset("rows", kind="table") is None
    assert asset.register_data_asset("rows", kind="table") is not None


def test_fault_11_a_server_that_hangs_costs_the_task_one_time_limit(
    asset: Asset, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_TIMEOUT", "0.2")
    impatient = Asset("churn", "feature/x", entity_ref=asset.entity_ref)
    catalogue.answer_next(Canned(delay=2))
    assert [impatient.register_data_asset(f"rows{n}", kind="table") for n in range(50)] == [None] * 50
    assert len(catalogue.requests) == 1


def test_a_write_that_the_catalogue_stopped_is_kept_and_the_next_is_sent(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.answer_next(Canned(503, STOPPED))
    assert asset.register_data_asset("rows", kind="table") is None
    assert asset.register_data_asset("rows", kind="table") is not None
    assert not metadata.outcomes
    assert "Too long. (status 503" in (said := capsys.readouterr().out)
    assert "is kept with the run" in said


@pytest.mark.parametrize(("status", "expected"), [(503, ServerUnreachable), (500, ServerFault)])
def test_a_strict_task_fails_instead(
    status: int, expected: type[Exception], metadata: MemoryMetadata, unconfigured: pytest.MonkeyPatch,
    catalogue: StubCatalogue,
) -> None:  # fmt: skip
    unconfigured.setenv("ASSETSITE_STRICT", "yes")
    catalogue.answer_next(Canned(status, b'{"error": "error", "message": "It broke."}'))
    strict = Asset("churn", "feature/x")
    with pytest.raises(expected):
        strict.register_data_asset("rows", kind="table")
    assert len(metadata.entries) == 1


@pytest.mark.parametrize(
    ("status", "expected"), [(400, BadRequest), (401, WrongToken), (403, NotAllowed), (422, GateRefused)]
)
def test_a_refused_write_is_an_error_and_is_never_backfilled(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, status: int, expected: type[Exception]
) -> None:
    code = b"gate_refused" if expected is GateRefused else b"refused"
    catalogue.answer_next(Canned(status, b'{"error": "%s", "message": "Not like this."}' % code))
    with pytest.raises(expected):
        asset.register_data_asset("rows", kind="table")
    (entry,) = metadata.entries
    assert "Not like this." in metadata.outcomes[entry.id].refused


def test_if_the_run_can_not_keep_it_either_the_server_must_have_it(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata.failure = OSError("disk full")
    assert asset.register_data_asset("rows", kind="table") is not None
    assert "can't be kept with the run: disk full" in capsys.readouterr().out
    catalogue.answer_next(Canned(503))
    with pytest.raises(ServerUnreachable):
        asset.register_data_asset("rows", kind="table")


def test_what_a_forked_child_registers_is_kept_whole_by_itself(
    asset: Asset, metadata: MemoryMetadata, tmp_path: object
) -> None:
    child = os.fork()
    if child == 0:
        asset.register_data_asset("rows", kind="table")
        (entry,) = metadata.entries
        of_parent = entry.process is not None and entry.process.pid == os.getppid()
        os._exit(0 if len(metadata.outcomes) == 1 and of_parent else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_alias_moves_and_deletions_are_kept_when_they_are_done(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    at = "2026-02-03T04:05:06Z"
    move = {"alias_name": "production", "instance_id": "i_1", "previous_instance_id": "", "updated_at": at}
    history = [move | {"updated_by": {"entity_kind": "task", "entity_id": "x"}}]
    answer = {"alias": {"name": "production", "updated_at": at, "recent_history": history}}
    catalogue.answer_next(Canned(body=json.dumps(answer).encode()), Canned(204, b""), Canned(204, b""))
    asset.set_alias("rows", "@production", "i_1", "data")
    asset.delete_alias("rows", "production", "data")
    asset.delete_data_asset("rows")
    assert [(entry.operation, entry.alias) for entry in metadata.entries] == [
        (Operation.SET_ALIAS, "production"),
        (Operation.DELETE_ALIAS, "production"),
        (Operation.DELETE, ""),
    ]
    assert metadata.entries[0].body["instance_id"] == "i_1"
    close()
    assert metadata.outcomes[metadata.entries[0].id].at == datetime.fromisoformat(at)


def test_a_receipt_is_kept_at_once_together_with_the_move(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    at = "2026-02-03T04:05:06Z"
    move = {"alias_name": "production", "instance_id": "i_1", "previous_instance_id": "", "updated_at": at}
    history = [move | {"updated_by": {"entity_kind": "task", "entity_id": "x"}}]
    answer = {"alias": {"name": "production", "updated_at": at, "recent_history": history}, "receipt": "0:1:c2ln"}
    catalogue.answer_next(Canned(body=json.dumps(answer).encode()))
    asset.set_alias("rows", "@production", "i_1", "data")
    (entry,) = metadata.entries
    assert metadata.outcomes[entry.id].receipt == "0:1:c2ln"
    close()
    assert len(metadata.data) == 2


def test_the_receipt_of_a_promotion_is_kept_as_soon_as_it_is_answered(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    answer = {"id": "i_1", "number": 4, "created_at": "2026-02-03T04:05:06Z", "receipt": "1:1:c2ln", "tags": []}
    catalogue.answer_next(Canned(201, json.dumps(answer).encode()))
    asset.register_data_asset("rows", kind="table", annotations={"promoted_from_instance": "i_0"})
    (entry,) = metadata.entries
    assert (metadata.outcomes[entry.id].receipt, metadata.outcomes[entry.id].number) == ("1:1:c2ln", 4)


def test_outside_a_task_nothing_is_kept_and_a_server_that_is_away_is_an_error(
    unconfigured: pytest.MonkeyPatch,
) -> None:
    with StubServer() as away:
        url = away.url
    unconfigured.setenv("ASSETSITE_URL", url)
    unconfigured.setenv("ASSETSITE_RETRIES", "0")
    with pytest.raises(ServerUnreachable):
        Asset("churn", "main").register_data_asset("rows", kind="table")


def read(asset: Asset, instance: str) -> None:
    """Become a consumer as `prj.get_data` does, when it has loaded the artifact."""
    asset.writer.consume_exactly("feature/x", "data", "rows", instance, "latest")


def test_a_task_goes_on_while_its_consumption_is_sent_and_its_next_write_comes_after_it(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    registered = asset.register_data_asset("rows", kind="table")
    assert registered
    answer = json.dumps(registered | {"consumed_at": "2026-02-03T04:05:06Z"}).encode()
    catalogue.answer_next(Canned(body=answer, delay=0.3))
    began = time.monotonic()
    read(asset, registered["id"])
    assert time.monotonic() - began < 0.2
    asset.delete_data_asset("rows")
    assert time.monotonic() - began >= 0.3
    assert [sent.method for sent in catalogue.requests] == ["PATCH", "PUT", "DELETE"]
    close()
    assert metadata.outcomes[metadata.entries[1].id].at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_a_consumption_that_gets_no_answer_or_is_refused_is_told_and_stops_nothing(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    registered = asset.register_data_asset("rows", kind="table")
    assert registered
    catalogue.answer_next(Canned(403, b'{"error": "forbidden", "message": "Not you."}'), Canned(503))
    read(asset, registered["id"])
    read(asset, registered["id"])
    close()
    refused, unanswered = metadata.entries[1:]
    assert "Not you." in metadata.outcomes[refused.id].refused
    assert unanswered.id not in metadata.outcomes
    told = capsys.readouterr().out
    assert "Not you." in told
    assert "kept with the run" in told


def test_a_strict_task_waits_for_its_consumption_and_fails_with_it(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_STRICT", "1")
    strict = Asset("churn", "feature/x", entity_ref=asset.entity_ref)
    catalogue.answer_next(Canned(503))
    with pytest.raises(ServerUnreachable):
        read(strict, "i_1")
    assert len(metadata.entries) == 1
