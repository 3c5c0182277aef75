"""One branch in the catalogue, as deploying and tearing down see it: its spec and all of its assets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from obproject.catalogue.client import CatalogueClient
from obproject.errors import AssetNotFound
from obproject.json_types import Json
from obproject.kinds import COLLECTIONS, Collection
from obproject.settings import Settings

PAGE_SIZE = 500
MIN_TIMEOUT = 60.0
"""Seconds that a write gets at least: a deployment is one write of everything."""


class BranchCatalogue:
    """What the catalogue knows of one branch of a project. Every method raises AssetError where it gets no answer."""

    def __init__(self, settings: Settings, project: str, branch: str) -> None:
        self.settings = settings
        self.branch = branch
        patient = replace(settings, timeout=max(settings.timeout, MIN_TIMEOUT))
        self._client = CatalogueClient(project, lambda: patient)
        self._label = self._client.branch_label(branch)

    def spec(self) -> Json | None:
        """Return the spec of the newest deployment; None if there is none on a perimeter that can be seen."""
        try:
            return self._client.request("GET", self.branch, "latestflowproject", about=f"the spec of {self._label}")
        except AssetNotFound as error:
            if "project" in error.detail or "branch" in error.detail:
                return None
            raise

    def assets(self) -> Iterator[tuple[Collection, Json]]:
        """Yield every asset, declared or registered in whatever state, with its kind."""
        for collection in COLLECTIONS:
            about = f"the {collection} assets of {self._label}"
            for item in self._client.items(self.branch, collection, {"page_size": PAGE_SIZE}, about=about):
                yield collection, item

    def check_gates(self, definitions: list[Json], timezone: str | None = None) -> Json:
        """Return what gates would have done that are not declared yet; BadRequest says what can't be parsed of them, of
        freshness and of the time zone.
        """
        about, zone = f"the gates of {self._label}", {} if timezone is None else {"timezone": timezone}
        body: Json = {"definitions": definitions, **zone}
        return self._client.request("POST", self.branch, "gates", "check", body=body, about=about)

    def gates_of(self, collection: str, asset_id: str) -> Json:
        """Return the gates that hold for an asset, by alias; empty if there are none."""
        about = f"the gates of {collection}/{asset_id} on {self._label}"
        try:
            found = self._client.request(
                "GET", self.branch, collection, asset_id, query={"page_size": 1}, about=about
            ).get("gates")
        except AssetNotFound:
            return {}
        return dict(found["declared"]) if found else {}

    def deploy(self, request: Json) -> Json:
        """Declare assets and post the spec, all of it or nothing; return what changed."""
        return self._client.request("POST", self.branch, "deploys", body=request, about=f"deploying {self._label}")

    def post(self, record: Json) -> None:
        """Post a spec alone, as the newest of the branch."""
        about = f"the spec of {self._label}"
        self._client.perimeter_request("POST", "flowprojects", body=record, about=about)

    def delete_asset(self, collection: str, asset_id: str) -> None:
        """Delete an asset with its instances; one that is gone is no error."""
        about = f"deleting {collection}/{asset_id} on {self._label}"
        try:
            self._client.request("DELETE", self.branch, collection, asset_id, about=about)
        except AssetNotFound as error:
            if "asset" not in error.detail:
                raise

    def delete_spec(self) -> None:
        """Withdraw the spec."""
        self._client.request("DELETE", self.branch, "flowprojects", about=f"deleting the spec of {self._label}")
