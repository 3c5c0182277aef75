"""The style of a drawing that is a file of its own: the site's own rules, with the value of each variable in its place.

SVG viewers other than browsers don't support variables, so there is one set of rules for light and one for dark.
"""

import re
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders

_VARIABLE = re.compile(r"var\(--([\w-]+)\)")
_COLOUR = re.compile(r"--([\w-]+): light-dark\(([^,()]+), ([^,()]+)\);")
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_FONTS = {"sans": "system-ui, sans-serif", "mono": "ui-monospace, monospace"}


@lru_cache(maxsize=4)
def standalone_style(sheet: str) -> str:
    """The rules of one of the static stylesheets for a file of its own."""
    rules = _COMMENT.sub("", static_text(sheet))
    colours = _COLOUR.findall(static_text("app.css"))
    light, dark = ({name: pair[theme] for name, *pair in colours} | _FONTS for theme in (0, 1))
    return f"{_written_out(rules, light)}\n@media (prefers-color-scheme: dark) {{\n{_written_out(rules, dark)}}}\n"


def static_text(name: str) -> str:
    found = finders.find(name)
    assert isinstance(found, str), f"static/{name} is missing"
    return Path(found).read_text()


def _written_out(rules: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], rules)
