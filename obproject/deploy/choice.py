"""Which orchestrator a project's flows go to, and which one has a flow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obproject.branches import former_keys
from obproject.deploy.airflow import Airflow
from obproject.deploy.deployers import ArgoWorkflows, Deployer, StepFunctions
from obproject.deploy.metaflow_commands import DeployerError
from obproject.project.record import metaflow_branch

_DEPLOYERS: tuple[type[Deployer], ...] = (ArgoWorkflows, StepFunctions, Airflow)
_SIGNS = {"argo-workflows": "METAFLOW_ARGO_", "step-functions": "METAFLOW_SFN_IAM_ROLE", "airflow": "METAFLOW_AIRFLOW_"}
"""How settings begin that only an orchestrator needs."""


def find_deployer(name: str, *, authorize: str | None = None, dags_folder: Path | None = None) -> Deployer | None:
    """Return the deployer of a name, None for ``none``; raise KeyError for an unknown name."""
    known = {deployer.name: deployer for deployer in _DEPLOYERS}
    return None if name == "none" else known[name](authorize, dags_folder)


def delete_live(
    entry: Mapping[str, Any], project: str, branch: str, authorize: str | None, dags_folder: Path | None
) -> None:
    """Delete a flow from the orchestrator that has it, as its entry in a spec says; raise DeployerError if not."""
    name = str(entry["deployer"])
    try:
        deployer = find_deployer(name, authorize=authorize, dags_folder=dags_folder)
    except KeyError:
        raise DeployerError(f"it was deployed to {name!r}, which is not known here") from None
    if deployer:
        deployer.delete(project, former_branch(entry, branch) or branch, entry["flow_name"])


def former_branch(entry: Mapping[str, Any], branch: str) -> str:
    """Return the key by which a version before 0.6 deployed a flow from a branch; empty if it has today's key."""
    return next((key for key in former_keys(branch) if entry.get("metaflow_branch") == metaflow_branch(key)), "")


def configured_deployers() -> list[str]:
    """Return the orchestrators that Metaflow's configuration names."""
    from metaflow.metaflow_config_funcs import init_config

    settings = {*os.environ, *init_config()}
    return [name for name, sign in _SIGNS.items() if any(setting.startswith(sign) for setting in settings)]
