"""Hand lettering: every character is a few pen strokes on a grid 4 wide and 6 high, written as ``xy-xy-xy``."""

import textwrap
from itertools import pairwise

from png import Canvas, Color

STROKES = {
    "A": "06-20-46 14-34", "B": "00-06-36-45-44-33-03 00-30-41-42-33", "C": "41-30-10-01-05-16-36-45",
    "D": "00-06-26-45-41-20-00", "E": "40-00-06-46 03-33", "F": "40-00-06 03-33",
    "G": "41-30-10-01-05-16-36-45-43-23", "H": "00-06 40-46 03-43", "I": "10-30 20-26 16-36", "J": "40-45-36-16-05",
    "K": "00-06 40-03-46", "L": "00-06-46", "M": "06-00-23-40-46", "N": "06-00-46-40",
    "O": "10-30-41-45-36-16-05-01-10", "P": "06-00-30-41-42-33-03", "Q": "10-30-41-45-36-16-05-01-10 34-46",
    "R": "06-00-30-41-42-33-03 23-46", "S": "41-30-10-01-02-13-33-44-45-36-16-05", "T": "00-40 20-26",
    "U": "00-05-16-36-45-40", "V": "00-26-40", "W": "00-16-23-36-40", "X": "00-46 40-06", "Y": "00-23-40 23-26",
    "Z": "00-40-06-46", "0": "10-30-41-45-36-16-05-01-10 41-05", "1": "11-20-26 16-36", "2": "01-10-30-41-42-06-46",
    "3": "01-10-30-41-42-33-44-45-36-16-05 33-13", "4": "36-30-04-44", "5": "40-00-02-32-43-45-36-06",
    "6": "40-20-02-05-16-36-45-44-33-03", "7": "00-40-16", "8": "13-02-01-10-30-41-42-33-13-04-05-16-36-45-44-33",
    "9": "06-26-44-41-30-10-01-02-13-43", ".": "26-26", ",": "25-17", "!": "20-24 26-26",
    "?": "01-10-30-41-42-23-24 26-26", "'": "20-21", "-": "13-33", "%": "40-06 10-10 36-36", ":": "22-22 25-25",
}  # fmt: skip
"""Letters, digits and punctuation; anything else is left blank."""

SCALE = 2.3
ADVANCE = 5.7 * SCALE
LINE_HEIGHT = 10 * SCALE


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most ``width`` characters."""
    return textwrap.wrap(text.upper(), width)


def write(canvas: Canvas, lines: list[str], x: float, top: float, color: Color) -> None:
    """Write lines centred around ``x``."""
    for row, line in enumerate(lines):
        left = x - (len(line) * ADVANCE - 1.7 * SCALE) / 2
        for column, character in enumerate(line):
            _write_one(canvas, character, left + column * ADVANCE, top + row * LINE_HEIGHT, color)


def _write_one(canvas: Canvas, character: str, left: float, top: float, color: Color) -> None:
    for stroke in STROKES.get(character, "").split():
        points = [(left + int(x) * SCALE, top + int(y) * SCALE) for x, y in stroke.split("-")]
        for (x1, y1), (x2, y2) in pairwise(points):
            canvas.line(x1, y1, x2, y2, 2.1, color)
