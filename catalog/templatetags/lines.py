"""Lines of highlights on pages: text, in which two asterisks around words make them stand out."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
BOLD = re.compile(r"\*\*(.+?)\*\*")


@register.filter
def emphasised(line: str) -> SafeString:
    """`line` as HTML: `**words**` are strong, and everything else is text."""
    return mark_safe(BOLD.sub(r"<strong>\1</strong>", escape(line)))  # noqa: S308 - escaped before
