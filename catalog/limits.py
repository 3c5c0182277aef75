"""How large a thing may be, and which text can be stored at all. docs/api.md states these limits to users."""

import math
import re

# Part of the limits, and known to the client as well: it checks them before it sends anything.
from obproject.lengths import (  # noqa: F401
    ANNOTATION_BYTES,
    ASSET_KIND_LENGTH,
    BLOBS,
    DESCRIPTION_LENGTH,
    HIGHLIGHT_CAPTION_LENGTH,
    HIGHLIGHT_COLUMNS,
    HIGHLIGHT_FIGURE_LENGTH,
    HIGHLIGHT_IMAGE_BYTES,
    HIGHLIGHT_IMAGE_TYPES,
    HIGHLIGHT_LABEL_LENGTH,
    HIGHLIGHT_LABELS,
    HIGHLIGHT_LINE_LENGTH,
    HIGHLIGHT_LINES,
    HIGHLIGHT_POINTS,
    HIGHLIGHT_SERIES,
    HIGHLIGHT_TITLE_LENGTH,
    ICON_LENGTH,
    KEY_LENGTH,
    METRICS,
    NAME_LENGTH,
    NOT_COMPARED,
    README_LENGTH,
    SOURCE_LENGTH,
    TAG_LENGTH,
    UNIT_LENGTH,
    VERSION_ID_LENGTH,
)

BODY_BYTES = 8 * 1024 * 1024
ANNOTATIONS = 1_000
TAGS = 200
ENTITY_KIND_LENGTH = 64
ENTITY_ID_LENGTH = 512
REASON_LENGTH = 512
COMMENT_LENGTH = 2_000
RECOVERABLE_DAYS = 30
ROOT_LENGTH = 1_024
IDEMPOTENCY_KEY_LENGTH = 255
SEARCH_WORDS = 10
SEARCH_LENGTH = 200
FILTERS_OF_A_KIND = 20
SAME_AS_BACK = 100
ALIASES = 200
DEFINITIONS = 2_000
REGISTRATIONS = 1_000
LOOKED_BACK = 50
JSON_DEPTH = 40
ATTEMPTS = 10_000
DIGEST_LENGTH = 128
FOREACH_LENGTH = 512
FOREACH_DEPTH = 32
ITERATIONS = 1_000_000
GRAPH_STEPS = 1_000
RUN_BYTES = 64 * 1024
RUN_VALUE_BYTES = 2 * 1024
RUN_TAGS = 200

LIST_PAGE, LIST_PAGE_MOST = 100, 500
SUMMARY_PAGE, SUMMARY_PAGE_MOST = 50, 200
RECENT_ENTITIES = 50
RECENT_MOVES = 10

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL can't keep, and lone surrogates, which no encoding can."""


def is_too_large(value: object) -> bool:
    """Whether this is a number beyond those that every reader of JSON can hold."""
    try:
        return isinstance(value, int | float) and not math.isfinite(float(value))
    except OverflowError:
        return True
