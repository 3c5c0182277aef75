"""The project, branches and perimeter of the code that runs now, for whoever names none.

What looks at folders is loaded when a folder is asked for: no task of a flow does so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from obproject.branches import BranchChoice, branch_key, resolve_branches
from obproject.errors import InvalidInput
from obproject.notices import tell_once
from obproject.task import running

if TYPE_CHECKING:
    from obproject.project.place import ProjectFile


class Place(NamedTuple):
    """A project with the branch that is written to and those that are read, in the order of reading."""

    project: str
    write: str
    read: tuple[str, ...]
    perimeter: str | None = None
    """The perimeter that the running flow was deployed to, or that the project's file names."""


def place_of(project: str | None = None, branch: str | None = None) -> Place:
    """Return the place that is named, as far as it is; the rest is that of the code that runs now.

    In a flow that is the flow's. Elsewhere it is what ``OB_PROJECT`` and ``OB_BRANCH`` say, else what the project file
    says that is nearest to the present folder, or to that of the script. Code that is found by its folder stands where
    a local run of that project would: it writes to one's own branch, in a CI to the branch that is built, and reads as
    ``[dev-assets]`` says; what is not there is read from the branch that a deploy of the folder would write to.

    Raises InvalidInput if nothing names the project or the branch.
    """
    perimeter = _perimeter_of_flow()
    project, branch = project or _known_project(), branch or _known_branch()
    if project and branch:
        return Place(project, branch, (branch,), perimeter)
    file = _project_file()
    of_file = file.text("project") if file else None
    project = project or of_file
    if not project:
        raise InvalidInput(
            "Which project? Outside a flow, give Asset(project=..., branch=...), set OB_PROJECT, "
            "or work in a folder with obproject.toml."
        )
    if branch:
        return Place(project, branch, (branch,), perimeter or (file.text("perimeter") if file else None))
    if file is None or project != of_file:
        raise InvalidInput(
            "Which branch? Outside a flow, give Asset(project=..., branch=...), set OB_BRANCH, "
            f"or work in the folder of project {project!r}."
        )
    return _in_folder(project, file)


def _in_folder(project: str, file: ProjectFile) -> Place:
    from obproject.project.place import PlaceUnknown, deployed_branch

    choice = _local_choice(file)
    read = choice.lookup_order
    try:
        deployed = deployed_branch(file).name
    except PlaceUnknown:
        deployed = choice.write
    if branch_key(deployed) not in map(branch_key, read):
        read = (*read, deployed)
    reads = ", then ".join(map(repr, read))
    tell_once(f"project {project!r} ({file.path}), reads branch {reads}, writes branch {choice.write!r}.")
    return Place(project, choice.write, read, file.text("perimeter"))


def _local_choice(file: ProjectFile) -> BranchChoice:
    """Return the branches of a local run in a folder; in a CI, those of what is deployed from there."""
    from obproject.project import ci
    from obproject.project.place import own_branch

    built, own = ci.find_branch(os.environ), own_branch()
    if not built and not own:
        raise InvalidInput("Which branch? Metaflow does not know who works here: set METAFLOW_USER, or give a branch.")
    try:
        return resolve_branches(
            project_spec={"branch_name": built} if built else {},
            metaflow_branch=own.name if own else None,
            dev_assets_branch=file.dev_assets_branch,
            own_first=file.own_first,
        )
    except ValueError as error:
        raise InvalidInput(f"The branches of {file.path} can't be told: {error}.") from None


def _known_project() -> str | None:
    from metaflow import current

    return current.get("project_name") or os.environ.get("OB_PROJECT")


def _known_branch() -> str | None:
    """Return the branch that the running flow writes to, else that of ``OB_BRANCH``."""
    from metaflow import current

    if (flow := running.running_flow()) and (prj := getattr(flow, "prj", None)):
        return str(prj.branches.write)
    return current.get("branch_name") or os.environ.get("OB_BRANCH")


def _project_file() -> ProjectFile | None:
    """Return the project file of the present folder, else of the script's; None in a flow, or if there is none.

    A task may run where the folder is not, so a flow's place never depends on it.
    """
    from metaflow import current

    if current.is_running_flow:
        return None
    from obproject.project.place import read_project_file

    script = getattr(sys.modules.get("__main__"), "__file__", None)
    file = read_project_file(Path.cwd(), *([Path(script).parent] if script else []))
    return file if file.path else None


def _perimeter_of_flow() -> str | None:
    """Return the perimeter that the running flow was deployed to, else the one that its ``obproject.toml`` names."""
    flow = running.running_flow()
    documents = (getattr(flow, name, None) or {} for name in ("project_spec", "project_config"))
    return next((document["perimeter"] for document in documents if document.get("perimeter")), None)
