"""A drawing as a standalone SVG file, with its style and icons inside."""

from collections.abc import Sequence

from django.http import HttpResponse

from catalog.pagekit.drawings import drawing_alone
from lineage.drawing.picture import HEADS, Picture
from lineage.drawing.style import symbols_of


def standalone(picture: Picture, label: str, base_url: str, heads: Sequence[str] = HEADS) -> HttpResponse:
    """The drawing, with links below `base_url`."""
    context = {
        "picture": picture,
        "symbols": symbols_of(picture.icons),
        "heads": heads,
        "label": label,
        "base_url": base_url,
    }
    return drawing_alone("lineage/_drawing.html", "drawing.css", context)
