"""Which gates hold where: those declared last at an address, whatever was deleted and registered there since.

An asset keeps the revision that holds (`Asset.gates`), so that a move of an alias without gates asks nothing. The
recount finds it again here.
"""

from collections.abc import Collection

from django.db.models import Max
from django.db.models.expressions import RawSQL

from catalog.models import Asset, GateRevision, GateVerdict
from catalog.states import Outcome

NEWEST = """(
    SELECT CASE WHEN CAST(gates AS text) = '{}' THEN NULL ELSE id END FROM catalog_gaterevision
    WHERE branch_id = %s AND kind = %s AND asset_id = %s ORDER BY id DESC LIMIT 1
)"""
"""The key of the revision that holds at an address; null: none was declared there, or the newest has no gates."""


def newest_at(branch: int, kind: str, asset_id: str) -> RawSQL:
    """The key of the revision that holds at an address, for a column of a row that is made or changed."""
    return RawSQL(NEWEST, [branch, kind, asset_id])  # noqa: S611 (a constant text, whose values are given apart)


def gates_at(branch: int, kind: str, asset_id: str) -> GateRevision | None:
    """The revision that holds at an address; None: there are no gates."""
    declared = GateRevision.objects.filter(branch=branch, kind=kind, asset_id=asset_id)
    newest: GateRevision | None = declared.order_by("-id").first()
    return newest if newest and newest.gates else None


def were_declared(branch: int, kind: str, asset_id: str) -> bool:
    """Whether a deploy has spoken of gates at an address, were it to say that there are none."""
    return GateRevision.objects.filter(branch=branch, kind=kind, asset_id=asset_id).exists()


def are_lost(branch: int, kind: str, asset_id: str) -> bool:
    """Whether receipts tell that gates were asked at an address, of which a rebuilt catalogue knows none.

    It knows again with the next deploy that speaks of gates, were it to say that there are none.
    """
    at = {"branch": branch, "kind": kind, "asset_id": asset_id}
    replayed = GateVerdict.objects.filter(**at, outcome=Outcome.REPLAY, gates=None)
    return replayed.exists() and not were_declared(branch, kind, asset_id)


def gates_of_each(assets: Collection[Asset]) -> dict[int, int | None]:
    """The key of the revision that holds for each of these assets, by its key. A deleted one keeps what it has; it
    gets what holds at its address by then when it is recovered."""
    live = [asset for asset in assets if asset.deleted_at is None]
    declared = GateRevision.objects.filter(
        branch__in={asset.branch_id for asset in live}, asset_id__in={asset.asset_id for asset in live}
    )
    address = ("branch_id", "kind", "asset_id")
    last = declared.order_by().values(*address).annotate(last=Max("id")).values_list(*address, "last")
    newest = {(branch, kind, asset_id): pk for branch, kind, asset_id, pk in last}
    empty = set(GateRevision.objects.filter(pk__in=newest.values(), gates={}).values_list("pk", flat=True))
    found: dict[int, int | None] = {asset.pk: asset.gates_id for asset in assets}
    for asset in live:
        pk = newest.get((asset.branch_id, asset.kind, asset.asset_id))
        found[asset.pk] = None if pk in empty else pk
    return found
