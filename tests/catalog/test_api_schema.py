"""The OpenAPI document: valid, complete, and true to what the API answers."""

import re

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from markupsafe import escape

from catalog.filters import FILTERS
from tests.catalog.wire import TASK

OPERATIONS = {
    ("/v1/me", "get"),
    ("/v1/perimeters/{perimeter}/confirmations", "post"),
    ("/v1/perimeters/{perimeter}/flowprojects", "post"),
} | {
    (f"/v1/perimeters/{{perimeter}}/projects/{{project}}/branches/{{branch}}/{path}", method)
    for path, methods in {
        "{kind}": ["get"],
        "{kind}/{asset_id}": ["get", "patch", "delete"],
        "{kind}/{asset_id}/instances/{reference}": ["get", "put"],
        "{kind}/{asset_id}/instances/{reference}/deprecation": ["put", "delete"],
        "{kind}/{asset_id}/recover": ["post"],
        "{kind}/{asset_id}/normal": ["put"],
        "{kind}/{asset_id}/aliases": ["get"],
        "{kind}/{asset_id}/aliases/{alias}": ["get", "put", "delete"],
        "{kind}/{asset_id}/alias-history": ["get"],
        "{kind}/{asset_id}/requests": ["get", "post"],
        "{kind}/{asset_id}/requests/{request_id}": ["get", "delete"],
        "{kind}/{asset_id}/requests/{request_id}/approvals": ["post"],
        "{kind}/{asset_id}/aliases/{alias}/check": ["post"],
        "{kind}/{asset_id}/promotions/check": ["post"],
        "gates/check": ["post"],
        "latestflowproject": ["get"],
        "flowprojects": ["delete"],
        "deploys": ["post"],
        "highlights": ["get", "post"],
        "registrations": ["post"],
        "runs": ["get"],
        "lineage": ["get"],
        "lineage/impact": ["get"],
        "lineage/paths": ["get"],
        "{kind}/{asset_id}/lineage": ["get"],
        "{kind}/{asset_id}/instances/{reference}/lineage": ["get"],
    }.items()
    for method in methods
}
OF_WEBHOOKS = {
    (f"/v1/perimeters/{{perimeter}}/webhooks{path}", method)
    for path, methods in {
        "": ["get", "post"],
        "/{webhook_id}": ["get", "patch", "delete"],
        "/{webhook_id}/secret": ["post"],
        "/{webhook_id}/test": ["post"],
        "/{webhook_id}/deliveries": ["get"],
        "/{webhook_id}/deliveries/{delivery_id}/replay": ["post"],
    }.items()
    for method in methods
}
WEBHOOK = {"webhook_id": 1, "delivery_id": 1}


@pytest.fixture
def document(api):
    return api.get("/v1/openapi.json").json()


def test_it_is_valid_and_made_without_warnings(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


def test_it_names_every_route_and_method(document):
    told = {(path, method) for path, of_path in document["paths"].items() for method in of_path}
    assert told == OPERATIONS | OF_WEBHOOKS
    v1 = [pattern for pattern in get_resolver().url_patterns if str(pattern.pattern) == "v1/"]
    named = {pattern.name for part in v1 for pattern in part.url_patterns} - {None, "api-openapi", "api-docs"}
    assert len(named) == len(document["paths"])


def test_every_operation_has_a_name_and_a_summary(document):
    operations = [operation for of_path in document["paths"].values() for operation in of_path.values()]
    assert all(operation["summary"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_every_filter_is_in_it(document):
    lists = "/v1/perimeters/{perimeter}/projects/{project}/branches/{branch}/{kind}"
    for path in (lists, f"{lists}/{{asset_id}}"):
        parameters = document["paths"][path]["get"]["parameters"]
        told = {row["name"]: row.get("description") for row in parameters if row["in"] == "query"}
        paging = {name: told.pop(name) for name in ("page_size", "continuation")}
        assert all(paging.values())
        assert told == {row.name: row.doc for row in FILTERS}


def test_an_answer_has_the_members_that_it_says(api, document):
    schemas = document["components"]["schemas"]
    made = api.register()
    api.consume("data/xkcd/instances/latest")
    api.put("data/xkcd/aliases/p", {"entity_ref": TASK, "instance_id": made["id"]})
    either = {"data_properties", "model_properties"}
    assert set(made) | either == set(schemas["InstanceAnswer"]["properties"])
    many = api.post("registrations", {"registrations": [{}]}).data
    assert set(many) == set(schemas["RegistrationsAnswer"]["properties"])
    assert set(many["registrations"][0]) == set(schemas["RegistrationEntryAnswer"]["properties"])
    found = api.get("data/xkcd/instances/v1").data
    assert set(found) | either == set(schemas["ReadInstanceAnswer"]["properties"])
    assert set(found["run"]) == set(schemas["RunAnswer"]["properties"])
    assert set(found["position"]) == set(schemas["PositionAnswer"]["properties"])
    assert set(made["asset"]) == set(schemas["AssetAnswer"]["properties"])
    assert set(api.get("data/xkcd").data) == set(schemas["SummaryAnswer"]["properties"])
    assert set(api.get("data").data["items"][0]) == set(schemas["ItemAnswer"]["properties"])
    alias = api.get("data/xkcd/aliases/p").data["alias"]
    assert set(alias) == set(schemas["OneAliasAnswer"]["properties"])
    assert set(alias["recent_history"][0]) == set(schemas["AliasMoveAnswer"]["properties"])
    entry = api.get("data/xkcd").data["recently_consumed_by"][0]
    assert set(entry) == set(schemas["ConsumerEntryAnswer"]["properties"])
    entry = api.get("data/xkcd").data["recently_produced_by"][0]
    assert set(entry) == set(schemas["EntityEntryAnswer"]["properties"])


def test_it_is_a_page_of_the_site_with_every_call_and_object(api, document):
    page = api.client.get("/v1/docs").content.decode().replace("<wbr>", "")
    for path, methods in document["paths"].items():
        assert f"<code>{path}</code>" in page
        for method, call in methods.items():
            assert f'<details id="{call["operationId"]}">' in page
            assert f'<span class="method">{method.upper()}</span> {escape(call["summary"])}' in page
    links = set(re.findall(r'href="#(\w+)"', page)) - {"main"}
    assert links <= set(document["components"]["schemas"])
    assert all(f'id="{name}"' in page for name in document["components"]["schemas"])
    assert '<nav class="crumbs"' in page


def test_no_call_is_described_by_what_its_base_says_to_readers_of_the_code(document):
    told = [call.get("description", "") for methods in document["paths"].values() for call in methods.values()]
    assert [text for text in told if "views share" in text] == []


def test_every_address_says_what_it_takes(api, document):
    api.register("data/xkcd")
    values = {"perimeter": "default", "project": "churn", "branch": "main", "kind": "data", "asset_id": "xkcd"}
    for path in document["paths"]:
        address = path.format_map(values | {"reference": "latest", "alias": "production", "request_id": 1} | WEBHOOK)
        answer = api.call("OPTIONS", address)
        assert (path, answer.status_code) == (path, 200)
        assert answer.data["name"]
