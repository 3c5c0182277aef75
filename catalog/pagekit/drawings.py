"""Drawings as files of their own, with their style inside."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from access.headers import policy
from catalog.shown.standalone import standalone_style


def drawing_alone(template: str, sheet: str, context: Mapping[str, Any]) -> HttpResponse:
    """The drawing of a template, which gets the rules of a static stylesheet as `style`. The content security policy
    allows this one style and nothing else."""
    style = standalone_style(sheet)
    inside = {**context, "style": mark_safe(style)}  # noqa: S308 - the site's own stylesheet
    response = HttpResponse(render_to_string(template, inside), "image/svg+xml; charset=utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = policy({"style-src": [f"'sha256-{digest}'"]})
    return response
