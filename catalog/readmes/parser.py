"""The parser of READMEs: Markdown as GitHub has it, with rules whose cost is bounded, whatever is written."""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline, html_inline
from mdit_py_plugins.gfm import gfm_plugin

MOST_NESTING = 20
"""Brackets, quotes and elements within each other; each open level looks through the rest of the paragraph."""
MOST_CELLS = 4_000
"""In all tables together: short rows are filled up, so a few characters can make any number of cells."""
MOST_BARE_LINKS = 500
"""Addresses that are made links though nothing marks them."""


def make_parser() -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": True, "maxNesting": MOST_NESTING}).use(gfm_plugin)
    parser.validateLink = _any_link  # type: ignore[method-assign]
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.at("html_inline", _html_inline)
    parser.inline.ruler.after("text", "no_bare_link", _no_bare_link)
    return parser


def _any_link(url: str) -> bool:
    """All are parsed as links; `addresses.py` decides which of them lead somewhere, for HTML as well."""
    return True


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for tables, which stop where there are too many cells; the rows that are left are shown as text."""
    columns = state.getLines(start, start + 1, 0, False).count("|") + 1
    rows = state.env.setdefault("cells", MOST_CELLS) // columns
    found = table(state, start, min(end, start + rows), silent)
    if found and not silent:
        state.env["cells"] -= columns * (state.line - start)
    return found


def _html_inline(state: StateInline, silent: bool) -> bool:
    """The rule for tags within text. Comments end at the first `-->`; of `<!` and `<?` no others are markup."""
    source, position = state.src, state.pos
    if not source.startswith("<!--", position):
        return source[position + 1 : position + 2] not in ("!", "?") and html_inline(state, silent)
    end = source.find("-->", position + 2, state.posMax)
    if end < 0:
        return False
    state.pos = end + 3
    return True


def _no_bare_link(state: StateInline, silent: bool) -> bool:
    """A rule that takes `:`, `@` and `w` for text where no bare link is about to begin, or there were too many.

    The rules for bare links look through all the text before such a character.
    """
    char = state.src[state.pos]
    if char not in ":@w":
        return False
    if not silent and _may_begin_link(state.src, state.pos) and state.env.setdefault("bare_links", MOST_BARE_LINKS):
        state.env["bare_links"] -= 1
        return False
    if not silent:
        state.pending += char
    state.pos += 1
    return True


def _may_begin_link(source: str, position: int) -> bool:
    if source[position] == "w":
        return source.startswith("www.", position)
    before = source[max(position - 6, 0) : position]
    if source[position] == ":":
        return before.endswith(("http", "https", "mailto"))
    return before[-1:].isalnum() or before[-1:] in (".", "+", "-", "_")
