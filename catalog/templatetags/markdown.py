"""READMEs on pages: Markdown written by users, as HTML that can do no harm and fetches nothing."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

import nh3
from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

register = template.Library()

ALLOWED_TAGS = set(
    [f"h{level}" for level in range(1, 7)]
    + ["p", "br", "hr", "blockquote", "pre", "code", "em", "strong", "s", "a"]
    + ["ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"]
)
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
URL_SCHEMES = {"http", "https", "mailto"}

MOST_TEXT = 64 * 1024
MOST_MARKS = 6_000
"""Characters that may mean something in Markdown: they are what rendering costs. Ordinary text has one in fifteen."""
MARK = re.compile(r"[][*_|>~`<&!\\#+\n-]")
MOST_CELLS = 4_000
"""In all tables together: short rows are filled up, so a few characters can make any number of cells."""
MOST_NESTING = 20
"""Brackets and quotes within each other; each open level looks through the rest of the paragraph."""


@register.filter
def markdown(text: str, heading_shift: int = 2) -> SafeString:
    """`text` as HTML, its headings `heading_shift` levels down so that they stand below those of the page.

    HTML in the source is shown as text. Images become links, as pages fetch nothing from other hosts. Relative
    links lose their address: they point into a repository that the site does not have. See `is_cut`.
    """
    return _html(text[: _end(text)], heading_shift)


@register.filter
def is_cut(text: str) -> bool:
    """Whether `markdown` shows only the beginning of a text, as the whole would take too long."""
    return _end(text) < len(text)


def _end(text: str) -> int:
    """How much of a text is rendered: whole lines, unless the first is too much by itself."""
    end = min(len(text), MOST_TEXT)
    one_too_many = next(islice(MARK.finditer(text, 0, end), MOST_MARKS, None), None)
    if one_too_many:
        end = one_too_many.start()
    return end if end == len(text) else text.rfind("\n", 0, end) + 1 or end


@lru_cache(maxsize=128)
def _html(text: str, heading_shift: int) -> SafeString:
    html = PARSER.render(text, {"heading_shift": heading_shift})
    clean = nh3.clean(
        html,
        tags=ALLOWED_TAGS,
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes=URL_SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308 - sanitised on the line above


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for tables, which stop where there are too many cells; the rows that are left are shown as text."""
    columns = state.getLines(start, start + 1, 0, False).count("|") + 1
    rows = state.env.setdefault("cells", MOST_CELLS) // columns
    found = table(state, start, min(end, start + rows), silent)
    if found and not silent:
        state.env["cells"] -= columns * (state.line - start)
    return found


def _shift_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + state.env['heading_shift'], 6)}"


def _link_to_images(state: StateCore) -> None:
    for block in state.tokens:
        if block.children:
            block.children = list(_without_images(block.children))


def _without_images(tokens: Iterable[Token]) -> Iterator[Token]:
    """`tokens`, each image as a link to it; as its text alone where it is in a link already: those can't be nested."""
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type.startswith("link_") else 0
        if token.type != "image":
            yield token
            continue
        text = Token("text", "", 0, content=token.content or "image")
        if depth:
            yield text
        else:
            yield Token("link_open", "a", 1, attrs={"href": token.attrs["src"]})
            yield text
            yield Token("link_close", "a", -1)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": False, "maxNesting": MOST_NESTING})
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.push("shift_headings", _shift_headings)
    parser.core.ruler.push("link_to_images", _link_to_images)
    return parser


PARSER = _parser()
