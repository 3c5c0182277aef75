"""What a project declares: definitions one by one, whole deploys, and specs of the reference protocol."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import timezone

from catalog import limits, news, outbox
from catalog.counters import effective_properties
from catalog.declared_metrics import DeclaredMetrics
from catalog.entities import Entity
from catalog.gates.declared import Gates
from catalog.gates_in_force import are_lost
from catalog.models import (
    Asset,
    Branch,
    DefinitionRevision,
    GateRevision,
    Project,
    SpecVersion,
)
from catalog.name_starts import keep_names
from catalog.recording.expecting import declared_anew
from catalog.recording.gating import settle_ungated
from catalog.recording.places import (
    AssetAddress,
    BranchAddress,
    branch_at,
    finish,
    in_one_transaction,
    locked,
    locked_all,
    make_asset,
)
from catalog.series import forget_undeclared
from catalog.specs import declarations
from obproject.branches import is_main

Json = dict[str, Any]
LATER = ("declared_metrics", "not_compared", "declared_freshness")
"""Fields of a declaration that older clients do not know, nor the vendor's."""


@dataclass(frozen=True)
class Declaration:
    """What a deploy says of an asset. None: the deploy does not say, so what was declared before stays."""

    declared_properties: Json
    declared_tags: dict[str, str] = field(default_factory=dict)
    declared_blobs: list[Any] = field(default_factory=list)
    asset_kind: str = ""
    name: str | None = None
    description: str | None = None
    icon: str | None = None
    readme: str | None = None
    source: str | None = None
    declared_metrics: list[Json] | None = None
    not_compared: list[str] | None = None
    declared_freshness: Json | None = None
    """In the form of `catalog.freshness.declared.checked`. Empty: nothing is declared any more."""
    gates: Json | None = None
    """In the form of `catalog.gates.declared.checked`. They belong to the address, and are kept apart from the rest."""

    @property
    def fields(self) -> Json:
        return {name: value for name, value in asdict(self).items() if value is not None and name != "gates"}

    @property
    def digest(self) -> str:
        """The same for a client that declares no metrics and for one that knows nothing of them."""
        said = {name: value for name, value in self.fields.items() if value or name not in LATER}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def is_that_of(self, asset: Asset) -> bool:
        """Whether the asset was declared so before. A client that knows nothing of metrics may have been in between."""
        later = {name: getattr(self, name) for name in LATER}
        return asset.config_hash == self.digest and all(
            value is None or value == getattr(asset, name) for name, value in later.items()
        )


@dataclass
class DeployOutcome:
    """What a deploy changed, as `kind/id` names, where it met the edit of a person, and what it no longer declares."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    overridden: list[Json] = field(default_factory=list)
    not_declared: list[str] = field(default_factory=list)
    gated: list[str] = field(default_factory=list)
    """Those whose gates are others now."""


@in_one_transaction
def declare(*, actor: str, at: AssetAddress, entity: Entity, declaration: Declaration, config_hash: str = "") -> Asset:
    """Declare one asset. The same hash again changes nothing."""
    asset = locked(at)
    made = asset is None
    asset = asset or make_asset(at, actor)
    if not (config_hash and asset.config_hash == config_hash):
        _declare(asset, declaration.fields, config_hash=config_hash, entity=entity, actor=actor)
    if _changes_gates(asset, declaration.gates, _gates_in_force([asset])):
        _declare_gates(asset, declaration, entity=entity, actor=actor)
    finish(asset.branch, at.branch, made=made, actor=actor)
    return asset


def _declare(asset: Asset, fields: Json, *, config_hash: str, entity: Entity, actor: str) -> None:
    now = timezone.now()
    measured = DeclaredMetrics.of(fields.get("declared_metrics", asset.declared_metrics))
    forget_undeclared(asset, before=DeclaredMetrics.of(asset.declared_metrics), after=measured)
    expected_before = asset.declared_freshness
    is_named_anew = asset.declared_at is None or fields.get("name", asset.name) != asset.name
    for name, value in fields.items():
        setattr(asset, name, value)
    asset.config_hash, asset.declared_at = config_hash, now
    asset.declared_by_kind, asset.declared_by_id = entity.kind, entity.id
    asset.properties = effective_properties(asset)
    if asset.declared_freshness != expected_before:
        declared_anew(asset)
    asset.save()
    if is_named_anew:
        keep_names(asset)
    DefinitionRevision.objects.create(
        asset=asset,
        declared=fields,
        config_hash=config_hash,
        at=now,
        actor=actor,
        entity_kind=entity.kind,
        entity_id=entity.id,
    )


def _gates_in_force(assets: Iterable[Asset]) -> dict[int, Json]:
    """The gates of these assets, by the key of their revision; no query if there are none."""
    keys = {asset.gates_id for asset in assets if asset.gates_id}
    return dict(GateRevision.objects.filter(pk__in=keys).values_list("pk", "gates")) if keys else {}


def _changes_gates(asset: Asset, declared: Json | None, in_force: dict[int, Json]) -> bool:
    """Whether a declaration speaks of gates, and differs from those that hold at its address."""
    if declared is None:
        return False
    if not declared and not asset.gates_id:
        return are_lost(asset.branch_id, asset.kind, asset.asset_id)
    if asset.gates_id and asset.gates_id not in in_force:  # of an asset that this deploy has made
        in_force |= _gates_in_force([asset])
    return declared != in_force.get(asset.gates_id or 0, {})


def _declare_gates(
    asset: Asset, declaration: Declaration, *, entity: Entity, actor: str, version_id: str = ""
) -> GateRevision:
    """Let other gates hold at the address of an asset, whose lock the caller holds; or none, if they are empty."""
    revision = GateRevision.objects.create(
        branch_id=asset.branch_id,
        kind=asset.kind,
        asset_id=asset.asset_id,
        gates=declaration.gates or {},
        source=declaration.source or "",
        version_id=version_id,
        at=timezone.now(),
        actor=actor,
        entity_kind=entity.kind,
        entity_id=entity.id,
    )
    if asset.gates_id is not None:
        settle_ungated(asset, Gates.of(revision.gates))
    asset.gates = revision if revision.gates else None
    Asset.objects.filter(pk=asset.pk).update(gates=asset.gates)
    return revision


@in_one_transaction
def deploy(
    *,
    actor: str,
    at: BranchAddress,
    entity: Entity,
    version_id: str,
    spec: Json,
    definitions: dict[tuple[str, str], Declaration],
    zone: str | None = None,
) -> tuple[Branch, DeployOutcome]:
    """Declare all that a project declares on a branch, and post its spec; all of it or nothing.

    `zone`: in which the project means days and hours, if the branch is its production branch. None: as before.
    """
    outcome = DeployOutcome()
    branch = branch_at(at)
    new_zone = zone if is_main(branch.key) and zone != branch.project.timezone else None
    project = Asset.objects.live().filter(branch__project=branch.project_id)
    concerned = project if new_zone is not None else Asset.objects.on_branch(branch)
    everywhere = [asset for asset in locked_all(concerned.values_list("pk", flat=True)) if asset.deleted_at is None]
    if new_zone is not None:
        branch.project.timezone = new_zone
    locked = [asset for asset in everywhere if asset.branch_id == branch.pk]
    existing = {(asset.kind, asset.asset_id): asset for asset in locked}
    in_force = _gates_in_force(locked)
    for key in sorted(definitions):
        declaration = definitions[key]
        asset = existing.get(key) or make_asset(AssetAddress(at, *key), actor)
        is_same, gates_differ = declaration.is_that_of(asset), _changes_gates(asset, declaration.gates, in_force)
        if is_same and not gates_differ:
            outcome.unchanged.append("/".join(key))
            continue
        asset.branch = branch
        (outcome.updated if key in existing else outcome.created).append("/".join(key))
        if not is_same:
            outcome.overridden += _beneath_overrides(asset, declaration)
            _declare(asset, declaration.fields, config_hash=declaration.digest, entity=entity, actor=actor)
        if gates_differ:
            _declare_gates(asset, declaration, entity=entity, actor=actor, version_id=version_id)
            outcome.gated.append("/".join(key))
    outcome.not_declared = ["/".join(key) for key in sorted(existing) if _is_left_out(existing[key], definitions)]
    _enrich_all(branch, spec, entity=entity, actor=actor)
    finish(branch, at, made=bool(outcome.created), actor=actor)
    _post(branch, spec, version_id=version_id, actor=actor)
    if new_zone is not None:  # its days begin at another moment now, so all of it is looked at anew
        Project.objects.filter(pk=branch.project_id).update(timezone=new_zone)
        all_of_it = Asset.objects.filter(pk__in=[asset.pk for asset in everywhere])
        all_of_it.update(to_look_at=True)
        all_of_it.mark()  # for whoever looks at it now, by the zone that was
    changed = {"created": len(outcome.created), "updated": len(outcome.updated)}
    outbox.keep(news.deployed(branch, version_id=version_id, by=actor, changed=changed))
    return branch, outcome


def _is_left_out(asset: Asset, definitions: dict[tuple[str, str], Declaration]) -> bool:
    """Whether an earlier deploy declared the asset and this one doesn't. It stays: it may have instances."""
    return asset.is_declared and (asset.kind, asset.asset_id) not in definitions


def _beneath_overrides(asset: Asset, declaration: Declaration) -> list[Json]:
    """The overridden properties whose declared value this deploy changes."""
    before, after = asset.declared_properties, declaration.declared_properties
    return [
        {
            "asset": f"{asset.kind}/{asset.asset_id}",
            "key": override.key,
            "declared": after.get(override.key),
            "previously_declared": before.get(override.key),
            "override": override.value,
        }
        for override in asset.overrides.order_by("key")
        if before.get(override.key) != after.get(override.key)
    ]


@in_one_transaction
def post_spec(*, actor: str, at: BranchAddress, entity: Entity, version_id: str, spec: Json) -> Branch:
    """Keep a spec as the newest of its branch; what it says of existing assets goes to their definitions."""
    branch = branch_at(at)
    _enrich_all(branch, spec, entity=entity, actor=actor)
    _post(branch, spec, version_id=version_id, actor=actor)
    outbox.keep(news.deployed(branch, version_id=version_id, by=actor))
    return branch


def _post(branch: Branch, spec: Json, *, version_id: str, actor: str) -> None:
    _new_spec_version(branch, actor, version_id=version_id, document=json.dumps(spec))
    title = spec.get("title")
    if isinstance(title, str) and title:
        title = title[: limits.NAME_LENGTH]
        if Project.objects.filter(pk=branch.project_id).exclude(title=title).update(title=title):
            keep_names(Project.objects.get(pk=branch.project_id))


def _enrich_all(branch: Branch, spec: Json, *, entity: Entity, actor: str) -> None:
    """Give the definitions what the spec says anew of them. Only those are locked, and read again."""
    said = declarations(spec)
    differing = [asset.pk for asset in Asset.objects.on_branch(branch) if _news_of(asset, said)]
    for asset in locked_all(differing):
        if asset.deleted_at is None and (news := _news_of(asset, said)):
            asset.branch = branch
            _enrich(asset, news, entity=entity, actor=actor)


def _news_of(asset: Asset, said: dict[tuple[str, str], Json]) -> Json:
    of_it = said.get((asset.kind, asset.asset_id), {})
    return {name: value for name, value in of_it.items() if getattr(asset, name) != value}


def _enrich(asset: Asset, news: Json, *, entity: Entity, actor: str) -> None:
    Asset.objects.filter(pk=asset.pk).update(**news)
    if "name" in news:
        asset.name = news["name"]
        keep_names(asset)
    DefinitionRevision.objects.create(
        asset=asset,
        declared=news,
        config_hash=asset.config_hash,
        at=timezone.now(),
        actor=actor,
        entity_kind=entity.kind,
        entity_id=entity.id,
    )


@in_one_transaction
def delete_spec(*, actor: str, branch: Branch) -> None:
    """Withdraw the spec of a branch; its versions stay in the history."""
    _new_spec_version(branch, actor, version_id="", document="")


def _new_spec_version(branch: Branch, actor: str, *, version_id: str, document: str) -> None:
    locked = Branch.objects.select_for_update(no_key=True).get(pk=branch.pk)
    version = SpecVersion.objects.create(
        branch=locked, version_id=version_id, document=document, at=timezone.now(), actor=actor
    )
    locked.spec = version if document else None
    locked.save(update_fields=["spec"])
