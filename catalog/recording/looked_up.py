"""What has to be known of a version before the locks are taken: the gates in force, and whether it has a card."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.gates.declared import Gate
from catalog.gates.rules import CardPresent
from catalog.gates_in_force import gates_at
from catalog.models import Asset, Branch, Instance
from catalog.own_cards import card_of
from catalog.recording.gating import Wish, gate_for, gates_of, source_of
from catalog.recording.places import AssetAddress
from catalog.recording.receipts import is_promotion
from catalog.statements import own_instance


def with_card(wish: Wish, asset: Asset, name: str, target_uid: str) -> Wish:
    """A wish to move an alias, with what is known of a card, if a rule asks for one."""
    revision, gates = gates_of(asset, wish)
    wish = replace(wish, known=revision)
    if not _asks(gate_for(gates, name)) or asset.alias_index.get(name) == target_uid:
        return wish
    target = own_instance.one(asset=asset.pk, uid=target_uid)
    return replace(wish, card=card_of(target, asset.branch.project.perimeter.name))


def with_card_of_copy(wish: Wish, at: AssetAddress, annotations: Mapping[str, Any]) -> Wish:
    """The same of a registration with these annotations: of a copy, as only its gates can ask for a card."""
    if wish.card is not None or not is_promotion(annotations):
        return wish
    asset = promoted_to(at)
    revision, gates = gates_of(asset, wish) if asset else (None, None)
    wish = replace(wish, known=revision)
    if not _asks(gate_for(gates, "")):
        return wish
    source = source_of(annotations)
    here = Instance.objects.of(at.branch.perimeter)
    whole = here.filter(pk=source.pk).first() if source else None
    return replace(wish, card=card_of(whole, at.branch.perimeter.name)) if whole else wish


def promoted_to(at: AssetAddress) -> Asset | None:
    """The asset at an address, or one as it would be made there; None: there is no branch."""
    live: Asset | None = Asset.objects.at(at.branch, at.kind, at.asset_id).with_place().first()
    branch = None if live else Branch.objects.at_place(at.branch).select_related("project__perimeter").first()
    if branch is None:
        return live
    gates = gates_at(branch.pk, at.kind, at.asset_id)
    return Asset(branch=branch, kind=at.kind, asset_id=at.asset_id, gates=gates)


def _asks(gate: Gate | None) -> bool:
    return gate is not None and any(isinstance(rule, CardPresent) for rule in (*gate.require, *gate.warn))
