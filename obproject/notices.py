"""Notices: lines that this package prints for the user of a running flow, script or notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

_told: set[str] = set()


def tell(text: str, stream: TextIO | None = None) -> None:
    """Print one line that begins with ``assetsite:``, on standard output unless another stream is given.

    For what a user of the Python API should know and no caller has to handle: what a call did, where it read from, or
    what went wrong without stopping the flow. What a caller has to handle is raised (:mod:`obproject.errors`), and the
    output of commands is printed by the commands themselves. Flushed at once, since a task may end without a flush.
    """
    print(f"assetsite: {text}", file=stream, flush=True)


def tell_once(text: str) -> None:
    """Print a line, unless this process has printed it before."""
    if text not in _told:
        _told.add(text)
        tell(text)


def tell_notes(answer: Mapping[str, Any]) -> None:
    """Print what a catalogue says in ``notes`` that it left out of a write, each sentence once in a process."""
    notes = answer.get("notes")
    for note in notes if isinstance(notes, list) else ():
        if isinstance(note, str):
            tell_once(f"the catalogue: {note}")
