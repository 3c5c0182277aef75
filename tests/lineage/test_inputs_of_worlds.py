"""What went directly into versions (`lineage.inputs`), in random worlds: what the exact lineage of each one says."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from access.identity import Viewer
from catalog.models import Instance
from catalog.reading import Resolved
from lineage import questions
from lineage.graph import Kind, Relation
from lineage.inputs import inputs_of
from lineage.scope import Scope
from obproject.roles import BASELINE, INPUT
from tests.lanes import worlds
from tests.lineage.test_against_oracle import SEEDS
from tests.lineage.worlds import VAULT, World, made

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]
FAR = 10_000


@pytest.fixture(scope="module", params=worlds(SEEDS), ids="seed{}".format)
def world(request, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield made(request.param)
        transaction.set_rollback(True)


def versions(**those) -> list[Instance]:
    return list(Instance.objects.filter(**those).select_related("asset__branch__project__perimeter").order_by("pk"))


def by_lineage(viewer: Viewer, instance: Instance) -> set[tuple[str, str]]:
    """What the page of a version says went into it: each thing with its roles, through promotions to its origin."""
    answer = questions.exact(viewer, Resolved(instance.asset, instance), Scope(direction="up", depth=FAR, budget=FAR))
    (focus,) = answer.focus
    while promotions := [one for one in into(answer, focus) if one.relation == Relation.PROMOTES]:
        (link,) = promotions
        focus = link.source
    found: set[tuple[str, str]] = set()
    for link in into(answer, focus):
        for read in into(answer, link.source):
            found |= {(read.source, role) for role in read.roles or ("",)}
    return {(named(answer, source), role) for source, role in found if role != BASELINE}


def into(answer, node):
    return [link for link in answer.links if link.target == node]


def named(answer, node):
    return "hidden" if answer.node(node).kind == Kind.HIDDEN else node


class TestAgainstLineage:
    def test_they_are_what_the_exact_lineage_of_each_version_says(self, world):
        asked = [one for one in versions() if VAULT not in one.asset.branch.project.perimeter.name]
        found = inputs_of(world.viewer, asked)
        for instance in asked:
            said = {("hidden", "") if one.is_hidden else (one.node.id, one.role or INPUT) for one in found[instance.pk]}
            truth = by_lineage(world.viewer, instance)  # which tells no roles of what is hidden
            assert said == {(node, "" if node == "hidden" else role) for node, role in truth}, instance

    def test_no_version_is_less_complete_than_its_lineage(self, world):
        for instance in versions():
            if VAULT not in instance.asset.branch.project.perimeter.name:
                (found,) = inputs_of(world.viewer, [instance]).values()
                scope = Scope(direction="up", depth=2, budget=FAR)
                answer = questions.exact(world.viewer, Resolved(instance.asset, instance), scope)
                unread = any(cut.reason == "resumed" for cut in answer.left_out)
                assert found.complete or unread or instance.is_copy

    def test_many_cost_what_few_cost(self, world):
        asked = versions()
        chance = random.Random(world.seed)
        for many in (2, 10, 40):
            with CaptureQueriesContext(connection) as queries:
                inputs_of(world.viewer, chance.sample(asked, min(many, len(asked))))
            assert len(queries) <= 12  # of worlds that have copies of copies, and runs that resumed resumed ones

    def test_what_may_not_be_seen_is_not_named(self, world):
        asked = versions()
        for found in inputs_of(world.viewer, asked).values():
            for one in found:
                assert VAULT not in repr(one.node)
                assert not one.is_hidden or (one.node.name, one.node.digest, one.node.url) == ("", "", "")
