"""The content of a highlight that is sent: nothing that a catalogue would refuse, nor pictures it would not store."""

from __future__ import annotations

from typing import Any

import pytest

from obproject import lengths
from obproject.catalogue.highlight_content import as_content, without_image
from obproject.highlights import Highlight

PNG = b"\x89PNG\r\n\x1a\n"


def content(highlight: Highlight) -> dict[str, Any]:
    data = highlight.as_data()
    assert data is not None
    return as_content(data)


def test_what_fits_stays_as_it_is() -> None:
    highlight = Highlight()
    highlight.title = "Better"
    highlight.add_label("new")
    highlight.add_line("0.91", "AUC")
    highlight.add_column(3, "rows")
    assert content(highlight) == {
        "title": "Better",
        "labels": ["new"],
        "synopsis": ["**AUC** 0.91"],
        "highlight_type": "columns",
        "highlight_body": [{"big": "3", "small": "rows"}],
    }


def test_what_is_too_much_is_cut() -> None:
    highlight = Highlight()
    highlight.title = "x" * 1_000
    for number in range(100):
        highlight.add_label(f"{number}" * 100)
        highlight.add_line("y" * 5_000)
        highlight.add_column("1" * 100, "z" * 1_000)
    cut = content(highlight)
    assert len(cut["title"]) == lengths.HIGHLIGHT_TITLE_LENGTH
    assert cut["title"].endswith("x…")
    assert len(cut["labels"]) == lengths.HIGHLIGHT_LABELS
    assert {len(label) for label in cut["labels"]} == {lengths.HIGHLIGHT_LABEL_LENGTH}
    assert [len(line) for line in cut["synopsis"]] == [lengths.HIGHLIGHT_LINE_LENGTH] * lengths.HIGHLIGHT_LINES
    assert len(cut["highlight_body"]) == lengths.HIGHLIGHT_COLUMNS
    assert len(cut["highlight_body"][0]["big"]) == lengths.HIGHLIGHT_FIGURE_LENGTH


def test_a_chart_keeps_no_more_series_than_fit() -> None:
    highlight = Highlight()
    highlight.set_chart({f"{number}" * 300: [1, 2] for number in range(20)}, x=["x" * 300, "y"], caption="c" * 300)
    chart = content(highlight)["highlight_body"]
    assert len(chart["series"]) == lengths.HIGHLIGHT_SERIES
    texts = [chart["caption"], *chart["x"], *(one["name"] for one in chart["series"])]
    assert max(map(len, texts)) == lengths.HIGHLIGHT_CAPTION_LENGTH


@pytest.mark.parametrize(
    ("image", "is_kept"),
    [
        (PNG + b"0" * 1_000, True),
        (PNG + b"0" * (lengths.HIGHLIGHT_IMAGE_BYTES - len(PNG)), True),
        (PNG + b"0" * lengths.HIGHLIGHT_IMAGE_BYTES, False),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", False),
        (b"no image at all", False),
    ],
)
def test_an_image_is_sent_only_if_it_is_kept(image: bytes, is_kept: bool) -> None:
    highlight = Highlight()
    highlight.set_image(image, alt="A curve")
    body = content(highlight)["highlight_body"]
    assert bool(body["src"]) is is_kept
    assert body["alt"] == "A curve"


def test_a_journal_keeps_no_picture() -> None:
    highlight = Highlight()
    highlight.set_image(PNG, alt="A curve")
    whole = content(highlight)
    assert whole["highlight_body"]["src"]
    assert without_image(whole)["highlight_body"] == {"src": "", "alt": "A curve"}
    assert whole["highlight_body"]["src"]
