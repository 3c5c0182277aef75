"""The style of a standalone drawing: the site's own rules, with the value of each variable in its place.

SVG viewers other than browsers don't support variables, so there is one set of rules for light and one for dark.
"""

import re
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders

_VARIABLE = re.compile(r"var\(--([\w-]+)\)")
_COLOUR = re.compile(r"--([\w-]+): light-dark\(([^,()]+), ([^,()]+)\);")
_SYMBOL = re.compile(r'<symbol id="([\w-]+)".*?</symbol>')
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
FONTS = {"sans": "system-ui, sans-serif", "mono": "ui-monospace, monospace"}


@lru_cache(maxsize=1)
def standalone_style() -> str:
    """The rules of static/drawing.css for a standalone file."""
    rules = _COMMENT.sub("", _static("drawing.css"))
    colours = _COLOUR.findall(_static("app.css"))
    light, dark = ({name: pair[theme] for name, *pair in colours} | FONTS for theme in (0, 1))
    return f"{_written_out(rules, light)}\n@media (prefers-color-scheme: dark) {{\n{_written_out(rules, dark)}}}\n"


@lru_cache(maxsize=1)
def symbols() -> dict[str, str]:
    """The icons of the site by name, each the text of its <symbol>."""
    return {match[1]: match[0] for match in _SYMBOL.finditer(_static("icons.svg"))}


def _written_out(rules: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], rules)


def _static(name: str) -> str:
    found = finders.find(name)
    assert isinstance(found, str), f"static/{name} is missing"
    return Path(found).read_text()
