"""Promotion: an instance that has proved itself on one branch becomes an instance of another one, under an alias.

Nothing but the registration is copied: the copy keeps the producer, the blobs and the artifact of its source. It says
where it comes from, step by step, in its annotations (``obproject/promoted.py``).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from obproject.assets import Asset
from obproject.branches import branch_key, check_alias, check_asset_id
from obproject.connection import Query
from obproject.entities import entity_ref, who_is_running
from obproject.errors import (
    AliasConflict,
    AllDeprecated,
    AssetError,
    AssetNotFound,
    Conflict,
    GateRefused,
    InvalidInput,
    NoServer,
    NotPromotable,
    checked,
)
from obproject.evaluation_log import EVALUATION_LOG, is_evaluation_log
from obproject.instances import DEFINITION, typed_annotations
from obproject.json_types import Json
from obproject.kinds import COLLECTION_OF, COLLECTIONS, KIND_OF, find_kind
from obproject.notices import tell, tell_once
from obproject.project import ci
from obproject.project.root import PROJECT_FILE, find_project_root
from obproject.promoted import MOST_TAKES, PROMOTED_FROM, copy_key, with_origin
from obproject.references import AnyReference, parse_reference
from obproject.settings import HOW_TO_CONFIGURE, find_settings
from obproject.task import running, spinning

LIFECYCLE_ALIASES = ("candidate", "validated", "production")
"""The aliases that a promotion may give where the project doesn't name others."""


def promote_assets(
    project: str,
    source: str,
    target: str,
    kinds: Iterable[str] | None = None,
    asset: str | None = None,
    instance: AnyReference = "latest",
    with_aliases: bool | None = None,
    alias: str | None = "candidate",
) -> Json:
    """Promote one asset, or all assets of a branch, to another branch, and give the copies an alias.

    ``source`` and ``target`` are branches, ``kinds`` any of ``data`` and ``models`` (both if None), ``instance`` a
    reference on the source branch. With ``with_aliases``, the default between branches, the copy also gets the other
    aliases that point to the promoted instance; one that the target has given to another instance stays there, and the
    output says so. ``alias`` must be one of the lifecycle aliases: those of ``[promotion] aliases`` in
    ``obproject.toml``, else ``candidate``, ``validated`` and ``production``. It moves to the promoted instance, from
    wherever it was; None leaves it alone.

    An instance is copied to a branch once: promoting it again finds its copy, so that a promotion that failed half-way
    is finished by repeating it. Within one branch nothing is copied, only the alias moves.

    Returns ``{"promoted": [{"kind", "name", "alias"}], "errors": [{"kind", "name", "error"}]}``. What fails for one
    asset is reported there, and the others go on; ``name`` is missing where a whole kind could not be listed. Where
    gates refuse an instance, ``error`` says by which rules, and ``refused`` has for each alias, or for the branch, the
    ``alias``, the ``instance`` and the ``rules`` as :class:`obproject.errors.GateRefused` has them. A source that has
    nothing to promote, or is not there, is an error too, with None for what it is about. Raises InvalidInput, a
    ValueError, for an argument or project file that can't be right, and NoServer.
    """
    promotion = _planned(project, source, target, instance, alias)
    route = promotion.route
    promotion.also_aliases = not route.within_branch if with_aliases is None else with_aliases
    if spinning.holds_back():
        return {"promoted": [], "errors": []}
    promotion.carry_out(kinds, asset)
    return {"promoted": promotion.promoted, "errors": promotion.errors}


def check_promotion(
    project: str,
    source: str,
    target: str,
    kinds: Iterable[str] | None = None,
    asset: str | None = None,
    instance: AnyReference = "latest",
    alias: str | None = "candidate",
) -> Json:
    """Ask what gates would say of a promotion, of which nothing is done; see :func:`promote_assets`.

    Returns ``{"checked": [{"kind", "name", "instance", "branch", "alias", "passes", "outcome", "rules"}], "errors"}``:
    for each asset what the alias says, and before it what the branch says of a copy that is yet to be made, with None
    as the alias. What an alias says of such a copy is known once it is there: ``passes`` is None.
    """
    promotion = _planned(project, source, target, instance, alias)
    promotion.checks_only = True
    promotion.carry_out(kinds, asset)
    return {"checked": promotion.checked, "errors": promotion.errors}


def ask_for_approval(project: str, target: str, refused: Mapping[str, Any], comment: str) -> Json:
    """Ask people to approve what only lacks that, and return the request.

    ``target`` is the branch, ``refused`` an entry of ``errors`` in the answer of :func:`promote_assets` with one of
    its ``refused`` in place of them.
    """
    perimeter = find_settings(None, None, None, _project_settings(project).perimeter).perimeter
    assets = Asset(project, target, _promoter(), perimeter=perimeter)
    body = {"alias": refused["alias"], "instance_id": refused["instance"], "comment": comment}
    return assets.catalogue.ask_for_approval(target, KIND_OF[refused["kind"]], refused["name"], body)


def _planned(project: str, source: str, target: str, instance: AnyReference, alias: str | None) -> _Promotion:
    settings = _project_settings(project)
    _check_alias(alias, settings.aliases)
    route = _Route(project, source, target, settings.perimeter)
    if route.within_branch and alias is None:
        raise InvalidInput(f"Source and target are the branch {target!r}, and no alias is given: nothing to promote.")
    return _Promotion(route, str(checked(parse_reference, instance)), alias)


class _Refused(NotPromotable):
    """Gates have refused some of the aliases, or the copy."""

    def __init__(self, message: str, refusals: list[GateRefused]) -> None:
        super().__init__(message)
        self.refusals = refusals


class _OnlyDefined(NotPromotable):
    """The source branch has no instance of an asset that the target branch has instances of."""


@dataclass
class _Promotion:
    """One call of promote_assets, or of check_promotion: its arguments, and the result for each asset."""

    route: _Route
    reference: str
    alias: str | None
    also_aliases: bool = False
    checks_only: bool = False
    promoted: list[Json] = field(default_factory=list)
    checked: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    only_defined: bool = False
    """Whether an asset was left alone because the source has no more than its definition."""

    def carry_out(self, kinds: Iterable[str] | None, asset: str | None) -> None:
        """Promote one asset, or all of some kinds."""
        wanted = [_collection(kind) for kind in ([kinds] if isinstance(kinds, str) else kinds or COLLECTIONS)]
        if asset is None:
            for collection in wanted:
                self.promote_all(collection)
            self.note_if_empty(wanted)
        else:
            self.promote_one(wanted, checked(check_asset_id, asset), lenient=kinds is None)

    def promote_one(self, collections: list[str], name: str, *, lenient: bool) -> None:
        """Promote one asset; leniently, only where the source has it."""
        found = False
        for collection in collections:
            with self._noting(kind=collection, name=name):
                if lenient and not self.route.source_has(collection, name):
                    continue
                found = True
                self._promote(collection, name)
        if not found and not self.errors:
            where = f"source branch {self.route.source!r} (checked: {', '.join(collections)})"
            self._failed({"kind": None, "name": name}, f"asset {name!r} not found on {where}")

    def promote_all(self, collection: str) -> None:
        """Promote every asset of a kind that has something to promote."""
        names: list[str] = []
        with self._noting(kind=collection):
            names = self.route.names_on_source(collection)
        for name in names:
            with self._noting(kind=collection, name=name):
                try:
                    self._promote(collection, name)
                except _OnlyDefined:
                    self.only_defined = True

    def note_if_empty(self, collections: list[str]) -> None:
        """Note as an error that the source has nothing: whoever tears it down next would lose what is elsewhere."""
        if self.promoted or self.checked or self.errors:
            return
        if self.only_defined:
            tell(f"branch {self.route.source!r} has nothing but definitions, which come by a deploy.")
            return
        with self._noting(kind=collections[0] if len(collections) == 1 else None, name=None):
            where, what = f"branch {self.route.source!r} of project {self.route.project!r}", " or ".join(collections)
            if not self.route.has_source():
                raise NotPromotable(f"{where} is not in the catalogue, so nothing was promoted. Is its name right?")
            raise NotPromotable(f"{where} has no {what} to promote, so nothing was promoted.")

    def _promote(self, collection: str, name: str) -> None:
        if self.checks_only:
            said = self.route.check(KIND_OF[collection], name, self.reference, self.alias)
            self.checked += [{"kind": collection, "name": name, **one} for one in said]
            return
        self.route.promote(KIND_OF[collection], name, self.reference, self.also_aliases, self.alias)
        self.promoted.append({"kind": collection, "name": name, "alias": self.alias})

    def _failed(self, subject: Mapping[str, Any], error: str) -> None:
        self.errors.append({**subject, "error": error})
        if not self.checks_only:
            tell(f"not promoted: {error}")

    @contextmanager
    def _noting(self, **subject: str | None) -> Iterator[None]:
        """Note an AssetError as the result for an asset, or for a whole kind."""
        try:
            yield
        except (GateRefused, _Refused) as error:
            refusals = error.refusals if isinstance(error, _Refused) else [error]
            self._failed({**subject, "refused": [_refused(refusal) for refusal in refusals]}, str(error))
        except AssetError as error:
            self._failed(subject, str(error))


def _refused(refusal: GateRefused) -> Json:
    return {"alias": refusal.alias, "instance": refusal.detail.get("instance"), "rules": refusal.rules}


class _Route:
    """Promotes from one branch of a project to another, or within one."""

    def __init__(self, project: str, source: str, target: str, perimeter: str | None) -> None:
        perimeter = find_settings(None, None, None, perimeter).perimeter
        promoter = _promoter()
        self._source_assets = Asset(project, source, promoter, read_only=True, perimeter=perimeter)
        self._target_assets = Asset(project, target, promoter, perimeter=perimeter)
        if self._target_assets.base_url is None:
            raise NoServer(
                f"Promoting from {source!r} to {target!r}: no asset catalogue is configured. {HOW_TO_CONFIGURE}"
            )
        self.project = project
        self.source = source
        self.target = target
        self.within_branch = branch_key(source) == branch_key(target)

    def has_source(self) -> bool:
        """Say whether the catalogue has the source branch, which it says of any asset that is asked for there."""
        try:
            self._source_assets.catalogue.asset(self.source, "data", EVALUATION_LOG, {"page_size": 1})
        except AssetNotFound as error:
            return _branch_is_there(error)
        return True

    def source_has(self, collection: str, name: str) -> bool:
        return self._source_assets.catalogue.has_asset(self.source, KIND_OF[collection], name)

    def names_on_source(self, collection: str) -> list[str]:
        """Return the assets of a kind, without the evaluation log, which is about its own branch only."""
        listed = self._source_assets.reader.assets(KIND_OF[collection])
        return [item["asset"]["id"] for item in listed if not _is_evaluation_log(item)]

    def promote(self, kind: str, name: str, reference: str, also_aliases: bool, alias: str | None) -> None:
        """Bring an instance to the target branch, with its aliases; one that its gates refuse costs no other.

        The message of an error that comes after the copy was made says so, and how to finish.
        """
        _, source = self._source_assets.reader.peek(kind, name, reference)
        _check_ready(source, name, self.source)
        copy = source if self.within_branch else self._on_target(kind, name, source)
        others = [other for other in source["aliases"] if other != alias] if also_aliases else []
        moves = [partial(self._copy_alias, kind, name, other, copy) for other in others]
        if alias is not None:
            moves.append(partial(self._give_alias, kind, name, alias, copy))
        refusals = []
        try:
            for move in moves:
                try:
                    move()
                except GateRefused as refusal:
                    refusals.append(refusal)
        except AssetError as error:
            done = f"It is {copy['ref']} on branch {self.target!r}, but without all of its aliases; "
            raise AssetError(f"{done}promote it again to finish. {error}") from error
        if refusals:
            place = [] if self.within_branch else [f"It is {copy['ref']} on branch {self.target!r}."]
            raise _Refused("\n".join([*place, *map(str, refusals)]), refusals)

    def check(self, kind: str, name: str, reference: str, alias: str | None) -> list[Json]:
        """Return what gates would say: those of the branch of a copy that is yet to be made, and those of the alias."""
        _, source = self._source_assets.reader.peek(kind, name, reference)
        _check_ready(source, name, self.source)
        catalogue, about = self._target_assets.catalogue, {"branch": self.target, "instance": source["ref"]}
        found: list[Json] = []
        if self.within_branch:
            there: Json | None = source
        elif source["ref"] == DEFINITION:
            there = self._own_definition(kind, name)
        else:
            there = self._find_copy(kind, name, source["id"])
        if there is None:
            said = catalogue.check_promotion(self.target, kind, name, {"instance_id": source["id"]})
            found.append({**about, "alias": None, **said})
        if alias is not None and there is None:
            found.append({**about, "alias": alias, "passes": None, "outcome": "", "rules": []})
        elif alias is not None and there is not None:
            said = catalogue.check_alias(self.target, kind, name, alias, {"instance_id": there["id"]})
            found.append({**about, "instance": there["ref"], "alias": alias, **said})
        return found

    def _own_definition(self, kind: str, name: str) -> Json | None:
        """Return the definition that the target has in place of a copy of the source's."""
        present = self._latest_on_target(kind, name)
        if present is not None and present["ref"] != DEFINITION:
            raise _OnlyDefined(
                f"The asset {name!r} has no instance on branch {self.source!r}. "
                f"Its definition comes to branch {self.target!r} by a deploy."
            )
        return present

    def _on_target(self, kind: str, name: str, source: Json) -> Json:
        """Return what stands for the source on the target branch: a copy, or the target's own definition."""
        if source["ref"] == DEFINITION and (present := self._own_definition(kind, name)):
            return present
        copy = self._copy(kind, name, source)
        tell(
            f"promoted {kind} asset {name!r} {source['ref']} of branch {self.source!r} "
            f"as {copy['ref']} of branch {self.target!r}.",
        )
        return copy

    def _latest_on_target(self, kind: str, name: str) -> Json | None:
        try:
            return self._target_assets.reader.peek(kind, name, "latest")[1]
        except AllDeprecated:
            return {"ref": "deprecated"}
        except AssetNotFound:
            return None

    def _copy(self, kind: str, name: str, source: Json) -> Json:
        """Return the copy of an instance on the target branch, made unless it is there.

        All who promote the same instance to the same branch give their copies the same ids in the same order, so that
        only one of them makes a copy. A later id is needed where the copy of an earlier one was deleted.
        """
        body = self._registration(kind, source)
        for take in range(MOST_TAKES):
            if copy := self._find_copy(kind, name, source["id"]):
                return copy
            self._register_once(kind, name, body, copy_key(source["id"], self.target, take))
        if copy := self._find_copy(kind, name, source["id"]):
            return copy
        raise NotPromotable(f"The copy of {name!r} on branch {self.target!r} is deleted as often as it is made.")

    def _register_once(self, kind: str, name: str, body: Json, key: str) -> None:
        """Register a copy, unless anybody has done so under the same key."""
        try:
            self._target_assets.writer.register_once(kind, name, body, key)
        except Conflict as conflict:
            # Somebody else has promoted it under this key. A conflict about the branch name is an error.
            if conflict.detail.get("field") not in ("Idempotency-Key", "id"):
                raise

    def _find_copy(self, kind: str, name: str, source_id: str) -> Json | None:
        """Return the newest ready copy of an instance on the target branch."""
        # With a state, lists have what is deprecated too: a copy that was withdrawn is not made again.
        query: Query = {"annotation": [f"{PROMOTED_FROM}={source_id}"], "state": "ready", "page_size": 1}
        try:
            found = self._target_assets.catalogue.asset(self.target, kind, name, query)["recent_instances"]
        except AssetNotFound as error:
            if not _branch_is_there(error):
                tell_once(f"branch {self.target!r} of project {self.project!r} is new: this promotion makes it.")
            return None
        return next((one for one in found if typed_annotations(one).get(PROMOTED_FROM) == source_id), None)

    def _registration(self, kind: str, source: Json) -> Json:
        """Return the body that registers a copy. Without an attempt, as no attempt of the task should supersede it."""
        properties = source[f"{kind}_properties"]
        return {
            "entity_ref": source["created_by"],
            "branch_name": self.target,
            f"{kind}_asset_kind": properties[f"{kind}_kind"],
            "description": source.get("description") or "",
            "blobs": properties.get("blobs") or [],
            "tags": source.get("tags") or [],
            "annotations": with_origin(
                typed_annotations(source),
                branch=self.source,
                instance=source["id"],
                ref=source["ref"],
                created_at=source["created_at"],
                promoter=self._target_assets.entity_ref["entity_id"],
            ),
            **({"datastore": source["datastore"]} if source.get("datastore") else {}),
        }

    def _copy_alias(self, kind: str, name: str, alias: str, copy: Json) -> None:
        """Give the copy an alias of its source, unless the target branch uses it for another instance."""
        try:
            self._target_assets.set_alias(name, alias, copy["id"], kind, expected=None)
        except AliasConflict as conflict:
            if conflict.current_instance_id != copy["id"]:
                tell(
                    f"@{alias} of {kind} asset {name!r} was not copied to branch {self.target!r}: "
                    f"there it stays on {conflict.current_instance_id}. Promote with alias={alias!r} to move it.",
                )

    def _give_alias(self, kind: str, name: str, alias: str, copy: Json) -> None:
        """Move an alias to the copy, and say from where."""
        if alias in copy["aliases"]:
            return
        before = self._target_assets.set_alias(name, alias, copy["id"], kind).previous_instance_id
        moved = f", no more to {before}" if before and before != copy["id"] else ""
        tell(
            f"@{alias} of {kind} asset {name!r} on branch {self.target!r} points to {copy['ref']} "
            f"({copy['id']}){moved}.",
        )


def _branch_is_there(error: AssetNotFound) -> bool:
    """Say whether it is only the asset that is missing."""
    return "asset" in error.detail


def _check_ready(source: Json, name: str, branch: str) -> None:
    if source.get("state") != "ready":
        what = f"{source['ref']} of asset {name!r} on branch {branch!r}"
        raise NotPromotable(f"{what} is {source['state']}; only what is ready is promoted.")


def _is_evaluation_log(item: Json) -> bool:
    """Say whether an item of a list of assets is the evaluation log of its branch."""
    kind, latest = item["asset"]["kind"], item.get("latest_instance") or {}
    properties = latest.get(f"{kind}_properties") or {}
    return is_evaluation_log(item["asset"]["id"], kind, properties.get(f"{kind}_kind"))


def _promoter() -> dict[str, str]:
    """Return who promotes: the running task or deployment, a job of a CI, or the user."""
    who = who_is_running()
    in_ci = who["entity_kind"] == "user" and ci.find_commit(os.environ)
    return entity_ref("ci", "obproject-promote") if in_ci else who


def _collection(kind: str) -> str:
    found = find_kind(kind)
    if found is None:
        raise InvalidInput(f"The kind {kind!r} is neither 'data' nor 'models'.")
    return COLLECTION_OF[found]


def _check_alias(alias: str | None, allowed: tuple[str, ...]) -> None:
    if alias is not None and alias not in allowed:
        raise InvalidInput(
            f"The alias {alias!r} is not among those that a promotion may give: {', '.join(allowed)}. "
            f"The key 'aliases' below [promotion] in {PROJECT_FILE} names them."
        )


@dataclass(frozen=True)
class _ProjectSettings:
    aliases: tuple[str, ...]
    perimeter: str | None


def _project_settings(project: str) -> _ProjectSettings:
    """Read the project's settings for promotions from the file of the running flow, else from the nearest one here."""
    task = running.running_task()
    config = getattr(task.flow, "project_config", None) if task else None
    if not config or config.get("project") != project:
        root = find_project_root(Path.cwd())
        config = _read_project_file(root / PROJECT_FILE) if root else {}
    return _ProjectSettings(_allowed_aliases(config.get("promotion") or {}), config.get("perimeter"))


def _read_project_file(path: Path) -> Json:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} can't be read, so the aliases of promotions are not known: {error}") from error


def _allowed_aliases(promotion: Any) -> tuple[str, ...]:
    """Return the aliases that the table ``[promotion]`` names."""
    try:
        if not isinstance(promotion, Mapping):
            raise ValueError(f"found {promotion!r}, expected a table")
        named = promotion.get("aliases") or list(LIFECYCLE_ALIASES)
        if not isinstance(named, list | tuple):
            raise ValueError(f"key 'aliases': found {named!r}, expected a list of names")
        return tuple(check_alias(name) for name in named)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{PROJECT_FILE}: [promotion]: {error}.") from None
