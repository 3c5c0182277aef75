"""A model whose moves into production need approvals, and people to give them."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User

from access.identity import Viewer
from access.models import Membership, Role
from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, Instance, PromotionRequest
from catalog.recording import AssetAddress, Declaration, Registration
from catalog.recording.approving import approve, ask
from tests.catalog.pages.conftest import World, team

TWO = {"production": {"require": ["auc >= 0.7"], "approvals": 2, "approvers": ["role:admin", "vic"]}}
ONE = {"production": {"require": ["auc >= 0.7"], "approvals": 1, "approvers": ["role:admin", "vic"]}}


@dataclass
class Desk:
    """A model with two versions that ci registered, the first in production; ann and bob are admins."""

    world: World
    versions: list[Instance]

    def viewer(self, name: str) -> Viewer:
        return Viewer(User.objects.get(username=name))

    @property
    def asset(self) -> Asset:
        return self.world.asset("models/churn_model")

    def declare(self, gates: Any) -> None:
        recording.declare(
            actor="ci-bot",
            at=AssetAddress(self.world.branch(), "models", "churn_model"),
            entity=Entity("ci", "obproject-deploy"),
            declaration=Declaration({}, gates=gates),
        )

    def ask(self, who: str = "ada", number: int = 2, **more: Any) -> PromotionRequest:
        uid = self.versions[number - 1].uid
        said = {"viewer": self.viewer(who), "asset": self.asset, "name": "production", "target_uid": uid}
        return ask(**(said | {"comment": "same holdout"} | more))

    def approve(self, who: str, request: PromotionRequest, comment: str = "") -> PromotionRequest:
        return approve(viewer=self.viewer(who), request=request, comment=comment)

    @property
    def holder(self) -> str:
        uid = self.asset.alias_index["production"]
        return next(version.ref for version in self.versions if version.uid == uid)


@pytest.fixture
def desk(db: None, settings: Any) -> Desk:
    settings.MODE, settings.LOCAL_MODE = "team", False
    world = team()
    for name, role in (("ann", Role.ADMIN), ("bob", Role.ADMIN), ("eve", Role.EDITOR)):
        Membership.objects.create(user=User.objects.create(username=name), perimeter=world.alpha, role=role)
    at = AssetAddress(world.branch(), "models", "churn_model")
    made = []
    for number, auc in ((1, 0.8), (2, 0.81)):
        what, entity = Registration("artifact", annotations={"auc": auc}), Entity("task", f"TrainFlow/{number}/train/1")
        made.append(recording.register(actor="ci-bot", at=at, entity=entity, what=what))
    desk = Desk(world, made)
    world.alias("production", made[0])
    desk.declare(TWO)
    return desk
