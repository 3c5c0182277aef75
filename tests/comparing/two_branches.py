"""A catalogue with two branches of a project: main, and one with a model that is trained on features of its own."""

import pytest

from catalog import recording
from catalog.entities import Entity
from catalog.recording import Declaration
from tests.built_once import built_once

FEATURE = "feature/x"
MODEL, DATA, HOLDOUT = "models/churn_model", "data/features", "data/holdout"


def consume(world, asset, run, branch, at="main", role=None):
    """The newest version of an asset on `at` is read by a run that writes to `branch`."""
    row = world.asset(asset, at)
    recording.consume(
        actor="ada",
        asset=row,
        instance=row.newest_ready,
        reference="latest",
        entity=Entity("task", f"{run}/start/1"),
        write_branch=branch,
        role=role,
    )


def trained(world, run, branch, reads, auc, holdout=HOLDOUT):
    """A model that was trained on some data and measured on a holdout."""
    for asset, at in reads:
        consume(world, asset, run, branch, at)
    if holdout:
        consume(world, holdout, run, branch, role="evaluation")
    return world.register(MODEL, f"{run}/train/1", branch, annotations={"auc": auc, "seconds": 4})


@pytest.fixture
def churn(world):
    built_once(train, world)
    return world


def train(world):
    """main has a model with five versions; on the branch another is trained on features of its own."""
    world.register(HOLDOUT, "DataFlow/1/split/1", annotations={"rows": 225})
    world.register(DATA, "FeatureFlow/1/build/1", annotations={"rows": 900})
    for number in range(1, 8):
        trained(world, f"TrainFlow/{number}", "main", [(DATA, "main")], 0.79 + number / 1000)
    world.register("data/interactions", "FeatureFlow/20/build/1", FEATURE, annotations={"rows": 900, "columns": 6})
    trained(world, "TrainFlow/21", FEATURE, [("data/interactions", FEATURE)], 0.85)


def declare(world, branch, *names):
    """A deploy that declares these assets."""
    spec = {"data": [], "models": []}
    for name in names:
        kind, asset_id = name.split("/")
        spec[kind].append({"id": asset_id})
    said = {name.replace("/", "__"): Declaration({"owner": "ada"}) for name in names}
    world.deploy(branch, spec, **said)
