"""The JSON of a highlight: its content in the form in which clients send it."""

from typing import Any

from catalog.addresses import highlight_path
from catalog.models import Highlight
from catalog.wire.shapes import entity_shape, time_shape

Json = dict[str, Any]


def highlight_shape(highlight: Highlight, base: str = "") -> Json:
    """`base` is the scheme and host of the site."""
    return {
        "id": highlight.uid,
        "at": time_shape(highlight.at),
        "created_by": entity_shape(highlight.entity_kind, highlight.entity_id),
        "component": {"kind": highlight.component.kind, "name": highlight.component.name},
        "run": highlight.run,
        "attempt": highlight.attempt,
        "content": {"title": highlight.title, **highlight.content, **_image(highlight, base)},
        "url": f"{base}{highlight_path(highlight)}",
    }


def _image(highlight: Highlight, base: str) -> Json:
    """The image by its address, which is empty if the catalogue has not stored it."""
    if highlight.content.get("highlight_type") != "image":
        return {}
    src = f"{base}{highlight_path(highlight)}/image" if highlight.image_type else ""
    return {"highlight_body": {"src": src, **highlight.content["highlight_body"]}}
