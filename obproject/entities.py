"""Who produces and consumes assets: a task of a flow, a deployment (an app, a notebook, a service), or a person."""

from __future__ import annotations

import os
from typing import NamedTuple


class EntityRef(NamedTuple):
    """Who produced or consumed an instance: ``task`` and ``Flow/run/step/task``, ``deployment`` and its name, ..."""

    entity_kind: str
    entity_id: str


def entity_ref(kind: str, entity_id: str) -> dict[str, str]:
    """Return an entity as it stands on the wire."""
    return {"entity_kind": kind, "entity_id": entity_id}


def task_ref(flow: str, run: str, step: str, task: str) -> dict[str, str]:
    """Return the entity of a Metaflow task."""
    return entity_ref("task", f"{flow}/{run}/{step}/{task}")


def user_ref(user: str) -> dict[str, str]:
    """Return the entity of a person."""
    return entity_ref("user", user)


def deployment_ref(name: str) -> dict[str, str]:
    """Return the entity of an app, notebook or service."""
    return entity_ref("deployment", name)


def who_is_running() -> dict[str, str]:
    """Return the entity of the code that runs now.

    Inside a flow that is the task; elsewhere the deployment that ``ASSETSITE_DEPLOYMENT`` names, else the user.
    """
    from metaflow import current
    from metaflow.util import get_username

    if current.is_running_flow:
        return task_ref(current.flow_name, current.run_id, current.step_name, current.task_id)
    if deployment := os.environ.get("ASSETSITE_DEPLOYMENT", "").strip():
        return deployment_ref(deployment)
    return user_ref(get_username() or "unknown")
