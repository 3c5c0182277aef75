"""Aliases through the client, on a really served site."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from obproject import Asset, errors
from obproject.branches import BranchChoice
from obproject.prj import ProjectAsset
from tests.conftest import Site


@pytest.fixture
def asset(served: Site, unconfigured: pytest.MonkeyPatch) -> Asset:
    """An asset of a project of its own, with two versions of the model ``clf``."""
    unconfigured.setenv("ASSETSITE_URL", served.url)
    asset = Asset(f"aliases_{uuid4().hex}", "feature/x", deployment="gate")
    for accuracy in (0.8, 0.9):
        asset.register_model_asset("clf", kind="artifact", annotations={"accuracy": accuracy})
    return asset


def where(asset: Asset, alias: str) -> str:
    return asset.peek_model_asset("clf", f"@{alias}")["ref"]


def test_fault_8_aliases_are_set_moved_listed_and_deleted_by_public_methods(asset: Asset) -> None:
    v1, v2 = (asset.peek_model_asset("clf", ref)["id"] for ref in ("v1", "v2"))
    made = asset.set_alias("clf", "production", "v1")
    assert (made.alias, made.previous_instance_id, made.instance_id) == ("production", None, v1)
    assert made.updated_by == ("deployment", "gate")
    moved = asset.set_alias("clf", "@production", "latest")
    assert (moved.previous_instance_id, moved.instance_id) == (v1, v2)
    assert where(asset, "production") == "v2"
    assert [(alias.name, alias.instance_id) for alias in asset.list_aliases("clf")] == [("production", v2)]
    assert asset.delete_alias("clf", "production") is True
    assert asset.delete_alias("clf", "production") is False
    assert asset.list_aliases("clf") == []
    history = list(asset.alias_history("clf"))
    assert [(move.previous_instance_id, move.instance_id) for move in history] == [(v2, None), (v1, v2), (None, v1)]


def test_fault_8_an_alias_moves_only_from_where_it_is_expected(asset: Asset) -> None:
    asset.set_alias("clf", "production", "v1", expected=None)
    asset.set_alias("clf", "production", "v2", expected="v1")
    v1, v2 = (asset.peek_model_asset("clf", ref)["id"] for ref in ("v1", "v2"))
    for expected, instance in (("v1", "v1"), (None, "v1"), (v1, "latest-1")):
        with pytest.raises(errors.AliasConflict, match=v2) as refused:
            asset.set_alias("clf", "production", instance, expected=expected)
        assert refused.value.current_instance_id == v2
    with pytest.raises(errors.AliasConflict):
        asset.delete_alias("clf", "production", expected="v1")
    with pytest.raises(errors.AliasConflict) as refused:
        asset.set_alias("clf", "new", "v1", expected="v2")
    assert refused.value.current_instance_id is None
    assert where(asset, "production") == "v2"
    assert asset.delete_alias("clf", "production", expected="v2")


def test_of_many_who_expect_the_same_one_moves_the_alias(asset: Asset) -> None:
    asset.set_alias("clf", "champion", "v1")

    def challenge(_: int) -> bool:
        try:
            asset.set_alias("clf", "champion", "v2", "model", expected="v1")
        except errors.AliasConflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(challenge, range(8))) == 1
    assert len(list(asset.alias_history("clf", "champion"))) == 2


def test_a_long_history_is_read_page_by_page_and_may_be_that_of_one_alias(asset: Asset) -> None:
    v1 = asset.peek_model_asset("clf", "v1")["id"]
    for turn in range(105):
        asset._set_alias("feature/x", "clf", "models", v1, "odd" if turn % 2 else "even")
    assert len(list(asset.alias_history("clf"))) == 105
    assert {move.alias for move in asset.alias_history("clf", "@odd")} == {"odd"}
    assert len(list(asset.alias_history("clf", "odd"))) == 52


def test_the_kind_is_asked_for_only_where_one_name_stands_for_both(asset: Asset) -> None:
    asset.register_data_asset("clf", kind="table")
    with pytest.raises(errors.InvalidInput, match="kind='data'"):
        asset.set_alias("clf", "production", "v1")
    asset.set_alias("clf", "production", "v1", kind="data")
    assert asset.list_aliases("clf", "model") == []
    assert len(asset.list_aliases("clf", "data")) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("clf", "bad name", "v1"), errors.InvalidInput),
        (("clf", "", "v1"), errors.InvalidInput),
        (("clf", "production", "v9"), errors.InstanceNotFound),
        (("nothing", "production", "v1"), errors.AssetNotFound),
        (("clf", "production", "v1", "neither"), errors.InvalidInput),
    ],
)
def test_what_an_alias_cannot_be_is_refused(
    asset: Asset, arguments: tuple[str, ...], expected: type[errors.AssetError]
) -> None:
    with pytest.raises(expected):
        asset.set_alias(*arguments)
    assert asset.list_aliases("clf") == []


def test_a_read_only_asset_moves_no_alias(asset: Asset) -> None:
    watching = Asset(asset.project, asset.branch, read_only=True)
    with pytest.raises(errors.ReadOnly):
        watching.set_alias("clf", "production")
    with pytest.raises(errors.ReadOnly):
        watching.delete_alias("clf", "production")


def test_fault_30_aliases_are_set_on_the_write_branch_whatever_is_read(asset: Asset) -> None:
    both = ProjectAsset(asset.project, BranchChoice(write="user.alice", read="feature/x", source="metaflow"))
    both.register_model_asset("mine", kind="artifact")
    both.set_alias("mine", "candidate")
    assert [alias.name for alias in both.list_aliases("mine")] == ["candidate"]
    asset.set_alias("clf", "production", "v1")
    assert [alias.name for alias in both.list_aliases("clf")] == ["production"]
    with pytest.raises(errors.AssetNotFound, match=r"user\.alice"):
        both.set_alias("clf", "production", "v2")
    assert where(asset, "production") == "v1"


def test_names_that_public_examples_use(asset: Asset) -> None:
    assert asset._asset_exists("models", "clf")
    assert asset._asset_exists("model", "clf", branch="feature_x")
    assert not asset._asset_exists("data", "clf")
    assert not asset._asset_exists("models", "clf", branch="main")
    asset._set_alias("feature_x", "clf", "models", asset.peek_model_asset("clf", "v1")["id"], "staging")
    assert where(asset, "staging") == "v1"
    assert asset.meta == {
        "project": asset.project,
        "branch": "feature_x",
        "entity_reg": {"entity_kind": "deployment", "entity_id": "gate"},
    }
