"""The comic strip's studio: what it draws is a picture, and always the same one."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.examples.folders import EXAMPLES

pytestmark = pytest.mark.slow

MODULES = ("lettering", "png", "studio")


@pytest.fixture(scope="module")
def studio() -> Iterator[ModuleType]:
    """The studio as its flow imports it: from the folder beside."""
    sys.path.insert(0, str(EXAMPLES / "comics/flows/comic_data"))
    import studio

    yield studio
    sys.path.pop(0)
    for name in MODULES:
        sys.modules.pop(name)


def read_png(picture: bytes) -> tuple[int, int, list[bytes]]:
    """Return width, height and rows of a PNG of 8 bit RGB, every check sum checked."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(picture):
        length, name = struct.unpack(">I4s", picture[at : at + 8])
        data, total = picture[at + 8 : at + 8 + length], picture[at + 8 + length : at + 12 + length]
        assert zlib.crc32(name + data) == struct.unpack(">I", total)[0]
        chunks.append((name, data))
        at += 12 + length
    assert [name for name, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *mode = struct.unpack(">IIBBBBB", chunks[0][1])
    assert mode == [8, 2, 0, 0, 0]
    pixels = zlib.decompress(chunks[1][1])
    size = 1 + 3 * width
    assert len(pixels) == size * height
    rows = [pixels[start : start + size] for start in range(0, len(pixels), size)]
    assert {row[0] for row in rows} == {0}
    return width, height, [row[1:] for row in rows]


def test_a_strip_is_a_valid_png_of_the_size_it_says(studio: ModuleType) -> None:
    strip = studio.draw_strip(1)
    width, height, rows = read_png(strip.png)
    assert (width, height) == (strip.width, strip.height)
    assert tuple(rows[0][:3]) == studio.PAPER
    sky = studio.PALETTES[0][0]
    assert bytes(sky) in rows[studio.GUTTER + 5]
    assert bytes(studio.INK) in rows[height - 60]


def test_a_number_always_makes_the_same_strip_and_another_one_another(studio: ModuleType) -> None:
    assert studio.draw_strip(2) == studio.draw_strip(2)
    assert studio.draw_strip(2).png != studio.draw_strip(3).png


def test_a_fourth_panel_is_silent_and_before_the_last(studio: ModuleType) -> None:
    three, four = studio.draw_strip(1), studio.draw_strip(1, 4)
    assert four.panels == [*three.panels[:2], ("", ""), three.panels[2]]
    assert four.width == three.width + studio.PANEL_WIDTH + studio.GUTTER


def test_every_character_that_is_said_can_be_lettered(studio: ModuleType) -> None:
    said = {character for _, script in studio.SCRIPTS for _, text in script for character in text.upper()}
    assert said - {" "} <= set(sys.modules["lettering"].STROKES)


def test_what_is_said_fits_its_panel(studio: ModuleType) -> None:
    for _, script in studio.SCRIPTS:
        for _, text in script:
            assert len(sys.modules["lettering"].wrap(text, studio.LETTERS_IN_A_LINE)) <= 3
