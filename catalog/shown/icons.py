"""Icons of the site, drawn from the sprite static/icons.svg, and the icons that users give to their assets."""

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString


def icon(name: str) -> SafeString:
    """The icon `name`: decoration beside a word, so it is hidden from screen readers."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


def pictogram(text: str | None) -> str:
    """An asset's declared icon if it is an emoji or the like; names of icons ("openai") can't be drawn and give ""."""
    text = (text or "").strip()
    return text if len(text) <= 8 and not any(character.isascii() for character in text) else ""
