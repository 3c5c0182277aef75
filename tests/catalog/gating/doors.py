"""Gates that are declared, and the doors that lead past them, as clients use them."""

from typing import Any

from tests.catalog.wire import TASK, definition, deploy_body
from tests.conftest import Api

Json = dict[str, Any]
FEATURE = "/v1/perimeters/default/projects/churn/branches/feature"


def deployed(api: Api, gates: Json | None, asset: str = "xkcd", **more: Any) -> Json:
    """Deploy one asset; None: the deploy does not speak of gates."""
    said = {} if gates is None else {"gates": gates}
    answer = api.post("deploys", deploy_body(definition(asset, **said), **more))
    assert answer.status_code == 200, answer.content
    return answer.data


def requires(*rules: str, alias: str = "production", **more: Any) -> Json:
    return {alias: {"require": list(rules), **more}}


def move(api: Api, to: str, name: str = "production", *, key: str = "", **more: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.put(f"data/xkcd/aliases/{name}", {"entity_ref": TASK, "instance_id": to, **more}, **headers)


def moved(api: Api, to: str, name: str = "production", **more: Any) -> None:
    answer = move(api, to, name, **more)
    assert answer.status_code == 200, answer.content


def refused(answer: Any) -> str:
    """The message of a refusal."""
    assert answer.status_code == 422, answer.content
    assert answer.data["error"] == "gate_refused"
    return str(answer.data["message"])


def measured(api: Api, auc: Any, **more: Any) -> str:
    """The id of a version that measured this."""
    annotations = {"auc": auc, **more.pop("annotations", {})}
    return str(api.register(annotations=annotations, **more)["id"])


def promoted(source: str, auc: Any, **more: Any) -> Json:
    """The body of a copy."""
    annotations = {"auc": auc, "promoted_from_instance": source, "promoted_from_branch": "feature"}
    return {"entity_ref": TASK, "data_asset_kind": "artifact", "annotations": annotations | more}
