"""The links of an answer as a table: CSV by RFC 4180.

One row for each link, and one without a target for each node without links, so that every node is in the table.
"""

from collections.abc import Iterator

import networkx as nx

from catalog.shown.cells import csv_of
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


def write(answer: Answer, base_url: str) -> str:
    """The table as CSV. `base_url` is not used: ids don't depend on the address of the site."""
    return csv_of([COLUMNS, *_rows(answer)])


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
