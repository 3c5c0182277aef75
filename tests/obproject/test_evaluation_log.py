"""Which asset is the evaluation log of its branch."""

import pytest

from obproject.evaluation_log import EVALUATION, EVALUATION_LOG, is_evaluation_log


@pytest.mark.parametrize(
    ("asset_id", "kind", "asset_kind", "expected"),
    [
        (EVALUATION_LOG, "data", EVALUATION, True),
        (EVALUATION_LOG, "data", None, True),
        (EVALUATION_LOG, "data", "", True),
        (EVALUATION_LOG, "data", "table", False),
        (EVALUATION_LOG, "model", EVALUATION, False),
        ("metrics", "data", EVALUATION, False),
    ],
)
def test_it_is_told_from_assets_of_users_by_id_and_kinds(asset_id, kind, asset_kind, expected):
    assert is_evaluation_log(asset_id, kind, asset_kind) is expected
