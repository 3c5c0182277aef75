"""How two texts differ: `comparing.texts`."""

import time

from comparing.texts import LINES_MOST, SHOWN_MOST, lines_between, lines_of_each


def test_lines_added_and_removed_with_what_is_around_them():
    found = lines_between("one\ntwo\nthree\nfour\nfive", "one\ntwo\n3\nfour\nfive\nsix")
    assert (found.added, found.removed, found.cut) == (2, 1, False)
    assert found.lines[0].startswith("@@")
    assert {"-three", "+3", "+six", " two"} <= set(found.lines)


def test_lines_that_look_like_the_head_of_a_difference_are_lines():
    found = lines_between("a\n-- b\n++ c", "a")
    assert (found.added, found.removed) == (0, 2)
    assert "--- b" in found.lines


def test_equal_texts_have_none():
    assert lines_between("a\nb", "a\nb").lines == ()
    assert lines_between("", "").lines == ()


def test_of_a_long_difference_the_rest_is_counted():
    found = lines_between("", "\n".join(str(number) for number in range(SHOWN_MOST * 2)))
    assert (found.added, len(found.lines), found.cut) == (SHOWN_MOST * 2, SHOWN_MOST, True)


def test_texts_that_are_too_long_are_only_counted():
    long = "\n".join(str(number) for number in range(LINES_MOST + 1))
    found = lines_between(long, "0\nnew")
    assert (found.added, found.removed, found.lines, found.cut) == (1, LINES_MOST, (), True)


def test_of_many_long_texts_the_first_are_set_side_by_side_and_the_others_counted():
    same = "same\n" * (LINES_MOST - 1)
    texts = [f"{same}{number}" for number in range(6)]
    found = lines_of_each(texts[0], texts)
    assert [found[text].lines != () for text in texts[1:]] == [True] * 4 + [False]
    assert {(found[text].added, found[text].removed) for text in texts[1:]} == {(1, 1)}


def test_a_text_that_is_made_to_be_slow_is_not():
    began = time.process_time()  # what else runs on the machine does not count
    lines_between("a\n" * LINES_MOST, "\n".join("ab"[number % 2] for number in range(LINES_MOST)))
    lines_between(
        "\n".join(f"{number % 199}" for number in range(1_990)), "\n".join(f"{number % 197}" for number in range(1_990))
    )
    assert time.process_time() - began < 5
