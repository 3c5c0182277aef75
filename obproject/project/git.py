"""What git says about a project folder: the branch, the newest commits, where they can be seen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

COMMITS_SHOWN = 10

# One commit per record, its fields apart by characters that no commit message holds.
_FIELD, _RECORD = "\x1f", "\x1e"
_FORMAT = _FIELD.join(("%H", "%ae", "%aI", "%s", "%b")) + _RECORD
_SSH_REMOTE = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)")


class GitError(Exception):
    """Git refused to answer, with its own words."""


@dataclass(frozen=True)
class Commit:
    """One commit."""

    sha: str
    author_email: str
    authored_at: datetime
    title: str
    description: str


@dataclass(frozen=True)
class Checkout:
    """The state of a git work tree."""

    branch: str | None
    """Name of the branch; None on a detached HEAD."""
    commits: tuple[Commit, ...]
    """The newest commits, newest first; empty before the first one."""
    first_commit_at: datetime | None
    """Time of the oldest commit; None if a shallow clone does not have it."""
    web_url: str | None
    """Address of the repository in a browser, as far as it is known from the remote ``origin``."""
    path: str
    """The folder in the work tree, with ``/`` between its parts; ``.`` for the whole."""

    def commit_url(self, sha: str) -> str | None:
        """Return the address of a commit in a browser."""
        if self.web_url is None:
            return None
        page = "commits" if urlsplit(self.web_url).hostname == "bitbucket.org" else "commit"
        return f"{self.web_url}/{page}/{sha}"


def read_checkout(folder: Path, commit: str | None = None) -> Checkout | None:
    """Describe the work tree around a folder; None outside of one, or without git on this machine.

    The newest commits are those up to ``commit``, if the clone has it, else up to the one that is checked out. Raises
    GitError if git is there and refuses, for example because the folder belongs to somebody else.
    """
    if not is_in_work_tree(folder):
        return None
    tip = (commit and _sha_of(folder, commit)) or _sha_of(folder, "HEAD")
    if not tip:
        return Checkout(branch_of(folder), (), None, _web_url(folder), _path(folder))
    log = _ask(folder, "log", f"-{COMMITS_SHOWN}", f"--format={_FORMAT}", tip)
    commits = tuple(_parse_commit(record) for record in log.split(_RECORD) if record.strip())
    return Checkout(branch_of(folder), commits, _first_commit_at(folder, tip), _web_url(folder), _path(folder))


def branch_of(folder: Path) -> str | None:
    """Return the branch that is checked out in a work tree; None on a detached HEAD."""
    return _ask(folder, "symbolic-ref", "--quiet", "--short", "HEAD").strip() or None


def is_ignored(path: Path) -> bool:
    """Say whether git leaves a file alone."""
    return _run(path.parent, "check-ignore", "--quiet", path.name).returncode == 0


def _sha_of(folder: Path, revision: str) -> str:
    return _ask(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()


def _first_commit_at(folder: Path, tip: str) -> datetime | None:
    if _ask(folder, "rev-parse", "--is-shallow-repository").strip() == "true":
        return None
    roots = _ask(folder, "log", "--max-parents=0", "--format=%cI", tip).split()
    return min((datetime.fromisoformat(text) for text in roots), default=None)


def _path(folder: Path) -> str:
    return _ask(folder, "rev-parse", "--show-prefix").removesuffix("\n").rstrip("/") or "."


def is_in_work_tree(folder: Path) -> bool:
    """Say whether a folder is in a work tree; no, without git on this machine. Raises GitError if git refuses."""
    if shutil.which("git") is None:
        return False
    answer = _run(folder, "rev-parse", "--is-inside-work-tree")
    if answer.returncode and "not a git repository" not in answer.stderr:
        raise GitError(answer.stderr.strip())
    return answer.stdout.strip() == "true"


def _parse_commit(record: str) -> Commit:
    sha, email, authored_at, title, description = record.strip("\n").split(_FIELD)
    return Commit(sha, email, datetime.fromisoformat(authored_at), title, description.strip())


def _web_url(folder: Path) -> str | None:
    remote = _ask(folder, "config", "--get", "remote.origin.url").strip().removesuffix("/").removesuffix(".git")
    parts = urlsplit(remote)
    if parts.hostname and parts.scheme in ("http", "https"):
        # Without the user and password that a CI's remote carries.
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
    if parts.hostname and parts.scheme == "ssh":
        return f"https://{parts.hostname}{parts.path}"
    if ssh := _SSH_REMOTE.fullmatch(remote):
        return f"https://{ssh[1]}/{ssh[2]}"
    return None


def _ask(folder: Path, *arguments: str) -> str:
    """Return what a git command prints; nothing if it fails, for these commands fail where there is no answer."""
    return _run(folder, *arguments).stdout


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed commands, no shell
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
