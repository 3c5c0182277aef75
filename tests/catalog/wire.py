"""Bodies that several tests send, as clients of the reference protocol and ours make them."""

from typing import Any

Json = dict[str, Any]

TASK = {"entity_kind": "task", "entity_id": "ComicData/1/start/1"}
CI = {"entity_kind": "ci", "entity_id": "obproject-deploy"}
DEPLOYER = {"entity_kind": "task", "entity_id": "deployer"}
PERIMETER = "/v1/perimeters/default"


def task(entity_id: str) -> Json:
    return {"entity_kind": "task", "entity_id": entity_id}


def declaration(config_hash: str = "h1", *, kind: str = "data", **more: Any) -> Json:
    """A PATCH of the public deploy tool: properties as annotations, and the hash of the file they come from."""
    annotations = {"provider": "xkcd.com", "_config_hash": config_hash} | more.pop("annotations", {})
    return {"entity_ref": DEPLOYER, f"{kind}_asset_kind": "api", "annotations": annotations, **more}


def definition(asset_id: str = "xkcd", kind: str = "data", **more: Any) -> Json:
    """One definition of a deploy."""
    return {"kind": kind, "id": asset_id, "name": f"The {asset_id}", "properties": {"owner": "ada"}, **more}


def deploy_body(*definitions: Json, version: str = "sha1", spec: Json | None = None, **more: Any) -> Json:
    return {
        "entity_ref": CI,
        "version_id": version,
        "spec": {"title": "Churn", "data": [], "models": []} if spec is None else spec,
        "definitions": list(definitions),
        **more,
    }


def spec_body(spec: Json, *, branch: str = "main", project: str = "churn", **more: Any) -> Json:
    """The body that the public client posts to keep the declaration lists in step."""
    return {"perimeter": "default", "project": project, "branch": branch, "version_id": "v", "spec": spec, **more}
