"""Markdown that is cut: no longer than it may be, and never within a table, a fence or a fold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obproject.deploy.markdown import shortened

BLOCKS = {
    "text": "Some words about it.",
    "table": "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
    "fence": "````text\n```\n| no | table |\n\nand more\n````",
    "fold": "<details><summary>More</summary>\n\nwithin\n\n</details>",
    "item": "- one\n- two",
}
PAGE = "https://assets.example.org/p"


@given(st.lists(st.sampled_from(sorted(BLOCKS)), max_size=30), st.integers(60, 1_500))
def test_what_is_left_is_whole_blocks_and_short_enough(names: list[str], most: int) -> None:
    text = "\n\n".join(BLOCKS[name] for name in names)
    short = shortened(text, most, PAGE)
    assert len(short) <= most
    if short == text:
        return
    assert short.rstrip().endswith(f"[All of it is here]({PAGE})")
    kept = short.rpartition("[All of it")[0]
    assert len(re.findall("^````", kept, re.MULTILINE)) % 2 == 0
    assert kept.count("<details>") == kept.count("</details>")
    rows = "| 1 | 2 |", "| 3 | 4 |", "|---|---|"
    assert len({kept.count(row) for row in rows}) == 1


def test_what_is_short_enough_stays_as_it_is() -> None:
    assert shortened("a" * 100, 100) == "a" * 100


def test_addresses_at_the_end_go_along() -> None:
    text = "[one][all]\n\n" + "word " * 50 + "\n\n[all]: https://assets.example.org/all"
    assert shortened(text, 120, PAGE) == (
        f"[one][all]\n\n\n[All of it is here]({PAGE})\n\n[all]: https://assets.example.org/all"
    )


def test_a_line_that_is_too_long_by_itself_is_left_out() -> None:
    assert shortened("x" * 500, 100, PAGE) == f"[All of it is here]({PAGE})"
    assert shortened("x" * 500, 100) == "The rest is left out, as it is too long for a comment."


@pytest.mark.parametrize("fence", ["```", "~~~~", "   ```python"])
def test_a_fence_that_nothing_ends_is_left_out_as_a_whole(fence: str) -> None:
    assert "within" not in shortened(f"before\n\n{fence}\n" + "within\n" * 100, 150, PAGE)
