"""READMEs on pages: Markdown written by users, as HTML that can do no harm and fetches nothing."""

from collections.abc import Iterable, Iterator

import nh3
from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
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


@register.filter
def markdown(text: str, heading_shift: int = 2) -> SafeString:
    """`text` as HTML, its headings `heading_shift` levels down so that they stand below those of the page.

    HTML in the source is shown as text. Images become links, as pages fetch nothing from other hosts. Relative
    links lose their address: they point into a repository that the site does not have.
    """
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
    parser = MarkdownIt("js-default", {"html": False})
    parser.core.ruler.push("shift_headings", _shift_headings)
    parser.core.ruler.push("link_to_images", _link_to_images)
    return parser


PARSER = _parser()
