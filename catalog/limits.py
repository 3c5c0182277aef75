"""How large a thing may be, and which text can be stored at all. docs/api.md states these limits to users."""

import math
import re

BODY_BYTES = 8 * 1024 * 1024
ANNOTATION_BYTES = 64 * 1024
ANNOTATIONS = 1_000
TAGS = 200
TAG_LENGTH = 1_024
KEY_LENGTH = 255
BLOBS = 10_000
DESCRIPTION_LENGTH = 64 * 1024
README_LENGTH = 1024 * 1024
NAME_LENGTH = 255
ICON_LENGTH = 64
ASSET_KIND_LENGTH = 128
ENTITY_KIND_LENGTH = 64
ENTITY_ID_LENGTH = 512
REASON_LENGTH = 512
VERSION_ID_LENGTH = 1_024
SOURCE_LENGTH = 512
ROOT_LENGTH = 1_024
IDEMPOTENCY_KEY_LENGTH = 255
ALIASES = 200
DEFINITIONS = 2_000
JSON_DEPTH = 40
ATTEMPTS = 10_000

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
