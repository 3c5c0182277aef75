"""Estimate the width of text, to cut it before it leaves its box. No font is read: the estimate is on the safe side."""

import re
import unicodedata

ELLIPSIS = "…"
_NARROW = frozenset("ijl.,:;'|!I`")
_SLIM = frozenset('ftr()[]{}-/\\" ·')
_BROAD = frozenset("mwMW@%")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with a replacement character for each that XML forbids or that is invisible."""
    return _UNPRINTABLE.sub("\ufffd", text)


def width_of(text: str, size: int, *, bold: bool = False) -> int:
    """The width of a line in pixels, set at `size` pixels in a common sans-serif font."""
    ems = sum(map(_ems, text))
    return round(ems * size * (1.07 if bold else 1)) + 1


def fitted(text: str, size: int, most: int, *, bold: bool = False) -> str:
    """The text, cut at the end if it would be wider than `most` pixels; never within a letter and its marks."""
    if width_of(text, size, bold=bold) <= most:
        return text
    room = (most - 1) / size / (1.07 if bold else 1) - _ems(ELLIPSIS)
    end = 0
    for end, character in enumerate(text):  # noqa: B007 (where it stops is what is asked)
        room -= _ems(character)
        if room < 0:
            break
    while end and (_is_mark(text[end]) or text[end - 1] in _JOINERS):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def _is_mark(character: str) -> bool:
    return character in _JOINERS or bool(unicodedata.combining(character))


def _ems(character: str) -> float:
    if character in _NARROW:
        return 0.3
    if character in _SLIM:
        return 0.42
    if character in _BROAD:
        return 0.96
    if character.isascii():
        return 0.74 if character.isupper() else 0.6
    if _is_mark(character):
        return 0.1  # no width of its own; but a hundred of them are no letter
    if unicodedata.east_asian_width(character) in "WF":
        return 1.25
    return 1.05 if unicodedata.category(character)[0] == "S" or character == ELLIPSIS else 0.8
