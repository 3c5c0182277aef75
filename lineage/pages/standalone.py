"""A drawing as a standalone SVG file, with its style and icons inside."""

from base64 import b64encode
from hashlib import sha256

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from access.headers import policy
from lineage.drawing import HEADS, Picture
from lineage.drawing.style import standalone_style, symbols_of


def standalone(picture: Picture, label: str, base_url: str) -> HttpResponse:
    """The drawing, with links below `base_url`. The content security policy allows this one style and nothing else."""
    style = standalone_style()
    context = {
        "picture": picture,
        "symbols": symbols_of(picture.icons),
        "heads": HEADS,
        "label": label,
        "base_url": base_url,
        "style": mark_safe(style),  # noqa: S308 - the site's own stylesheet
    }
    response = HttpResponse(render_to_string("lineage/_drawing.html", context), "image/svg+xml; charset=utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = policy({"style-src": [f"'sha256-{digest}'"]})
    return response
