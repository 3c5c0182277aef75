"""The place that a command works on: perimeter, project and branches, each with its source."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from obproject.assets import Asset
from obproject.branches import branch_key
from obproject.catalogue.reader import AssetReader
from obproject.commands.result import CommandError
from obproject.json_types import Json
from obproject.project.place import (
    PlaceUnknown,
    ProjectFile,
    SourcedName,
    deployed_branch,
    first_named,
    own_branch,
    read_project_file,
)
from obproject.project.root import PROJECT_FILE
from obproject.settings import find_settings


@dataclass(frozen=True)
class Place:
    """The branches of one project in one perimeter that a command looks at, in the order of looking."""

    perimeter: str
    project: SourcedName
    branches: tuple[SourcedName, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the branches."""
        return tuple(branch.name for branch in self.branches)

    @property
    def label(self) -> str:
        """The branches and the project as they stand in messages."""
        names = " and ".join(map(repr, self.names))
        return f"branch{'es' if len(self.names) > 1 else ''} {names} of project {self.project.name!r}"

    def only(self, branch: str) -> Place:
        """Return the place with one of its branches alone."""
        return replace(self, branches=tuple(one for one in self.branches if one.name == branch))

    def assets(self) -> Asset:
        """Return the assets there, to look at."""
        assets = Asset(self.project.name, self.names[0], read_only=True, perimeter=self.perimeter)
        assets.reader = AssetReader(assets.catalogue, self.names)
        return assets

    def as_json(self) -> Json:
        """Return the names; ``branch`` is the first of the branches."""
        names = {"branch": self.names[0], "branches": list(self.names)}
        return {"perimeter": self.perimeter, "project": self.project.name, **names}


def project_file_here() -> ProjectFile:
    """Read the project file of the present folder; raise PlaceUnknown if it can't be read."""
    return read_project_file(Path.cwd())


def find_place(options: argparse.Namespace) -> Place:
    """Return the place that the options and the present folder name, and print it."""
    file = project_file_here()
    place = Place(
        perimeter=find_perimeter(options, file), project=find_project(options, file), branches=_branches(options, file)
    )
    branches = " and ".join(map(str, place.branches))
    print(f"obproject: project {place.project}, branch {branches}, perimeter {place.perimeter!r}", file=sys.stderr)
    return place


def find_perimeter(options: argparse.Namespace, file: ProjectFile) -> str:
    """Return the perimeter that the option names, else that of the settings."""
    return find_settings(perimeter=options.perimeter, project_perimeter=file.text("perimeter")).perimeter


def find_project(options: argparse.Namespace, file: ProjectFile) -> SourcedName:
    """Return the project; raise CommandError if nothing names one."""
    found = first_named(
        (options.project, "--project"), (os.environ.get("OB_PROJECT"), "OB_PROJECT"), (file.text("project"), file.path)
    )
    if found is None:
        raise CommandError(f"Which project? Run this in a folder with {PROJECT_FILE}, or give --project NAME.")
    return found


def _branches(options: argparse.Namespace, file: ProjectFile) -> tuple[SourcedName, ...]:
    """Return the branch that is named; else that of a deploy from here, and one's own, which local runs write to."""
    if given := first_named((options.branch, "--branch"), (os.environ.get("OB_BRANCH"), "OB_BRANCH")):
        return (given,)
    own = own_branch()
    try:
        deployed = deployed_branch(file)
    except PlaceUnknown as error:
        if own is None:
            raise CommandError(f"{error} Give --branch NAME.") from None
        print(f"obproject: {error} So only your own branch is looked at; --branch NAME names another.", file=sys.stderr)
        return (own,)
    is_other = own is not None and branch_key(own.name) != branch_key(deployed.name)
    return (deployed, own) if own and is_other else (deployed,)
