"""No sequence of calls, with the network cut at any point and whatever is replayed afterwards, passes by a rule."""

import random

import pytest

from catalog.counters import Recount
from catalog.models import AliasMove, Instance
from tests import lanes
from tests.catalog.gating.lives import Life
from tests.catalog.kept import Metaflow

pytestmark = [pytest.mark.slow, pytest.mark.both]


@pytest.fixture
def metaflow(tmp_path, monkeypatch):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))
    found = Metaflow(tmp_path / ".metaflow")
    found.root.mkdir()
    return found


@pytest.mark.parametrize("seed", lanes.worlds(range(60)))
def test_nothing_moves_past_a_rule(api, metaflow, seed):
    life = Life(api, metaflow, random.Random(seed))
    life.deploys()
    life.goes_on(25)
    life.reconciles()
    life.oracle.looks()
    assert Recount().run().corrections == []
    assert AliasMove.objects.exists() or Instance.objects.exists(), life.told
