"""What Metaflow's metadata says about a run as a whole: its own note with its tags, and what tasks note of git.

Texts are as long as the catalogue stores them, and without what it can't store; others count as not told.
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from catalog import limits
from catalog.runs.facts import Note, milliseconds, time_of

SHORT, LONG = 128, 255
REPOSITORY_LENGTH = 512
SHA = re.compile(r"[0-9A-Za-z]{1,128}")


class RunNote(NamedTuple):
    """A run, as it began; `heartbeat` is the last one that a metadata service recorded."""

    started: datetime | None
    user: str
    tags: tuple[str, ...]
    metaflow_version: str
    python_version: str
    heartbeat: datetime | None


class Git(NamedTuple):
    """The code of a run. `repository` has no credentials."""

    repository: str
    branch: str
    commit: str
    dirty: bool | None


def run_note(note: Note) -> RunNote:
    """What the own note of a run says."""
    tags, system = _storable(note.get("tags")), dict(tag.split(":", 1) for tag in _tagged(note.get("system_tags")))
    at = milliseconds(note)
    return RunNote(
        started=time_of(at / 1000) if at else None,
        user=_text(system.get("user"), LONG) or _text(note.get("user_name"), LONG),
        tags=tuple(sorted(tags)[: limits.RUN_TAGS]),
        metaflow_version=_text(system.get("metaflow_version"), SHORT),
        python_version=_text(system.get("python_version"), SHORT),
        heartbeat=time_of(note.get("last_heartbeat_ts")),
    )


def git_in(text: str) -> Git | None:
    """The code of a run, from the value of a task's datum `git-info`; None if it is no such value, or names no commit.

    Metaflow leaves out what is false: a commit without the word that something was changed is clean.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    commit = _text(told.get("commit_sha"), SHORT) if isinstance(told, dict) else ""
    if not commit:
        return None
    return Git(
        repository=public_address(_text(told.get("repo_url"), REPOSITORY_LENGTH)),
        branch=_text(told.get("branch_name"), LONG),
        commit=commit,
        dirty=bool(told.get("has_uncommitted_changes")),
    )


def public_address(url: str) -> str:
    """The address of a repository without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not parts.netloc:  # a path, or user@host:path
        return "" if parts.scheme else url.partition("?")[0].rpartition("@")[2]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def shas_in(notes: Iterable[Note], names: Iterable[str]) -> dict[str, str]:
    """Metaflow's content keys of the named artifacts, in notes about artifacts."""
    wanted = set(names)
    told = {str(note.get("name")): note.get("sha") for note in notes if note.get("name") in wanted}
    return {name: sha for name, sha in told.items() if isinstance(sha, str) and SHA.fullmatch(sha)}


def _text(value: Any, most: int) -> str:
    ok = isinstance(value, str) and len(value) <= most and not limits.UNSTORABLE.search(value)
    return value if ok else ""


def _storable(values: Any) -> set[str]:
    return {text for value in values if (text := _text(value, LONG))} if isinstance(values, list) else set()


def _tagged(values: Any) -> list[str]:
    return sorted(tag for tag in _storable(values) if ":" in tag)
