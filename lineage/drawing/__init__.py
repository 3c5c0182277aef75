"""Drawings of answers: graph, grouping, sizes, layout, and the context of templates/lineage/_drawing.html.

`picture_of` is what others call. Nothing here reads the database.
"""

from lineage.drawing.cache import kept_by_content, key_of
from lineage.drawing.grouping import MOST_NODES
from lineage.drawing.picture import Home, Picture, picture_of, with_members
from lineage.drawing.shapes import ICONS, WORDS, ago, title_of, whole

__all__ = [
    "ICONS",
    "MOST_NODES",
    "WORDS",
    "Home",
    "Picture",
    "ago",
    "kept_by_content",
    "key_of",
    "picture_of",
    "title_of",
    "whole",
    "with_members",
]
