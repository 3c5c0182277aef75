"""Lines of highlights on pages: text, in which two asterisks around words make them stand out."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from obproject.highlight_text import bold_parts


def emphasised(line: str) -> SafeString:
    """`line` as HTML: `**words**` are strong, and everything else is text."""
    return format_html_join("", "{}", ((_part(text, is_bold),) for text, is_bold in bold_parts(line)))


def _part(text: str, is_bold: bool) -> str:
    return format_html("<strong>{}</strong>", text) if is_bold else text
