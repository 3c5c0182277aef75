"""The rows of a comparison: `comparing.table`."""

import pytest

from comparing.sentences import Name, Sentence
from comparing.table import ROWS_MOST, group_of, row_of, same, text


@pytest.mark.parametrize(
    ("one", "other"),
    [(True, 1), (0, False), ([True], [1]), ({"a": [1]}, {"a": [True]}), ([1], [1, 2]), ({"a": 1}, {"b": 1}), ("1", 1)],
)
def test_values_that_json_tells_apart_are_not_the_same(one, other):
    assert not same(one, other)


def test_the_same_is_the_same():
    assert same({"a": [1, {"b": None}], "c": 1.0}, {"c": 1, "a": [1, {"b": None}]})


def test_a_row_differs_where_any_version_says_something_else_than_the_base():
    said = [(text("a"), "a"), (text("a"), "a"), (text("b"), "b")]
    row = row_of("tag:x", said, 0, what="Tag", name="x")
    assert [cell.as_base for cell in row.cells] == [True, True, False]
    assert row.differs
    assert not row_of("tag:x", said[:2], 0).differs


def test_a_long_group_keeps_what_differs_and_counts_the_rest():
    equal = [row_of(f"a{number}", [(text("a"), 1), (text("a"), 1)], 0) for number in range(ROWS_MOST + 5)]
    other = row_of("z", [(text("a"), 1), (text("b"), 2)], 0)
    group = group_of("facts", "Facts", [*equal, other])
    assert (len(group.rows), group.left_out, group.rows[0].key) == (ROWS_MOST, 6, "z")


def test_text_is_a_name_and_nothing_is_said_in_a_word():
    assert text("<b>").parts == [("<b>", True)]
    assert text("").parts == [("empty", False)]
    assert Sentence("of ", Name("")).parts == [("of ", False)]
