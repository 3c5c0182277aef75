"""The links of an answer as a table: CSV by RFC 4180.

One row for each link, and one without a target for each node without links, so that every node is in the table.

Names are free text, and spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a
formula. Such a cell gets an apostrophe in front, which spreadsheets read as "this is text"; programs that read the file
remove it. Ids and times never begin like that.
"""

import csv
from collections.abc import Iterator
from io import StringIO

import networkx as nx

from catalog.wire.shapes import time_shape
from lineage.answers import Answer
from lineage.graph import Link, Node, within_cycles

_END = ("id", "kind", "name", "project", "branch", "version")
COLUMNS = (
    *(f"source_{column}" for column in _END),
    "relation",
    *(f"target_{column}" for column in _END),
    "first_at",
    "last_at",
    "count",
    "in_cycle",
    "version",
    "roles",
    "by",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The first characters of formulas, with the full-width forms that East Asian spreadsheets accept."""


def write(answer: Answer, base_url: str) -> str:
    """The table as CSV. `base_url` is not used: ids don't depend on the address of the site."""
    table = StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    writer.writerows([_guarded(cell) for cell in row] for row in _rows(answer))
    return table.getvalue()


def _rows(answer: Answer) -> Iterator[tuple[str, ...]]:
    circular = within_cycles(answer.graph)
    for link in answer.links:
        ends = _end(answer.node(link.source)), _end(answer.node(link.target))
        yield *ends[0], link.relation.value, *ends[1], *_facts(link, (link.source, link.target) in circular)
    for isolated in sorted(nx.isolates(answer.graph)):
        yield *_end(answer.node(isolated)), *[""] * (len(COLUMNS) - len(_END))


def _end(node: Node) -> tuple[str, ...]:
    return node.id, node.kind.value, node.name, node.project, node.branch_name or node.branch, node.version


def _facts(link: Link, in_cycle: bool) -> tuple[str, ...]:
    return (
        time_shape(link.first_at) or "",
        time_shape(link.last_at) or "",
        "" if link.count is None else str(link.count),
        "true" if in_cycle else "false",
        link.version,
        " ".join(link.roles),
        link.by,
    )


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
