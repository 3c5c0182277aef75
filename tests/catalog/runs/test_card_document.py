"""What is put around a card: the guard before everything that could run, in whatever shape a card comes."""

import pytest

from catalog.runs.card_document import FRAME_SCRIPT, GUARD, document_of

SCRIPT = f'<script nonce="once">{GUARD}</script>'
OLD = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">'


def document(card: str) -> str:
    return document_of(card.encode(), "once").replace(FRAME_SCRIPT, "[frame]")


@pytest.mark.parametrize(
    ("card", "doctype"),
    [
        ("<!doctype html><p>a", "<!doctype html>"),
        ("\ufeff<!DOCTYPE html>\n<p>a", "<!DOCTYPE html>"),
        ("\n \t<!-- made by hand --><!doctype html><p>a", "<!doctype html>"),
        ('<?xml version="1.0"?>\n<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><p>a', "<!DOCTYPE html>"),
        (f"{OLD}<p>a", OLD),
        ("<p>a", ""),
        ("text <!doctype html><p>a", ""),
        ("<script>early()</script><!doctype html>", ""),
        ("<!-- <!doctype html> <p>a", ""),
        ("", ""),
    ],
)
def test_the_guard_comes_first_and_the_kind_of_page_stays(card: str, doctype: str) -> None:
    assert document(card) == f"{doctype}{SCRIPT}{card.removeprefix(chr(0xFEFF))}[frame]"


def test_a_card_that_is_no_utf_8_is_read_as_such_nevertheless() -> None:
    page = document_of("<script>early()</script>".encode("utf-16"), "once")
    assert page.startswith(SCRIPT)
    assert "<script>early" not in page


def test_no_tree_is_made_that_the_guard_does_not_see() -> None:
    page = document('<div><template ShadowRootMode="closed"><iframe srcdoc="a"></iframe></template></div>')
    assert "shadowrootmode" not in page.removeprefix(SCRIPT).lower()


def test_the_frame_script_stands_before_the_last_end_of_the_body() -> None:
    assert document("<body>a</body>b</BODY></html>").endswith("<body>a</body>b[frame]</BODY></html>")
