"""Assets whose aliases are moved, on a branch with five rules for each alias and on one without any."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench import SMOKE
from bench.load import UNIQUE, message

PROJECT, RULED, FREE = "ruled", "main", "free"
MODELS, VERSIONS = (5, 12) if SMOKE else (60, 40)
RULES = ["auc >= 0.5", "auc >= @production - 0.1", "rows within 20% of @production", "card present", "not unusual"]
TASK = "RuledFlow/1/train/1"
CARDS = "cards"
"""The folder of the cards, within the home of the site."""
CARD = "mf.cards/RuledFlow/runs/1/steps/train/tasks/1/cards/default-abcdef0123456789.html"


def root_of_cards(home: str) -> str:
    return str(Path(home) / CARDS)


def uid_of(branch: str, place: int, number: int) -> str:
    return f"i_{branch == RULED:d}{place:09d}{number:010d}"


def moves(branch: str, perimeter: str, who: Mapping[str, str]) -> list[bytes]:
    """Each gives the last version but one of an asset a new alias, so that no move is a roll-back."""
    body = {"entity_ref": {"entity_kind": "task", "entity_id": TASK}}
    root = f"/v1/perimeters/{perimeter}/projects/{PROJECT}/branches/{branch}/models"
    return [
        message(
            "PUT",
            f"{root}/model_{place:03}/aliases/{UNIQUE}",
            who,
            body | {"instance_id": uid_of(branch, place, VERSIONS - 1)},
        )
        for place in range(MODELS)
    ]


def seed(perimeter: Any, begin: datetime) -> None:
    from catalog.models import Component, Project

    card = Path(root_of_cards(os.environ["ASSETSITE_HOME"])) / CARD
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text("<p>How it went.</p>")
    project = Project.objects.create(perimeter=perimeter, name=PROJECT, created_at=begin)
    flow = Component.objects.create(
        perimeter=perimeter, project_name=PROJECT, kind=Component.Kind.FLOW, name="RuledFlow"
    )
    for name in (RULED, FREE):
        _branch(project, name, flow, begin)


def _branch(project: Any, name: str, flow: Any, begin: datetime) -> None:
    from catalog.models import Alias, AliasMove, Asset, Branch, GateRevision, Instance

    branch = Branch.objects.create(project=project, key=name, git_name=name, created_at=begin)
    assets = [
        Asset(branch=branch, kind="models", asset_id=f"model_{place:03}", created_at=begin, declared_at=begin)
        for place in range(MODELS)
    ]
    by = {"at": begin, "actor": "bench", "entity_kind": "ci", "entity_id": "obproject-deploy"}
    for asset in assets:
        if name == RULED:
            at = {"branch": branch, "kind": asset.kind, "asset_id": asset.asset_id}
            asset.gates = GateRevision.objects.create(**at, **by, gates={"*": {"require": RULES}})
    Asset.objects.bulk_create(assets)
    rows = [row for place, asset in enumerate(assets) for row in _versions(asset, place, flow, begin)]
    Instance.objects.bulk_create(rows)
    held = {row.asset_id: row for row in rows if row.number == 3}
    who = {"name": "production", "entity_kind": "user", "entity_id": "ada"}
    Alias.objects.bulk_create(
        Alias(asset=asset, branch=branch, instance=held[asset.pk], updated_at=begin, **who) for asset in assets
    )
    AliasMove.objects.bulk_create(
        AliasMove(asset=asset, to_uid=held[asset.pk].uid, at=begin, actor="bench", **who) for asset in assets
    )


def _versions(asset: Any, place: int, flow: Any, begin: datetime) -> Iterator[Any]:
    from catalog.models import Instance
    from catalog.states import State

    for number in range(1, VERSIONS + 1):
        at = begin + timedelta(hours=number)
        yield Instance(
            asset=asset,
            uid=uid_of(asset.branch.key, place, number),
            number=number,
            state=State.READY,
            asset_kind="artifact",
            annotations={"auc": 0.8 + number % 7 / 1000, "rows": 900 + number % 5, "artifact": "model"},
            producer_kind="task",
            producer_id=TASK,
            component=flow,
            run="RuledFlow/1",
            datastore_type="local",
            datastore_root=root_of_cards(os.environ["ASSETSITE_HOME"]),
            created_at=at,
            settled_at=at,
            actor="bench",
        )
