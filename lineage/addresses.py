"""Addresses of lineage pages with a query; those without one are in `catalog.addresses`."""

from urllib.parse import quote

from catalog.addresses import branch_lineage_url
from catalog.models import Branch


def around_url(branch: Branch, node: str) -> str:
    """The lineage around a node, seen from a branch."""
    return f"{branch_lineage_url(branch)}?focus={quote(node)}"
