"""What gates are told of a missed write: the receipt by which it was done before, or else what has to be known of it
before the locks are taken."""

from catalog.gates_in_force import are_lost
from catalog.models import Asset, Branch, MissedWrite
from catalog.reconciling.checking import checked_body
from catalog.reconciling.writes import NotYet
from catalog.recording import AssetAddress
from catalog.recording.gating import PLAIN, Wish
from catalog.recording.looked_up import with_card, with_card_of_copy
from catalog.recording.receipts import Act, Address, content_digest, is_promotion, verified
from catalog.wire.bodies import entity_of
from obproject.journal import Entry, Operation

LOST_GATES = (
    "Gates were asked of others here, but the catalogue does not have them any more. A deploy of the project brings "
    "them back, or takes them away; then this is judged."
)


def wish_of(row: MissedWrite, entry: Entry, at: AssetAddress) -> Wish:
    """How a write is wanted that gates may judge: as one that was done before, if its receipt is that of just it."""
    if entry.operation is Operation.SET_ALIAS:
        return _of_move(row, entry, at)
    annotations = entry.body.get("annotations")
    if entry.operation is Operation.REGISTER and isinstance(annotations, dict) and is_promotion(annotations):
        return _of_promotion(row, entry, at)
    return PLAIN


def _of_move(row: MissedWrite, entry: Entry, at: AssetAddress) -> Wish:
    body = checked_body(entry).validated_data
    target = body["instance_id"]
    if verified(row.receipt, Act.move(_place(at), entry.id, entry.alias, target, entity_of(body))):
        return Wish(receipt=row.receipt)
    _wait_for_gates(at)
    asset = Asset.objects.at(at.branch, at.kind, at.asset_id).with_place().first()
    return with_card(PLAIN, asset, entry.alias, target) if asset else PLAIN


def _of_promotion(row: MissedWrite, entry: Entry, at: AssetAddress) -> Wish:
    body = checked_body(entry)
    what = body.registration()
    if verified(row.receipt, Act.promotion(_place(at), entry.id, body.entity, content_digest(what))):
        return Wish(receipt=row.receipt)
    _wait_for_gates(at)
    return with_card_of_copy(PLAIN, at, what.annotations)


def _wait_for_gates(at: AssetAddress) -> None:
    """Raise NotYet where there were gates that the catalogue has lost: nobody can judge before a deploy."""
    branch = Branch.objects.at_place(at.branch).first()
    if branch and are_lost(branch.pk, at.kind, at.asset_id):
        raise NotYet(LOST_GATES)


def _place(at: AssetAddress) -> Address:
    branch = at.branch
    return branch.perimeter.name, branch.project, branch.key, at.kind, at.asset_id
