"""Sentences that say what differs: plain words, with the names that users gave told apart from them.

A page writes each name in isolation (`<bdi>`), Markdown escapes it; both walk through `Sentence.parts`. Pure: no
Django, no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Name(str):
    """Text that a user wrote: the name of a metric, an asset or a branch, or a value."""

    __slots__ = ()


class Sentence:
    """Words and names, in their order; as a string it is both."""

    def __init__(self, *parts: str | Sentence) -> None:
        self._parts: tuple[str, ...] = tuple(
            text for part in parts for text in (part._parts if isinstance(part, Sentence) else (part,)) if text
        )

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """Each part as text, and whether it is a name."""
        return [(str(part), isinstance(part, Name)) for part in self._parts]

    def __str__(self) -> str:
        return "".join(self._parts)

    def __repr__(self) -> str:
        return f"Sentence({str(self)!r})"

    def __bool__(self) -> bool:
        return bool(self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __add__(self, other: str | Sentence) -> Sentence:
        return Sentence(self, other)


NOTHING = Sentence()


def joined(said: Iterable[str | Sentence], between: str = ", ", most: int | None = None) -> Sentence:
    """Several as one, with something between them; of more than `most` the rest is counted."""
    every = list(said)
    parts: list[str | Sentence] = []
    for one in every[:most]:
        parts += [between, one] if parts else [one]
    return Sentence(*parts, f" and {len(every) - most:,} more" if most is not None and len(every) > most else "")


def listed(said: Sequence[str | Sentence], most: int = 5) -> Sentence:
    """An enumeration: "a", "a and b", "a, b and c"; of more than `most` the rest is counted."""
    if len(said) > most:
        return Sentence(joined(said[:most]), f" and {len(said) - most} more")
    if len(said) < 2:
        return joined(said)
    return Sentence(joined(said[:-1]), " and ", said[-1])


def upper_first(said: Sentence) -> Sentence:
    """The sentence with its first letter in upper case, unless it begins with a name."""
    if not said._parts or isinstance(said._parts[0], Name):
        return said
    first, *rest = said._parts
    return Sentence(first[:1].upper() + first[1:], *rest)
