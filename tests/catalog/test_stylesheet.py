"""The stylesheet's promises: text that can be read in both themes, and nothing fetched from elsewhere."""

import re

import pytest

from tests.places import STATIC, TEMPLATES

STYLESHEET = (STATIC / "app.css").read_text()
COLOURS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", STYLESHEET)
}
MEANINGS = ["accent", "data", "model", "good", "warn", "bad"]
GROUNDS = ["page", "sheet", "inset", "hover"]
TEXT = [(ink, ground) for ink in ("ink", "ink-2", "ink-3", *MEANINGS) for ground in GROUNDS]
BADGES = [(ink, f"{meaning}-soft") for meaning in MEANINGS for ink in (meaning, "ink", "ink-2")]


def luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other, theme):
    lighter, darker = sorted((luminance(COLOURS[name][theme]) for name in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), [*TEXT, *BADGES, ("on-accent", "accent")])
def test_text_can_be_read(ink, ground, theme):
    assert contrast(ink, ground, theme) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), [("edge-3", "sheet"), ("accent", "page"), ("accent", "sheet")])
def test_fields_and_focus_rings_can_be_seen(line, ground, theme):
    assert contrast(line, ground, theme) >= 3


def test_every_variable_that_is_used_is_defined():
    sheets = "".join(path.read_text() for path in STATIC.glob("*.css"))
    assert set(re.findall(r"var\(--([\w-]+)\)", sheets)) <= set(re.findall(r"--([\w-]+):", sheets))


def test_nothing_is_fetched_from_elsewhere():
    for path in STATIC.iterdir():
        addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[\w./-]*", path.read_text())
        assert [address for address in addresses if "www.w3.org" not in address] == [], path.name


def test_what_may_scroll_can_be_reached_by_keyboard():
    wraps = "ui/text.html"
    for template in {*TEMPLATES.rglob("*.html")} - {TEMPLATES / wraps}:
        for tag in re.findall(r'<pre\b[^>]*>|<[a-z]+ class="(?:[^"]* )?scroll[" ][^>]*>', template.read_text()):
            assert re.search(r'tabindex="0" role="region" aria-label(ledby)?="', tag), (template.name, tag)
