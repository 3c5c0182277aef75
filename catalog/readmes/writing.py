"""The tokens of a README written anew: with HTML, headings, links, images and code as a page of ours may have them.

What comes out is balanced, whatever was written: each element is closed where that which holds it ends, so that no
README can swallow or close what stands around it, and a parser of HTML has nothing to put right.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from markdown_it.token import Token

from catalog.readmes.addresses import Folder, address_of
from catalog.readmes.html_source import UNREADABLE, Tag, pieces_of, tag_of
from catalog.readmes.parser import MOST_NESTING
from catalog.readmes.slugs import Slugs

HEADING_SHIFT = 2
"""How far headings go down, so that they stand below those of the page."""
ANCHOR = "readme"
"""The id of the whole; those within it begin with it, so that none is one of the page's."""

_ELEMENTS = (
    "abbr b blockquote caption cite code dd del details dfn div dl dt em figcaption figure i ins kbd li mark ol p pre "
    "q rp rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead tr u ul var"
)
ELEMENTS = frozenset(_ELEMENTS.split())
"""What HTML in a README may have beside headings, links, images and `br`, `hr`, `wbr`. Of others the text stays."""
_WRITTEN_AS = {"center": "div", "p": "div", "strike": "s", "tt": "code"}
"""Other elements instead. A `p` often has paragraphs of Markdown in it, which no `p` can have."""
_ENDS = {
    "dd": {"dd", "dt"},
    "dt": {"dd", "dt"},
    "li": {"li"},
    "p": {"p"},
    "tbody": {"tbody", "td", "th", "thead", "tr"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "tr": {"td", "th", "tr"},
}
"""The open elements that end where another begins, without a tag of their own."""
_PARENTS = {"dd": {"dl"}, "dt": {"dl"}, "li": {"ol", "ul"}}
_ENDING_LINES = {"details", "div", "dl", "h3", "h4", "h5", "h6", "ol", "pre", "section", "ul"}
_DRAWN = re.compile("[\u2500-\u259f]")
"""Lines and blocks that drawings are made of."""
_ALIGNED = re.compile(r"text-align\s*:\s*(left|center|right)\b", re.I)
_NUMBERS = {"ol": ["start"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan"]}
"""Attributes that are kept, if they are numbers below a thousand."""
_DIRECTIONS = {"ltr", "rtl", "auto"}
_CHECKBOXES = {False: ("to do", "\N{BALLOT BOX}"), True: ("done", "\N{BALLOT BOX WITH CHECK}")}


@dataclass
class _Open:
    """An element that is open. `name` is that of its tag in HTML, empty for one of Markdown."""

    name: str
    closing: list[Token]
    then: Callable[[], None] | None = None
    """What is to be done when it is closed."""


class Writer:
    """Writes one README, of which `write` takes all tokens."""

    def __init__(self, folder: Folder | None) -> None:
        self._folder = folder
        self._out: list[Token] = []
        self._stack: list[_Open] = []
        self._depth = 0
        self._slugs = Slugs()
        self._heading: list[str] | None = None
        self._is_in_link = False
        self._readable = 0
        self._regions: dict[str, int] = {}
        self._checkbox: list[Token] = []
        self._names: list[tuple[Token, str]] = []
        self._inner_links: list[tuple[Token, Token, str]] = []

    def write(self, tokens: Iterable[Token]) -> list[Token]:
        written = self._scope(tokens)
        self._link_within()
        return written

    # Markdown

    def _scope(self, tokens: Iterable[Token]) -> list[Token]:
        """Write what stands together, blocks or the text of one; what it leaves open ends with it."""
        outer = self._out, self._stack
        self._out, self._stack = self._checkbox, []
        self._checkbox = []
        unread = ""
        for token in tokens:
            tag = tag_of(token.content) if token.type == "html_inline" else None
            if unread and tag and tag.is_closing and tag.name == unread:
                unread = ""
            elif tag and tag.name in UNREADABLE and not tag.is_closing:
                unread = unread or tag.name
            elif tag and not unread:
                self._tag(tag)
            elif not unread or token.nesting:
                self._markdown(token)
        while self._stack:
            self._close()
        written = self._out
        self._out, self._stack = outer
        return written

    def _markdown(self, token: Token) -> None:
        match token.type:
            case "inline":
                token.children = self._scope(token.children or [])
                self._out.append(token)
            case "text":
                self._text(token.content)
            case "image":
                self._image(token.content, str(token.attrs["src"]))
            case "fence" | "code_block":
                self._code(token.content)
            case "html_block":
                self._html(token.content)
            case "html_inline":
                pass
            case "heading_open":
                self._open_heading("", int(token.tag[1:]), {})
            case "link_open":
                self._open_link("", str(token.attrs["href"]), "")
            case "table_open":
                self._open_table("")
            case _:
                self._other(token)

    def _other(self, token: Token) -> None:
        if token.nesting < 0:
            while self._stack and self._stack[-1].name:
                self._close()
            self._close()
            return
        if token.nesting == 0:
            self._out.append(token)
            self._note(token.content)
            return
        if token.tag in ("td", "th"):
            _align(token, {"style": str(token.attrs.pop("style", ""))})
        if token.type == "list_item_open":
            self._checkbox = _checkbox(token.meta.pop("checked")) if "checked" in token.meta else []
        closing = Token(
            f"{token.type.removesuffix('open')}close", token.tag, -1, block=token.block, hidden=token.hidden
        )
        self._open("", [token], [closing])

    # What both have

    def _text(self, text: str) -> None:
        self._out.append(Token("text", "", 0, content=text))
        self._note(text)

    def _note(self, text: str) -> None:
        """Count what there is to read, and remember the text of a heading."""
        self._readable += not text.isspace() and text != ""
        if self._heading is not None:
            self._heading.append(text)

    def _open(
        self, name: str, opening: list[Token], closing: list[Token], then: Callable[[], None] | None = None
    ) -> None:
        self._out += opening
        self._stack.append(_Open(name, closing, then))
        self._depth += bool(name)

    def _close(self) -> None:
        closed = self._stack.pop()
        self._out += closed.closing
        self._depth -= bool(closed.name)
        if closed.then:
            closed.then()

    def _open_heading(self, name: str, level: int, attributes: dict[str, str]) -> None:
        opening, closing = _pair(f"h{min(level + HEADING_SHIFT, 6)}")
        _align(opening, attributes)
        if self._heading is not None:
            self._open(name, [opening], [closing])
            return
        heading = self._heading = []

        def name_it() -> None:
            self._heading = None
            if slug := self._slugs.add("".join(heading)):
                opening.attrs["id"] = f"{ANCHOR}-{slug}"

        self._open(name, [opening], [closing], name_it)

    def _open_link(self, name: str, href: str, anchor: str) -> None:
        inner = href.strip().partition("#")[2] if href.strip().startswith("#") else None
        address = "" if inner is not None else address_of(href, self._folder)
        if self._is_in_link or (inner is None and not address):
            self._open(name, *self._anchor(anchor))
            return
        opening, closing = _pair("a", href=address)
        self._named(opening, anchor)
        self._is_in_link, before = True, self._readable

        def check() -> None:
            self._is_in_link = False
            if self._readable == before:
                _hide(opening, closing)
            elif inner is not None:
                self._inner_links.append((opening, closing, inner))

        self._open(name, [opening], [closing], check)

    def _image(self, text: str, source: str) -> None:
        """An image as its text, which leads to it: pages fetch nothing from elsewhere."""
        address = "" if self._is_in_link else address_of(source, self._folder)
        opening, closing = _pair("a", href=address) if address else _pair("span")
        opening.attrs["class"] = "image"
        self._out += [opening, Token("text", "", 0, content=text.strip() or "image"), closing]
        self._readable += 1

    def _code(self, text: str) -> None:
        (pre, after), (code, end) = self._region("pre", "Code"), _pair("code")
        if _DRAWN.search(text):
            pre.attrs["class"] = "drawn"
        self._out += [pre, code, Token("text", "", 0, content=text), end, after]

    def _open_table(self, name: str) -> None:
        (around, end), (table, end_of_table) = self._region("div", "Table"), _pair("table")
        around.attrs["class"] = "scroll"
        self._open(name, [around, table], [end_of_table, end])

    def _region(self, tag: str, what: str) -> tuple[Token, Token]:
        """An element that may scroll, so that the keyboard can reach it."""
        number = self._regions[what] = self._regions.get(what, 0) + 1
        return _pair(tag, tabindex="0", role="region", **{"aria-label": f"{what} {number}"})

    # HTML

    def _html(self, source: str) -> None:
        for piece in pieces_of(source):
            if isinstance(piece, str):
                self._text(piece)
            else:
                self._tag(piece)

    def _tag(self, tag: Tag) -> None:
        said = tag.attributes
        if tag.is_closing:
            self._end(tag.name)
        elif tag.name == "img":
            self._image(said.get("alt", ""), said.get("src", ""))
        elif tag.name == "input":
            self._out += _checkbox("checked" in said) if said.get("type") == "checkbox" else []
        elif tag.name in ("br", "hr", "wbr"):
            self._out.append(Token(f"html_{tag.name}", tag.name, 0))
        elif self._depth < MOST_NESTING:
            self._begin(tag)

    def _begin(self, tag: Tag) -> None:
        name, said = tag.name, tag.attributes
        ends = _ENDS.get(name, ())
        while self._stack and self._stack[-1].name in ends:
            self._close()
        anchor = said.get("id") or said.get("name", "")
        if name == "a":
            self._open_link(name, said.get("href", ""), anchor)
        elif re.fullmatch(r"h[1-6]", name):
            self._open_heading(name, int(name[1]), said)
        elif name == "table":
            self._open_table(name)
        elif _WRITTEN_AS.get(name, name) in ELEMENTS and self._may_stand_here(name):
            self._open_element(name, said, anchor)

    def _may_stand_here(self, name: str) -> bool:
        parents = _PARENTS.get(name)
        return parents is None or bool(self._stack and self._stack[-1].name in parents)

    def _open_element(self, name: str, said: dict[str, str], anchor: str) -> None:
        written = _WRITTEN_AS.get(name, name)
        opening, closing = self._region("pre", "Code") if name == "pre" else _pair(written)
        _align(opening, {"align": "center"} if name == "center" else said)
        if said.get("dir", "").lower() in _DIRECTIONS:
            opening.attrs["dir"] = said["dir"].lower()
        if name == "details" and "open" in said:
            opening.attrs["open"] = ""
        for number in _NUMBERS.get(name, ()):
            if re.fullmatch("[0-9]{1,3}", said.get(number, "")):
                opening.attrs[number] = said[number]
        self._named(opening, anchor)
        self._open(name, [opening], [closing])

    def _end(self, name: str) -> None:
        """Close an element, and those in it, if it began where its end is; other ends mean nothing."""
        for count, entry in enumerate(reversed(self._stack), 1):
            if not entry.name:
                return
            if entry.name == name:
                for _ in range(count):
                    self._close()
                return

    # Links within the README

    def _anchor(self, name: str) -> tuple[list[Token], list[Token]]:
        """What stands instead of a link that leads nowhere: at most a place that others lead to."""
        if not name:
            return [], []
        opening, closing = _pair("span")
        self._named(opening, name)
        return [opening], [closing]

    def _named(self, token: Token, name: str) -> None:
        if name and not re.search(r"\s", name):
            self._names.append((token, name))

    def _link_within(self) -> None:
        """Give the places their names, and let links lead to them; those that lead to none are plain text."""
        named: set[str] = set()
        for token, name in self._names:
            if name not in self._slugs and name not in named:
                named.add(name)
                token.attrs["id"] = f"{ANCHOR}-{name}"
        places = {place: f"{ANCHOR}-{place}" for place in (*self._slugs, *named) if place}
        alike = {_plain(place): anchor for place, anchor in reversed(places.items())} | {"": ANCHOR, "top": ANCHOR}
        for opening, closing, link in self._inner_links:
            wanted = unquote(link).removeprefix("user-content-")
            anchor = places.get(wanted) or alike.get(_plain(wanted))
            if anchor:
                opening.attrs["href"] = f"#{quote(anchor)}"
            else:
                _hide(opening, closing)


def _pair(tag: str, **attributes: str) -> tuple[Token, Token]:
    """What opens and what closes an element."""
    ends_line = tag in _ENDING_LINES
    return Token(f"{tag}_begin", tag, 1, attrs=dict(attributes)), Token(f"{tag}_end", tag, -1, block=ends_line)


def _hide(*tokens: Token) -> None:
    for token in tokens:
        token.type, token.tag, token.nesting = "text", "", 0


def _checkbox(checked: bool) -> list[Token]:
    meaning, symbol = _CHECKBOXES[checked]
    opening, closing = _pair("span", role="img", **{"aria-label": meaning})
    return [opening, Token("text", "", 0, content=symbol), closing, Token("text", "", 0, content=" ")]


def _align(token: Token, attributes: dict[str, str]) -> None:
    """Say by a class how an element is aligned, as the policy of pages allows no style in them."""
    found = _ALIGNED.search(f"text-align:{attributes.get('align', '')};{attributes.get('style', '')}")
    if found:
        token.attrs["class"] = f"align-{found[1].lower()}"


def _plain(name: str) -> str:
    """What a link to a heading may differ in: capitals, and the places of pictures at its ends."""
    return name.lower().strip("-\N{VARIATION SELECTOR-16}")
