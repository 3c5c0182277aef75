"""Receipts: the catalogue's own word that it moved an alias, or promoted into a branch, at a moment.

The answer to such a write carries one, the journal of its task keeps it, and who replays the journal believes it
(`catalog/reconciling/`): what gates let pass once is not judged by those of another day. All that the write is goes
into the signature, so that a receipt proves nothing of any other write; it can't be made without the secret key.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.signing import BadSignature, Signer

from catalog.entities import Entity
from catalog.models import AliasMove, Asset, GateVerdict, Instance

Json = dict[str, Any]
Address = tuple[str, str, str, str, str]
"""Perimeter, project, key of the branch, kind and id of an asset."""
SALT = "catalog.recording.receipts"
VERSION = 1
RECEIPT = re.compile(r"(?P<gated>[01]):(?P<microseconds>[0-9]{1,17}):(?P<signature>[0-9A-Za-z_-]{1,128})", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PROMOTED = "promoted_from_"
"""How the annotations of a promoted one begin that say where it comes from."""


@dataclass(frozen=True)
class Act:
    """What a receipt is about. `content` is the digest of what was promoted; `alias` is empty for a promotion."""

    uid: str
    perimeter: str
    project: str
    branch: str
    """Its key."""
    kind: str
    asset: str
    alias: str
    target: str
    entity_kind: str
    entity_id: str
    content: str = ""

    @classmethod
    def move(cls, place: Address, uid: str, alias: str, target: str, entity: Entity) -> "Act":
        return cls(uid, *place, alias, target, entity.kind, entity.id)

    @classmethod
    def promotion(cls, place: Address, uid: str, entity: Entity, content: str) -> "Act":
        return cls(uid, *place, "", uid, entity.kind, entity.id, content)


@dataclass(frozen=True)
class Receipt:
    """What a receipt says: when the write was done, and whether gates were asked."""

    at: datetime
    gated: bool


def place_of(asset: Asset) -> Address:
    """The address of an asset, as receipts have it."""
    branch = asset.branch
    return branch.project.perimeter.name, branch.project.name, branch.key, asset.kind, asset.asset_id


def receipt_of_move(move: AliasMove) -> str:
    """The receipt of a move that was made; it is the same whenever it is asked for."""
    entity = Entity(move.entity_kind, move.entity_id)
    act = Act.move(place_of(move.asset), move.uid or "", move.name, move.to_uid, entity)
    return _signed(act, Receipt(move.at, _gated(move.verdict)))


def receipt_of_promotion(instance: Instance) -> str:
    """The same of a promotion, by what it made; none if that failed as it was made, which no gate has judged."""
    if instance.is_failed and instance.settled_at == instance.created_at:
        return ""
    entity = Entity(instance.producer_kind, instance.producer_id)
    act = Act.promotion(place_of(instance.asset), instance.uid, entity, content_digest(instance))
    return _signed(act, Receipt(instance.created_at, _gated(getattr(instance, "verdict", None))))


def is_promotion(annotations: Mapping[str, Any]) -> bool:
    """Whether a registration says that it comes from somewhere else, so that it is a promotion into its branch."""
    return any(key.startswith(PROMOTED) for key in annotations)


def verified(receipt: str, act: Act) -> Receipt | None:
    """What a receipt says, if it is that of this very write, by the secret key or one that the site had before."""
    said, found = read(receipt), RECEIPT.fullmatch(receipt)
    if said is None or found is None:
        return None
    try:
        Signer(salt=SALT).unsign(f"{_text(act, said)}:{found['signature']}")
    except BadSignature:
        return None
    return said


def read(receipt: str) -> Receipt | None:
    """What a receipt says, whoever made it; None if it is none."""
    found = RECEIPT.fullmatch(receipt)
    if found is None:
        return None
    return Receipt(EPOCH + timedelta(microseconds=int(found["microseconds"])), found["gated"] == "1")


def content_digest(what: Any) -> str:
    """The digest of what gates judge of an instance, or of a registration; of equal JSON it is equal."""
    parts = [what.asset_kind, what.description, what.annotations, what.tags, what.blobs]
    return hashlib.sha256(json.dumps(_as_said(parts), sort_keys=True).encode()).hexdigest()


def _gated(verdict: GateVerdict | None) -> bool:
    return verdict is not None and (verdict.gates_id is not None or bool(verdict.receipt))


def _signed(act: Act, said: Receipt) -> str:
    signature = Signer(salt=SALT).signature(_text(act, said))
    return f"{said.gated:d}:{_microseconds(said.at)}:{signature}"


def _text(act: Act, said: Receipt) -> str:
    return json.dumps([VERSION, *astuple(act), said.gated, _microseconds(said.at)])


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _as_said(value: Any) -> Any:
    """JSON in which each number has one spelling: PostgreSQL writes 1e23 as a whole number, and clients 1 as 1.0."""
    match value:
        case dict():
            return {key: _as_said(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_as_said(inner) for inner in value]
        case bool():
            return value
        case int():
            return _as_float(value)
        case float():
            return value + 0.0  # there is no negative zero in PostgreSQL
    return value


def _as_float(number: int) -> int | float:
    """The float that is written like this whole number; itself if there is none."""
    try:
        near = float(number)
    except OverflowError:
        return number
    return near if Decimal(repr(near)) == number else number
