"""The icons of a drawing, which are written into it."""

import re
from collections.abc import Iterable
from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe

from catalog.shown.standalone import static_text

_SYMBOL = re.compile(r'<symbol id="([\w-]+)".*?</symbol>')


def symbols_of(names: Iterable[str]) -> list[SafeString]:
    """Icons of the site by their names, each a <symbol> whose id is `i-` and its name."""
    known = _symbols()
    return [mark_safe(known[name].replace('id="', 'id="i-', 1)) for name in names]  # noqa: S308 (the site's own file)


@lru_cache(maxsize=1)
def _symbols() -> dict[str, str]:
    return {match[1]: match[0] for match in _SYMBOL.finditer(static_text("icons.svg"))}
