"""Which words of a highlight's line are bold."""

import pytest

from obproject.highlight_text import bold_parts


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("", []),
        ("plain", [("plain", False)]),
        ("**Lion** roar", [("Lion", True), (" roar", False)]),
        ("a **b** c **d**", [("a ", False), ("b", True), (" c ", False), ("d", True)]),
        ("2 ** 3", [("2 ** 3", False)]),
        ("****", [("****", False)]),
        ("**<b>**", [("<b>", True)]),
    ],
)
def test_words_between_two_asterisks_are_bold_and_nothing_else_is_markup(line, parts):
    assert bold_parts(line) == parts
