"""Answers in the formats of other programs. Pure functions of an answer: the same answer gives the same text.

Most of these formats can't say what an answer leaves out, so a view sends `honesty_headers` with each.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lineage.answers import Answer
from lineage.exports import graphviz, mermaid, openlineage, table
from lineage.exports.honesty import honesty_headers

__all__ = ["EXPORTS", "Export", "honesty_headers"]


@dataclass(frozen=True, slots=True)
class Export:
    label: str
    """The name on pages."""
    content_type: str
    write: Callable[[Answer, str], str]
    """The text of an answer; the second argument is the address of the site, such as `https://assets.example.org`."""


EXPORTS = {
    "csv": Export("CSV, the arrows", "text/csv; charset=utf-8; header=present", table.write),
    "dot": Export("DOT, for Graphviz", "text/vnd.graphviz; charset=utf-8", graphviz.write),
    "mmd": Export("Mermaid", "text/vnd.mermaid; charset=utf-8", mermaid.write),
    "ndjson": Export("OpenLineage events", "application/x-ndjson; charset=utf-8", openlineage.write),
}
"""By the suffix of an address."""
