"""Setting, moving and deleting aliases, each move from an expected place if wanted."""

from datetime import datetime

from access.errors import BadRequest, Conflict, NotFound
from catalog import limits, news, outbox
from catalog.entities import Entity
from catalog.models import Alias, AliasMove, Asset, GateVerdict
from catalog.recording.gating import PLAIN, Judged, Wish, judge_move, keep_verdict, refuse_unless_passed, settle_refusal
from catalog.recording.places import in_one_transaction, locked_again, moment
from catalog.states import Outcome

ANY = object()
"""No expectation of where an alias points."""


class AliasMoved(Conflict):
    """The alias does not point to where its mover expected."""


@in_one_transaction
def set_alias(
    *,
    actor: str,
    asset: Asset,
    name: str,
    target_uid: str,
    entity: Entity,
    expected: object = ANY,
    uid: str = "",
    when: datetime | None = None,
    wish: Wish = PLAIN,
) -> Alias:
    """Make or move an alias, if its gates let it; `expected` is the id that it must point to now, None: it must not
    exist.

    `uid` is the id that the client gave the move; `when` is the past moment of a move that arrives only now; `wish`
    says why it is wanted. Raises GateRefused.
    """
    asset = locked_again(asset)
    _expect(asset, name, expected)
    judged = judge_move(asset, name, target_uid, wish)
    if name not in asset.alias_index and len(asset.alias_index) >= limits.ALIASES:
        raise BadRequest(f"The asset '{asset.asset_id}' has {limits.ALIASES} aliases; delete one first.", alias=name)
    refuse_unless_passed(judged, wish, actor=actor, entity=entity)
    at = moment(when)
    present = {"instance": judged.target, "updated_at": at, "entity_kind": entity.kind, "entity_id": entity.id}
    alias, _ = Alias.objects.update_or_create(
        asset=asset, name=name, defaults=present, create_defaults=present | {"branch_id": asset.branch_id}
    )
    verdict = keep_verdict(judged, wish, actor=actor, entity=entity, when=at)
    _record_move(asset, name, to=target_uid, at=at, entity=entity, actor=actor, uid=uid, verdict=verdict)
    _tell(judged, wish, actor, at)
    return alias


@in_one_transaction
def delete_alias(
    *,
    actor: str,
    asset: Asset,
    name: str,
    entity: Entity,
    expected: object = ANY,
    uid: str = "",
    when: datetime | None = None,
    wish: Wish = PLAIN,
) -> None:
    """Delete an alias; its history stays, with the comment of `wish`."""
    asset = locked_again(asset)
    _expect(asset, name, expected)
    if name not in asset.alias_index:
        raise NotFound(f"The asset '{asset.asset_id}' has no alias '{name}'.", alias=name)
    at = moment(when)
    gone = Judged(asset, name, "", None, asset.alias_index[name], Outcome.PASSED, at)
    Alias.objects.filter(asset=asset, name=name).delete()
    verdict = keep_verdict(gone, wish, actor=actor, entity=entity, when=at)
    _record_move(asset, name, to="", at=at, entity=entity, actor=actor, uid=uid, verdict=verdict)
    _tell(gone, wish, actor, at)


def _tell(judged: Judged, wish: Wish, actor: str, at: datetime) -> None:
    """Tell that an alias is elsewhere, or nowhere; a refusal to move it is in the past."""
    settle_refusal(judged)
    messages = news.alias_moved(
        judged.asset,
        judged.alias,
        target=judged.target,
        from_uid=judged.from_uid,
        to_uid=judged.uid,
        outcome=judged.outcome,
        rulings=judged.judgement.rulings,
        comment=wish.override or wish.comment,
        by=actor,
        at=at,
    )
    outbox.keep(messages)


def _expect(asset: Asset, name: str, expected: object) -> None:
    present = asset.alias_index.get(name)
    if asset.deleted_at is not None:
        raise NotFound(f"The asset '{asset.asset_id}' was deleted.", asset=asset.asset_id)
    if expected is not ANY and present != expected:
        where = f"points to {present}" if present else "does not exist"
        hoped = f"to point to {expected}" if expected else "not to exist"
        raise AliasMoved(f"The alias '{name}' {where}; it was expected {hoped}.")


def _record_move(
    asset: Asset,
    name: str,
    *,
    to: str,
    at: datetime,
    entity: Entity,
    actor: str,
    uid: str,
    verdict: GateVerdict | None = None,
) -> None:
    index = {key: uid for key, uid in asset.alias_index.items() if key != name} | ({name: to} if to else {})
    AliasMove.objects.create(
        asset=asset,
        name=name,
        from_uid=asset.alias_index.get(name, ""),
        to_uid=to,
        at=at,
        entity_kind=entity.kind,
        entity_id=entity.id,
        actor=actor,
        uid=uid or None,
        verdict=verdict,
    )
    Asset.objects.filter(pk=asset.pk).update(alias_index=index)
