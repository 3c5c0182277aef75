"""A definition stands in the place of an instance while there is none, and never hides one."""

import pytest

from catalog.models import Asset, DefinitionRevision, Instance
from tests.catalog.wire import DEPLOYER, TASK, declaration, definition, deploy_body


@pytest.fixture
def declared(api):
    """The model that the public deploy tool declared, as the answer to it says."""
    answer = api.patch(
        "models/llm",
        declaration(
            kind="model",
            annotations={"provider": "nebius"},
            tags=[{"key": "tier", "value": "hosted"}],
            blobs=["llama-3"],
            description="A hosted model",
        ),
    )
    assert answer.status_code == 201
    return answer.data


def test_a_declaration_makes_the_asset_and_no_instance(api, declared):
    assert Asset.objects.count() == 1
    assert not Instance.objects.exists()


def test_latest_answers_with_the_definition_while_there_is_no_instance(api, declared):
    latest = api.get("models/llm/instances/latest").data
    assert latest == declared
    assert latest["id"].startswith("d_")
    assert latest["number"] is None
    assert latest["ref"] == "definition"
    assert latest["state"] == "ready"
    assert latest["created_by"] == DEPLOYER
    assert latest["model_properties"] == {
        "model_kind": "api",
        "annotations": {"provider": "nebius", "_config_hash": "h1"},
        "blobs": ["llama-3"],
    }
    assert latest["tags"] == [{"key": "tier", "value": "hosted"}]
    assert latest["asset"]["properties"] == {"provider": "nebius"}
    assert latest["asset"]["description"] == "A hosted model"


def test_its_id_is_stable_over_deploys(api, declared):
    again = api.patch("models/llm", declaration("h2", kind="model", annotations={"provider": "other"})).data
    assert again["id"] == declared["id"]
    assert again["asset"]["properties"] == {"provider": "other"}
    assert api.get(f"models/llm/instances/{declared['id']}").data == again


def test_the_same_hash_again_changes_nothing(api, declared):
    again = api.patch("models/llm", declaration("h1", kind="model", annotations={"provider": "changed"}))
    assert again.status_code == 201
    assert again.data == declared
    assert DefinitionRevision.objects.count() == 1


def test_it_is_in_lists_and_alone_in_its_summary(api, declared):
    (item,) = api.get("models").data["items"]
    assert item["latest_instance"] == declared
    assert item["tags"] == declared["tags"]
    assert api.get("models/llm").data["recent_instances"] == [declared]


def test_it_leaves_the_summary_when_there_is_an_instance(api, declared):
    made = api.register("models/llm", state="pending")
    assert api.get("models/llm").data["recent_instances"] == []
    assert api.get("models/llm?state=any").data["recent_instances"] == [made]
    assert api.get("models/llm/instances/latest").data["id"] == declared["id"]
    api.register("models/llm")
    assert [row["ref"] for row in api.get("models/llm").data["recent_instances"]] == ["v2"]
    assert api.get("models/llm/instances/latest").data["ref"] == "v2"


def test_it_answers_to_the_states_that_hold_ready_ones(api, declared):
    assert api.get("models/llm/instances/latest?state=any").data["id"] == declared["id"]
    assert api.get("models/llm/instances/latest?state=ready").data["id"] == declared["id"]
    assert api.get("models/llm/instances/latest?state=pending").status_code == 404
    assert api.get("models/llm/instances/latest-1").status_code == 404
    assert api.get("models?state=pending").data["items"] == []
    assert len(api.get("models?state=ready").data["items"]) == 1


def test_a_declaration_hides_no_instance(api):
    made = api.register("data/xkcd", annotations={"artifact": "strip"})
    api.patch("data/xkcd", declaration())
    latest = api.get("data/xkcd/instances/latest").data
    assert latest["id"] == made["id"]
    assert latest["data_properties"] == made["data_properties"]
    assert latest["asset"]["properties"] == {"provider": "xkcd.com"}
    api.patch("data/xkcd", declaration("h2"))
    assert api.get("data/xkcd/instances/latest").data["id"] == made["id"]
    assert Instance.objects.count() == 1


def test_its_properties_are_in_every_instance_summary_and_item(api, declared):
    made = api.register("models/llm")
    assert made["asset"]["properties"] == {"provider": "nebius"}
    summary = api.get("models/llm").data
    assert summary["asset"]["properties"] == {"provider": "nebius"}
    assert summary["recent_instances"][0]["asset"]["properties"] == {"provider": "nebius"}
    assert api.get("models").data["items"][0]["asset"]["properties"] == {"provider": "nebius"}


def test_it_can_be_consumed_and_named(api, declared):
    consumed = api.consume("models/llm/instances/latest")
    assert consumed == declared
    (entry,) = api.get("models/llm").data["recently_consumed_by"]
    assert entry["instance_id"] == declared["id"]
    assert api.put("models/llm/aliases/prod", {"entity_ref": TASK, "instance_id": declared["id"]}).status_code == 200
    assert api.get("models/llm/instances/@prod").data["id"] == declared["id"]
    api.register("models/llm")
    assert api.get("models/llm/instances/@prod").data["ref"] == "definition"
    assert api.get("models/llm/instances/@prod").data["aliases"] == ["prod"]


@pytest.mark.parametrize(
    "body",
    [
        declaration(annotations={"promoted_from_branch": "feature_x"}),
        declaration(annotations={"promoted_from_instance": "i_1"}),
        declaration() | {"entity_ref": TASK},
        declaration() | {"entity_ref": {"entity_kind": "task", "entity_id": "obproject/promote"}},
        {"entity_ref": DEPLOYER, "data_asset_kind": "api", "annotations": {"provider": "x"}},
    ],
    ids=["promoted branch", "promoted instance", "a task", "the promoter", "no hash"],
)
def test_everything_else_is_an_instance(api, body):
    assert api.patch("data/xkcd", body).data["ref"] == "v1"


def test_an_asset_known_by_its_instances_only_has_no_properties(api):
    assert api.register()["asset"]["properties"] == {}


def test_a_declared_name_and_icon_are_shown(api):
    api.post("deploys", deploy_body(definition("xkcd", name="Latest comic", icon="🖼", description="The newest")))
    asset = api.register(description="today's")["asset"]
    assert asset["name"] == "xkcd"  # public clients build addresses from it
    assert asset["display_name"] == "Latest comic"
    assert asset["icon"] == "🖼"
    assert asset["description"] == "today's"
    assert api.get("data/xkcd").data["asset"]["description"] == "today's"
    api.register()
    assert api.get("data/xkcd").data["asset"]["description"] == "The newest"
