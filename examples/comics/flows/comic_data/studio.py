"""The comic strip's studio: a script and a number make a strip, and the same number always makes the same one.

This stands in for the web site that a real project would fetch its newest item from.
"""

import math
import random
from dataclasses import dataclass

from lettering import LINE_HEIGHT, wrap, write
from png import Canvas, Color

PANEL_WIDTH, PANEL_HEIGHT, GUTTER = 252, 290, 12
LETTERS_IN_A_LINE = 15
INK: Color = (38, 38, 46)
PAPER: Color = (255, 253, 247)
SKIN: Color = (255, 236, 214)
STEEL: Color = (206, 219, 228)
# Sky, hills and shirt: one row a strip
PALETTES: list[tuple[Color, Color, Color]] = [
    ((196, 226, 240), (164, 206, 146), (226, 108, 84)),
    ((252, 222, 190), (222, 170, 132), (74, 124, 170)),
    ((52, 62, 106), (84, 92, 136), (240, 184, 72)),
    ((224, 214, 240), (172, 158, 206), (92, 158, 120)),
    ((206, 238, 224), (132, 188, 176), (214, 96, 130)),
]
DOT, BIT, NOBODY = "Dot", "Bit", ""
SCRIPTS: list[tuple[str, list[tuple[str, str]]]] = [
    ("Fresh", [(DOT, "Our data is very fresh."), (BIT, "How fresh?"), (DOT, "It is still loading.")]),
    ("Good news", [(BIT, "I am at 99 percent!"), (DOT, "Wow! Of what?"), (BIT, "Of the disk.")]),
    ("Versions", [(DOT, "Which model is live?"), (BIT, "Final two."), (DOT, "So what is final new?")]),
    ("Exam", [(DOT, "You knew every answer!"), (BIT, "I had seen the questions."), (DOT, "Ah. Here are new ones.")]),
    ("Baseline", [(BIT, "I beat the baseline!"), (DOT, "What was it?"), (BIT, "A coin. Best of three.")]),
]


@dataclass(frozen=True)
class Strip:
    """A comic strip: what is said in each panel, and the picture."""

    number: int
    title: str
    panels: list[tuple[str, str]]
    width: int
    height: int
    png: bytes


def draw_strip(number: int, panel_count: int = 3) -> Strip:
    """Draw a strip; panels beyond the script's three are silent ones before the last: timing is everything."""
    title, script = SCRIPTS[(number - 1) % len(SCRIPTS)]
    panels = [*script[:-1], *[(NOBODY, "")] * (panel_count - len(script)), script[-1]]
    width = GUTTER + len(panels) * (PANEL_WIDTH + GUTTER)
    canvas = Canvas(width, PANEL_HEIGHT + 2 * GUTTER, PAPER)
    palette = PALETTES[(number - 1) % len(PALETTES)]
    for index, (speaker, text) in enumerate(panels):
        _draw_panel(canvas, GUTTER + index * (PANEL_WIDTH + GUTTER), speaker, text, palette, number)
    return Strip(number, title, panels, canvas.width, canvas.height, canvas.png())


def _draw_panel(
    canvas: Canvas, left: int, speaker: str, text: str, palette: tuple[Color, Color, Color], number: int
) -> None:
    sky, hills, shirt = palette
    right, bottom = left + PANEL_WIDTH, GUTTER + PANEL_HEIGHT
    canvas.box(left - 2, GUTTER - 2, right + 2, bottom + 2, INK)
    canvas.clip = (left, GUTTER, right, bottom)
    canvas.box(left, GUTTER, right, bottom, sky)
    _draw_scenery(canvas, left, bottom, hills, sky, random.Random(number))  # noqa: S311 - a drawing
    _draw_dot(canvas, left + 70, bottom - 24, shirt, speaker)
    _draw_bit(canvas, right - 70, bottom - 24, speaker)
    if text:
        _draw_bubble(canvas, left, wrap(text, LETTERS_IN_A_LINE), mouth_x=left + 92 if speaker == DOT else right - 92)
    canvas.clip = (0, 0, canvas.width, canvas.height)


def _draw_scenery(canvas: Canvas, left: int, bottom: int, hills: Color, sky: Color, chance: random.Random) -> None:
    """Draw what lies behind the two; the same chance in every panel makes it one place."""
    dark = sum(sky) < 400
    canvas.circle(
        left + chance.uniform(124, 134),
        bottom - chance.uniform(140, 150),
        20,
        (250, 240, 196) if dark else (255, 214, 102),
    )
    for _ in range(14 if dark else 0):
        canvas.circle(left + chance.uniform(6, 246), bottom - chance.uniform(90, 280), chance.uniform(1, 2), PAPER)
    for radius in (chance.uniform(120, 150), chance.uniform(150, 190)):
        canvas.circle(left + chance.uniform(0, PANEL_WIDTH), bottom + radius - chance.uniform(66, 84), radius, hills)
    shade = tuple(int(value * 0.86) for value in hills)
    canvas.box(left - 9, bottom - 34, left + PANEL_WIDTH + 9, bottom + 9, (shade[0], shade[1], shade[2]))


def _draw_dot(canvas: Canvas, x: float, ground: float, shirt: Color, speaker: str) -> None:
    """Draw Dot, the person."""
    for side in (-1, 1):
        canvas.line(x, ground - 32, x + side * 11, ground, 5, INK)
    canvas.line(x, ground - 58, x, ground - 34, 27, INK, end=33)
    canvas.line(x, ground - 58, x, ground - 34, 21, shirt, end=27)
    raised = 30 if speaker == DOT else -12
    canvas.line(x + 10, ground - 56, x + 30, ground - 56 - raised, 5, INK)
    canvas.line(x - 10, ground - 56, x - 24, ground - 38, 5, INK)
    canvas.circle(x, ground - 90, 26, INK)
    canvas.circle(x, ground - 90, 23, SKIN)
    for strand in range(-2, 3):
        canvas.line(x + strand * 5, ground - 110, x + strand * 9, ground - 121, 3, INK)
    _draw_face(canvas, x + 4, ground - 90, speaker == DOT)


def _draw_bit(canvas: Canvas, x: float, ground: float, speaker: str) -> None:
    """Draw Bit, the model."""
    for side in (-1, 1):
        canvas.box(x + side * 11 - 5, ground - 20, x + side * 11 + 5, ground + 2, INK, corner=3)
    canvas.box(x - 22, ground - 62, x + 22, ground - 14, INK, corner=8)
    canvas.box(x - 19, ground - 59, x + 19, ground - 17, STEEL, corner=6)
    canvas.circle(x, ground - 38, 6, (240, 120, 90) if speaker == BIT else (150, 168, 180))
    raised = 30 if speaker == BIT else -14
    canvas.line(x - 22, ground - 52, x - 38, ground - 52 - raised, 5, INK)
    canvas.line(x + 22, ground - 52, x + 33, ground - 34, 5, INK)
    canvas.line(x, ground - 112, x, ground - 124, 3, INK)
    canvas.circle(x, ground - 126, 5, (240, 120, 90) if speaker == BIT else INK)
    canvas.box(x - 30, ground - 113, x + 30, ground - 65, INK, corner=10)
    canvas.box(x - 27, ground - 110, x + 27, ground - 68, STEEL, corner=8)
    _draw_face(canvas, x - 4, ground - 90, speaker == BIT)


def _draw_face(canvas: Canvas, x: float, y: float, speaks: bool) -> None:
    """Draw two eyes and a mouth, open for who speaks."""
    for side in (-1, 1):
        canvas.circle(x + side * 8, y - 4, 3.4, INK)
    if speaks:
        canvas.circle(x, y + 10, 5, INK)
    else:
        canvas.line(x - 5, y + 10, x + 5, y + 10, 2.4, INK)


def _draw_bubble(canvas: Canvas, left: int, lines: list[str], mouth_x: float) -> None:
    top, height = GUTTER + 12, len(lines) * LINE_HEIGHT + 20
    half = max(map(len, lines)) * 6.6 + 16
    middle = min(max(mouth_x, left + 12 + half), left + PANEL_WIDTH - 12 - half)
    tail = (mouth_x, top + height - 6, mouth_x + math.copysign(7, left + PANEL_WIDTH / 2 - mouth_x), top + height + 26)
    for margin, color in ((3, INK), (0, PAPER)):
        canvas.line(*tail, 15 + 2 * margin, color, end=2 * margin)
        canvas.box(
            middle - half - margin, top - margin, middle + half + margin, top + height + margin, color, 15 + margin
        )
    write(canvas, lines, middle, top + 14, INK)
