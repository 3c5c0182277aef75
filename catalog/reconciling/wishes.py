"""What gates are told of a missed write: the receipt by which it was done before, or else what has to be known of it
before the locks are taken."""

from contextlib import suppress

from catalog.gates_in_force import are_lost, were_declared
from catalog.models import Asset, Branch, MissedWrite
from catalog.reconciling.checking import Unusable, checked_body, parsed
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

JUDGED = (Operation.SET_ALIAS, Operation.REGISTER)
GATED = "1:"
"""How receipts begin that tell of gates."""
MOST_LOOKED_AT = 20
"""How many receipts of others are looked at that may be forged."""


def wish_of(row: MissedWrite, entry: Entry, at: AssetAddress) -> Wish:
    """How a write is wanted that gates may judge: as one that was done before, if its receipt is that of just it."""
    if entry.operation is Operation.SET_ALIAS:
        return _of_move(row, entry, at)
    annotations = entry.body.get("annotations")
    if entry.operation is Operation.REGISTER and isinstance(annotations, dict) and is_promotion(annotations):
        return _of_promotion(row, entry, at)
    return PLAIN


def _of_move(row: MissedWrite, entry: Entry, at: AssetAddress) -> Wish:
    if verified(row.receipt, _act(entry, at)):
        return Wish(receipt=row.receipt)
    _wait_for_gates(row, at)
    asset = Asset.objects.at(at.branch, at.kind, at.asset_id).with_place().first()
    return with_card(PLAIN, asset, entry.alias, checked_body(entry).validated_data["instance_id"]) if asset else PLAIN


def _of_promotion(row: MissedWrite, entry: Entry, at: AssetAddress) -> Wish:
    if verified(row.receipt, _act(entry, at)):
        return Wish(receipt=row.receipt)
    _wait_for_gates(row, at)
    return with_card_of_copy(PLAIN, at, entry.body["annotations"])


def _act(entry: Entry, at: AssetAddress) -> Act:
    """What the receipt of a move, or of a promotion, is about."""
    body = checked_body(entry)
    if entry.operation is Operation.SET_ALIAS:
        said = body.validated_data
        return Act.move(_place(at), entry.id, entry.alias, said["instance_id"], entity_of(said))
    return Act.promotion(_place(at), entry.id, body.entity, content_digest(body.registration()))


def _wait_for_gates(row: MissedWrite, at: AssetAddress) -> None:
    """Raise NotYet where there were gates that the catalogue has lost: nobody can judge before a deploy."""
    branch = Branch.objects.at_place(at.branch).first()
    here = (branch.pk, at.kind, at.asset_id) if branch else None
    if here and were_declared(*here):
        return
    if (here and are_lost(*here)) or _others_were_judged(row, at):
        raise NotYet(LOST_GATES)


def _others_were_judged(row: MissedWrite, at: AssetAddress) -> bool:
    """Whether receipts of other missed writes of the address, which are not backfilled yet, tell that gates were
    asked."""
    here = MissedWrite.objects.filter(address=row.address, receipt__startswith=GATED).exclude(pk=row.pk)
    for other in here.order_by("at", "pk")[:MOST_LOOKED_AT]:
        with suppress(Unusable):
            entry = parsed(other.entry)
            if entry.operation in JUDGED and verified(other.receipt, _act(entry, at)):
                return True
    return False


def _place(at: AssetAddress) -> Address:
    branch = at.branch
    return branch.perimeter.name, branch.project, branch.key, at.kind, at.asset_id
