"""Where a write goes: the branch and the asset at an address, made on first use, and the locks that order writers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from access.errors import Conflict
from access.models import Perimeter
from catalog.branch_keys import KnownByOtherKey, claim_keys, look_elsewhere, refuse_if_shared
from catalog.gates_in_force import newest_at
from catalog.models import Asset, Branch, BranchName, Project
from catalog.name_starts import add_names, keep_names
from catalog.outbox import hear_anew
from catalog.statements import locked_asset_at, locked_assets
from catalog.states import Kind
from obproject.branches import MAIN_BRANCHES, branch_key, former_keys, is_same_name, is_unnamed

MAKING_TRIES = 5
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
in_one_transaction = transaction.atomic(savepoint=False)


@dataclass(frozen=True)
class BranchAddress:
    """Where a branch is, whether or not it exists yet.

    `name` is its git name as written, if the client said it; `written` what an address or a spec calls it, which may be
    its key.
    """

    perimeter: Perimeter
    project: str
    key: str
    name: str = ""
    written: str = ""

    @property
    def called(self) -> str:
        return self.name or self.written or self.key


@dataclass(frozen=True)
class AssetAddress:
    branch: BranchAddress
    kind: str
    asset_id: str


def moment(when: datetime | None) -> datetime:
    """Now, or the past moment at which a client did what arrives only now; its clock may be wrong."""
    now = timezone.now()
    return now if when is None else min(max(when, EARLIEST), now)


def locked(at: AssetAddress) -> Asset | None:
    """The live asset at the address, locked for this transaction."""
    branch = at.branch
    asset = locked_asset_at.one(
        perimeter=branch.perimeter.pk, project=branch.project, key=branch.key, kind=at.kind, asset_id=at.asset_id
    )
    if asset:
        asset.branch.project.perimeter = branch.perimeter
    return asset


def locked_all(pks: Iterable[int]) -> list[Asset]:
    keys = list(pks)
    return locked_assets.all(pks=keys) if keys else []


def locked_again(asset: Asset) -> Asset:
    """An asset that was found, locked for this transaction, as it is by now; with the place that was read with it."""
    (locked,) = locked_all([asset.pk])
    if "branch" in asset._state.fields_cache:
        locked.branch = asset.branch
    return locked


def make_asset(at: AssetAddress, actor: str, when: datetime | None = None) -> Asset:
    """A new asset at the address, locked; another writer may make it, and even delete it, faster by a hair.

    It has the gates of its address. The caller adds its names, once it has all of them.
    """
    branch, made_at = branch_at(at.branch, when), moment(when)
    for _ in range(MAKING_TRIES):
        new = Asset(
            branch=branch,
            kind=at.kind,
            asset_id=at.asset_id,
            created_at=made_at,
            created_by=actor,
            gates_id=newest_at(branch.pk, at.kind, at.asset_id),
        )
        Asset.objects.bulk_create([new], ignore_conflicts=True)
        if asset := locked(at):
            return asset
    raise Conflict(f"The asset '{at.asset_id}' is being deleted again and again; try later.", asset=at.asset_id)


def finish(branch: Branch, at: BranchAddress, *, made: bool, actor: str) -> None:
    """What a write changes on the branch itself: its name, and its counters if assets were made."""
    if at.name:
        _name_branch(branch, at.name, actor)
    else:
        refuse_if_shared(branch)
    if made:
        count_assets(branch)


def count_assets(branch: Branch) -> None:
    """Bring the branch's counters up to date after assets came or went."""
    branch = Branch.objects.select_for_update(no_key=True).get(pk=branch.pk)
    counts = dict(Asset.objects.on_branch(branch).values_list("kind").annotate(Count("pk")))
    branch.data_count, branch.models_count = counts.get(Kind.DATA, 0), counts.get(Kind.MODELS, 0)
    branch.save(update_fields=["data_count", "models_count"])


def branch_at(at: BranchAddress, when: datetime | None = None) -> Branch:
    """The branch at the address, made if this is its first use; KnownByOtherKey if it is at another one."""
    found = Branch.objects.select_related("project").filter(project__perimeter=at.perimeter, project__name=at.project)
    branch: Branch | None = found.filter(key=at.key).first()
    if branch is None:
        return _made_branch(at, moment(when))
    if not at.name and branch_key(at.called) != at.key:
        claim_keys(branch, at.called)
    return branch


def _made_branch(at: BranchAddress, now: datetime) -> Branch:
    """A new branch. One at a time is made in a project, so that names of one key do not miss each other.

    Whoever finds that another write has made it meanwhile gives the lock of the project back (by a savepoint): the
    order of locks is branch, then project, but for a branch that nobody else can see yet.
    """
    project, is_new = Project.objects.get_or_create(
        perimeter=at.perimeter, name=at.project, defaults={"created_at": now}
    )
    if is_new:
        add_names(project)
        hear_anew(project)
    try:
        with transaction.atomic():
            return _first_in(project, at, now)
    except _MadeMeanwhile:
        branch: Branch = Branch.objects.select_related("project").get(project=project, key=at.key)
        return branch


class _MadeMeanwhile(Exception):
    """Another write was faster."""


def _first_in(project: Project, at: BranchAddress, now: datetime) -> Branch:
    _lock(project)
    look_elsewhere(at.perimeter.pk, at.project, at.key)
    _look_for_unnamed(project, at)
    own_name = at.key if at.key in MAIN_BRANCHES else ""
    branch, is_new = Branch.objects.get_or_create(
        project=project, key=at.key, defaults={"git_name": own_name, "created_at": now}
    )
    if not is_new:
        raise _MadeMeanwhile
    add_names(branch)
    claim_keys(branch, at.called)
    return branch


def _look_for_unnamed(project: Project, at: BranchAddress) -> None:
    """Raise KnownByOtherKey if another client has made the branch by its rule, and nobody has named it."""
    for key in former_keys(at.called):
        if Branch.objects.filter(project=project, key=key, git_name="").exists():
            raise KnownByOtherKey(at.called, key)


def _lock(project: Project) -> None:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _name_branch(branch: Branch, name: str, actor: str) -> None:
    """Adopt the first real git name of a branch; refuse a second one."""
    if is_same_name(branch.git_name, name) or is_unnamed(name):
        return
    if Branch.objects.filter(pk=branch.pk, git_name="").update(git_name=name):
        BranchName.objects.create(branch=branch, git_name=name, at=timezone.now(), actor=actor)
        branch.git_name = name
        keep_names(branch)
        if former_keys(name):
            _lock(branch.project)
            claim_keys(branch, name)
        return
    branch.refresh_from_db(fields=["git_name"])
    if branch_key(name) not in (branch.key, branch_key(branch.git_name)):
        raise KnownByOtherKey(name, branch_key(name))  # another name was faster here by a hair
    if not is_same_name(branch.git_name, name):
        raise Conflict(
            f"The branches '{branch.git_name}' and '{name}' both have the key '{branch.key}'. "
            f"It belongs to '{branch.git_name}'; rename the other.",
            branch=name,
            taken_by=branch.git_name,
            key=branch.key,
        )
