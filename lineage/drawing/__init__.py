"""Drawings of answers: graph, grouping, sizes, layout, and the context of templates/lineage/_drawing.html.

The entry point is `picture_of`. Nothing here reads the database.
"""

from lineage.drawing.arrows import KNOWN_BY, is_outdated, roles_in_words
from lineage.drawing.cache import cached_by_content, key_of
from lineage.drawing.grouping import MOST_NODES
from lineage.drawing.picture import (
    HEADS,
    HEADS_OF_CHANGES,
    SIGNS,
    WIDEST,
    PageBranch,
    Picture,
    picture_of,
    with_members,
)
from lineage.drawing.shapes import ICONS, WORDS, ago, title_of, whole
from lineage.drawing.versions import equals, others_with_content, same_content

__all__ = [
    "HEADS",
    "HEADS_OF_CHANGES",
    "ICONS",
    "KNOWN_BY",
    "MOST_NODES",
    "SIGNS",
    "WIDEST",
    "WORDS",
    "PageBranch",
    "Picture",
    "ago",
    "cached_by_content",
    "equals",
    "is_outdated",
    "key_of",
    "others_with_content",
    "picture_of",
    "roles_in_words",
    "same_content",
    "title_of",
    "whole",
    "with_members",
]
