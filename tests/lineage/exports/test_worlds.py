"""Exports of answers about random catalogues: they say what the graph says, by the names that the catalogue knows."""

import csv
import json
import random
from collections.abc import Iterator
from io import StringIO
from urllib.parse import quote

import pytest
from django.db import transaction

from catalog.models import Asset, Branch, Component, Instance
from catalog.reading import Resolved
from lineage import questions
from lineage.answers import Answer
from lineage.exports import EXPORTS
from lineage.graph import Kind, Relation
from lineage.scope import Scope
from tests.lanes import worlds
from tests.lineage.exports.examples import SITE
from tests.lineage.worlds import VAULT, World, made

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SEGMENTS = {"flow": "flows", "deployment": "deployments", "person": "people", "ci": "ci", "other": "unknown"}


@pytest.fixture(scope="module", params=worlds(range(1, 5)), ids="seed{}".format)
def world(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: object) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        yield made(request.param)
        transaction.set_rollback(True)


def branches(world: World) -> Iterator[Answer]:
    for branch in Branch.objects.exclude(project__perimeter__name=VAULT).order_by("pk"):
        yield questions.across(world.viewer, branch, Scope(depth=9))


def ancestries(world: World) -> Iterator[Answer]:
    known = Instance.objects.filter(asset__deleted_at=None).exclude(asset__branch__project__perimeter__name=VAULT)
    instances = list(known.select_related("asset__branch__project__perimeter").order_by("pk"))
    for instance in random.Random(world.seed).sample(instances, min(12, len(instances))):
        yield questions.exact(world.viewer, Resolved(instance.asset, instance), Scope(depth=50))


def path(*parts: str) -> str:
    return "/".join(quote(part, safe="@+:~") for part in parts if part)


def path_of_asset(asset: Asset) -> str:
    project = asset.branch.project
    return path(project.perimeter.name, project.name, asset.branch.key, asset.kind, asset.asset_id)


def path_of_component(id: str) -> str:
    pk, _, branch = id.removeprefix("c_").partition(".")
    row = Component.objects.select_related("perimeter").get(pk=pk)
    return path(row.perimeter.name, row.project_name, branch, SEGMENTS[row.kind], row.name)


def told(answer: Answer) -> set[tuple[str, str, str]]:
    """Each dataset of each event, promotions apart: the name of the job, the direction, the name of the dataset."""
    events = [json.loads(line) for line in EXPORTS["ndjson"].write(answer, SITE).splitlines()]
    return {
        (event["job"]["name"], direction, dataset["name"])
        for event in events
        for direction in ("inputs", "outputs")
        for dataset in event[direction]
        if not event["job"]["name"].endswith("/promote")
    }


def test_the_events_of_a_branch_are_its_links_by_the_names_of_the_catalogue(world):
    assets = {asset.definition_uid: path_of_asset(asset) for asset in Asset.objects.select_related("branch__project")}
    seen = 0
    for answer in branches(world):
        hidden = {node.id for node in answer.nodes if node.kind == Kind.HIDDEN}
        known = [link for link in answer.links if not {link.source, link.target} & hidden]
        produced = {(link.source, "outputs", link.target) for link in known if link.relation == Relation.PRODUCES}
        consumed = {(link.target, "inputs", link.source) for link in known if link.relation == Relation.CONSUMES}
        wanted = {(path_of_component(by), way, assets[asset]) for by, way, asset in produced | consumed}
        assert told(answer) == wanted
        seen += len(wanted)
    assert seen


def test_the_events_of_an_ancestry_are_what_each_run_read_and_made(world):
    seen = 0
    for answer in ancestries(world):
        events = [json.loads(line) for line in EXPORTS["ndjson"].write(answer, SITE).splitlines()]
        runs = [event for event in events if not event["job"]["name"].endswith("/promote")]
        versions = {
            (way, each["name"], each["facets"].get("version", {}).get("datasetVersion", ""))
            for event in runs
            for way in ("inputs", "outputs")
            for each in event[way]
        }
        wanted = set()
        for link in answer.links:
            ends = {Relation.CONSUMES: ("inputs", link.source), Relation.PRODUCES: ("outputs", link.target)}
            if link.relation in ends:
                way, asset = ends[link.relation]
                wanted |= {(way, *named)} if (named := name_of(asset)) else set()
        assert versions == wanted
        names = {node.name for node in answer.nodes if node.kind == Kind.RUN}
        assert len({event["run"]["runId"] for event in events}) == len(events)
        assert sum("/flows/" in event["job"]["name"] for event in runs) >= len(names)
        seen += len(wanted)
    assert seen


def name_of(id: str) -> tuple[str, str] | None:
    """The path and the version of an instance or of an asset itself; None for what is hidden."""
    if id.startswith("d_"):
        return path_of_asset(Asset.objects.get(definition_uid=id)), ""
    instance = Instance.objects.select_related("asset").filter(uid=id).first()
    return (path_of_asset(instance.asset), f"v{instance.number}") if instance else None


@pytest.mark.parametrize("ask", [branches, ancestries])
def test_nothing_of_the_vault_is_in_any_export_and_nothing_else_is_missing(world, ask):
    for answer in ask(world):
        for suffix, export in EXPORTS.items():
            assert "vault" not in export.write(answer, SITE), suffix
        rows = list(csv.DictReader(StringIO(EXPORTS["csv"].write(answer, SITE), newline="")))
        assert {(row["source_id"], row["target_id"]) for row in rows if row["target_id"]} == set(answer.graph.edges)
        assert {row[end] for row in rows for end in ("source_id", "target_id")} - {""} == set(answer.graph)
