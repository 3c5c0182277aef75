"""Reading the assets of one project, of the branches that a flow reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from obproject.aliases import Alias, AliasMove, parse_alias, parse_move
from obproject.catalogue.client import CatalogueClient, pages
from obproject.errors import AssetNotFound, InstanceNotFound, InvalidInput, NoServer, checked
from obproject.filter_keys import written_tag
from obproject.instances import AssetInstance, parse_instance, tag_pairs, with_text
from obproject.json_types import Json
from obproject.kinds import KINDS, find_kind, label_of
from obproject.notices import tell
from obproject.references import Reference, ReferenceKind, parse_reference


class AssetReader:
    """Reads assets from the first branch that has them; ``branches`` are git names in the order of reading.

    Kinds are ``data`` and ``model``; where a kind may be None, it is found out, and needed only for a name that stands
    for both.
    """

    def __init__(self, catalogue: CatalogueClient, branches: tuple[str, ...]) -> None:
        self.catalogue = catalogue
        self.branches = branches

    def first_with(
        self, kind: str, name: str, request: Callable[[str], Json], *, past_definitions: bool = False
    ) -> tuple[str, Json]:
        """Make a request on the first branch that has an asset; return that branch and the answer.

        With ``past_definitions``, a branch that has only the definition comes after one that has an instance.
        """
        definition: tuple[str, Json] | None = None
        missing: AssetNotFound | None = None
        for branch in self.branches:
            try:
                answer = request(branch)
            except InstanceNotFound:
                raise
            except AssetNotFound as error:
                missing = missing or error
                continue
            if past_definitions and answer.get("ref") == "definition":
                definition = definition or (branch, answer)
                continue
            if branch != self.branches[0]:
                nowhere = f"branch {self.branches[0]!r} has no {label_of(kind)} {name!r}"
                tell(f"{nowhere}, so it is read from branch {branch!r}.")
            return branch, answer
        if definition is not None:
            return definition
        assert missing is not None
        raise missing

    def peek(self, kind: str, name: str, reference: str, *, past_definitions: bool = False) -> tuple[str, Json]:
        """Return the branch that has an asset, and the instance there that a reference means."""
        reference = str(parsed_reference(reference))
        branch, answer = self.first_with(
            kind,
            name,
            lambda branch: self.catalogue.instance(branch, kind, name, reference),
            past_definitions=past_definitions,
        )
        return branch, with_text(answer)

    def instance_id(self, kind: str, name: str, reference: str) -> str:
        """Return the id that a reference means on the first branch."""
        parsed = parsed_reference(reference)
        if parsed.kind is ReferenceKind.ID:
            return parsed.id
        return str(self.catalogue.instance(self.branches[0], kind, name, str(parsed))["id"])

    def newest_pending(self, kind: str, name: str) -> tuple[str, Json] | None:
        """Return the branch that has an asset, and its newest pending instance; None if there is none."""
        query = {"state": "pending"}
        try:
            branch, answer = self.first_with(
                kind, name, lambda branch: self.catalogue.instance(branch, kind, name, "latest", query)
            )
        except AssetNotFound:
            return None
        return branch, with_text(answer)

    def has_instance(self, kind: str, name: str, branch: str) -> bool:
        """Say whether a branch has more of an asset than its definition; no, where no catalogue is configured."""
        try:
            answer = self.catalogue.instance(branch, kind, name, "latest")
        except (AssetNotFound, NoServer):
            return False
        return bool(answer["ref"] != "definition")

    def assets(self, kind: str, tags: Mapping[str, Any] | None = None) -> list[Json]:
        """Return the assets of all branches; with ``tags``, those whose newest instance has all of them."""
        query = {"tag": [written_tag(pair["key"], pair["value"]) for pair in tag_pairs(tags or {})]}
        first, *others = self.branches
        items = self.catalogue.list_assets(first, kind, query)
        # An asset of the first branch hides its namesakes, also where it lacks the tags itself.
        first_items = self.catalogue.list_assets(first, kind, {}) if others and tags else items
        hidden = {item["asset"]["id"] for item in first_items}
        for branch in others:
            listed = self.catalogue.list_assets(branch, kind, query)
            added = [item for item in listed if item["asset"]["id"] not in hidden]
            if added:
                tell(
                    f"{len(added)} of the {label_of(kind)}s listed are not on branch {first!r}, "
                    f"so they are read from branch {branch!r}."
                )
            items += added
        return items

    def instances(self, kind: str, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of an asset, newest first, page by page as they are asked for."""
        branch, first = self.first_with(kind, name, lambda branch: self.catalogue.asset(branch, kind, name))
        yield from map(parse_instance, self.catalogue.instances(branch, kind, name, first=first))

    def aliases(self, name: str, kind: str | None) -> list[Alias]:
        """Return the aliases of an asset, by name."""
        kind = self.kind_of(name, kind)
        _, answer = self.first_with(kind, name, lambda branch: self.catalogue.aliases(branch, kind, name))
        return [parse_alias(alias) for alias in answer["aliases"]]

    def alias_moves(self, name: str, kind: str | None) -> Iterator[AliasMove]:
        """Yield the moves of all aliases of an asset, newest first."""
        kind = self.kind_of(name, kind)
        branch, first = self.first_with(kind, name, lambda branch: self.catalogue.alias_history(branch, kind, name))
        listed = pages(lambda query: self.catalogue.alias_history(branch, kind, name, query), first)
        yield from (parse_move(entry) for page in listed for entry in page["entries"])

    def properties(self, name: str, kind: str | None) -> dict[str, Any]:
        """Return the properties that hold for an asset."""
        if kind is not None:
            return self._properties(checked_kind(kind), name)
        found = {}
        for one in KINDS:
            with suppress(AssetNotFound):
                found[one] = self._properties(one, name)
        if len(found) > 1:
            raise _ambiguous(name)
        return next(iter(found.values())) if found else self._properties("data", name)

    def _properties(self, kind: str, name: str) -> dict[str, Any]:
        """Those of the first branch that declares any: where nothing was deployed, there may be only instances."""
        query = {"page_size": 1}
        branch, summary = self.first_with(kind, name, lambda branch: self.catalogue.asset(branch, kind, name, query))
        properties = summary["asset"].get("properties") or {}
        later = self.branches[self.branches.index(branch) + 1 :]
        for other in later if not properties else ():
            with suppress(AssetNotFound):
                summary = self.catalogue.asset(other, kind, name, query)
                properties = summary["asset"].get("properties") or {}
        return dict(properties)

    def kind_of(self, name: str, kind: str | None) -> str:
        """Return the kind that is given, else the one under which any of the branches has the asset."""
        if kind is not None:
            return checked_kind(kind)
        found = [one for one in KINDS if any(self.catalogue.has_asset(branch, one, name) for branch in self.branches)]
        if len(found) > 1:
            raise _ambiguous(name)
        return found[0] if found else "data"


def checked_kind(word: str) -> str:
    """Return the kind that a word means; raise InvalidInput if it means none."""
    kind = find_kind(word)
    if kind is None:
        raise InvalidInput(f"The kind {word!r} is neither 'data' nor 'model'.")
    return kind


def parsed_reference(text: str) -> Reference:
    """Parse a reference; raise InvalidInput if it is none."""
    return checked(parse_reference, text)


def _ambiguous(name: str) -> InvalidInput:
    return InvalidInput(f"There is a data asset and a model asset {name!r}: give kind='data' or kind='model'.")
