"""The names of headings in addresses, by GitHub's rule, so that lists of contents written for it work."""

import unicodedata
from collections.abc import Iterator

_KEPT = {"L", "M"}
_KEPT_TOO = {"Nd", "Nl", "Pc"}


def slug_of(heading: str) -> str:
    """Small letters, digits, `_` and `-` of a heading in any script, its spaces as `-`. May be empty."""
    return "".join("-" if char == " " else char for char in heading.lower() if char in " -" or _is_kept(char))


class Slugs:
    """Makes the names of the headings of one README differ: a second `usage` is `usage-1`."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def __contains__(self, slug: str) -> bool:
        return slug in self._seen

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def add(self, heading: str) -> str:
        """The name of the next heading."""
        slug = unique = slug_of(heading)
        while unique in self._seen:
            self._seen[slug] += 1
            unique = f"{slug}-{self._seen[slug]}"
        self._seen[unique] = 0
        return unique


def _is_kept(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in _KEPT or category in _KEPT_TOO
