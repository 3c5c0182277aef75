"""A highlight as a catalogue takes it: of a size that a tile can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from obproject import lengths


def as_content(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a highlight as a catalogue takes it: what is too long for a tile is cut.

    An image that a catalogue does not keep is left out; it is in the card.
    """
    fitted: dict[str, Callable[[Any], Any]] = {"columns": _short_columns, "chart": _short_chart, "image": _small_image}
    return {
        "title": _short(data["title"], lengths.HIGHLIGHT_TITLE_LENGTH),
        "labels": _short_texts(data["labels"], lengths.HIGHLIGHT_LABELS, lengths.HIGHLIGHT_LABEL_LENGTH),
        "synopsis": _short_texts(data["synopsis"], lengths.HIGHLIGHT_LINES, lengths.HIGHLIGHT_LINE_LENGTH),
        "highlight_type": data["highlight_type"],
        "highlight_body": fitted[data["highlight_type"]](data["highlight_body"]),
    }


def without_image(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content with nothing left of an image but what it shows: a journal is no place for pictures."""
    if content["highlight_type"] != "image":
        return dict(content)
    return {**content, "highlight_body": {**content["highlight_body"], "src": ""}}


def _short_columns(columns: list[Mapping[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "big": _short(column["big"], lengths.HIGHLIGHT_FIGURE_LENGTH),
            "small": _short(column["small"], lengths.HIGHLIGHT_CAPTION_LENGTH),
        }
        for column in columns[: lengths.HIGHLIGHT_COLUMNS]
    ]


def _short_chart(chart: Mapping[str, Any]) -> dict[str, Any]:
    limit = lengths.HIGHLIGHT_CAPTION_LENGTH
    return {
        **chart,
        "caption": _short(chart["caption"], limit),
        "x": [_short(label, limit) for label in chart["x"]],
        "series": [{**one, "name": _short(one["name"], limit)} for one in chart["series"][: lengths.HIGHLIGHT_SERIES]],
    }


def _small_image(image: Mapping[str, str]) -> dict[str, str]:
    head, _, encoded = image["src"].partition(";base64,")
    size = len(encoded) * 3 // 4 - encoded.count("=")
    known = head.removeprefix("data:") in lengths.HIGHLIGHT_IMAGE_TYPES
    is_kept = known and size <= lengths.HIGHLIGHT_IMAGE_BYTES
    return {"src": image["src"] if is_kept else "", "alt": _short(image["alt"], lengths.HIGHLIGHT_CAPTION_LENGTH)}


def _short_texts(texts: list[str], most: int, length: int) -> list[str]:
    return [_short(text, length) for text in texts[:most]]


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
