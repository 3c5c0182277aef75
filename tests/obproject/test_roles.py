"""Roles of readings, as client and server take them."""

from __future__ import annotations

import pytest

from obproject.roles import BASELINE, EVALUATION, INPUT, check_role


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
