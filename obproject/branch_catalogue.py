"""One branch in the catalogue, as deploying and tearing down see it: its spec and all of its assets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from obproject.branches import branch_key
from obproject.connection import Connection, path_of
from obproject.errors import AssetNotFound
from obproject.project.definitions import ASSET_FOLDERS, AssetFolder
from obproject.settings import Settings

Json = dict[str, Any]

PAGE_SIZE = 500
MIN_TIMEOUT = 60.0
"""Seconds that a write gets at least: a deployment is one write of everything."""


class BranchCatalogue:
    """What the catalogue knows of one branch of a project. Every method raises AssetError where it gets no answer."""

    def __init__(self, settings: Settings, project: str, branch: str) -> None:
        self.settings = settings
        self._connection = Connection(replace(settings, timeout=max(settings.timeout, MIN_TIMEOUT)))
        self._perimeter = ("perimeters", settings.perimeter)
        self._branch = (*self._perimeter, "projects", project, "branches", branch_key(branch))
        self._place = f"branch {branch!r} of project {project!r}"

    def spec(self) -> Json | None:
        """Return the spec of the newest deployment; None if there is none on a perimeter that can be seen."""
        try:
            return self._connection.request(
                "GET", path_of(*self._branch, "latestflowproject"), about=f"the spec of {self._place}"
            )
        except AssetNotFound as error:
            if "project" in error.detail or "branch" in error.detail:
                return None
            raise

    def assets(self) -> Iterator[tuple[AssetFolder, Json]]:
        """Yield every asset, declared or registered in whatever state, with its kind."""
        for folder in ASSET_FOLDERS:
            for item in self._listed(folder):
                yield folder, item

    def _listed(self, folder: AssetFolder) -> Iterator[Json]:
        continuation: str | None = ""
        while continuation is not None:
            query = {"page_size": PAGE_SIZE} | ({"continuation": continuation} if continuation else {})
            about = f"the {folder} assets of {self._place}"
            page = self._connection.request("GET", path_of(*self._branch, folder), query=query, about=about)
            yield from page["items"]
            continuation = page.get("continuation") or None

    def deploy(self, request: Json) -> Json:
        """Declare assets and post the spec, all of it or nothing; return what changed."""
        path = path_of(*self._branch, "deploys")
        return self._connection.request("POST", path, body=request, about=f"deploying {self._place}")

    def post(self, record: Json) -> None:
        """Post a spec alone, as the newest of the branch."""
        path = path_of(*self._perimeter, "flowprojects")
        self._connection.request("POST", path, body=record, about=f"the spec of {self._place}")

    def delete_asset(self, folder: str, asset_id: str) -> None:
        """Delete an asset with its instances; one that is gone is no error."""
        path = path_of(*self._branch, folder, asset_id)
        try:
            self._connection.request("DELETE", path, about=f"deleting {folder}/{asset_id} on {self._place}")
        except AssetNotFound as error:
            if "asset" not in error.detail:
                raise

    def delete_spec(self) -> None:
        """Withdraw the spec."""
        path = path_of(*self._branch, "flowprojects")
        self._connection.request("DELETE", path, about=f"deleting the spec of {self._place}")
