"""Roles of readings, as client and server take them."""

from __future__ import annotations

import pytest

from obproject import Asset
from obproject.errors import InvalidInput
from obproject.roles import BASELINE, EVALUATION, INPUT, check_role
from tests.obproject.stub_server import StubCatalogue


@pytest.mark.parametrize("role", [BASELINE, EVALUATION, "a", "a-b_9", "x" * 32])
def test_a_lower_case_word_is_a_role(role: str) -> None:
    assert check_role(role) == role


def test_an_input_is_the_same_as_no_role() -> None:
    assert check_role(INPUT) is None
    assert check_role(None) is None


@pytest.mark.parametrize("role", ["", "Baseline", "9a", "-a", "a b", "a.b", "x" * 33, "ä", "a\n", 3, True, ["a"]])
def test_anything_else_is_refused_and_named(role: object) -> None:
    with pytest.raises(ValueError, match="lower-case word of at most 32 characters"):
        check_role(role)  # type: ignore[arg-type]


@pytest.fixture
def asset(catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch) -> Asset:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    asset = Asset("registry", "feature/x")
    asset.register_data_asset("rows", kind="table")
    asset.register_model_asset("classifier", kind="table")
    catalogue.requests.clear()
    return asset


def test_a_reading_says_what_it_is_for(asset: Asset, catalogue: StubCatalogue) -> None:
    asset.consume_data_asset("rows", role=EVALUATION)
    asset.consume_model_asset("classifier", "v1", role=BASELINE)
    asset.consume_data_asset("rows", role=INPUT)
    asset.consume_data_asset("rows")
    assert [sent.get("role") for sent in catalogue.consumptions] == ["evaluation", "baseline", None, None]
    assert "role" not in catalogue.consumptions[-1] | catalogue.consumptions[-2]


@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_role_is_refused_before_anything_is_sent(
    asset: Asset, catalogue: StubCatalogue, read_only: bool
) -> None:
    asset.read_only = read_only
    with pytest.raises(InvalidInput, match="'Base Line' is no lower-case word"):
        asset.consume_model_asset("classifier", role="Base Line")
    assert catalogue.requests == []
