"""A README as HTML: how much of a long one, what of it is folded, and the sanitiser, which has the last word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

from catalog.readmes.addresses import URL_SCHEMES, Folder
from catalog.readmes.parser import make_parser
from catalog.readmes.writing import ANCHOR, ELEMENTS, Writer

MOST_TEXT = 64 * 1024
MOST_MARKS = 6_000
"""Characters that may mean something in Markdown: they are what rendering costs. Ordinary text has one in fifteen."""
MARK = re.compile(r"[][*_|>~`<&!\\#+\n-]|(?<=\n)[0-9]{1,9}[.)]")

LONG = 50
"""Lines, as they stand on a page, above which a README is folded …"""
SHOWN = 32
"""… and about how many are left in sight."""
LINE = 90
"""Characters."""

HEADINGS = tuple(f"h{level}" for level in range(1, 7))
_ALIGNMENTS = {f"align-{side}" for side in ("left", "center", "right")}
_ALERTS = {f"markdown-alert-{kind}" for kind in ("note", "tip", "important", "warning", "caution")}
_CLASSES = {
    **dict.fromkeys((*HEADINGS, "td", "th", "tr"), _ALIGNMENTS),
    "div": {"scroll", "markdown-alert", *_ALERTS, *_ALIGNMENTS},
    "p": {"markdown-alert-title"},
    "pre": {"drawn"},
    "li": {"task-list-item", "footnote-item"},
    "section": {"footnotes"},
    "a": {"image"},
    "span": {"image"},
}
_ATTRIBUTES = {
    "*": {"id", "dir"},
    "a": {"href", "title"},
    "details": {"open"},
    "div": {"tabindex", "role", "aria-label"},
    "ol": {"start"},
    "pre": {"tabindex", "role", "aria-label"},
    "span": {"role", "aria-label"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}


@dataclass(frozen=True)
class Rendered:
    """A README as HTML. `rest` is what is folded; empty for a short one."""

    beginning: SafeString
    rest: SafeString


def end_of(text: str) -> int:
    """How much of a text is rendered: whole lines, unless the first is too much by itself."""
    end = min(len(text), MOST_TEXT)
    one_too_many = next(islice(MARK.finditer(text, 0, end), MOST_MARKS, None), None)
    if one_too_many:
        end = one_too_many.start()
    return end if end == len(text) else text.rfind("\n", 0, end) + 1 or end


def render(text: str, folder: Folder | None = None) -> Rendered:
    """The README that stands in `folder` of its repository; with none, its relative links are plain text."""
    return _render(text[: end_of(text)].removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), folder)


@lru_cache(maxsize=128)
def _render(text: str, folder: Folder | None) -> Rendered:
    env = {"docId": ANCHOR}
    tokens = Writer(folder).write(PARSER.parse(text, env))
    fold = _fold(tokens)
    return Rendered(_html(tokens[:fold], env), _html(tokens[fold:], env))


def _html(tokens: Sequence[Token], env: dict[str, str]) -> SafeString:
    html = PARSER.renderer.render(tokens, PARSER.options, env)
    return mark_safe(SANITISER.clean(html))  # noqa: S308 - sanitised right here


def _fold(tokens: Sequence[Token]) -> int:
    """Before which token the folded part begins: between two blocks, so that none is cut, and below no heading."""
    blocks = list(_blocks(tokens))
    if sum(lines for _, lines, _ in blocks) <= LONG:
        return len(tokens)
    fold, before, shown = 0, 0, 0.0
    for end, lines, is_heading in blocks:
        shown += lines
        if shown > SHOWN and (fold or lines > LONG):
            return fold or before
        before = end
        if not is_heading:
            fold = end
    return fold


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[int, float, bool]]:
    """The outermost blocks: where each ends, about how many lines it has, and whether it is a heading."""
    depth, closed, lines = 0, 0, 0.0
    for number, (before, token) in enumerate(pairwise([Token("", "", 0), *tokens]), 1):
        lines += 0 if closed else _lines(token, before)
        depth += token.nesting
        if token.tag == "details" and token.nesting > 0 and not closed and "open" not in token.attrs:
            closed = depth
        elif depth < closed:
            closed = 0
        if depth == 0:
            yield number, lines, token.tag in HEADINGS
            lines = 0.0


def _lines(token: Token, before: Token) -> float:
    """About how many lines a token takes by itself, with the room around it."""
    if token.type == "inline":
        breaks = sum(child.tag == "br" for child in token.children or ())
        return 0 if before.tag in ("td", "th") else 1.5 + breaks + len(token.content) // LINE
    if token.type == "text":
        return 1.5 + token.content.count("\n") if before.tag == "code" else len(token.content.strip()) / LINE
    return 1.5 if token.nesting > 0 and token.tag in ("tr", "details", *HEADINGS) else 0


PARSER = make_parser()
SANITISER = nh3.Cleaner(
    tags={*ELEMENTS, *HEADINGS, "a", "br", "hr", "p", "wbr"},
    clean_content_tags=set(),
    attributes=_ATTRIBUTES,
    allowed_classes=_CLASSES,
    url_schemes=URL_SCHEMES,
    url_relative=lambda address: address if address.startswith("#") else None,
    link_rel="noopener noreferrer nofollow",
)
