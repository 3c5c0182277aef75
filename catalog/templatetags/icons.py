"""Icons of the site, drawn from the sprite static/icons.svg, and the icons that users give to their assets."""

import functools

from django import template
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """The icon `name`: decoration beside a word, so it is hidden from screen readers."""
    return _icon(name, get_script_prefix())


@functools.lru_cache(maxsize=256)
def _icon(name: str, prefix: str) -> SafeString:
    """Made once: a page has hundreds. `prefix` is below which address the site stands, as `static` looks it up."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


@register.filter
def pictogram(text: str | None) -> str:
    """An asset's declared icon if it is an emoji or the like; names of icons ("openai") can't be drawn and give ""."""
    text = (text or "").strip()
    return text if len(text) <= 8 and not any(character.isascii() for character in text) else ""
