"""The chart of a highlight as shapes and words, whatever its numbers."""

from __future__ import annotations

import math
import random

import pytest

from obproject.charts import Chart


def chart(values: list[float | None], kind: str = "line", x: tuple[str, ...] = ()) -> Chart:
    return Chart.of({"kind": kind, "x": list(x), "series": [{"name": "", "values": values}]})


def test_a_line_runs_from_edge_to_edge_and_stops_at_gaps() -> None:
    drawn = chart([0, 2, None, 4])
    assert drawn.shapes == [("line", 0, "M0.0 300.0L333.3 150.0"), ("dot", 0, "M1000.0 0.0h0")]
    assert drawn.ticks == ["0", "1", "2", "3", "4"]
    assert drawn.grid == [300.0, 225.0, 150.0, 75.0, 0.0]


def test_a_value_alone_is_a_dot_in_the_middle_of_an_axis_around_it() -> None:
    drawn = chart([0.7], x=("v1",))
    assert drawn.shapes == [("dot", 0, "M500.0 150.0h0")]
    assert drawn.ticks == ["0.6", "0.65", "0.7", "0.75", "0.8"]


def test_bars_stand_on_zero() -> None:
    drawn = chart([2, -1], kind="bar", x=("a", "b"))
    assert [shape.kind for shape in drawn.shapes] == ["bar", "bar"]
    zero = drawn.grid[drawn.ticks.index("0")]
    assert f"V{zero}" in drawn.shapes[0].path
    assert (drawn.along, drawn.each) == (["a", "b"], True)


def test_many_labels_are_spread_evenly() -> None:
    assert chart([1.0] * 9, x=tuple("abcdefghi")).along == ["a", "c", "e", "g", "i"]


@pytest.mark.parametrize(("values", "said"), [([1, 3], "values from 1 to 3"), ([None], "without values")])
def test_it_is_said_in_words(values: list[float | None], said: str) -> None:
    assert said in chart(values).summary


def test_any_numbers_can_be_drawn() -> None:
    odd = [0.0, 5e-324, 1e-299, 1e299, -1e299, 1.0, 1 + 2e-16, 1e16, 1e16 + 2, math.nan, math.inf, 10**400, -3.0, None]
    chance = random.Random(1)
    for _ in range(500):
        values = [chance.choice(odd) for _ in range(chance.randint(1, 4))]
        for kind in ("line", "bar"):
            drawn = chart(values, kind)
            assert 2 <= len(drawn.ticks) < 12, values
            assert not any("nan" in shape.path or "inf" in shape.path for shape in drawn.shapes), values
            assert all(0 <= y <= 300 for y in drawn.grid), values
