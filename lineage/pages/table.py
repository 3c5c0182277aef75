"""The table below a drawing: the same nodes and links, to read line by line and to sort, a page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

from catalog.models import Branch
from catalog.pagekit.paging import Page
from catalog.pagekit.query import PageQuery
from catalog.pagekit.uses import EntityLink
from lineage.addresses import around_url
from lineage.answers import Answer, Question
from lineage.drawing import (
    ICONS,
    KNOWN_BY,
    WORDS,
    PageBranch,
    ago,
    equals,
    is_outdated,
    others_with_content,
    roles_in_words,
    same_content,
    title_of,
)
from lineage.graph import Kind, Link, Node, Relation, within_cycles

Json = dict[str, Any]

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
RELATIONS = {
    Relation.PRODUCES: "produces",
    Relation.CONSUMES: "consumed by",
    Relation.PROMOTES: "promoted to",
}
"""How relations read from the source to the target."""
COLUMNS = {
    "source": "Source",
    "relation": "Relation",
    "target": "Target",
    "version": "Version",
    "last": "Last",
    "count": "Times",
}
BY = {"run": "presumed from the run", "session": "by session"}
DEFAULT = "-last"
ROWS = 20
"""The number of rows on one page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A link between two nodes, or a node without links. `ago`: the time of its last use, for people.

    Its nodes are what `node_cell` of templates/lineage/_node.html asks for.

    `newest`: the newest version, if another one was read.
    """

    source: Json
    target: Json
    link: Link | None
    ago: str
    in_cycle: bool = False
    newest: str = ""

    @property
    def relation(self) -> str:
        return RELATIONS[self.link.relation] if self.link else ""

    @property
    def roles(self) -> str:
        """ "as baseline"; empty for an input."""
        return roles_in_words(self.link.roles) if self.link else ""

    @property
    def by(self) -> tuple[str, str] | None:
        """How it is known what a run read for what it made, in short and in a sentence, unless it is by task."""
        if self.link is None or self.link.by not in BY:
            return None
        return BY[self.link.by], KNOWN_BY[self.link.by]


@dataclass(frozen=True)
class Table:
    page: Page
    """Its rows are `Row`s."""
    heads: list[dict[str, Any]]
    """Contexts of sort_header: label, url, direction, numeric."""
    is_open: bool
    """Whether the address asks for a part of it; otherwise it is folded."""


def table_of(answer: Answer, query: PageQuery, branch: Branch, now: datetime) -> Table:
    order = _order(query)
    links = sorted(answer.links, key=_sorter(answer, order), reverse=order.startswith("-"))
    alone = sorted((node for node in answer.nodes if not answer.graph.degree(node.id)), key=_by_name)
    page = _page([*links, *alone], query, order)
    shown = {name for each in page.rows for name in _ends(each)}
    own = PageBranch(branch.project.name, branch.key)
    cells = {name: _cell(answer.node(name), answer, query, branch, own) for name in shown}
    circular = within_cycles(answer.graph)
    rows = []
    for each in page.rows:
        if isinstance(each, Node):
            rows.append(Row(cells[each.id], {}, None, ago(each.at, now)))
        else:
            in_cycle, source = (each.source, each.target) in circular, answer.node(each.source)
            newest = source.version if is_outdated(each, source) else ""
            rows.append(Row(cells[each.source], cells[each.target], each, ago(each.last_at, now), in_cycle, newest))
    return Table(replace(page, rows=rows), _heads(query, order), not query.params.keys().isdisjoint(("sort", "page")))


def table_url(query: PageQuery) -> str:
    """The address of the page with the table open."""
    return query.on(f"{query.path}#arrows").url(sort=_order(query))


def _order(query: PageQuery) -> str:
    order = query.params.get("sort", "")
    return order if order.removeprefix("-") in COLUMNS else DEFAULT


def _page(every: Sequence[Link | Node], query: PageQuery, order: str) -> Page:
    """The page named by the query; one that is no number is the first, one beyond the end the last."""
    text = query.params.get("page", "")
    last = max(ceil(len(every) / ROWS), 1)
    number = min(max(int(text), 1), last) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    params = query.params.copy()
    params["sort"] = order  # in all its addresses, so that the table is open there
    rows = list(every[(number - 1) * ROWS : number * ROWS])
    return Page(rows, len(every), number, last, ROWS, PageQuery(f"{query.path}#arrows", params))


def _ends(each: Link | Node) -> tuple[str, ...]:
    return (each.id,) if isinstance(each, Node) else (each.source, each.target)


def _heads(query: PageQuery, order: str) -> list[dict[str, Any]]:
    column, down = order.removeprefix("-"), order.startswith("-")
    heads = []
    for name, label in COLUMNS.items():
        here = name == column
        wanted = f"-{name}" if (not down if here else name in ("version", "last", "count")) else name
        direction = ("descending" if down else "ascending") if here else ""
        url, numeric = PageQuery(f"{query.path}#arrows", query.params).url(sort=wanted, page=None), name == "count"
        heads.append({"label": label, "url": url, "direction": direction, "numeric": numeric})
    return heads


def _by_name(node: Node) -> tuple[str, str]:
    return title_of(node).casefold(), node.id


def _sorter(answer: Answer, order: str) -> Callable[[Link], Any]:
    """By the column, and then by name and id, so that equals stand in one order."""
    column = order.removeprefix("-")

    def key(link: Link) -> Any:
        source, target = answer.node(link.source), answer.node(link.target)
        names = (*_by_name(source), *_by_name(target))
        first = {
            "source": "",
            "relation": link.relation.value,
            "target": _by_name(target),
            "version": int(link.version.removeprefix("v") or 0),
            "last": link.last_at or _EARLIEST,
            "count": link.count or 0,
        }[column]
        return first, names

    return key


def _cell(node: Node, answer: Answer, query: PageQuery, branch: Branch, page_branch: PageBranch) -> Json:
    is_focus, others = node.id in answer.focus, others_with_content(answer, node)
    return {
        "node": node,
        "name": title_of(node),
        "word": WORDS[node.kind],
        "picture": ICONS[node.kind],
        "is_focus": is_focus,
        "part": node.key if node.kind == Kind.RUN else "",
        "version": node.version if answer.question == Question.EXACT else "",
        "equal": (equals(node, others), same_content(node, others)) if others else None,
        "branch": _elsewhere(node, page_branch),
        "around_url": "" if is_focus else _around(node, answer, branch),
        "card_url": f"{node.url}#card" if node.kind.is_asset and node.url else "",
        "paths_url": _paths(node, answer, query),
        "last": _last(node),
        "through": _through(node, answer),
    }


def _elsewhere(node: Node, page_branch: PageBranch) -> str:
    """The node's branch, if it is not the page's."""
    name = node.branch_name or node.branch
    if node.project and node.project != page_branch.project:
        return f"{node.project} / {name}" if name else node.project
    return name if node.branch and node.branch != page_branch.branch else ""


def _around(node: Node, answer: Answer, branch: Branch) -> str:
    if node.kind == Kind.HIDDEN:
        return ""
    if answer.question == Question.EXACT:
        return f"{node.url}/lineage" if node.kind.is_asset and node.url and node.version else ""
    return around_url(branch, node.id)


def _paths(node: Node, answer: Answer, query: PageQuery) -> str:
    """The address of the paths to an affected node."""
    if answer.question != Question.IMPACT or node.id in answer.focus or node.kind == Kind.HIDDEN:
        return ""
    return query.url(view="paths", to=node.id, open=None, sort=None, page=None)


def _through(node: Node, answer: Answer) -> str:
    """The title of the node from which an affected one is reached, if that is not the focus."""
    via = answer.via.get(node.id, "")
    is_further = answer.question == Question.IMPACT and via in answer.graph and via not in answer.focus
    return title_of(answer.node(via)) if is_further else ""


def _last(node: Node) -> EntityLink | None:
    """The last run of a flow."""
    return EntityLink.of("task", node.key) if node.kind == Kind.FLOW and node.key else None
