"""Keys in filters of tags and annotations, as client and server write them. Standard library only."""

from __future__ import annotations

import json
import re

_AMBIGUOUS = re.compile(r'\A\Z|\A"|[=<>!]')
"""Keys that would be read otherwise, if they were written as they are."""


def written_key(key: str) -> str:
    """Return a key as filters write it: as a JSON string where it would be read otherwise."""
    return json.dumps(key, ensure_ascii=False) if _AMBIGUOUS.search(key) else key


def written_tag(key: str, value: str) -> str:
    """Return what the filter ``tag`` has to say to find a tag."""
    return f"{written_key(key)}={value}"
