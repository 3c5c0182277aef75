"""The style of a standalone drawing: the site's own rules, with the value of each variable in its place.

SVG viewers other than browsers don't support variables, so there is one set of rules for light and one for dark.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.safestring import SafeString, mark_safe

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


def symbols_of(names: Iterable[str]) -> list[SafeString]:
    """Icons of the site by their names, each a <symbol> whose id is `i-` and its name."""
    known = _symbols()
    return [mark_safe(known[name].replace('id="', 'id="i-', 1)) for name in names]  # noqa: S308 (the site's own file)


@lru_cache(maxsize=1)
def _symbols() -> dict[str, str]:
    return {match[1]: match[0] for match in _SYMBOL.finditer(_static("icons.svg"))}


def _written_out(rules: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], rules)


def _static(name: str) -> str:
    found = finders.find(name)
    assert isinstance(found, str), f"static/{name} is missing"
    return Path(found).read_text()
