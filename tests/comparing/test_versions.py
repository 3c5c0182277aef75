"""Versions compared, as a catalogue has them: `comparing.versions`."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.identity import Viewer
from access.models import Membership, Perimeter
from catalog.models import Asset, DefinitionRevision, Instance
from catalog.reading import Resolved
from comparing.deltas import signed
from comparing.noise import VERSIONS
from comparing.table import METRICS_MOST
from comparing.versions import VersionComparison, compare

pytestmark = [pytest.mark.both, pytest.mark.django_db]
COMMIT, OTHER = "1" * 40, "2" * 40
MINUS = "\N{MINUS SIGN}"


class World:
    """A model that is trained on features and measured on a holdout, on `main` and other branches."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.runs = 0

    @cached_property
    def viewer(self) -> Viewer:
        viewer = Viewer(User.objects.create(username="boss", is_superuser=True))
        assert viewer.perimeter_ids()
        return viewer

    def at(self, branch: str, asset: str = "") -> str:
        return f"/v1/perimeters/default/projects/churn/branches/{branch}/{asset}"

    def data(self, asset: str, *, branch: str = "main", **fields: Any) -> str:
        self.runs += 1
        uid: str = self.api.register(self.at(branch, asset), task=f"Data/{self.runs}/start/1", **fields)["id"]
        return uid

    def model(
        self, *, branch: str = "main", asset: str = "models/churn", reads: Any = (), run: Any = None, **fields: Any
    ) -> str:
        """A version of a model. `reads`: the address of each thing with its role, if it has one."""
        self.runs += 1
        task = f"Train/{self.runs}/end/2"
        for read in reads:
            path, role = read if isinstance(read, tuple) else (read, None)
            body = {"role": role} if role else {}
            self.api.consume(path if path.startswith("/") else self.at("main", path), task, **body)
        metrics = {name: fields.pop(name) for name in list(fields) if name not in FIELDS}
        annotations = {**metrics, **fields.pop("annotations", {})}
        facts = {"run": run} if run else {}
        if "tags" in fields:
            fields["tags"] = [{"key": key, "value": value} for key, value in fields["tags"].items()]
        address = self.at(branch, asset)
        uid: str = self.api.register(address, task=task, annotations=annotations, **facts, **fields)["id"]
        return uid

    def declare(self, asset: str = "models/churn", *, branch: str = "main", **columns: Any) -> None:
        """As a deploy leaves an asset."""
        kind, _, name = asset.partition("/")
        Asset.objects.filter(branch__key=branch, kind=kind, asset_id=name).update(**columns)

    def resolved(self, ref: str, *, branch: str = "main", asset: str = "models/churn") -> Resolved:
        kind, _, name = asset.partition("/")
        place = Asset.objects.select_related("branch__project__perimeter", "newest_ready")
        found = place.get(branch__key=branch, branch__project__name="churn", kind=kind, asset_id=name)
        if not ref:
            return Resolved(found, None)
        return Resolved(found, Instance.objects.get(asset=found, number=int(ref[1:])))

    def compare(self, *those: Any, base: int = 0) -> VersionComparison:
        versions = [self.resolved(one) if isinstance(one, str) else one for one in those]
        return compare(self.viewer, versions, base)


FIELDS = {"tags", "blobs", "description", "state", "digest", "annotations"}
HOLDOUT = ("data/holdout/instances/latest", "evaluation")
FEATURES = "data/features/instances/latest"


@pytest.fixture
def world(api):
    made = World(api)
    made.data("data/features")
    made.data("data/holdout")
    return made


def cells(found: VersionComparison, group: str, key: str) -> list[str]:
    (row,) = [row for one in found.groups if one.key == group for row in one.rows if row.key == key]
    return [str(cell.said) for cell in row.cells]


def keys(found: VersionComparison, group: str) -> list[str]:
    return [row.key for one in found.groups if one.key == group for row in one.rows]


def metric(found: VersionComparison, name: str):
    (row,) = [row for row in found.metrics.rows if row.name == name]
    return row


class TestMetrics:
    def test_the_branch_model_is_better_on_the_same_holdout(self, world):
        world.model(reads=[FEATURES, HOLDOUT], auc=0.8024, rows=675)
        world.data("data/interactions", branch="feature_x")
        interactions = world.at("feature_x", "data/interactions/instances/latest")
        world.model(branch="feature_x", reads=[interactions, HOLDOUT], auc=0.8107, rows=675)
        found = world.compare("v1", world.resolved("v1", branch="feature_x"))
        assert str(found.verdict.sentence) == "v1 of feature_x is better: auc +0.0083 over v1, on the same holdout"
        assert found.best == 1
        delta = metric(found, "auc").deltas[1]
        assert (delta.word, delta.comparability.data) == ("better", "same data")
        assert cells(found, "inputs", "evaluation") == ["v1", "v1 of main"]
        assert [(row.name, [str(cell.said) for cell in row.cells]) for row in found.groups[2].rows] == [
            ("features", ["v1", "not read"]),
            ("interactions", ["not read", "v1"]),
            ("holdout", ["v1", "v1 of main"]),
        ]
        assert [row.differs for row in found.groups[2].rows] == [True, True, False]

    def test_another_holdout_is_other_data_and_named(self, world):
        world.model(reads=[HOLDOUT], auc=0.9)
        world.data("data/holdout")
        world.model(reads=[HOLDOUT], auc=0.8)
        found = world.compare("v2", "v1")
        assert str(found.verdict.sentence) == "v1 was measured on other data, so its auc can't be set against v2's"
        delta = metric(found, "auc").deltas[1]
        assert (delta.word, str(delta.comparability.which)) == ("can't be compared", "holdout v1 here, v2 in the base")

    def test_noise_is_learned_from_the_last_versions_on_the_same_data(self, world):
        for auc in (0.80, 0.81, 0.80, 0.81, 0.80, 0.81, 0.815):
            world.model(reads=[HOLDOUT], auc=auc)
        found = world.compare("v6", "v7")
        row = metric(found, "auc")
        assert row.noise.size == pytest.approx(0.02)
        assert (row.noise.declared, row.noise.steps) == (False, 5)
        assert row.deltas[1].word == "within noise"
        assert str(found.verdict.sentence) == "No headline metric differs beyond noise"
        assert metric(world.compare("v5", "v7"), "auc").noise is None

    def test_steps_between_versions_on_other_data_do_not_count(self, world):
        for auc in (0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1):
            world.data("data/holdout")
            world.model(reads=[HOLDOUT], auc=auc)
        assert metric(world.compare("v7", "v6"), "auc").noise is None

    def test_failed_versions_do_not_count_for_noise(self, world):
        for number in range(7):
            world.model(reads=[HOLDOUT], auc=0.8 + number / 100)
        Instance.objects.filter(asset__asset_id="churn", number__in=[2, 3]).update(state="failed")
        assert metric(world.compare("v7", "v1"), "auc").noise is None

    def test_what_is_declared_is_the_bases(self, world):
        world.model(reads=[HOLDOUT], auc=0.8, cost=1.0)
        world.model(reads=[HOLDOUT], auc=0.801, cost=2.0)
        world.declare(
            declared_metrics=[
                {"name": "cost", "better": "lower", "headline": True, "unit": "EUR"},
                {"name": "auc", "noise": 0.002},
            ]
        )
        found = world.compare("v1", "v2")
        assert [row.name for row in found.metrics.rows if row.headline] == ["cost"]
        assert str(found.verdict.sentence) == "v2 is worse: cost +1 EUR against v1, on the same holdout"
        assert metric(found, "auc").deltas[1].word == "within noise"

    def test_what_is_lacking_pending_failed_and_no_number_is_said(self, world):
        world.model(reads=[HOLDOUT], auc=0.8, recall=0.5, f1=0.0)
        world.model(reads=[HOLDOUT], annotations={"auc": "n/a", "f1": 3.0})
        world.model(reads=[HOLDOUT], state="pending", auc=0.9)
        found = world.compare("v1", "v2", "v3")
        assert [side.text for side in metric(found, "auc").sides] == ["0.8", "text: 'n/a'", "0.9"]
        assert [delta and delta.word for delta in metric(found, "auc").deltas] == [None, "text: 'n/a'", "pending"]
        assert [side.text for side in metric(found, "recall").sides] == ["0.5", "not measured", "pending"]
        assert metric(found, "f1").deltas[1].percent_text == "from 0"

    def test_another_metric_that_is_worse_has_a_line(self, world):
        world.model(reads=[HOLDOUT], auc=0.8, train_duration=4.0)
        world.model(reads=[HOLDOUT], auc=0.9, train_duration=9.5)
        world.declare(declared_metrics=[{"name": "auc", "headline": True}, {"name": "train_duration", "unit": "s"}])
        assert [str(line) for line in world.compare("v1", "v2").verdict.lines] == [
            "train_duration is worse: 4 s → 9.5 s (+5.5 s)"
        ]

    def test_thousands_of_names_are_bounded_and_what_differs_comes_first(self, world):
        same = {f"a{number}": number for number in range(900)}
        world.model(reads=[HOLDOUT], annotations={**same, "auc": 0.8, "z": 1.0})
        world.model(reads=[HOLDOUT], annotations={**same, "auc": 0.8, "z": 2.0})
        found = world.compare("v1", "v2")
        assert [row.name for row in found.metrics.rows[:2]] == ["auc", "z"]
        assert (len(found.metrics.rows), found.metrics.left_out) == (METRICS_MOST, 702)
        assert found.metrics.left_out_differing == 0


class TestMirror:
    def test_seen_from_the_other_version_every_change_turns_around(self, world):
        world.model(reads=[HOLDOUT], auc=0.8, loss=0.0, only_here=1.0)
        world.model(reads=[HOLDOUT], auc=0.9, loss=2.5, only_there=1.0)
        there, back = world.compare("v1", "v2"), world.compare("v2", "v1")
        for row in there.metrics.rows:
            delta, turned = row.deltas[1], metric(back, row.name).deltas[1]
            assert delta.change == (None if turned.change is None else -turned.change)
            assert {delta.outcome, turned.outcome} in ({"better", "worse"}, {"equal"}, {"none"})
        for one, other in zip(there.groups, back.groups, strict=True):
            assert {row.key for row in one.differing} == {row.key for row in other.differing}


class TestRows:
    def test_commits_are_linked_to_what_is_different_between_them(self, world):
        clean = {"repository": "git@github.com:acme/churn.git", "commit": COMMIT, "dirty": False}
        dirty = {**clean, "commit": OTHER, "dirty": True}
        world.model(auc=0.8, run={**clean, "parameters": {"l2": 0.1, "same": 1}})
        world.model(auc=0.8, run={**dirty, "parameters": {"l2": 0.2, "same": 1}})
        found = world.compare("v1", "v2")
        assert cells(found, "code", "commit") == ["1111111111", "2222222222 and changes that no commit has"]
        assert found.groups[1].rows[0].cells[1].compare_url == (
            f"https://github.com/acme/churn/compare/{COMMIT}...{OTHER}"
        )
        assert cells(found, "code", "parameter:l2") == ["0.1", "0.2"]
        differing = {row.key: row.differs for row in found.groups[1].rows}
        assert (differing["parameter:l2"], differing["parameter:same"]) == (True, False)

    def test_what_nobody_told_is_said(self, world):
        world.model(auc=0.8)
        world.model(auc=0.8, run={"commit": COMMIT, "parameters": {"l2": 0.1}})
        found = world.compare("v1", "v2")
        assert cells(found, "code", "commit") == ["not told", "1111111111"]
        assert cells(found, "code", "parameter:l2") == ["not told", "0.1"]

    def test_tags_blobs_and_state_and_reason(self, world):
        world.model(auc=0.8, tags={"team": "a"}, blobs=["s3://b/1"])
        world.model(auc=0.8, tags={"team": "b", "more": "1"}, blobs=["s3://b/1", "s3://b/2"])
        Instance.objects.filter(asset__asset_id="churn", number=2).update(state="failed", state_reason="too <big>")
        found = world.compare("v1", "v2")
        assert cells(found, "contents", "tag:team") == ["a", "b"]
        assert cells(found, "contents", "tag:more") == ["none", "1"]
        assert cells(found, "contents", "blob:2") == ["none", "s3://b/2"]
        assert cells(found, "facts", "state") == ["ready", "failed: too <big>"]

    def test_inputs_say_what_has_the_same_content(self, world):
        for digest in ("sha:1", "sha:1", "sha:2"):
            world.data("data/features", digest=digest)
            world.model(reads=[FEATURES], auc=0.8)
        found = world.compare("v1", "v2", "v3")
        (row,) = found.groups[2].rows
        assert [str(cell.said) for cell in row.cells] == ["v2", "v3", "v4"]
        assert [[str(note) for note in cell.notes] for cell in row.cells] == [[], ["same content as v2"], []]
        assert [cell.as_base for cell in row.cells] == [True, True, False]

    def test_what_may_not_be_seen_is_not_named(self, world):
        """The inputs of a copy from another perimeter."""
        uid = world.model(reads=[HOLDOUT, FEATURES], auc=0.8)
        ada = User.objects.create(username="ada")
        theirs = Perimeter.objects.create(name="theirs")
        Membership.objects.create(user=ada, perimeter=theirs)
        for _ in range(2):
            body = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "model_asset_kind": "artifact"}
            body["annotations"] = {"promoted_from_instance": uid, "auc": 0.8}
            world.api.patch("/v1/perimeters/theirs/projects/churn/branches/main/models/copy", body)
        rows = Instance.objects.filter(asset__asset_id="copy").order_by("number")
        asset = Asset.objects.select_related("branch__project__perimeter").get(asset_id="copy")
        found = compare(Viewer(ada), [Resolved(asset, row) for row in rows], 0)
        told = json.dumps(found.shape)
        assert "holdout" not in told
        assert "features" not in told
        assert cells(found, "inputs", "evaluation") == ["something that you may not see"] * 2

    def test_a_definition_beside_a_version(self, world):
        world.model(auc=0.8)
        found = world.compare("v1", world.resolved(""))
        assert cells(found, "facts", "state") == ["ready", "definition"]
        assert str(found.verdict.sentence) == "auc of the definition: a definition has no metrics"
        back = world.compare(world.resolved(""), "v1")
        assert str(back.verdict.sentence) == "auc of the definition: a definition has no metrics"

    def test_versions_of_several_assets_and_projects_are_named(self, world):
        world.model(auc=0.8)
        world.model(asset="models/baseline", branch="feature_x", auc=0.7)
        path = "/v1/perimeters/default/projects/other/branches/main/models/churn"
        world.api.register(path, annotations={"auc": 0.9})
        asset = Asset.objects.select_related("branch__project__perimeter").get(branch__project__name="other")
        elsewhere = Resolved(asset, Instance.objects.get(asset=asset))
        found = world.compare("v1", world.resolved("v1", asset="models/baseline", branch="feature_x"), elsewhere)
        assert [str(name) for name in found.names] == ["v1", "baseline v1 of feature_x", "v1 of other/main"]


class TestDefinitionThen:
    def deploy(self, world, *, times=1, **fields):
        asset = Asset.objects.get(asset_id="churn", branch__key="main")
        declared = {"name": "", "description": "", "readme": "", "declared_properties": {}, "declared_tags": {}}
        last = Instance.objects.latest("created_at").created_at + timedelta(microseconds=1)
        DefinitionRevision.objects.bulk_create(
            DefinitionRevision(
                asset=asset, declared={**declared, **fields}, at=last, actor="ci", entity_kind="ci", entity_id="ci"
            )
            for _ in range(times)
        )

    def test_it_is_as_it_was_when_each_was_made(self, world):
        world.model(auc=0.8)
        self.deploy(world, readme="one\ntwo", declared_properties={"min_auc": 0.78})
        world.model(auc=0.8)
        self.deploy(world, readme="one\n2\nthree", declared_properties={"min_auc": 0.8, "owner": "ann"})
        world.model(auc=0.8)
        found = world.compare("v2", "v3")
        assert cells(found, "definition", "property:min_auc") == ["0.78", "0.8"]
        assert cells(found, "definition", "property:owner") == ["none", "ann"]
        assert cells(found, "definition", "readme") == ["2 lines", "3 lines"]
        lines = found.groups[4].rows[-1].cells[1].lines
        assert (lines.added, lines.removed) == (2, 1)
        assert "+three" in lines.lines

    def test_however_often_it_was_declared_since(self, world):
        world.model(auc=0.8)
        self.deploy(world, readme="one")
        world.model(auc=0.8)
        self.deploy(world, readme="one\ntwo", times=30)
        self.deploy(world, readme="one\ntwo\nthree")
        world.model(auc=0.8)
        assert cells(world.compare("v2", "v3"), "definition", "readme") == ["1 line", "3 lines"]

    def test_what_another_client_says_anew_leaves_the_rest(self, world):
        world.model(auc=0.8)
        self.deploy(world, readme="one", declared_properties={"a": 1})
        asset = Asset.objects.get(asset_id="churn", branch__key="main")
        at = Instance.objects.latest("created_at").created_at + timedelta(microseconds=2)
        told = {"declared": {"name": "Churn"}, "at": at, "actor": "ci", "entity_kind": "ci", "entity_id": "ci"}
        DefinitionRevision.objects.create(asset=asset, **told)
        world.model(auc=0.8)
        found = world.compare("v2", "v2")
        assert cells(found, "definition", "name") == ["Churn"] * 2
        assert cells(found, "definition", "readme") == ["1 line"] * 2

    def test_before_anything_was_declared_that_is_said(self, world):
        world.model(auc=0.8)
        Instance.objects.filter(asset__asset_id="churn").update(created_at="2020-01-01T00:00:00Z")
        self.deploy(world, readme="one", declared_properties={"a": 1})
        world.model(auc=0.8)
        found = world.compare("v1", "v2")
        assert cells(found, "definition", "readme") == ["not declared then", "1 line"]
        assert cells(found, "definition", "property:a") == ["not declared then", "1"]


class TestFolding:
    def test_what_changes_in_every_version_is_folded_with_its_name(self, world):
        for number in range(8):
            said = {"auc": 0.8, "path": f"s3://b/{number}", "built_at": 1_700_000_000 + number, "kind": "csv"}
            tags = {"build": f"build-{number}", "team": "a"}
            world.model(annotations=said, tags=tags, blobs=[f"s3://b/{number}"])
        found = world.compare("v8", "v7")
        assert set(found.folded.changing) == {"path", "built_at", "build", "blob 1"}
        assert "annotation:path" not in keys(found, "facts")
        assert "annotation:kind" in keys(found, "facts")
        assert keys(found, "contents") == ["tag:team"]
        few = world.compare("v5", "v4")
        assert few.folded.changing == ()
        assert cells(few, "facts", "annotation:path") == ["s3://b/4", "s3://b/3"]

    def test_a_project_says_what_is_not_compared(self, world):
        world.model(auc=0.8, annotations={"auc": 0.8, "note": "a", "tmp_x": 1, "kept": "c"}, tags={"note": "x"})
        world.model(auc=0.8, annotations={"auc": 0.8, "note": "b", "tmp_x": 2, "kept": "d"}, tags={"note": "y"})
        world.declare(not_compared=["note", "tmp_*"])
        found = world.compare("v1", "v2")
        assert found.folded.not_compared == ("note", "tmp_x")
        assert [row.name for row in found.metrics.rows] == ["auc"]
        assert "annotation:kept" in keys(found, "facts")
        assert "tag:note" not in keys(found, "contents")


class TestCost:
    def count(self, world, versions):
        assert world.viewer.perimeter_ids()
        with CaptureQueriesContext(connection) as captured:
            found = compare(world.viewer, versions, 0)
        return found, [query["sql"] for query in captured]

    def test_two_cost_what_twenty_cost(self, world):
        for number in range(24):
            world.data("data/features", digest=f"sha:{number % 3}")
            run = {"commit": f"{number:040x}", "parameters": {"l2": number}}
            world.model(reads=[FEATURES, HOLDOUT], auc=0.8 + number / 1000, run=run, tags={"n": str(number)})
        for many in (2, 20):
            versions = [world.resolved(f"v{number}") for number in range(24, 24 - many, -1)]
            found, queries = self.count(world, versions)
            assert len(queries) == 6, queries
            assert len(found.metrics.rows[0].deltas) == many
        assert metric(found, "auc").noise.steps == VERSIONS - 1

    def test_across_branches_too(self, world):
        world.model(reads=[HOLDOUT], auc=0.8)
        for branch in ("feature_x", "feature_y"):
            world.model(branch=branch, reads=[HOLDOUT], auc=0.8)
        versions = [world.resolved("v1"), *(world.resolved("v1", branch=one) for one in ("feature_x", "feature_y"))]
        assert len(self.count(world, versions)[1]) == 5  # no digest is known


def test_the_whole_is_told_as_json_and_no_cell_is_empty(world):
    world.model(reads=[HOLDOUT], auc=0.8, tags={"a": ""}, annotations={"empty": "", "list": [1, {"b": None}]})
    world.model(reads=[FEATURES], auc=1e308, run={"commit": COMMIT}, annotations={"auc": -1e308, "none": None})
    found = world.compare("v1", "v2", world.resolved(""))
    told = json.loads(json.dumps(found.shape, allow_nan=False))
    assert list(told) == [
        *("base", "versions", "verdict", "metrics", "facts", "code", "inputs", "contents", "definition"),
        *("differing", "equal", "not_compared"),
    ]
    assert all(str(cell.said) for group in found.groups for row in group.rows for cell in row.cells)
    assert all(side.text for row in found.metrics.rows for side in row.sides)
    assert told["metrics"]["rows"][0]["versions"][0]["is_base"] is True
    assert told["differing"] == found.differing


def test_the_sign_in_the_verdict_is_that_of_the_change():
    assert signed(-0.5) == f"{MINUS}0.5"
