"""Find one thing by its address, for the API and pages; `NotFound` names the part that is missing."""

from dataclasses import dataclass

from access.errors import BadRequest, NotFound
from access.identity import Viewer
from catalog.branch_keys import look_elsewhere
from catalog.models import Asset, Branch, Instance, Project, Run
from catalog.statements import (
    asset_at,
    branch_at,
    first_equal,
    instance_by_id,
    instance_by_number,
    run_named,
    whole_asset_at,
)
from catalog.states import DEFAULT_STATES, Kind, State
from obproject.branches import branch_key, check_asset_id, check_branch, check_project
from obproject.references import Reference, ReferenceKind, parse_reference

NAMES = {Kind.DATA.value: "data asset", Kind.MODELS.value: "model"}


@dataclass(frozen=True)
class Place:
    """The names in an address, checked and normalised; the branch need not exist. `written` is its name as given."""

    perimeter: str
    project: str
    key: str
    written: str = ""

    @classmethod
    def of(cls, perimeter: str, project: str, branch: str) -> "Place":
        try:
            name = check_branch(branch)
            return cls(perimeter, check_project(project), branch_key(name), name)
        except ValueError as error:
            raise BadRequest(_sentence(error)) from None


@dataclass(frozen=True)
class Resolved:
    """A resolved reference: an instance of an asset, or (`instance` None) the definition itself."""

    asset: Asset
    instance: Instance | None

    @property
    def uid(self) -> str:
        return self.instance.uid if self.instance else self.asset.definition_uid


def checked_asset_id(text: str) -> str:
    try:
        return check_asset_id(text)
    except ValueError as error:
        raise BadRequest(_sentence(error), asset=text) from None


class AllDeprecated(NotFound):
    """`latest` of an asset whose ready versions are all deprecated. Not even its definition stands for them."""

    code = "all_deprecated"


def parsed_reference(text: str) -> Reference:
    try:
        return parse_reference(text)
    except ValueError as error:
        raise BadRequest(_sentence(error), instance=text) from None


def find_branch(viewer: Viewer, place: Place) -> Branch:
    """The branch with its newest deploy."""
    perimeter = viewer.require(place.perimeter)  # what is in a perimeter is visible to whom the perimeter is
    branch = branch_at.one(perimeter=perimeter.pk, project=place.project, key=place.key)
    if branch is None:
        raise _missing(viewer, place)
    branch.project.perimeter = perimeter
    return branch


def find_asset(viewer: Viewer, place: Place, kind: str, asset_id: str, *, whole: bool = True) -> Asset:
    """The live asset with its newest instances and their producers; not `whole`: with the newest ready one only."""
    perimeter = viewer.require(place.perimeter)  # what is in a perimeter is visible to whom the perimeter is
    find = whole_asset_at if whole else asset_at
    asset = find.one(
        perimeter=perimeter.pk,
        project=place.project,
        key=place.key,
        kind=kind,
        asset_id=checked_asset_id(asset_id),
    )
    if asset is None:
        raise _missing(viewer, place, kind, checked_asset_id(asset_id))
    asset.branch.project.perimeter = perimeter
    return asset


def find_instance(asset: Asset, text: str, states: tuple[str, ...] = ()) -> Resolved:
    """Resolve a reference: to an instance, or to the definition if there is no ready one or its own id is given."""
    reference = parsed_reference(text)
    if reference.kind == ReferenceKind.LATEST and not reference.offset:
        return _latest(asset, states)
    target = asset.alias_index.get(reference.alias) if reference.kind == ReferenceKind.ALIAS else reference.id
    if target == asset.definition_uid:
        return Resolved(asset, None)
    instance = _meant(asset, reference, target, states)
    if instance is None:
        if reference.kind == ReferenceKind.LATEST and asset.all_deprecated:
            raise _all_deprecated(asset, text)
        raise _no_instance(asset, text, reference)
    return Resolved(asset, instance)


def _meant(asset: Asset, reference: Reference, uid: str | None, states: tuple[str, ...]) -> Instance | None:
    """What a reference means, by a number or an id in any state; `uid` is that of an alias or an id."""
    if reference.kind == ReferenceKind.LATEST:
        latest: Instance | None = Instance.objects.latest_but(reference.offset, asset, states)
        return latest
    if reference.kind == ReferenceKind.NUMBER:
        return instance_by_number.one(asset=asset.pk, number=reference.number)
    return instance_by_id.one(asset=asset.pk, uid=uid) if uid else None


def first_with_content_of(instance: Instance) -> dict[int, str]:
    """As `InstanceQuerySet.first_with_content_of` of one instance."""
    if not instance.digest or instance.state == State.FAILED:
        return {}
    (number,) = first_equal.one(asset=instance.asset_id, digest=instance.digest) or (None,)
    return {instance.pk: f"v{number}"} if number and number < instance.number else {}


def run_of(asset: Asset, instance: Instance) -> Run | None:
    """What is known of the run or the session that made an instance; None if nothing is."""
    perimeter = asset.branch.project.perimeter_id
    return run_named.one(perimeter=perimeter, name=instance.run) if instance.run else None


def _latest(asset: Asset, states: tuple[str, ...]) -> Resolved:
    shown = asset.newest_ready
    if states:
        shown = Instance.objects.latest_but(0, asset, states)
    if shown is None and asset.all_deprecated:
        raise _all_deprecated(asset, "latest")
    if shown is not None or (asset.is_declared and (not states or State.READY in states)):
        return Resolved(asset, shown)
    newest = asset.newest
    wanted = " or ".join(states or DEFAULT_STATES)
    so_far = f"; its newest, {newest.ref}, is {newest.state}" if newest else ""
    raise NotFound(
        f"The {NAMES[asset.kind]} '{asset.asset_id}' has no {wanted} instance{so_far}.",
        asset=asset.asset_id,
        instance="latest",
    )


def _all_deprecated(asset: Asset, reference: str) -> AllDeprecated:
    found = Instance.objects.of(asset).exclude(deprecation=None).select_related("deprecation")
    newest = found.only("number", "created_at", "deprecation__reason", "deprecation__actor").latest_first()[0]
    return AllDeprecated(
        f"Every ready version of the {NAMES[asset.kind]} '{asset.asset_id}' is deprecated, so there is no latest one. "
        f"{newest.deprecation.actor} deprecated the newest, {newest.ref}: {newest.deprecation.reason}",
        asset=asset.asset_id,
        instance=reference,
        newest=newest.ref,
        reason=newest.deprecation.reason,
    )


def _no_instance(asset: Asset, text: str, reference: Reference) -> NotFound:
    if reference.kind == ReferenceKind.ALIAS:
        message = f"The {NAMES[asset.kind]} '{asset.asset_id}' has no alias '{reference.alias}'."
        return NotFound(message, asset=asset.asset_id, alias=reference.alias)
    newest = f"; its newest is v{asset.last_number}" if asset.last_number else ""
    message = f"The {NAMES[asset.kind]} '{asset.asset_id}' has no instance '{text}'{newest}."
    return NotFound(message, asset=asset.asset_id, instance=text)


def _missing(viewer: Viewer, place: Place, kind: str = "", asset_id: str = "") -> NotFound:
    """The error for an address: it names the part that is unknown, as far as the viewer may know.

    Raises KnownByOtherKey if the branch is found by a further key.
    """
    look_elsewhere(viewer.require(place.perimeter).pk, place.project, place.key)
    if not Project.objects.visible_to(viewer).in_perimeter(place.perimeter).filter(name=place.project).exists():
        where = f"the perimeter '{place.perimeter}'"
        return NotFound(f"There is no project '{place.project}' in {where}.", project=place.project)
    branch = Branch.objects.visible_to(viewer).at_place(place).first()
    if branch is None:
        name = place.written or place.key
        return NotFound(f"There is no branch '{name}' in the project '{place.project}'.", branch=place.key)
    missing = f"There is no {NAMES[kind]} '{asset_id}' on {place.project}/{branch.name}"
    other = next(one for one in Kind if one.value != kind)
    if Asset.objects.visible_to(viewer).at(place, other.value, asset_id).exists():
        return NotFound(
            f"{missing}, but there is a {NAMES[other.value]} of that name.", asset=asset_id, exists_as=other.value
        )
    return NotFound(f"{missing}.", asset=asset_id)


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
