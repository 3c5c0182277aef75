"""The requests about one project: their addresses, their pages, and a token that is renewed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import pytest

from obproject import errors
from obproject.catalogue.client import CatalogueClient, pages
from obproject.settings import Settings
from tests.obproject.stub_server import Canned, StubCatalogue

TABLE = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "data_asset_kind": "table"}


class Listing:
    """Three pages, of which each names the next."""

    def __init__(self, *continuations: str | None) -> None:
        self.continuations = dict(zip((None, *continuations), continuations, strict=False))
        self.asked: list[Mapping[str, Any]] = []

    def read(self, query: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(query)
        return {"continuation": self.continuations[query.get("continuation")]}


def test_pages_are_read_as_they_are_asked_for_up_to_the_last() -> None:
    listing = Listing("b", "c", None)
    found = pages(listing.read)
    assert listing.asked == []
    assert len(list(islice(found, 2))) == 2
    assert listing.asked == [{}, {"continuation": "b"}]
    assert list(found) == [{"continuation": None}]


def test_a_first_page_that_was_read_before_is_not_read_again() -> None:
    listing = Listing("b", "c", None)
    assert len(list(pages(listing.read, {"continuation": "c"}))) == 2
    assert listing.asked == [{"continuation": "c"}]


def test_a_list_that_turns_in_a_circle_ends() -> None:
    listing = Listing("b", "c", "b")
    assert len(list(pages(listing.read))) == 3


@pytest.fixture
def tokens() -> Iterator[str]:
    return iter(["old", "new", "new"])


@pytest.fixture
def client(catalogue: StubCatalogue, tokens: Iterator[str]) -> CatalogueClient:
    return CatalogueClient("churn", lambda: Settings(url=catalogue.url, token=next(tokens), retries=0))


def test_a_refused_token_is_renewed_once(client: CatalogueClient, catalogue: StubCatalogue) -> None:
    catalogue.answer_next(Canned(401), Canned(), Canned(401))
    assert client.asset("feature/x", "model", "clf") == {}
    assert [request.headers["x-api-key"] for request in catalogue.requests] == ["old", "new"]
    assert {request.path for request in catalogue.requests} == {
        "/v1/perimeters/default/projects/churn/branches/feature_x/models/clf"
    }
    with pytest.raises(errors.WrongToken):
        client.asset("feature/x", "model", "clf")
    assert len(catalogue.requests) == 3


def test_instances_come_from_all_pages(client: CatalogueClient, catalogue: StubCatalogue) -> None:
    catalogue.page_size = 2
    for key in "abc":
        client.register("main", "data", "rows", TABLE, key)
    found = client.instances("main", "data", "rows", {"state": "any"})
    assert [instance["ref"] for instance in found] == ["v3", "v2", "v1"]
    first = client.asset("main", "data", "rows")
    catalogue.requests.clear()
    assert len(list(client.instances("main", "data", "rows", first=first))) == 3
    assert len(catalogue.requests) == 1


def test_a_branch_without_an_asset_says_so(client: CatalogueClient) -> None:
    client.register("main", "data", "rows", TABLE, "key")
    assert client.has_asset("main", "data", "rows")
    assert not client.has_asset("main", "model", "rows")
