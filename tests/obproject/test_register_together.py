"""Registrations sent together: in one request, by the rules of the journal; one by one to an older catalogue."""

from __future__ import annotations

import pytest

from obproject import Asset
from obproject import connection as connection_module
from obproject.catalogue import together
from obproject.errors import BadRequest, InvalidInput, NotAllowed, ServerUnreachable
from obproject.task import running
from tests.obproject.stub_server import Canned, StubCatalogue
from tests.obproject.tasks import MemoryMetadata, running_task

TASK = {"entity_kind": "task", "entity_id": "TrainFlow/12/start/3"}


@pytest.fixture
def metadata(unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> MemoryMetadata:
    metadata = MemoryMetadata()
    catalogue.takes_many = True
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_RETRIES", "0")
    unconfigured.setattr(connection_module, "_FIRST_PAUSE", 0.01)
    unconfigured.setattr(running, "_current", running_task(metadata=metadata))
    return metadata


@pytest.fixture
def asset(metadata: MemoryMetadata) -> Asset:
    return Asset("churn", "feature/x")


def register(asset: Asset, *names: str) -> None:
    for name in names:
        assert asset.register_data_asset(name, kind="table", annotations={"of": name}) is None


def outcomes(metadata: MemoryMetadata) -> list[tuple[str, int | None, str]]:
    task = running.running_task()
    assert task
    task.journal.close()
    found = metadata.outcomes
    return [(entry.asset, found[entry.id].number, found[entry.id].refused or "") for entry in metadata.entries]


def test_they_are_one_request_kept_before_it_is_sent(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    with asset.register_together() as made:
        register(asset, "a", "b", "a")
        asset.register_model_asset("m", kind="artifact", annotations={"artifact": "model"})
        assert (made, catalogue.requests, metadata.entries) == ([], [], [])
    (sent,) = catalogue.requests
    assert (sent.method, sent.path.split("/")[-1]) == ("POST", "registrations")
    assert [(one["kind"], one["asset"]) for one in (sent.body or {})["registrations"]] == [
        *[("data", name) for name in "aba"],
        ("models", "m"),
    ]
    assert [instance and instance["ref"] for instance in made] == ["v1", "v1", "v2", "v1"]
    first = (sent.body or {})["registrations"][0]
    entry = metadata.entries[0]
    assert first == {**entry.body, "id": entry.id, "kind": "data", "asset": "a"}
    assert [one.name for one in running.registered("model", "churn", "feature_x", "m")] == ["m"]
    assert outcomes(metadata) == [("a", 1, ""), ("b", 1, ""), ("a", 2, ""), ("m", 1, "")]


def test_a_refusal_costs_no_other_and_is_raised(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(BadRequest, match="data asset 'refused' on branch 'feature/x'") as error,
        asset.register_together() as made,
    ):
        register(asset, "a", "refused", "b", "refused")
    assert error.value.detail == {"field": "tags"}
    assert "'refused'" in capsys.readouterr().out
    assert [instance and instance["asset"]["id"] for instance in made] == ["a", "b"]
    kept = outcomes(metadata)
    assert [(name, number) for name, number, _ in kept] == [("a", 1), ("refused", None), ("b", 1), ("refused", None)]
    assert all("No. (status 400" in refused for name, _, refused in kept if name == "refused")


def test_an_older_catalogue_gets_them_one_by_one(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue
) -> None:
    catalogue.takes_many = False
    for _ in range(2):
        with asset.register_together() as made:
            register(asset, "a", "b")
    assert [instance and instance["ref"] for instance in made] == ["v2", "v2"]
    assert [request.method for request in catalogue.requests] == ["POST", *["PATCH"] * 4]
    assert [number for _, number, _ in outcomes(metadata)] == [1, 1, 2, 2]


def test_one_alone_is_no_list(asset: Asset, catalogue: StubCatalogue) -> None:
    with asset.register_together() as made:
        register(asset, "a")
    assert [request.method for request in catalogue.requests] == ["PATCH"]
    with asset.register_together() as none:
        pass
    assert (len(made), none, len(catalogue.requests)) == (1, [], 1)


def test_while_the_catalogue_is_away_the_journal_has_them(
    asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    catalogue.answer_next(Canned(502, b""))
    with asset.register_together() as made:
        register(asset, "a", "b")
    with asset.register_together() as later:  # nobody asks again for a while
        register(asset, "c")
    assert (made, later, len(catalogue.requests)) == ([None, None], [None], 1)
    assert [entry.asset for entry in metadata.entries] == ["a", "b", "c"]
    assert metadata.outcomes == {}
    unconfigured.setenv("ASSETSITE_STRICT", "1")
    catalogue.answer_next(Canned(502, b""))
    strict = Asset("churn", "feature/x", entity_ref=TASK)
    with pytest.raises(ServerUnreachable), strict.register_together():
        register(strict, "a")


def test_what_concerns_all_is_refused_for_all(asset: Asset, metadata: MemoryMetadata, catalogue: StubCatalogue) -> None:
    catalogue.answer_next(Canned(403, b'{"error": "forbidden", "message": "No.", "detail": {}}'))
    with pytest.raises(NotAllowed), asset.register_together():
        register(asset, "a", "b")
    assert [bool(refused) for _, _, refused in outcomes(metadata)] == [True, True]


def test_another_write_comes_after_what_waits(asset: Asset, catalogue: StubCatalogue) -> None:
    with asset.register_together() as made:
        register(asset, "a", "b")
        asset.delete_data_asset("a")
        register(asset, "a")
        assert len(made) == 2
    assert [request.method for request in catalogue.requests] == ["POST", "DELETE", "PATCH"]
    assert [instance and instance["ref"] for instance in made] == ["v1", "v1", "v1"]


def test_what_was_registered_before_an_error_in_the_block_is_sent(asset: Asset, catalogue: StubCatalogue) -> None:
    with pytest.raises(ZeroDivisionError), asset.register_together():  # noqa: PT012
        register(asset, "a", "b")
        raise ZeroDivisionError
    assert [request.method for request in catalogue.requests] == ["POST"]
    with pytest.raises(InvalidInput, match="leave out the inner block"), asset.register_together():  # noqa: SIM117
        with asset.register_together():
            pass
    with asset.register_together():
        pass


def test_without_a_task_and_read_only(unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> None:
    catalogue.takes_many = True
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    person = Asset("churn", "main", entity_ref={"entity_kind": "user", "entity_id": "ada"})
    with person.register_together() as made:
        register(person, "a", "b")
    assert [instance and instance["ref"] for instance in made] == ["v1", "v1"]
    reader = Asset("churn", "main", read_only=True)
    with reader.register_together() as nothing:
        register(reader, "a")
    assert nothing == []
    assert len(catalogue.requests) == 1


def test_they_are_split_as_the_catalogue_takes_them(
    asset: Asset, catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "MOST", 3)
    with asset.register_together() as made:
        register(asset, *"abcdefg")
    many = [len((request.body or {})["registrations"]) for request in catalogue.of("POST")]
    assert (many, len(catalogue.of("PATCH")), len(made)) == ([3, 3], 1, 7)
    monkeypatch.setattr(together, "MOST_BYTES", 1500)
    catalogue.requests.clear()
    with asset.register_together() as made:
        register(asset, *"abcdefg")
    sizes = [len(str(request.body)) for request in catalogue.of("POST")]
    assert len(sizes) > 1
    assert max(sizes) < 1600
    assert len(made) == 7
