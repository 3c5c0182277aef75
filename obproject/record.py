"""The record of a deployment: the flowproject spec with its address, and the body of the request that deploys it.

Pure functions of what was read before. The shapes are those of the flowproject protocol; a value that is not known is
left out, never sent as null.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from obproject.branches import branch_key, is_main
from obproject.definitions import AssetDefinition, AssetFolder, ProjectDefinition
from obproject.git import Checkout, Commit
from obproject.workflows import Workflow

DEPLOYER = {"entity_kind": "ci", "entity_id": "obproject-deploy"}


def build_spec(
    *,
    project: ProjectDefinition,
    workflows: Iterable[Workflow],
    perimeter: str,
    branch_name: str,
    checkout: Checkout | None,
    ci_url: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the flowproject spec. ``project_branch`` is the key of the branch, ``branch_name`` its git name."""
    config = project.config
    key = branch_key(branch_name)
    metaflow_names = {
        "metaflow_project": config.project,
        "metaflow_branch": "prod" if is_main(branch_name) else f"test.{key}",
    }
    commits = checkout.commits if checkout else ()
    first_commit_at = checkout.first_commit_at if checkout else None
    return _known(
        {
            **metaflow_names,
            "project_name": config.project,
            "project_branch": key,
            "branch_name": branch_name,
            "perimeter": perimeter,
            "title": config.title or config.project,
            "markdown": project.readme,
            "created_at": config.created_at or (_timestamp(first_commit_at) if first_commit_at else None),
            "updated_at": _timestamp(now),
            "ci_url": ci_url,
            "code": [_code_entry(commit, checkout) for commit in commits[:1]],
            "deployment_events": [_deployment_event(commit, checkout) for commit in commits],
            "data": _declarations(project, "data"),
            "models": _declarations(project, "models"),
            "workflows": [
                _known({"flow_name": flow.flow_name, "markdown_description": flow.readme, "tags": [], **metaflow_names})
                for flow in workflows
            ],
            "card_info": [],
        }
    )


def build_record(*, spec: dict[str, Any], version_id: str) -> dict[str, Any]:
    """Return the whole record: what a flow reads as its project spec."""
    return {
        "perimeter": spec["perimeter"],
        "project": spec["project_name"],
        "branch": spec["project_branch"],
        "branch_name": spec["branch_name"],
        "version_id": version_id,
        "spec": spec,
    }


def build_deploy_request(record: dict[str, Any], assets: Iterable[AssetDefinition]) -> dict[str, Any]:
    """Return the body of ``POST .../deploys``."""
    return {
        "branch_name": record["branch_name"],
        "version_id": record["version_id"],
        "entity_ref": DEPLOYER,
        "spec": record["spec"],
        "definitions": [_definition(asset) for asset in assets],
    }


def _definition(asset: AssetDefinition) -> dict[str, Any]:
    return _known(
        {
            "kind": asset.folder,
            "id": asset.id,
            "name": asset.name,
            "description": asset.description,
            "properties": asset.properties,
            "tags": asset.tags,
            "asset_kind": asset.asset_kind,
            "blobs": asset.blobs,
            "icon": asset.icon,
            "readme": asset.readme,
            "source": asset.source,
        }
    )


def _declarations(project: ProjectDefinition, folder: AssetFolder) -> list[dict[str, Any]]:
    return [
        _known(
            {
                "id": asset.id,
                "display_name": asset.name,
                "description": asset.description,
                "card_markdown": asset.readme,
                "icon": asset.icon,
            }
        )
        for asset in project.assets
        if asset.folder == folder
    ]


def _code_entry(commit: Commit, checkout: Checkout | None) -> dict[str, Any]:
    url = checkout.commit_url(commit.sha) if checkout else None
    return _known({"display_name": f"{commit.title} ({commit.sha[:6]})", "url": url})


def _deployment_event(commit: Commit, checkout: Checkout | None) -> dict[str, Any]:
    return _known(
        {
            "commit_sha": commit.sha,
            "commit_link": checkout.commit_url(commit.sha) if checkout else None,
            "owner": commit.author_email,
            "pr_title": commit.title,
            "pr_description": commit.description,
            "timestamp": commit.authored_at.isoformat(),
        }
    )


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
