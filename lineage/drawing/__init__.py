"""Drawings of answers: graph, grouping, sizes, layout, and the context of templates/lineage/_drawing.html.

The entry point is `picture_of`. Nothing here reads the database.
"""

from lineage.drawing.cache import cached_by_content, key_of
from lineage.drawing.grouping import MOST_NODES
from lineage.drawing.picture import HEADS, WIDEST, PageBranch, Picture, picture_of, with_members
from lineage.drawing.shapes import ICONS, WORDS, ago, title_of, whole

__all__ = [
    "HEADS",
    "ICONS",
    "MOST_NODES",
    "WIDEST",
    "WORDS",
    "PageBranch",
    "Picture",
    "ago",
    "cached_by_content",
    "key_of",
    "picture_of",
    "title_of",
    "whole",
    "with_members",
]
