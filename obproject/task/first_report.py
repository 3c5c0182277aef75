"""The facts of a run or a session, which travel with the first write to each catalogue."""

from __future__ import annotations

from collections.abc import Callable

from obproject.json_types import Json
from obproject.settings import Settings


class FirstReport:
    """Facts that each catalogue is told once.

    ``find`` returns them, and is called when they are needed for the first time.
    """

    def __init__(self, find: Callable[[], Json]) -> None:
        self._find = find
        self._facts: Json | None = None
        self._told: set[tuple[str | None, str]] = set()

    def to(self, settings: Settings) -> Json:
        """Return the part of a body that tells the facts: empty, if the catalogue has been told them before."""
        catalogue = (settings.url, settings.perimeter)
        if catalogue in self._told:
            return {}
        self._told.add(catalogue)
        if self._facts is None:
            try:
                self._facts = self._find()
            except Exception:
                # No write fails for what is known of its run.
                self._facts = {}
        return {"run": self._facts} if self._facts else {}

    def is_lost(self, settings: Settings) -> None:
        """Take note that the catalogue did not get the write that told it the facts, so that the next one does."""
        self._told.discard((settings.url, settings.perimeter))
