"""The requests to a catalogue about one project: its branches, their assets, and the instances and aliases of each.

:class:`CatalogueClient` knows addresses, pages and what errors are about, and nothing of who writes or in which order
branches are read: that is for :mod:`obproject.catalogue.reader` and :mod:`obproject.catalogue.writer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import requests

from obproject.aliases import unmet_expectation
from obproject.branches import branch_key, check_alias, check_asset_id
from obproject.connection import Connection, Query, path_of
from obproject.errors import AssetNotFound, Conflict, RequestRefused, WrongToken, checked
from obproject.instances import with_text
from obproject.json_types import Json
from obproject.kinds import COLLECTION_OF, KIND_OF, find_kind, label_of
from obproject.notices import tell_once
from obproject.settings import Settings
from obproject.task import running

FIRST_REFUSAL = 400
EXISTS_AS = "exists_as"
"""Key in the detail of a refusal: the kind under which the catalogue has the name, where it lacks the other one."""


class CatalogueClient:
    """The requests about one project. Every method raises an AssetError where it gets no answer, or a refusal.

    ``find_settings`` returns the settings. It is called again when the catalogue refuses the token: the environment of
    an app that runs for long may have got a new one.

    Branches are given by git name or key, kinds as ``data`` or ``model``; instances are returned as they stand on the
    wire. A write first waits for what the running task sends in the background, so that its writes keep their order.
    """

    def __init__(self, project: str, find_settings: Callable[[], Settings]) -> None:
        self.project = project
        self._find_settings = find_settings
        self.connection = Connection(find_settings())
        self.takes_many = True
        """Whether the catalogue takes many registrations at once, as far as is known."""

    @property
    def settings(self) -> Settings:
        """How the catalogue is reached."""
        return self.connection.settings

    # Anything below a perimeter or a branch

    def request(
        self,
        method: str,
        branch: str,
        *segments: str,
        about: str,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Make one request below the address of a branch; ``about`` names its subject for the text of errors."""
        path = ("projects", self.project, "branches", branch_key(branch), *segments)
        return self.perimeter_request(method, *path, about=about, body=body, query=query, headers=headers)

    def perimeter_request(self, method: str, *segments: str, about: str, **arguments: Any) -> Json:
        """Make one request below the address of the perimeter; see :meth:`request`."""
        path = path_of("perimeters", self.settings.perimeter, *segments)
        if method != "GET" and (task := running.running_task()):
            task.journal.finish()
        try:
            return self.connection.request(method, path, about=about, **arguments)
        except WrongToken:
            fresh = self._find_settings()
            if fresh == self.settings:
                raise
            self.connection = Connection(fresh)
            return self.connection.request(method, path, about=about, **arguments)

    def branch_label(self, branch: str) -> str:
        """Return a branch as it stands in messages."""
        return f"branch {branch!r} of project {self.project!r}"

    def list_assets(self, branch: str, kind: str, query: Query) -> list[Json]:
        """Return all assets of a kind that fit a query, each with its newest instance and the text of that."""
        about = f"{label_of(kind)}s of {self.branch_label(branch)}"
        return [
            {**item, "latest_instance": with_text(latest) if (latest := item.get("latest_instance")) else None}
            for item in self.items(branch, COLLECTION_OF[kind], query, about=about)
        ]

    def items(self, branch: str, collection: str, query: Query, *, about: str) -> Iterator[Json]:
        """Yield the entries of a list below a branch, as they stand on the wire."""
        for page in pages(lambda more: self.request("GET", branch, collection, query={**query, **more}, about=about)):
            yield from page["items"]

    def show_highlight(self, branch: str, body: Mapping[str, Any], key: str) -> Json:
        """Show a highlight on the overview of a branch."""
        headers = {"Idempotency-Key": key}
        about = f"highlight on {self.branch_label(branch)}"
        return self.request("POST", branch, "highlights", body=body, headers=headers, about=about)

    # One asset

    def asset_request(
        self,
        method: str,
        branch: str,
        kind: str,
        name: str,
        *segments: str,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Make one request below the address of an asset."""
        reference = f" ({segments[-1] if segments[-1] != 'deprecation' else segments[-2]})" if segments else ""
        name = asset_id_of(name)
        about = f"{label_of(kind)} {name!r}{reference} on {self.branch_label(branch)}"
        path = (COLLECTION_OF[kind], name, *segments)
        try:
            return self.request(method, branch, *path, body=body, query=query, headers=headers, about=about)
        except AssetNotFound as error:
            raise _with_other_kind(error, name) from None

    def asset(self, branch: str, kind: str, name: str, query: Query | None = None) -> Json:
        """Return one asset: its definition, a page of its newest instances, who makes and who uses it."""
        return self.asset_request("GET", branch, kind, name, query=query)

    def has_asset(self, branch: str, kind: str, name: str) -> bool:
        """Say whether a branch has an asset."""
        try:
            self.asset(branch, kind, name, {"page_size": 1})
        except AssetNotFound:
            return False
        return True

    def instances(
        self, branch: str, kind: str, name: str, query: Query | None = None, *, first: Json | None = None
    ) -> Iterator[Json]:
        """Yield the instances of an asset, newest first; ``first`` is the answer of :meth:`asset`, if it was read."""
        for page in pages(lambda more: self.asset(branch, kind, name, {**(query or {}), **more}), first):
            yield from page["recent_instances"]

    def instance(self, branch: str, kind: str, name: str, reference: str, query: Query | None = None) -> Json:
        """Return one instance."""
        return self.asset_request("GET", branch, kind, name, "instances", reference, query=query)

    def register(self, branch: str, kind: str, name: str, body: Mapping[str, Any], key: str) -> Json:
        """Register an instance and return it; of all requests with one ``key`` the catalogue does the first."""
        return self.asset_request("PATCH", branch, kind, name, body=body, headers={"Idempotency-Key": key})

    def register_many(self, branch: str, registrations: Sequence[Mapping[str, Any]]) -> list[Json | RequestRefused]:
        """Register instances on one branch in one request, and return the instance or the refusal of each.

        Each is the body of a registration, with ``kind`` (as in addresses) and ``asset``. Raises AssetNotFound or
        BadRequest where a catalogue of an older version does not know this request.
        """
        about = f"{len(registrations)} registrations on {self.branch_label(branch)}"
        found = self.request("POST", branch, "registrations", body={"registrations": registrations}, about=about)
        return [
            self._answer_to(branch, sent, entry)
            for sent, entry in zip(registrations, found["registrations"], strict=True)
        ]

    def _answer_to(self, branch: str, sent: Mapping[str, Any], entry: Json) -> Json | RequestRefused:
        status, answer = int(entry["status"]), entry["answer"]
        if status < FIRST_REFUSAL:
            return dict(answer)
        about = f"{label_of(KIND_OF[sent['kind']])} {sent['asset']!r} on {self.branch_label(branch)}"
        return self.connection.refusal(status, answer, about)

    def consume(
        self, branch: str, kind: str, name: str, reference: str, body: Mapping[str, Any], key: str | None = None
    ) -> Json:
        """Record a consumption of an instance, and return the instance."""
        headers = {"Idempotency-Key": key} if key else None
        return self.asset_request("PUT", branch, kind, name, "instances", reference, body=body, headers=headers)

    def deprecate(self, branch: str, kind: str, name: str, reference: str, body: Mapping[str, Any]) -> Json:
        """Deprecate an instance, and return it."""
        return self._deprecation("PUT", branch, kind, name, reference, body=body)

    def undo_deprecation(self, branch: str, kind: str, name: str, reference: str) -> None:
        """Let a deprecated instance count again."""
        self._deprecation("DELETE", branch, kind, name, reference)

    def _deprecation(
        self, method: str, branch: str, kind: str, name: str, reference: str, body: Mapping[str, Any] | None = None
    ) -> Json:
        return self.asset_request(method, branch, kind, name, "instances", reference, "deprecation", body=body)

    def delete_asset(self, branch: str, kind: str, name: str, event_id: str) -> None:
        """Delete an asset with all that it has."""
        self.asset_request("DELETE", branch, kind, name, query={"id": event_id})

    # Its aliases

    def aliases(self, branch: str, kind: str, name: str) -> Json:
        """Return the aliases of an asset, under the key ``aliases``."""
        return self.asset_request("GET", branch, kind, name, "aliases")

    def alias_history(self, branch: str, kind: str, name: str, query: Query | None = None) -> Json:
        """Return a page of the moves of all aliases of an asset, newest first."""
        return self.asset_request("GET", branch, kind, name, "alias-history", query=query)

    def put_alias(self, branch: str, kind: str, name: str, alias: str, body: Mapping[str, Any]) -> Json:
        """Set an alias; raise AliasConflict where it is not where the body expects it."""
        return self._alias_request("PUT", branch, kind, name, alias, body=body)

    def delete_alias(self, branch: str, kind: str, name: str, alias: str, query: Query) -> None:
        """Delete an alias; raise AliasConflict where it is not where the query expects it."""
        self._alias_request("DELETE", branch, kind, name, alias, query=query)

    # What gates say, and people who may approve

    def check_alias(self, branch: str, kind: str, name: str, alias: str, body: Mapping[str, Any]) -> Json:
        """Return what the gates of an alias would say of a move, of which nothing is done."""
        alias = checked(check_alias, alias.removeprefix("@"))
        return self._asked(branch, kind, name, "aliases", alias, "check", body=body)

    def check_promotion(self, branch: str, kind: str, name: str, body: Mapping[str, Any]) -> Json:
        """Return what the gates of a branch would say of a copy of an instance; nothing is registered."""
        return self._asked(branch, kind, name, "promotions", "check", body=body)

    def ask_for_approval(self, branch: str, kind: str, name: str, body: Mapping[str, Any]) -> Json:
        """Ask people to approve a move or a promotion, and return the request; the open one, if there is one."""
        try:
            return dict(self._asked(branch, kind, name, "requests", body=body)["request"])
        except Conflict as conflict:
            if (there := conflict.detail.get("request")) is None:
                raise
        return dict(self.asset_request("GET", branch, kind, name, "requests", str(there))["request"])

    def _asked(self, branch: str, kind: str, name: str, *segments: str, body: Mapping[str, Any]) -> Json:
        try:
            return self.asset_request("POST", branch, kind, name, *segments, body=body)
        except RequestRefused as error:
            if is_unknown_address(error):
                raise AssetNotFound(
                    f"The catalogue at {self.settings.url} knows no gates: it is older than this program.",
                    response=error.response,
                ) from error
            raise

    def _alias_request(self, method: str, branch: str, kind: str, name: str, alias: str, **arguments: Any) -> Json:
        alias = checked(check_alias, alias.removeprefix("@"))
        try:
            return self.asset_request(method, branch, kind, name, "aliases", alias, **arguments)
        except Conflict as conflict:
            raise unmet_expectation(conflict) from None


def is_unknown_address(error: RequestRefused) -> bool:
    """Say whether a catalogue of an older version does not know the address that was asked for."""
    status = error.response.status_code if error.response is not None else None
    return status == requests.codes.method_not_allowed or (status == requests.codes.not_found and not error.detail)


def asset_id_of(name: str) -> str:
    """Return a name as the id that the catalogue knows; raise InvalidInput if it can't be one.

    A name that is not in Unicode's form NFC is turned into it, and a line says so, once for each.
    """
    asset_id = checked(check_asset_id, name)
    if asset_id != name:
        tell_once(f"the asset id {asset_id!r} was given in another form of Unicode than NFC; in NFC it is kept.")
    return asset_id


def _with_other_kind(error: AssetNotFound, name: str) -> AssetNotFound:
    """Return the error; where the name stands for an asset of the other kind, it says how that one is read."""
    other = find_kind(str(error.detail.get(EXISTS_AS, "")))
    if other is None:
        return error
    hint = f"{name!r} is a {label_of(other)}: use get_{other} or consume_{other}_asset, or the kind {other!r}."
    return AssetNotFound(f"{error} {hint}", response=error.response, code=error.code, detail=error.detail)


def pages(read: Callable[[Query], Json], first: Json | None = None) -> Iterator[Json]:
    """Yield the pages of a list, each read when it is needed.

    ``read`` gets what to add to the query: nothing for the first page, which is ``first`` if that was read before.
    """
    page, seen = read({}) if first is None else first, set[str]()
    while True:
        yield page
        continuation = page.get("continuation")
        if not continuation or continuation in seen:
            return
        seen.add(continuation)
        page = read({"continuation": continuation})
