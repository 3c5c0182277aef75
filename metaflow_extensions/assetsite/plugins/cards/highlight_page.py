"""The page of a highlight card: one HTML file of a few kB that fetches nothing and runs no script.

What users wrote is text here, never markup. The same content, but for an image, is in the page as JSON, for those who
want to show it in their own way without loading an artifact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from metaflow_extensions.assetsite.plugins.cards.highlight_chart import render_chart
from metaflow_extensions.assetsite.plugins.cards.highlight_style import STYLE
from obproject.highlight_text import bold_parts

_MARKED_LABELS = ("important", "error", "new")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main class="card_app">
{content}
</main>
<script type="application/json" id="highlight">{data}</script>
</body>
</html>
"""


def render_page(data: Mapping[str, Any] | None) -> str:
    """Return the page for the data of a ``self.highlight``; None says that the step put nothing into it."""
    parts = _parts(data) if data else ["<p>This step had nothing to highlight.</p>"]
    title = escape(data["title"] if data else "") or "Highlight"
    content = "\n".join(part for part in parts if part)
    return _PAGE.format(title=title, style=STYLE, content=content, data=_as_json(_without_image(data)))


def _parts(data: Mapping[str, Any]) -> list[str]:
    return [
        _wrapped("ul", "labels", [_label(label) for label in data["labels"]]),
        f"<h1>{escape(data['title'])}</h1>" if data["title"] else "",
        *[f"<p>{_line(line)}</p>" for line in data["synopsis"]],
        _BODIES[data["highlight_type"]](data["highlight_body"]),
    ]


def _label(label: str) -> str:
    mark = f" {label.lower()}" if label.lower() in _MARKED_LABELS else ""
    return f'<li class="label{mark}">{escape(label[:1].upper() + label[1:])}</li>'


def _line(line: str) -> str:
    return "".join(f"<strong>{escape(text)}</strong>" if bold else escape(text) for text, bold in bold_parts(line))


def _columns(columns: list[Mapping[str, str]]) -> str:
    figures = [f"<div><dt>{escape(column['small'])}</dt><dd>{escape(column['big'])}</dd></div>" for column in columns]
    return _wrapped("dl", "columns", figures)


def _image(image: Mapping[str, str]) -> str:
    return f'<img src="{escape(image["src"])}" alt="{escape(image["alt"])}">'


_BODIES: dict[str, Callable[[Any], str]] = {"columns": _columns, "image": _image, "chart": render_chart}


def _wrapped(element: str, name: str, items: list[str]) -> str:
    return f'<{element} class="{name}">{"".join(items)}</{element}>' if items else ""


def _without_image(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not data or data["highlight_type"] != "image":
        return dict(data) if data else None
    return {**data, "highlight_body": {"alt": data["highlight_body"]["alt"]}}


def _as_json(value: Any) -> str:
    """Return JSON that can't end the element that holds it."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
