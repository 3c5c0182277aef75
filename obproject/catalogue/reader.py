"""Reading the assets of one project, of the branches that a flow reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from obproject.aliases import Alias, AliasMove, parse_alias, parse_move
from obproject.catalogue.client import EXISTS_AS, CatalogueClient, pages
from obproject.connection import Query
from obproject.errors import AllDeprecated, AssetNotFound, InstanceNotFound, InvalidInput, NoServer, checked
from obproject.filter_keys import written_tag
from obproject.instances import DEFINITION, AssetInstance, parse_instance, tag_pairs, tell_if_deprecated, with_text
from obproject.json_types import Json
from obproject.kinds import KINDS, find_kind, label_of
from obproject.notices import tell
from obproject.references import AnyReference, Reference, ReferenceKind, parse_reference


class AssetReader:
    """Reads assets from the first branch that has them; ``branches`` are git names in the order of reading.

    Kinds are ``data`` and ``model``; where a kind may be None, it is found out, and needed only for a name that stands
    for both.
    """

    def __init__(self, catalogue: CatalogueClient, branches: tuple[str, ...]) -> None:
        self.catalogue = catalogue
        self.branches = branches

    def first_with(
        self,
        kind: str,
        name: str,
        request: Callable[[str], Json],
        *,
        is_bare: Callable[[str, Json], bool] = lambda _branch, _answer: False,
    ) -> tuple[str, Json]:
        """Make a request on the first branch that has an asset; return that branch and the answer.

        A branch that has no more than the definition comes after the others: one whose answer ``is_bare``, and one that
        lacks the instance that is asked for because it has none at all.
        """
        bare: tuple[str, Json] | None = None
        missing: list[AssetNotFound] = []
        for branch in self.branches:
            try:
                answer = request(branch)
            except InstanceNotFound as error:
                is_last = branch == self.branches[-1]
                if bare is None and (is_last or not self._is_only_defined(kind, name, branch)):
                    raise
                missing.append(error)
                continue
            except AssetNotFound as error:
                missing.append(error)
                continue
            if (bare or branch != self.branches[-1]) and is_bare(branch, answer):
                bare = bare or (branch, answer)
                continue
            found = branch, answer
            break
        else:
            if bare is None:
                raise max(missing, key=_how_telling)
            found = bare
        if found[0] != self.branches[0]:
            lacks = "" if missing and not isinstance(missing[0], InstanceNotFound) else "instance of the "
            nowhere = f"branch {self.branches[0]!r} has no {lacks}{label_of(kind)} {name!r}"
            tell(f"{nowhere}, so it is read from branch {found[0]!r}.")
        return found

    def peek(self, kind: str, name: str, reference: AnyReference) -> tuple[str, Json]:
        """Return the branch that has an asset, and the instance there that a reference means.

        The definition is returned where no branch has an instance, or where its own id or alias is given.
        """
        parsed = parsed_reference(reference)
        branch, answer = self.first_with(
            kind,
            name,
            lambda branch: self.catalogue.instance(branch, kind, name, str(parsed)),
            is_bare=lambda _, answer: parsed.kind is ReferenceKind.LATEST and answer["ref"] == DEFINITION,
        )
        tell_if_deprecated(answer)
        return branch, with_text(answer)

    def branch_with(self, kind: str, name: str, reference: AnyReference) -> str:
        """Return the branch that has the instance that a reference means; with one branch only, that one, unasked."""
        return self.branches[0] if len(self.branches) == 1 else self.peek(kind, name, reference)[0]

    def instance_id(self, kind: str, name: str, reference: AnyReference) -> str:
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
        except AllDeprecated:
            return True
        except (AssetNotFound, NoServer):
            return False
        return bool(answer["ref"] != DEFINITION)

    def _is_only_defined(self, kind: str, name: str, branch: str) -> bool:
        """Say whether a branch has no more of an asset than its definition."""
        try:
            answer = self.catalogue.instance(branch, kind, name, "latest")
        except AssetNotFound:
            return False
        return bool(answer["ref"] == DEFINITION)

    def assets(self, kind: str, tags: Mapping[str, Any] | None = None) -> list[Json]:
        """Return the assets of all branches; with ``tags``, those that have all of them in effect."""
        query = {"tag": [written_tag(pair["key"], pair["value"]) for pair in tag_pairs(tags or {})]}
        first, *others = self.branches
        items = self.catalogue.list_assets(first, kind, query)
        # An asset of the first branch hides its namesakes, also where it lacks the tags itself; its definition doesn't.
        first_items = self.catalogue.list_assets(first, kind, {}) if others and tags else items
        hidden = {item["asset"]["id"] for item in first_items if not _is_bare_item(item)}
        for branch in others:
            listed = self.catalogue.list_assets(branch, kind, query)
            known = {item["asset"]["id"] for item in items}
            added = [
                item
                for item in listed
                if (uid := item["asset"]["id"]) not in hidden and not (uid in known and _is_bare_item(item))
            ]
            if added:
                tell(
                    f"{len(added)} of the {label_of(kind)}s listed are not on branch {first!r}, "
                    f"so they are read from branch {branch!r}."
                )
            hidden |= {item["asset"]["id"] for item in added if not _is_bare_item(item)}
            items = [item for item in items if item["asset"]["id"] not in {one["asset"]["id"] for one in added}] + added
        return items

    def asset(self, kind: str, name: str, query: Query | None = None) -> tuple[str, Json]:
        """Return the branch that has an asset, and what it has: the definition and a page of the newest instances."""
        return self.first_with(
            kind,
            name,
            lambda branch: self.catalogue.asset(branch, kind, name, query),
            is_bare=lambda branch, answer: (
                all(one["ref"] == DEFINITION for one in answer["recent_instances"])
                and self._is_only_defined(kind, name, branch)
            ),
        )

    def instances(self, kind: str, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of an asset, newest first, page by page as they are asked for."""
        branch, first = self.asset(kind, name)
        yield from map(parse_instance, self.catalogue.instances(branch, kind, name, first=first))

    def aliases(self, name: str, kind: str | None) -> list[Alias]:
        """Return the aliases of an asset, by name."""
        kind = self.kind_of(name, kind)
        _, answer = self.first_with(
            kind,
            name,
            lambda branch: self.catalogue.aliases(branch, kind, name),
            is_bare=lambda branch, answer: not answer["aliases"] and self._is_only_defined(kind, name, branch),
        )
        return [parse_alias(alias) for alias in answer["aliases"]]

    def alias_moves(self, name: str, kind: str | None) -> Iterator[AliasMove]:
        """Yield the moves of all aliases of an asset, newest first."""
        kind = self.kind_of(name, kind)
        branch, first = self.first_with(
            kind,
            name,
            lambda branch: self.catalogue.alias_history(branch, kind, name),
            is_bare=lambda branch, answer: not answer["entries"] and self._is_only_defined(kind, name, branch),
        )
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


def _how_telling(error: AssetNotFound) -> tuple[bool, bool]:
    """Rank the answers of branches that lack something: one that knows the name says more than one that doesn't."""
    return isinstance(error, InstanceNotFound), EXISTS_AS in error.detail


def _is_bare_item(item: Json) -> bool:
    """Say whether an item of a list has only the definition to show."""
    return (item["latest_instance"] or {}).get("ref") == DEFINITION


def checked_kind(word: str) -> str:
    """Return the kind that a word means; raise InvalidInput if it means none."""
    kind = find_kind(word)
    if kind is None:
        raise InvalidInput(f"The kind {word!r} is neither 'data' nor 'model'.")
    return kind


def parsed_reference(reference: AnyReference) -> Reference:
    """Parse a reference; raise InvalidInput if it is none."""
    return checked(parse_reference, reference)


def _ambiguous(name: str) -> InvalidInput:
    return InvalidInput(f"There is a data asset and a model asset {name!r}: give kind='data' or kind='model'.")
