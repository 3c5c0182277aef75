"""Smooth shapes on a canvas, written as a PNG: the standard library is enough for a comic strip."""

import math
import struct
import zlib
from collections.abc import Callable

Color = tuple[int, int, int]


class Canvas:
    """A picture made of shapes. Nothing is painted outside ``clip``: left, top, right, bottom."""

    def __init__(self, width: int, height: int, paper: Color) -> None:
        self.width, self.height = width, height
        self.clip = (0, 0, width, height)
        self._rows = [bytearray(bytes(paper) * width) for _ in range(height)]

    def circle(self, x: float, y: float, radius: float, color: Color) -> None:
        """Paint a disc."""
        box = (x - radius, y - radius, x + radius, y + radius)
        self._paint(box, color, lambda px, py: math.hypot(px - x, py - y) - radius)

    def box(self, left: float, top: float, right: float, bottom: float, color: Color, corner: float = 0) -> None:
        """Paint a rectangle with rounded corners."""
        x, y = (left + right) / 2, (top + bottom) / 2
        half_width, half_height = (right - left) / 2 - corner, (bottom - top) / 2 - corner

        def distance(px: float, py: float) -> float:
            dx, dy = abs(px - x) - half_width, abs(py - y) - half_height
            return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - corner

        self._paint((left, top, right, bottom), color, distance)

    def line(self, x1: float, y1: float, x2: float, y2: float, width: float, color: Color, end: float = -1) -> None:
        """Paint a stroke with round ends, which grows or shrinks to the width ``end`` if that is given."""
        dx, dy = x2 - x1, y2 - y1
        square = dx * dx + dy * dy or 1
        growth = (end - width if end >= 0 else 0) / 2
        reach = max(width, end) / 2
        box = (min(x1, x2) - reach, min(y1, y2) - reach, max(x1, x2) + reach, max(y1, y2) + reach)

        def distance(px: float, py: float) -> float:
            along = min(max(((px - x1) * dx + (py - y1) * dy) / square, 0), 1)
            return math.hypot(px - x1 - along * dx, py - y1 - along * dy) - width / 2 - growth * along

        self._paint(box, color, distance)

    def _paint(
        self, box: tuple[float, float, float, float], color: Color, distance: Callable[[float, float], float]
    ) -> None:
        """Paint where the distance to the shape's edge is negative, and blend along the edge.

        Every shape is convex: in a row of pixels, all between the first and the last covered one are covered.
        """
        left, top = max(int(box[0]) - 1, self.clip[0]), max(int(box[1]) - 1, self.clip[1])
        right, bottom = min(int(box[2]) + 2, self.clip[2]), min(int(box[3]) + 2, self.clip[3])
        for y in range(top, bottom):
            row, first, end = self._rows[y], left, right
            while first < end and not _blend(row, first, color, 0.5 - distance(first + 0.5, y + 0.5)):
                first += 1
            while first < end and not _blend(row, end - 1, color, 0.5 - distance(end - 0.5, y + 0.5)):
                end -= 1
            row[3 * first : 3 * end] = bytes(color) * (end - first)

    def png(self) -> bytes:
        """Return the picture as a PNG file: signature, header, pixels (each row without a filter), end."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(b"\0" + row for row in self._rows), 9)
        chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _blend(row: bytearray, x: int, color: Color, cover: float) -> bool:
    """Cover a part of a pixel; say whether the shape covers all of it, which then is left to the caller."""
    if 0 < cover < 1:
        for at, value in enumerate(color, 3 * x):
            row[at] += round((value - row[at]) * cover)
    return cover >= 1


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
