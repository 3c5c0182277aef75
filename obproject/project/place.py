"""Where code outside flows works: the project, and the branches, that a folder, the CI and git name.

The commands and :class:`obproject.Asset` go by these rules, so that both look at the same place.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from obproject.branches import check_branch
from obproject.errors import InvalidInput
from obproject.json_types import Json
from obproject.project import ci, git
from obproject.project.root import PROJECT_FILE, find_project_root


class PlaceUnknown(InvalidInput):
    """Nothing names the project or the branch, or what names it can't be used."""


@dataclass(frozen=True)
class SourcedName:
    """A name, and what it comes from."""

    name: str
    source: str

    def __str__(self) -> str:
        return f"{self.name!r} ({self.source})"


@dataclass(frozen=True)
class ProjectFile:
    """The project file at or above a folder; without one, ``values`` is empty."""

    folder: Path
    path: Path | None = None
    values: Json = field(default_factory=dict)

    def text(self, key: str) -> str | None:
        """Return a key that holds text."""
        value = self.values.get(key)
        return value if isinstance(value, str) and value else None

    @property
    def dev_assets_branch(self) -> str | None:
        """The branch that others read, as ``[dev-assets]`` names it."""
        branch = self._dev_assets.get("branch")
        return branch if isinstance(branch, str) else None

    @property
    def own_first(self) -> bool:
        """Whether ``[dev-assets]`` says that others look at their own branch first."""
        return bool(self._dev_assets.get("own-first"))

    @property
    def _dev_assets(self) -> Json:
        table = self.values.get("dev-assets")
        return table if isinstance(table, dict) else {}


def read_project_file(*folders: Path) -> ProjectFile:
    """Read the project file that is nearest to the first of these folders that has one, at or above it.

    Raises PlaceUnknown if it can't be read.
    """
    for folder in folders:
        if root := find_project_root(folder):
            path = root / PROJECT_FILE
            try:
                return ProjectFile(folder, path, tomllib.loads(path.read_text(encoding="utf-8-sig")))
            except (OSError, ValueError) as error:
                raise PlaceUnknown(f"{path} can't be read: {error}. Correct it, or work in another folder.") from error
    return ProjectFile(folders[0])


def deployed_branch(file: ProjectFile) -> SourcedName:
    """Return the branch that a deploy of the folder would write to; raise PlaceUnknown if nothing names it."""
    found = first_named((file.text("branch"), file.path), (ci.find_branch(os.environ), "the CI")) or _git_branch(file)
    try:
        check_branch(found.name)
    except ValueError as error:
        raise PlaceUnknown(f"{found.source}: {error}.") from None
    return found


def own_branch() -> SourcedName | None:
    """Return the branch that the local runs of whoever is at work write to; None if Metaflow doesn't know who it is."""
    from metaflow.util import get_username

    user = get_username()
    return SourcedName(f"user.{user}", "your own") if user else None


def first_named(*candidates: tuple[str | None, object]) -> SourcedName | None:
    """Return the first name that is there, with its source."""
    return next((SourcedName(name, str(source)) for name, source in candidates if name), None)


def _git_branch(file: ProjectFile) -> SourcedName:
    try:
        if not git.is_in_work_tree(file.folder):
            raise PlaceUnknown(f"Which branch? {file.folder} is in no git repository.")
        branch = git.branch_of(file.folder)
    except git.GitError as error:
        raise PlaceUnknown(f"Which branch? Git does not answer: {error}.") from error
    if branch is None:
        raise PlaceUnknown("Which branch? Git is on a detached HEAD, which is no branch.")
    return SourcedName(branch, "git")
