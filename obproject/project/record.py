"""The record of a deployment: the flowproject spec with its address, and the body of the request that deploys it.

Pure functions of what was read before. The shapes are those of the flowproject protocol; an unknown value is left out,
never sent as null. Beside the protocol's members, the entries of ``data`` and ``models`` say all that is
declared, so that the next deployment can tell what it changes; the entry of ``code`` says in ``path`` where in its
repository the project is (``.`` for the root); and an entry of ``workflows`` says what is live where:

================== ============================================================
``deployer``         the orchestrator that has the flow, such as ``argo-workflows``
``flow_template_id`` what it is called there
``version_id``       the version that is live there; none if it is unknown
================== ============================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from obproject.branches import branch_key, is_main
from obproject.json_types import Json
from obproject.kinds import Collection
from obproject.project.definitions import AssetDefinition, ProjectDefinition
from obproject.project.git import Checkout, Commit
from obproject.project.workflows import Workflow

DEPLOYER = {"entity_kind": "ci", "entity_id": "obproject-deploy"}
LIVE_KEYS = ("deployer", "flow_template_id", "version_id")


@dataclass(frozen=True)
class Source:
    """Where the code of a deployment comes from."""

    branch_name: str
    """The git name of the branch that is deployed to."""
    checkout: Checkout | None
    commit_base: str | None = None
    """Address below which a browser finds each commit, instead of the address in the checkout."""
    ci_url: str | None = None

    def commit_url(self, sha: str) -> str | None:
        """Return the address of a commit in a browser."""
        if self.commit_base:
            return f"{self.commit_base.rstrip('/')}/{sha}"
        return self.checkout.commit_url(sha) if self.checkout else None


def metaflow_branch(branch_name: str) -> str:
    """Return what Metaflow calls a branch that flows are deployed from."""
    return "prod" if is_main(branch_name) else f"test.{branch_key(branch_name)}"


def build_spec(
    *,
    project: ProjectDefinition,
    workflows: Iterable[Workflow],
    apps: Iterable[str],
    source: Source,
    perimeter: str,
    now: datetime,
) -> Json:
    """Return the flowproject spec. ``project_branch`` is the key of the branch, ``branch_name`` its git name."""
    config, checkout = project.config, source.checkout
    names = {"metaflow_project": config.project, "metaflow_branch": metaflow_branch(source.branch_name)}
    commits = checkout.commits if checkout else ()
    first_commit_at = checkout.first_commit_at if checkout else None
    flows = list(workflows)
    return _known(
        {
            **names,
            "project_name": config.project,
            "project_branch": branch_key(source.branch_name),
            "branch_name": source.branch_name,
            "perimeter": perimeter,
            "title": config.title or config.project,
            "timezone": config.timezone,
            "markdown": project.readme,
            "created_at": config.created_at or (_timestamp(first_commit_at) if first_commit_at else None),
            "updated_at": _timestamp(now),
            "ci_url": source.ci_url,
            "code": [_code_entry(commit, source) for commit in commits[:1]],
            "deployment_events": [_deployment_event(commit, source) for commit in commits],
            "data": _declarations(project, "data"),
            "models": _declarations(project, "models"),
            "workflows": [_workflow(flow, names) for flow in flows],
            "card_info": [_card(flow, names) for flow in flows if flow.evaluation_card],
            "deployments": [{"name": app} for app in apps],
        }
    )


def build_record(*, spec: Json, version_id: str) -> Json:
    """Return the whole record: what a flow reads as its project spec."""
    return {
        "perimeter": spec["perimeter"],
        "project": spec["project_name"],
        "branch": spec["project_branch"],
        "branch_name": spec["branch_name"],
        "version_id": version_id,
        "spec": spec,
    }


def build_deploy_request(record: Json, assets: Iterable[AssetDefinition]) -> Json:
    """Return the body of ``POST .../deploys``; without a time zone it says so, as one may have been named before."""
    return {
        "branch_name": record["branch_name"],
        "version_id": record["version_id"],
        "timezone": record["spec"].get("timezone") or "",
        "entity_ref": DEPLOYER,
        "spec": record["spec"],
        "definitions": [_definition(asset) for asset in assets],
    }


def live_flows(spec: Mapping[str, Any] | None) -> dict[str, Json]:
    """Return the entries of a spec's flows that an orchestrator has, by name of the flow.

    Specs of other tools don't say which: they know Argo Workflows only.
    """
    listed = (spec or {}).get("workflows")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return {
        entry["flow_name"]: {"deployer": "argo-workflows", **entry}
        for entry in entries
        if isinstance(entry.get("flow_name"), str) and (entry.get("deployer") or entry.get("flow_template_id"))
    }


def with_live_flows(record: Json, live: Mapping[str, Json]) -> Json:
    """Return a record that says which flows are live; those that the project lacks by now are listed last."""
    spec = record["spec"]
    declared = [_with_live(entry, live.get(entry.get("flow_name"), {})) for entry in spec["workflows"]]
    names = {entry.get("flow_name") for entry in declared}
    left = [entry for name, entry in live.items() if name not in names]
    return {**record, "spec": {**spec, "workflows": [*declared, *left]}}


def _with_live(entry: Json, live: Json) -> Json:
    known = {key: live[key] for key in LIVE_KEYS if key in live}
    return {key: value for key, value in entry.items() if key not in LIVE_KEYS} | known


def _workflow(flow: Workflow, names: Json) -> Json:
    return _known(
        {
            "flow_name": flow.flow_name,
            "markdown_description": flow.readme,
            "highlight_step_name": flow.highlight_step,
            "tags": [],
            **names,
        }
    )


def _card(flow: Workflow, names: Json) -> Json:
    card = flow.evaluation_card
    assert card
    return {
        "card_type": card.card_type,
        "is_eval_flow": True,
        "step_name": card.step,
        "workflow_name": flow.flow_name,
        **names,
    }


def _definition(asset: AssetDefinition) -> Json:
    """Return the entry of a declared asset in the request to deploy."""
    declared = _declared(asset, name="name", readme="readme", asset_kind="asset_kind")
    return {**declared, "kind": asset.folder, "source": asset.source}


def declaration(asset: AssetDefinition) -> Json:
    """Return the entry of a declared asset in the spec."""
    return _declared(asset, name="display_name", readme="card_markdown", asset_kind="kind")


def _declared(asset: AssetDefinition, *, name: str, readme: str, asset_kind: str) -> Json:
    """Return all that is declared of an asset; request and spec name three of its members differently."""
    return _known(
        {
            "id": asset.id,
            name: asset.name,
            "description": asset.description,
            readme: asset.readme,
            "icon": asset.icon,
            asset_kind: asset.asset_kind,
            "properties": asset.properties,
            "tags": asset.tags,
            "blobs": asset.blobs,
            "metrics": [metric.document for metric in asset.metrics],
            "compare_ignore": list(asset.compare_ignore),
            "gates": asset.gates,
            "freshness": asset.freshness,
        }
    )


def _declarations(project: ProjectDefinition, folder: Collection) -> list[Json]:
    return [declaration(asset) for asset in project.assets if asset.folder == folder]


def _code_entry(commit: Commit, source: Source) -> Json:
    return _known(
        {
            "display_name": f"{commit.title} ({commit.sha[:6]})",
            "url": source.commit_url(commit.sha),
            "path": source.checkout.path if source.checkout else None,
        }
    )


def _deployment_event(commit: Commit, source: Source) -> Json:
    return _known(
        {
            "commit_sha": commit.sha,
            "commit_link": source.commit_url(commit.sha),
            "owner": commit.author_email,
            "pr_title": commit.title,
            "pr_description": commit.description,
            "timestamp": commit.authored_at.isoformat(),
        }
    )


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(values: Json) -> Json:
    return {key: value for key, value in values.items() if value is not None}
