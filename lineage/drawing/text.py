"""Estimate the width of text, to cut it before it leaves its box. No font is read: the estimate is on the safe side."""

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import takewhile

ELLIPSIS = "…"
BOLD = 1.07
"""How much wider bold letters are."""
END, LEAST_START = 0.45, 0.2
"""The part of the room that the end of a cut text gets; that which its start gets at least."""
_NARROW = frozenset("ijl.,:;'|!I`")
_SLIM = frozenset('ftr()[]{}-/\\" ·')
_BROAD = frozenset("mwMW@%")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_ARABIC = range(0x0600, 0x0780)
"""Arabic and Syriac, whose joined letters are narrow."""


def width_of(text: str, size: int, *, bold: bool = False) -> int:
    """The width of a line in pixels, set at `size` pixels in a common sans-serif font."""
    return round(_ems(text) * size * (BOLD if bold else 1)) + 1


def fitted(text: str, size: int, most: int, *, bold: bool = False) -> str:
    """The text, cut in its middle if it is wider than `most` pixels: many names differ only at their ends."""
    return text if width_of(text, size, bold=bold) <= most else _cut(_letters(text), _room(size, most, bold))


def fitted_apart(texts: Mapping[str, tuple[str, int]], size: int, *, bold: bool = False) -> dict[str, str]:
    """The same for several texts, each with its room. Those that differ do not look alike: where they would, they are
    cut before their first difference."""
    found = {key: fitted(text, size, most, bold=bold) for key, (text, most) in texts.items()}
    alike: dict[str, list[str]] = {}
    for key, shown in found.items():
        alike.setdefault(shown, []).append(key)
    for keys in alike.values():
        if len({texts[key][0] for key in keys}) > 1:
            found |= _apart({key: (_letters(texts[key][0]), _room(size, texts[key][1], bold)) for key in keys})
    return found


def _apart(cut: Mapping[str, tuple[list[str], float]]) -> dict[str, str]:
    """Texts, given as letters and room, that look alike if they are cut in the middle."""
    same = takewhile(lambda beside: len(set(beside)) == 1, zip(*(letters for letters, _ in cut.values()), strict=False))
    equal = len(list(same))
    found: dict[str, str] = {}
    alike: dict[str, list[str]] = {}
    for key, (letters, room) in cut.items():
        found[key] = _cut_before(letters, equal, room)
        alike.setdefault(found[key], []).append(key)
    for keys in alike.values():
        if len(keys) < len(cut) and len({"".join(cut[key][0]) for key in keys}) > 1:
            found |= _apart({key: cut[key] for key in keys})
    return found


def _cut(letters: Sequence[str], room: float) -> str:
    """The first and the last letters; the room is without that of the ellipsis."""
    if _ems(letters) <= room:
        return "".join(letters)
    last = _count(letters[::-1], room * END)
    tail = letters[len(letters) - last :]
    head = letters[: _count(letters, room - _ems(tail))]
    return "".join(head).rstrip() + ELLIPSIS + "".join(tail).lstrip()


def _cut_before(letters: Sequence[str], begin: int, room: float) -> str:
    """The first letters, and those from `begin` on, which are cut, too, if they are too many."""
    rest = letters[begin:]
    if _ems(rest) < room * (1 - LEAST_START):
        return "".join(letters[: _count(letters[:begin], room - _ems(rest))]).rstrip() + ELLIPSIS + "".join(rest)
    head = letters[: _count(letters[:begin], room * LEAST_START)]
    return "".join(head).rstrip() + ELLIPSIS + _cut(rest, room - _ems(head) - _ems(ELLIPSIS))


def _room(size: int, most: int, bold: bool) -> float:
    return (most - 1) / size / (BOLD if bold else 1) - _ems(ELLIPSIS)


def _count(letters: Sequence[str], room: float) -> int:
    """The number of letters that have room."""
    for count, letter in enumerate(letters):
        room -= _ems(letter)
        if room < 0:
            return count
    return len(letters)


def _letters(text: str) -> list[str]:
    """The letters of a text, each with its marks."""
    letters: list[str] = []
    for character in text:
        if letters and (_is_mark(character) or letters[-1][-1] in _JOINERS):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _is_mark(character: str) -> bool:
    """Whether a character belongs to the one before it."""
    return character in _JOINERS or ord(character) in _SKIN_TONES or unicodedata.category(character)[0] == "M"


def _ems(text: str | Sequence[str]) -> float:
    """The width of letters, in units of their size."""
    if isinstance(text, str) and text.isascii():
        return sum(map(_ASCII.__getitem__, text))
    return sum(_width(character) for letter in text for character in letter)


def _width(character: str) -> float:
    if character in _NARROW:
        return 0.3
    if character in _SLIM:
        return 0.42
    if character in _BROAD:
        return 0.96
    if character.isascii():
        return 0.74 if character.isupper() else 0.6
    if ord(character) in _ARABIC and not _is_mark(character):
        return 0.66
    if _is_mark(character) and unicodedata.category(character) != "Mc":  # which has a width
        return 0.1  # no width of its own; but a hundred of them are no letter
    if unicodedata.east_asian_width(character) in "WF":
        return 1.25
    return 1.05 if unicodedata.category(character)[0] == "S" or character == ELLIPSIS else 0.8


_ASCII = {character: _width(character) for character in map(chr, range(128))}
"""The widths of the characters that most names have."""
