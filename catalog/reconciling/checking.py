"""Check a journal entry like a request that its client sends now: the same bodies, limits and names."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from access.errors import BadRequest, SiteError
from access.models import Perimeter
from catalog.branch_keys import own_key
from catalog.reading import Place, checked_asset_id
from catalog.reconciling.sources import Source
from catalog.recording import AssetAddress, BranchAddress
from catalog.states import Kind
from catalog.wire.bodies import AliasBody, Body, ConsumptionBody, EntityRefBody, RegistrationBody, RunMembers
from catalog.wire.highlight_bodies import HighlightBody
from catalog.wire.parsing import MAY_BE_LEFT_OUT, check_storable, without
from obproject.branches import branch_key, check_alias, former_keys
from obproject.journal import Entry, Operation, parse_entry

ID_LENGTH = 64


class Unusable(Exception):
    """The entry can't be backfilled; the message is the reason, as a sentence."""


class RemovalBody(Body):
    """The body of a journal entry for the deletion of an alias."""

    entity_ref = EntityRefBody()


BODIES: dict[Operation, type[Body]] = {
    Operation.REGISTER: RegistrationBody,
    Operation.CONSUME: ConsumptionBody,
    Operation.SET_ALIAS: AliasBody,
    Operation.DELETE_ALIAS: RemovalBody,
    Operation.HIGHLIGHT: HighlightBody,
}


def parsed(text: str) -> Entry:
    """The entry in the text of a datum; raises `Unusable`."""
    try:
        entry = parse_entry(text)
        lenient = MAY_BE_LEFT_OUT if issubclass(BODIES.get(entry.operation, Body), RunMembers) else ()
        at = ("id", "perimeter", "project", "branch", "kind", "asset", "instance", "alias")
        check_storable({name: getattr(entry, name) for name in at})
        check_storable(without(entry.body, lenient))
    except (ValueError, OverflowError, RecursionError) as error:
        raise Unusable(f"It is no entry: {error}.") from None
    except SiteError as error:
        raise Unusable(error.message) from None
    return entry


def address_of(entry: Entry) -> str:
    """The address of the asset in `MissedWrite` rows."""
    return f"{entry.perimeter}/{entry.project}/{branch_key(entry.branch)}/{entry.kind}/{entry.asset}"


def asset_address(entry: Entry, source: Source, perimeters: Mapping[str, Perimeter]) -> AssetAddress:
    """The address to write to, if the source may write there; that of a highlight has no asset."""
    if not source.allows(entry.perimeter):
        allowed = ", ".join(sorted(source.perimeters))
        raise Unusable(f"It names the perimeter '{entry.perimeter}', but its source may write into {allowed} only.")
    perimeter = perimeters.get(entry.perimeter)
    if perimeter is None:
        raise Unusable(f"There is no perimeter '{entry.perimeter}'.")
    of_no_asset = entry.operation is Operation.HIGHLIGHT
    if entry.kind not in Kind.values and not of_no_asset:
        raise Unusable(f"'{entry.kind}' is neither data nor models.")
    try:
        place = Place.of(entry.perimeter, entry.project, entry.branch)
        asset_id = "" if of_no_asset else checked_asset_id(entry.asset)
    except BadRequest as error:
        raise Unusable(error.message) from None
    name = _branch_name(entry, place.key)
    key = own_key(perimeter.pk, place.project, name or entry.branch)
    return AssetAddress(BranchAddress(perimeter, place.project, key, name, entry.branch), entry.kind, asset_id)


def _branch_name(entry: Entry, key: str) -> str:
    name = entry.body.get("branch_name") if entry.operation in (Operation.REGISTER, Operation.HIGHLIGHT) else ""
    if name and (not isinstance(name, str) or key not in (branch_key(name), *former_keys(name))):
        raise Unusable(f"The branch name in its body, {name!r}, is not that of its address.")
    return name or ""


def checked_body(entry: Entry) -> Any:
    """The body of the entry, checked by the serializer of the API."""
    body: Any = BODIES[entry.operation](data=dict(entry.body), context={"kind": entry.kind})
    try:
        body.is_valid(raise_exception=True)
    except ValidationError as error:
        raise Unusable(f"Its body is not valid: {_flat(error.detail)}") from None
    return body


def checked_names(entry: Entry) -> None:
    """Check the names that a request has in its address and not in its body."""
    if len(entry.instance) > ID_LENGTH or (entry.operation is Operation.CONSUME and not entry.instance):
        raise Unusable("It names no instance.")
    if entry.operation in (Operation.SET_ALIAS, Operation.DELETE_ALIAS):
        try:
            check_alias(entry.alias)
        except ValueError as error:
            raise Unusable(f"{error}.") from None


def _flat(detail: Any) -> str:
    """The errors of a serializer in one line, each behind the name of its member."""
    if isinstance(detail, dict):
        return "; ".join(f"{name}: {_flat(inner)}" for name, inner in detail.items())
    if isinstance(detail, list):
        return " ".join(map(_flat, detail))
    return str(detail)
