"""Every arrow between two nodes shown is shown: in each question, in each form, in random worlds, by the oracle."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.db import transaction

from catalog.models import Asset, Branch
from lineage import questions
from lineage.answers import Answer
from lineage.drawing import PageBranch, picture_of
from lineage.drawing.standalone import standalone
from lineage.exports import EXPORTS
from lineage.graph import Kind
from tests.lanes import worlds
from tests.lineage.checks import is_shown, some, true_label, unhidden, visible, wire
from tests.lineage.exports import test_graphviz, test_mermaid
from tests.lineage.exports.examples import SITE
from tests.lineage.exports.test_worlds import path_of_asset, path_of_component, told
from tests.lineage.oracle import ByInstance, Component, Graph, by_component
from tests.lineage.pages.conftest import drawn
from tests.lineage.test_against_oracle import (
    DIRECTIONS,
    FAR,
    ROLES,
    found,
    pairs_of,
    scope,
    seen_by_component,
    things_of,
)
from tests.lineage.worlds import VISIBLE, Definition, World, made

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=worlds(range(2, 32)), ids="seed{}".format)
def world(request, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield made(request.param)
        transaction.set_rollback(True)


def answers(world: World, chance: random.Random) -> Iterator[tuple[Answer, Graph]]:
    """Answers by component, some of them within a small budget, and the whole graph that each is a part of."""
    for at in world.moments(chance, 1):
        roles, budget = chance.choice(ROLES), chance.choice([4, 9, FAR])
        truth = by_component(world.events, at, roles)
        asked = scope(at, chance.choice(DIRECTIONS), chance.choice([1, 2, 3]), budget, roles=roles)
        for focus in some(chance, seen_by_component(truth), 3):
            yield questions.around(world.viewer, wire(world, focus), asked), truth
            yield questions.impact(world.viewer, wire(world, focus), asked), truth
        for source, target in pairs_of(chance, truth, 3):
            yield questions.paths(world.viewer, wire(world, source), wire(world, target), asked), truth
        for branch in Branch.objects.filter(project__perimeter__name__in=VISIBLE):
            yield questions.across(world.viewer, branch, asked), truth


def arrows_of(world: World, answer: Answer, truth: Graph) -> set[tuple[str, str]]:
    """The true arrows between any two nodes that an answer shows by name, as pairs of labels."""
    shown = [node for node in visible(truth.nodes) if is_shown(world, answer, node, truth)]
    labels = {node: true_label(world, node, truth) for node in shown}
    return {(labels[a], labels[b]) for a, b in truth.among(shown).links}


def forms(answer: Answer) -> dict[str, set[tuple[str, str]]]:
    """The arrows in each form, by the ids of nodes."""
    rows = csv.DictReader(StringIO(EXPORTS["csv"].write(answer, SITE), newline=""))
    picture = picture_of([answer], own=PageBranch("churn", "main"), now=NOW, open_url=str)
    return {
        "csv": {(row["source_id"], row["target_id"]) for row in rows if row["target_id"]},
        "dot": set(test_graphviz.parsed(answer)[1]),
        "mmd": set(test_mermaid.arrows(answer)),
        "svg": drawn(standalone(picture, "Lineage", SITE).content.decode())[1],
    }


def test_by_component_every_form_has_every_arrow_between_what_is_shown(world):
    seen = 0
    for answer, truth in answers(world, random.Random(world.seed)):
        right, known = arrows_of(world, answer, truth), unhidden(answer)
        unknown = {node.id for node in answer.nodes if node.id.startswith("u_")}
        for form, pairs in forms(answer).items():
            assert pairs == set(answer.graph.edges), form
            named = {pair for pair in pairs if pair[0] in known and pair[1] in known and pair[0] not in unknown}
            assert named == {(a, b) for a, b in right if isinstance(a, str)}, form
            assert sum(a in unknown for a, _ in pairs) == sum(not isinstance(a, str) for a, _ in right), form
        seen += len(right)
    assert seen


def test_openlineage_has_every_arrow_between_what_is_shown(world):
    assets = {asset.definition_uid: path_of_asset(asset) for asset in Asset.objects.select_related("branch__project")}
    for answer, truth in answers(world, random.Random(world.seed + 1)):
        shown = [node for node in visible(truth.nodes) if is_shown(world, answer, node, truth)]
        right = set()
        for a, b in truth.among(shown).links:
            if isinstance(a, Definition) and isinstance(b, Component):
                right.add((path_of_component(wire(world, b)), "inputs", assets[a.uid]))
            elif isinstance(a, Component) and isinstance(b, Definition):
                right.add((path_of_component(wire(world, a)), "outputs", assets[b.uid]))
        assert told(answer) == right


def test_exactly_every_form_has_every_arrow_between_what_is_shown(world):
    chance = random.Random(world.seed)
    truth = ByInstance(world.events, world.runs, None).graph
    for focus in some(chance, things_of(truth), 8):
        asked = scope(None, chance.choice(DIRECTIONS), chance.choice([2, 3, 4]), chance.choice([5, FAR]))
        answer = questions.exact(world.viewer, found(focus), asked)
        shown, known = set(answer.graph), {node.id for node in answer.nodes if node.kind.is_asset}
        promoted = {(a.uid, b.uid) for a, b in truth.links if hasattr(a, "uid") and hasattr(b, "uid")}
        for form, pairs in forms(answer).items():
            assert pairs == set(answer.graph.edges), form
            assert {pair for pair in pairs if known.issuperset(pair)} == {p for p in promoted if shown.issuperset(p)}
            runs = {node.id for node in answer.nodes if node.kind == Kind.RUN}
            derived = {(a, b) for a, run in pairs if run in runs for c, b in pairs if c == run}
            assert derived <= derivations(truth)


def derivations(truth: Graph) -> set[tuple[str, str]]:
    """The pairs of input and output of one run."""
    return {
        (a.uid, b.uid)
        for a, run in truth.links
        for c, b in truth.links
        if c == run and hasattr(a, "uid") and hasattr(b, "uid")
    }
