"""Gates for a world, and people to move its aliases."""

from typing import Any

from django.test import Client
from django.utils import timezone

from access.models import Membership, Role
from catalog.gates.declared import checked
from catalog.models import Asset, GateRevision
from tests.catalog.pages.conftest import World

MODEL = "/alpha/churn/main/models/churn_model"


def declare(world: World, gates: dict[str, Any], asset: str = "models/churn_model", branch: str = "main") -> Asset:
    """Gates of an asset, as a deploy declares them; the asset with them."""
    found = world.asset(asset, branch)
    row = GateRevision.objects.create(
        branch=found.branch,
        kind=found.kind,
        asset_id=found.asset_id,
        gates=checked(gates, "asset_config.toml"),
        source="asset_config.toml",
        version_id="6a20eaa1b2c3",
        at=timezone.now(),
        actor="ci-bot",
        entity_kind="ci",
        entity_id="obproject-deploy",
    )
    Asset.objects.filter(pk=found.pk).update(gates=row)
    return world.asset(asset, branch)


def admin(world: World, name: str = "ada") -> Client:
    """A person, who is an admin from now on."""
    Membership.objects.filter(user=world.people[name], perimeter=world.alpha).update(role=Role.ADMIN)
    return world.client(name)


def hidden(world: World, to: int, asset: str = "models/churn_model", alias: str = "production") -> dict[str, str]:
    """What the form of a move sends along, as its page has it now."""
    found = world.asset(asset)
    uid = found.instances.get(number=to).uid
    return {"instance": uid, "expected": found.alias_index.get(alias, "")}
