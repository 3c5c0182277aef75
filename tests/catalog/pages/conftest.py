"""A team's catalogue: ada edits and vic reads in `alpha`, olga is at home in `beta` only."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Membership, Perimeter, Role
from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, Instance
from catalog.recording import AssetAddress, BranchAddress, Declaration, Registration
from obproject.branches import branch_key
from tests.built_once import built_once
from tests.tidied import tidied


@dataclass
class World:
    alpha: Perimeter
    beta: Perimeter
    people: dict[str, User]

    def client(self, name: str = "vic") -> Client:
        client = Client()
        client.force_login(self.people[name])
        return client

    def branch(self, name: str = "main", project: str = "churn", perimeter: Perimeter | None = None) -> BranchAddress:
        return BranchAddress(perimeter or self.alpha, project, branch_key(name), name)

    def register(self, asset: str, task: str = "TrainFlow/1/train/1", branch: str = "main", **said: Any) -> Instance:
        kind, asset_id = asset.split("/")
        at = self.branch(branch, said.pop("project", "churn"), said.pop("perimeter", None))
        what = Registration(**{"asset_kind": "artifact", **said})
        return recording.register(
            actor="ada", at=AssetAddress(at, kind, asset_id), entity=Entity("task", task), what=what
        )

    def consume(
        self, asset: str, who: str = "ScoreFlow/1/score/1", kind: str = "task", branch: str = "main", **how: Any
    ) -> None:
        found = self.asset(asset)
        recording.consume(
            actor="ada",
            asset=found,
            instance=found.newest_ready,
            reference="latest",
            entity=Entity(kind, who),
            write_branch=branch,
            **how,
        )

    def deploy(self, branch: str = "main", spec: dict[str, Any] | None = None, **definitions: Declaration) -> None:
        """`definitions` are named `models__churn_model`."""
        recording.deploy(
            actor="ci-bot",
            at=self.branch(branch),
            entity=Entity("ci", "obproject-deploy"),
            version_id="3f9c1ab2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6",
            spec=spec or {},
            definitions={tuple(name.split("__")): declaration for name, declaration in definitions.items()},
        )

    def alias(self, name: str, instance: Instance) -> None:
        asset = Asset.objects.get(pk=instance.asset_id)
        recording.set_alias(actor="ada", asset=asset, name=name, target_uid=instance.uid, entity=Entity("user", "ada"))

    def asset(self, asset: str, branch: str = "main") -> Asset:
        kind, asset_id = asset.split("/")
        return Asset.objects.get(kind=kind, asset_id=asset_id, branch__key=branch_key(branch), deleted_at=None)


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.MODE, settings.LOCAL_MODE = "team", False
    return built_once(team)


def team() -> World:
    alpha, beta = (Perimeter.objects.create(name=name) for name in ("alpha", "beta"))
    people = {name: User.objects.create(username=name) for name in ("ada", "vic", "olga")}
    for name, perimeter, role in (("ada", alpha, Role.EDITOR), ("vic", alpha, Role.VIEWER), ("olga", beta, Role.ADMIN)):
        Membership.objects.create(user=people[name], perimeter=perimeter, role=role)
    return World(alpha, beta, people)


@pytest.fixture
def vic(world: World) -> Client:
    """A viewer of alpha, signed in."""
    return world.client("vic")


@pytest.fixture
def full(world: World) -> World:
    built_once(fill, world)
    return world


def fill(world: World) -> None:
    """A model with three versions, aliases, a tag and consumers on two branches; a data asset; a definition."""
    for number in range(1, 4):
        made = world.register(
            "models/churn_model",
            f"TrainFlow/{number}/train/1",
            annotations={"accuracy": 0.9 + number / 100, "rows": 1000 * number, "note": "weekly"},
            tags={"env": "prod"},
        )
    world.alias("production", made)
    world.register("data/features", "FeatureFlow/1/build/1", annotations={"row_count": "48210"})
    world.deploy(
        spec={"title": "Churn prediction", "markdown": "# Who leaves"},
        models__small_llama=Declaration({"bedrock": "llama3-1-8b"}, name="Small Llama"),
    )
    world.consume("models/churn_model")
    world.consume("models/churn_model", branch="feature/new-model")
    world.consume("models/churn_model", "dashboard", kind="deployment")
    world.register("models/churn_model", branch="feature/new-model", annotations={"accuracy": 0.95})


def text_of(answer: Any) -> str:
    """The answer; a page without the places where names may break and the whitespace that can't be seen."""
    text = answer.content.decode().replace("<wbr>", "")
    return tidied(text) if "html" in answer["Content-Type"] else str(text)
