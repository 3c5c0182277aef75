"""Of which version the derived columns are, and what is said until a recount has brought them up to this one.

A catalogue that an older version has written lacks what this version derives from the events. It is recounted once,
by `catalog/reconciling/recounting.py`, while the site answers.
"""

import threading
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from catalog.models import Derivation

VERSION = 1
"""What is derived, and how; one more with each change of it that older catalogues need a recount for."""

SINCE = "0.4"
"""The version of assetsite that has brought this `VERSION`."""

_current = threading.Event()
"""Set once this process knows that the derived columns are of this version, as they stay then."""


def outstanding() -> Derivation | None:
    """What says how far the recount is; None if there is nothing to recount. A query, until there is not."""
    if _current.is_set():
        return None
    row = Derivation.objects.filter(pk=1).first() or Derivation(pk=1)
    if row.version < VERSION:
        return row
    _current.set()
    return None


def is_current() -> bool:
    return outstanding() is None


def notice() -> str:
    """What people should know until the recount is over; empty when it is.

    How many assets there are is not for everybody, so it says what part of them.
    """
    row = outstanding()
    if row is None:
        return ""
    if row.target != VERSION:
        return f"The catalogue waits for being brought up to date with version {SINCE}. {UNTIL_THEN}"
    part = min(100 * row.assets // max(row.total, 1), 99)
    done = f"{part} % of its assets are done."
    return f"The catalogue is being brought up to date with version {SINCE}: {done} {UNTIL_THEN}"


UNTIL_THEN = "Until then lineage may lack arrows."


def for_pages(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the frame of pages; it asks only if a page shows the frame."""
    return {"derivation_notice": SimpleLazyObject(_notice_if_possible)}


def _notice_if_possible() -> str:
    """The notice; empty if the database does not tell, as pages that need none are shown without it."""
    try:
        return notice()
    except DatabaseError:
        return ""


def begin(apps: Any) -> bool:
    """After `migrate`: an empty catalogue is of this version from the beginning. Answers whether nothing is to be done.

    `apps` has the models as they were migrated to, which may be an older state.
    """
    try:
        derivation, asset = (apps.get_model("catalog", name) for name in ("Derivation", "Asset"))
    except LookupError:
        return True
    row, _ = derivation.objects.get_or_create(pk=1)
    if row.version < VERSION and not asset.objects.exists():
        row.version = VERSION
        row.save()
    if row.version >= VERSION:
        _current.set()
    return bool(row.version >= VERSION)
