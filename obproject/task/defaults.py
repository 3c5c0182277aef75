"""The project, branch and perimeter of the code that runs now, for whoever names none."""

from __future__ import annotations

import os

from obproject.errors import InvalidInput
from obproject.task import running


def default_project() -> str:
    """Return the project of the running flow, else that of ``OB_PROJECT``; raise InvalidInput if neither names one."""
    from metaflow import current

    project = current.get("project_name") or os.environ.get("OB_PROJECT")
    if not project:
        raise InvalidInput("Which project? Outside a flow, give Asset(project=..., branch=...) or set OB_PROJECT.")
    return str(project)


def default_branch() -> str:
    """Return the branch that the running flow writes to, else that of ``OB_BRANCH``; see :func:`default_project`."""
    from metaflow import current

    if (task := running.running_task()) and (prj := getattr(task.flow, "prj", None)):
        return str(prj.branches.write)
    branch = current.get("branch_name") or os.environ.get("OB_BRANCH")
    if not branch:
        raise InvalidInput("Which branch? Outside a flow, give Asset(project=..., branch=...) or set OB_BRANCH.")
    return str(branch)


def default_perimeter() -> str | None:
    """Return the perimeter that the running flow was deployed to, else the one that its ``obproject.toml`` names."""
    flow = task.flow if (task := running.running_task()) else None
    documents = (getattr(flow, name, None) or {} for name in ("project_spec", "project_config"))
    return next((document["perimeter"] for document in documents if document.get("perimeter")), None)
