"""The place that a command works on: perimeter, project and branch, each with its source."""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from obproject.assets import Asset
from obproject.branches import check_branch
from obproject.commands.result import CommandError
from obproject.json_types import Json
from obproject.project import ci
from obproject.project.definitions import PROJECT_FILE, find_project_root
from obproject.project.git import GitError, read_checkout
from obproject.settings import find_settings


@dataclass(frozen=True)
class SourcedName:
    """A name, and what it comes from."""

    name: str
    source: str

    def __str__(self) -> str:
        return f"{self.name!r} ({self.source})"


@dataclass(frozen=True)
class ProjectFile:
    """The project file at or above the present folder; without one, ``values`` is empty."""

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


@dataclass(frozen=True)
class Place:
    """One branch of one project in one perimeter."""

    perimeter: str
    project: SourcedName
    branch: SourcedName

    def assets(self) -> Asset:
        """Return the assets there, to look at."""
        return Asset(self.project.name, self.branch.name, read_only=True, perimeter=self.perimeter)

    def as_json(self) -> Json:
        """Return the three names."""
        return {"perimeter": self.perimeter, "project": self.project.name, "branch": self.branch.name}


def read_project_file() -> ProjectFile:
    """Read the nearest project file; raise CommandError if it can't be read."""
    root = find_project_root(Path.cwd())
    if root is None:
        return ProjectFile()
    path = root / PROJECT_FILE
    try:
        return ProjectFile(path, tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} can't be read: {error}. Correct it, or work in another folder.") from error


def find_place(options: argparse.Namespace) -> Place:
    """Return the place that the options and the present folder name, and print it."""
    file = read_project_file()
    place = Place(
        perimeter=find_perimeter(options, file), project=find_project(options, file), branch=_branch(options, file)
    )
    print(f"obproject: project {place.project}, branch {place.branch}, perimeter {place.perimeter!r}", file=sys.stderr)
    return place


def find_perimeter(options: argparse.Namespace, file: ProjectFile) -> str:
    """Return the perimeter that the option names, else that of the settings."""
    return find_settings(perimeter=options.perimeter, project_perimeter=file.text("perimeter")).perimeter


def find_project(options: argparse.Namespace, file: ProjectFile) -> SourcedName:
    """Return the project; raise CommandError if nothing names one."""
    found = _first(
        (options.project, "--project"), (os.environ.get("OB_PROJECT"), "OB_PROJECT"), (file.text("project"), file.path)
    )
    if found is None:
        raise CommandError(f"Which project? Run this in a folder with {PROJECT_FILE}, or give --project NAME.")
    return found


def _branch(options: argparse.Namespace, file: ProjectFile) -> SourcedName:
    given = _first((options.branch, "--branch"), (os.environ.get("OB_BRANCH"), "OB_BRANCH"))
    return given or deployed_branch(file)


def deployed_branch(file: ProjectFile) -> SourcedName:
    """Return the branch that a deploy of the present folder would write to; raise CommandError if nothing names it."""
    found = _first((file.text("branch"), file.path), (ci.find_branch(os.environ), "the CI")) or _git_branch()
    try:
        check_branch(found.name)
    except ValueError as error:
        raise CommandError(f"{found.source}: {error}. Give --branch NAME.") from None
    return found


def _git_branch() -> SourcedName:
    try:
        checkout = read_checkout(Path.cwd())
    except GitError as error:
        raise CommandError(f"Which branch? Git does not answer: {error}. Give --branch NAME.") from error
    if checkout is None:
        raise CommandError(f"Which branch? {Path.cwd()} is in no git repository. Give --branch NAME.")
    if checkout.branch is None:
        raise CommandError("Which branch? Git is on a detached HEAD, which is no branch. Give --branch NAME.")
    return SourcedName(checkout.branch, "git")


def _first(*candidates: tuple[str | None, object]) -> SourcedName | None:
    return next((SourcedName(name, str(source)) for name, source in candidates if name), None)
