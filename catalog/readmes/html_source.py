"""The HTML in the source of a README, in pieces. What may not be shown is left out here: scripts with their content."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from markdown_it.common.html_re import close_tag, open_tag

_UNREADABLE = "audio canvas iframe math noembed noframes noscript object script style svg template textarea title video"
UNREADABLE = frozenset([*_UNREADABLE.split(), "select", "xmp"])
"""Elements that go with all that is in them."""

_MARKUP = re.compile(rf"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<![^>]*(?:>|\Z)|{open_tag}|{close_tag}", re.S)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)(.*?)/?>", re.S | re.I)
_ATTRIBUTE = re.compile(r"\s([a-z_:][\w:.-]*)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\"'=<>`\s]+))?", re.I)


@dataclass(frozen=True)
class Tag:
    """A tag, opening or closing, its name and the names of its attributes in lower case."""

    name: str
    is_closing: bool = False
    attributes: dict[str, str] = field(default_factory=dict)


def tag_of(source: str) -> Tag | None:
    """What the source of one tag says; None if it is a comment or the like."""
    found = _TAG.fullmatch(source)
    if found is None:
        return None
    attributes: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(found[3]):
        attributes.setdefault(name.lower(), unescape(value[1:-1] if value[:1] in ("'", '"') else value))
    return Tag(found[2].lower(), bool(found[1]), attributes)


def pieces_of(source: str) -> Iterator[Tag | str]:
    """The tags and the texts of a block of HTML. Of what is unreadable nothing is left, and no comment."""
    position = 0
    while found := _MARKUP.search(source, position):
        if text := source[position : found.start()]:
            yield unescape(text)
        position = found.end()
        tag = tag_of(found[0])
        if tag and tag.name in UNREADABLE and not tag.is_closing:
            end = re.compile(rf"</{tag.name}\s*>", re.I).search(source, position)
            position = end.end() if end else len(source)
        elif tag:
            yield tag
    if text := source[position:]:
        yield unescape(text)
