"""Every write that touches several tables: register, consume, confirm, alias, deploy, declare, edit, delete.

Each function is one transaction and records who and when. The lock that orders writers is the asset's row. Rows are
locked or made in one order, so that writers can wait for each other but never deadlock: the component, existing assets
by their keys, project and branch where they are new, a new asset, its edges, and changes to the branch last.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from access.errors import BadRequest, Conflict, NotFound, SiteError
from access.models import Perimeter
from catalog import limits
from catalog.counters import add_to_edge, component_of, effective_properties, newest_of
from catalog.entities import Entity
from catalog.lookups import kept_answer, last_attempt, locked_asset_at
from catalog.models import (
    Alias,
    AliasMove,
    Asset,
    Branch,
    BranchName,
    Component,
    Consumption,
    DefinitionRevision,
    Edge,
    IdempotencyKey,
    Instance,
    Kind,
    Project,
    PropertyEdit,
    PropertyOverride,
    SpecVersion,
    State,
    StateChange,
)
from catalog.querysets import InstanceQuerySet
from catalog.specs import declarations
from obproject.branches import MAIN_BRANCHES, branch_key, is_unnamed

Json = dict[str, Any]
KEPT_FOR = timedelta(days=7)
MAKING_TRIES = 5
in_one_transaction = transaction.atomic(savepoint=False)


@dataclass(frozen=True)
class BranchAddress:
    """Where a branch is, whether or not it exists yet. `name` is its git name as written, if the client said it."""

    perimeter: Perimeter
    project: str
    key: str
    name: str = ""


@dataclass(frozen=True)
class AssetAddress:
    branch: BranchAddress
    kind: str
    asset_id: str


@dataclass(frozen=True)
class Registration:
    """What a registration says of the new instance."""

    asset_kind: str
    state: str = State.READY
    description: str = ""
    annotations: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: list[Any] = field(default_factory=list)
    attempt: int | None = None
    datastore_type: str = ""
    datastore_root: str = ""


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

    @property
    def fields(self) -> Json:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.fields, sort_keys=True).encode()).hexdigest()


@dataclass
class DeployOutcome:
    """What a deploy changed, as `kind/id` names, where it met the edit of a person, and what it no longer declares."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    overridden: list[Json] = field(default_factory=list)
    not_declared: list[str] = field(default_factory=list)


# Requests that are sent twice


@dataclass(frozen=True)
class Once:
    """An idempotent request: its digest of caller, method, path and key, and the digest of its body."""

    digest: str
    body_digest: str

    @classmethod
    def of(cls, *, caller: str, method: str, path: str, key: str, body: Any) -> "Once":
        """`body` is the parsed JSON: two spellings of one body are the same request."""
        whole = json.dumps([caller, method, path, key])
        content = json.dumps(body, sort_keys=True)
        return cls(hashlib.sha256(whole.encode()).hexdigest(), hashlib.sha256(content.encode()).hexdigest())


def once(request: Once | None, act: Callable[[], tuple[int, Json | None]]) -> tuple[int, Json | None]:
    """Do `act` in one transaction, unless the same request was answered before; then give that answer again."""
    if request is None:
        with transaction.atomic():
            return act()
    if answered := _answered(request):
        return answered
    try:
        with transaction.atomic():
            status, answer = act()
            IdempotencyKey.objects.create(
                digest=request.digest,
                body_digest=request.body_digest,
                status=status,
                answer=json.dumps(answer),
                created_at=timezone.now(),
            )
    except (IntegrityError, SiteError):
        # its twin was faster; what this one did is rolled back, or had nothing left to do
        if answered := _answered(request):
            return answered
        raise
    return status, answer


def _answered(request: Once) -> tuple[int, Json | None] | None:
    kept = kept_answer(digest=request.digest)
    if kept is None:
        return None
    if kept.created_at < timezone.now() - KEPT_FOR:
        kept.delete()
        return None
    if kept.body_digest != request.body_digest:
        raise Conflict("This Idempotency-Key was used for another body.", field="Idempotency-Key")
    return kept.status, json.loads(kept.answer)


def forget_old_answers() -> int:
    """Drop the answers to idempotent requests that are older than seven days."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


# Registering


@in_one_transaction
def register(*, actor: str, at: AssetAddress, entity: Entity, what: Registration) -> Instance:
    """Append an instance to an asset, which comes into being with its first one."""
    component = component_of(perimeter_id=at.branch.perimeter.pk, project=at.branch.project, entity=entity)
    earlier = _lock_assets_of_earlier_attempts(at, entity, what.attempt or 0)
    asset = _locked(at)
    made = asset is None
    asset = asset or _made(at, actor)
    late = what.attempt is not None and _supersede(
        at.branch.perimeter, entity, what.attempt, {**earlier, asset.pk: asset}, actor
    )
    now = timezone.now()
    state = State.FAILED if late else State(what.state)
    instance = Instance.objects.create(
        asset=asset,
        number=asset.last_number + 1,
        state=state,
        state_reason="superseded by a later attempt" if late else "",
        asset_kind=what.asset_kind,
        description=what.description,
        annotations=what.annotations,
        tags=what.tags,
        blobs=what.blobs,
        producer_kind=entity.kind,
        producer_id=entity.id,
        component=component,
        run=entity.run,
        attempt=what.attempt,
        datastore_type=what.datastore_type,
        datastore_root=what.datastore_root,
        created_at=now,
        settled_at=None if state == State.PENDING else now,
        actor=actor,
    )
    add_to_edge(
        asset=asset,
        component=component,
        direction=Edge.Direction.PRODUCES,
        write_branch=(at.branch.key, ""),
        entity=entity,
        instance=instance,
        at=now,
    )
    _point_to(asset, instance)
    _finish(asset.branch, at.branch, made=made, actor=actor)
    return instance


def _point_to(asset: Asset, instance: Instance) -> None:
    """Make a new instance the newest of its asset, whose lock the caller holds."""
    asset.last_number, asset.newest = instance.number, instance
    changed = ["last_number", "newest"]
    if instance.state == State.READY:
        asset.newest_ready, asset.refreshed_at = instance, instance.settled_at
        asset.ready_count += 1
        changed += ["newest_ready", "refreshed_at", "ready_count"]
    asset.save(update_fields=changed)


def _locked(at: AssetAddress) -> Asset | None:
    """The live asset at the address, locked for this transaction."""
    branch = at.branch
    asset = locked_asset_at(
        perimeter=branch.perimeter.pk, project=branch.project, key=branch.key, kind=at.kind, asset_id=at.asset_id
    )
    if asset:
        asset.branch.project.perimeter = branch.perimeter
    return asset


def _locked_all(pks: Iterable[int]) -> list[Asset]:
    return list(Asset.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk"))


def _made(at: AssetAddress, actor: str) -> Asset:
    """A new asset at the address, locked; another writer may make it, and even delete it, faster by a hair."""
    branch = branch_at(at.branch)
    for _ in range(MAKING_TRIES):
        new = Asset(branch=branch, kind=at.kind, asset_id=at.asset_id, created_at=timezone.now(), created_by=actor)
        Asset.objects.bulk_create([new], ignore_conflicts=True)
        if asset := _locked(at):
            return asset
    raise Conflict(f"The asset '{at.asset_id}' is being deleted again and again; try later.", asset=at.asset_id)


def _finish(branch: Branch, at: BranchAddress, *, made: bool, actor: str) -> None:
    """What a write changes on the branch itself: its name, and its counters if assets were made."""
    if at.name:
        _name_branch(branch, at.name, actor)
    if made:
        _count_assets(branch)


def _count_assets(branch: Branch) -> None:
    """Bring the branch's counters up to date after assets came or went."""
    branch = Branch.objects.select_for_update(no_key=True).get(pk=branch.pk)
    counts = dict(Asset.objects.on_branch(branch).values_list("kind").annotate(Count("pk")))
    branch.data_count, branch.models_count = counts.get(Kind.DATA, 0), counts.get(Kind.MODELS, 0)
    branch.save(update_fields=["data_count", "models_count"])


def branch_at(at: BranchAddress) -> Branch:
    """The branch at the address, made if this is its first use."""
    now = timezone.now()
    project, _ = Project.objects.get_or_create(perimeter=at.perimeter, name=at.project, defaults={"created_at": now})
    own_name = at.key if at.key in MAIN_BRANCHES else ""
    branch, _ = Branch.objects.get_or_create(
        project=project, key=at.key, defaults={"git_name": own_name, "created_at": now}
    )
    return branch


def _name_branch(branch: Branch, name: str, actor: str) -> None:
    """Adopt the first real git name of a branch; refuse a second one."""
    if branch.git_name == name or is_unnamed(name):
        return
    if Branch.objects.filter(pk=branch.pk, git_name="").update(git_name=name):
        BranchName.objects.create(branch=branch, git_name=name, at=timezone.now(), actor=actor)
        branch.git_name = name
        return
    branch.refresh_from_db(fields=["git_name"])
    if branch.git_name != name:
        raise Conflict(
            f"The branches '{branch.git_name}' and '{name}' both have the key '{branch.key}'. "
            f"It belongs to '{branch.git_name}'; rename the other.",
            branch=name,
            taken_by=branch.git_name,
            key=branch.key,
        )


# Attempts and confirmation


def registered_by(perimeter: Perimeter, entity: Entity) -> InstanceQuerySet:
    """All that an entity registered in a perimeter, also on deleted assets."""
    return Instance.objects.filter(
        producer_id=entity.id, producer_kind=entity.kind, asset__branch__project__perimeter=perimeter
    )


def _lock_assets_of_earlier_attempts(at: AssetAddress, entity: Entity, attempt: int) -> dict[int, Asset]:
    """The assets, by key, on which earlier attempts of the task have something to fail, and the one written to."""
    if not attempt:
        return {}
    earlier = _alive(registered_by(at.branch.perimeter, entity).filter(attempt__lt=attempt))
    assets = set(earlier.values_list("asset", flat=True))
    if not assets:
        return {}
    own = Asset.objects.at(at.branch.perimeter.name, at.branch.project, at.branch.key, at.kind, at.asset_id)
    return {asset.pk: asset for asset in _locked_all(assets.union(own.values_list("pk", flat=True)))}


def _supersede(perimeter: Perimeter, entity: Entity, attempt: int, assets: dict[int, Asset], actor: str) -> bool:
    """Fail what lower attempts of the task registered on these locked assets; say whether there is a higher one."""
    last = last_attempt(perimeter=perimeter.pk, kind=entity.kind, entity_id=entity.id)
    if last is None or last.attempt == attempt == 0:
        return False
    others = registered_by(perimeter, entity).exclude(attempt=None).exclude(attempt=attempt)
    known = set(others.values_list("attempt", flat=True))
    if any(other < attempt for other in known):
        rows = list(_alive(others.filter(attempt__lt=attempt, asset__in=assets)))
        _settle(rows, State.FAILED, f"superseded by attempt {attempt}", actor)
        _recount_newest(assets[key] for key in {row.asset_id for row in rows})
    return any(other > attempt for other in known)


def _alive(instances: InstanceQuerySet) -> InstanceQuerySet:
    return instances.exclude(state=State.FAILED)


@in_one_transaction
def confirm(
    *,
    actor: str,
    perimeter: Perimeter,
    entity: Entity,
    attempt: int | None,
    state: str,
    reason: str,
    uids: Iterable[str],
) -> list[Instance]:
    """Settle what a task attempt registered as pending; `uids` empty means all of it. Repeating it changes nothing."""
    mine = registered_by(perimeter, entity).filter(attempt=attempt, asset__deleted_at=None)
    if uids:
        mine = mine.filter(uid__in=uids)
    assets = _locked_all(set(mine.filter(state=State.PENDING).values_list("asset", flat=True)))
    pending = list(mine.filter(state=State.PENDING, asset__in=assets))
    if pending and attempt is not None:
        later = registered_by(perimeter, entity).filter(attempt__gt=attempt)
        if later.exists():
            state, reason = State.FAILED, "superseded by a later attempt"
    if pending:
        _settle(pending, State(state), reason, actor)
        _recount_newest(assets)
    return list(mine.select_related("asset__branch__project").order_by("pk"))


def _settle(instances: list[Instance], state: State, reason: str, actor: str) -> None:
    now = timezone.now()
    Instance.objects.filter(pk__in=[row.pk for row in instances]).update(
        state=state, state_reason=reason, settled_at=now
    )
    StateChange.objects.bulk_create(
        StateChange(instance=row, state=state, reason=reason, at=now, actor=actor) for row in instances
    )


def _recount_newest(assets: Iterable[Asset]) -> None:
    for asset in assets:
        right = newest_of(asset)
        Asset.objects.filter(pk=asset.pk).update(**right)
        for name, value in right.items():
            setattr(asset, name, value)


# Consuming


@in_one_transaction
def consume(
    *,
    actor: str,
    asset: Asset,
    instance: Instance | None,
    reference: str,
    entity: Entity,
    consumer_project: str = "",
    write_branch: str = "",
) -> None:
    """Record that an entity consumed an instance, or the definition (None). `write_branch` is a git name or key."""
    project = asset.branch.project
    component = component_of(perimeter_id=project.perimeter_id, project=consumer_project or project.name, entity=entity)
    key, name = branch_key(write_branch), write_branch
    _lock_consumption(asset, component, key)
    now = timezone.now()
    Consumption.objects.create(
        asset=asset,
        instance=instance,
        reference=reference,
        entity_kind=entity.kind,
        entity_id=entity.id,
        component=component,
        run=entity.run,
        write_branch=key,
        write_branch_name=name,
        at=now,
        actor=actor,
    )
    add_to_edge(
        asset=asset,
        component=component,
        direction=Edge.Direction.CONSUMES,
        write_branch=(key, name),
        entity=entity,
        instance=instance,
        at=now,
    )


def _lock_consumption(asset: Asset, component: Component, write_branch: str) -> None:
    """Lock the edge that a consumption adds to; before there is one, the asset, whose consumers will be one more."""
    edges = Edge.objects.filter(asset=asset, component=component, direction=Edge.Direction.CONSUMES)
    mine = edges.filter(write_branch=write_branch).select_for_update(no_key=True)
    if not mine.first():
        _locked_all([asset.pk])
        mine.first()


# Aliases

ANY = object()
"""No expectation of where an alias points."""


class AliasMoved(Conflict):
    """The alias does not point to where its mover expected."""


@in_one_transaction
def set_alias(*, actor: str, asset: Asset, name: str, target_uid: str, entity: Entity, expected: object = ANY) -> Alias:
    """Make or move an alias; `expected` is the id that it must point to now, None: it must not exist."""
    (asset,) = _locked_all([asset.pk])
    _expect(asset, name, expected)
    target = _alias_target(asset, target_uid)
    present = asset.alias_index.get(name, "")
    if not present and len(asset.alias_index) >= limits.ALIASES:
        raise BadRequest(f"The asset '{asset.asset_id}' has {limits.ALIASES} aliases; delete one first.", alias=name)
    now = timezone.now()
    alias, _ = Alias.objects.update_or_create(
        asset=asset,
        name=name,
        defaults={"instance": target, "updated_at": now, "entity_kind": entity.kind, "entity_id": entity.id},
    )
    _record_move(asset, name, to=target_uid, entity=entity, actor=actor)
    return alias


@in_one_transaction
def delete_alias(*, actor: str, asset: Asset, name: str, entity: Entity, expected: object = ANY) -> None:
    (asset,) = _locked_all([asset.pk])
    _expect(asset, name, expected)
    if name not in asset.alias_index:
        raise NotFound(f"The asset '{asset.asset_id}' has no alias '{name}'.", alias=name)
    Alias.objects.filter(asset=asset, name=name).delete()
    _record_move(asset, name, to="", entity=entity, actor=actor)


def _expect(asset: Asset, name: str, expected: object) -> None:
    present = asset.alias_index.get(name)
    if asset.deleted_at is not None:
        raise NotFound(f"The asset '{asset.asset_id}' was deleted.", asset=asset.asset_id)
    if expected is not ANY and present != expected:
        where = f"points to {present}" if present else "does not exist"
        hoped = f"to point to {expected}" if expected else "not to exist"
        raise AliasMoved(f"The alias '{name}' {where}; it was expected {hoped}.")


def _alias_target(asset: Asset, uid: str) -> Instance | None:
    if uid == asset.definition_uid:
        return None
    target = Instance.objects.filter(asset=asset, uid=uid).first()
    if target is None:
        raise NotFound(f"The asset '{asset.asset_id}' has no instance '{uid}'.", instance=uid)
    if target.state != State.READY:
        raise BadRequest(f"{target.ref} is {target.state}; an alias takes a ready instance only.", instance=uid)
    return target


def _record_move(asset: Asset, name: str, *, to: str, entity: Entity, actor: str) -> None:
    index = {key: uid for key, uid in asset.alias_index.items() if key != name} | ({name: to} if to else {})
    AliasMove.objects.create(
        asset=asset,
        name=name,
        from_uid=asset.alias_index.get(name, ""),
        to_uid=to,
        at=timezone.now(),
        entity_kind=entity.kind,
        entity_id=entity.id,
        actor=actor,
    )
    Asset.objects.filter(pk=asset.pk).update(alias_index=index)


# Definitions and deploys


@in_one_transaction
def declare(*, actor: str, at: AssetAddress, entity: Entity, declaration: Declaration, config_hash: str = "") -> Asset:
    """Declare one asset. The same hash again changes nothing."""
    asset = _locked(at)
    made = asset is None
    asset = asset or _made(at, actor)
    if not (config_hash and asset.config_hash == config_hash):
        _declare(asset, declaration.fields, config_hash=config_hash, entity=entity, actor=actor)
    _finish(asset.branch, at.branch, made=made, actor=actor)
    return asset


def _declare(asset: Asset, fields: Json, *, config_hash: str, entity: Entity, actor: str) -> None:
    now = timezone.now()
    for name, value in fields.items():
        setattr(asset, name, value)
    asset.config_hash, asset.declared_at = config_hash, now
    asset.declared_by_kind, asset.declared_by_id = entity.kind, entity.id
    asset.properties = effective_properties(asset)
    asset.save()
    DefinitionRevision.objects.create(
        asset=asset,
        declared=fields,
        config_hash=config_hash,
        at=now,
        actor=actor,
        entity_kind=entity.kind,
        entity_id=entity.id,
    )


@in_one_transaction
def deploy(
    *,
    actor: str,
    at: BranchAddress,
    entity: Entity,
    version_id: str,
    spec: Json,
    definitions: dict[tuple[str, str], Declaration],
) -> tuple[Branch, DeployOutcome]:
    """Declare all that a project declares on a branch, and post its spec; all of it or nothing."""
    outcome = DeployOutcome()
    branch = branch_at(at)
    live = Asset.objects.on_branch(branch)
    existing = {(asset.kind, asset.asset_id): asset for asset in _locked_all(live.values_list("pk", flat=True))}
    for key in sorted(definitions):
        declaration = definitions[key]
        asset = existing.get(key) or _made(AssetAddress(at, *key), actor)
        if asset.config_hash == declaration.digest:
            outcome.unchanged.append("/".join(key))
            continue
        (outcome.updated if key in existing else outcome.created).append("/".join(key))
        outcome.overridden += _beneath_overrides(asset, declaration)
        _declare(asset, declaration.fields, config_hash=declaration.digest, entity=entity, actor=actor)
    outcome.not_declared = ["/".join(key) for key in sorted(existing) if _is_left_out(existing[key], definitions)]
    _enrich_all(branch, spec, entity=entity, actor=actor)
    _finish(branch, at, made=bool(outcome.created), actor=actor)
    _post(branch, spec, version_id=version_id, actor=actor)
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
    return branch


def _post(branch: Branch, spec: Json, *, version_id: str, actor: str) -> None:
    _new_spec_version(branch, actor, version_id=version_id, document=json.dumps(spec))
    title = spec.get("title")
    if isinstance(title, str) and title:
        Project.objects.filter(pk=branch.project_id).update(title=title[: limits.NAME_LENGTH])


def _enrich_all(branch: Branch, spec: Json, *, entity: Entity, actor: str) -> None:
    """Give the definitions what the spec says anew of them. Only those are locked, and read again."""
    said = declarations(spec)
    differing = [asset.pk for asset in Asset.objects.on_branch(branch) if _news_of(asset, said)]
    for asset in _locked_all(differing):
        if asset.deleted_at is None and (news := _news_of(asset, said)):
            _enrich(asset, news, entity=entity, actor=actor)


def _news_of(asset: Asset, said: dict[tuple[str, str], Json]) -> Json:
    of_it = said.get((asset.kind, asset.asset_id), {})
    return {name: value for name, value in of_it.items() if getattr(asset, name) != value}


def _enrich(asset: Asset, news: Json, *, entity: Entity, actor: str) -> None:
    Asset.objects.filter(pk=asset.pk).update(**news)
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


@in_one_transaction
def delete_asset(*, actor: str, asset: Asset) -> None:
    """Take an asset out of every read, for good; its rows stay behind as a tombstone."""
    (locked,) = _locked_all([asset.pk])
    if locked.deleted_at is not None:
        raise NotFound(f"The asset '{asset.asset_id}' was deleted already.", asset=asset.asset_id)
    locked.deleted_at, locked.deleted_by = timezone.now(), actor
    locked.save(update_fields=["deleted_at", "deleted_by"])
    _count_assets(locked.branch)


# Properties edited by people


@in_one_transaction
def override_property(*, user: User | None, actor: str, asset: Asset, key: str, value: str) -> None:
    """Give a property a value that wins over what deploys declare, or add one that none declares."""
    (asset,) = _locked_all([asset.pk])
    if asset.overrides.filter(key=key, value=value).exists():
        return
    declared = asset.declared_properties.get(key)
    PropertyOverride.objects.update_or_create(
        asset=asset,
        key=key,
        defaults={"value": value, "declared_value": declared, "at": timezone.now(), "actor": actor},
    )
    _record_edit(asset, key, value, user, actor)


@in_one_transaction
def clear_override(*, user: User | None, actor: str, asset: Asset, key: str) -> None:
    """Give a property back to its declaration."""
    (asset,) = _locked_all([asset.pk])
    if asset.overrides.filter(key=key).delete()[0]:
        _record_edit(asset, key, None, user, actor)


def _record_edit(asset: Asset, key: str, value: str | None, user: User | None, actor: str) -> None:
    PropertyEdit.objects.create(
        asset=asset,
        key=key,
        old_value=asset.properties.get(key),
        new_value=value,
        declared_value=asset.declared_properties.get(key),
        at=timezone.now(),
        user=user,
        actor=actor,
    )
    Asset.objects.filter(pk=asset.pk).update(properties=effective_properties(asset))
