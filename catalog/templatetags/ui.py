"""For the administration, whose templates are Django's: icons, and the components of the site's own pages."""

from typing import Any

from django import template
from django.template import engines
from django.utils.safestring import SafeString, mark_safe

from catalog.shown import icons

register = template.Library()
register.simple_tag(icons.icon)


@register.simple_tag
def ui(room: str, name: str, **parameters: Any) -> SafeString:
    """A component of `templates/ui/`: `{% ui "text" "time_ago" at=edit.at %}`."""
    components = engines["jinja2"].env.get_template(f"ui/{room}.html").module  # type: ignore[attr-defined]
    return mark_safe(getattr(components, name)(**parameters))  # noqa: S308 - it escapes what it is given
