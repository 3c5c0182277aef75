"""E5: reading an instance and being recorded as its consumer."""

import pytest

from catalog.models import Asset, Consumption, Edge
from tests.catalog.wire import TASK, task

pytestmark = pytest.mark.both


def edges(direction="consumes"):
    return Edge.objects.filter(direction=direction).order_by("id")


def test_consuming_answers_what_reading_does(api):
    made = api.register()
    assert api.consume("data/xkcd/instances/latest") == made
    found = api.get("data/xkcd/instances/latest").data
    assert found == made | {"run": found["run"]}


def test_who_names_a_consumption_is_told_when_it_was_recorded(api):
    made = api.register()
    consumed = api.consume("data/xkcd/instances/latest", id=f"c_{'0' * 20}")
    assert consumed.pop("consumed_at") > made["created_at"]
    assert consumed == made


def test_each_consumption_is_kept_and_counted_on_one_edge(api):
    api.register()
    api.consume("data/xkcd/instances/latest", task="Reader/1/start/1")
    second = api.register()
    api.consume("data/xkcd/instances/latest", task="Reader/2/start/1")
    api.consume("data/xkcd/instances/v1", task="Reader/2/end/2")
    kept = [(row.reference, row.instance.ref, row.run) for row in Consumption.objects.order_by("id")]
    assert kept == [("latest", "v1", "Reader/1"), ("latest", "v2", "Reader/2"), ("v1", "v1", "Reader/2")]
    edge = edges().get()
    assert edge.count == 3
    assert edge.first_at < edge.last_at
    assert edge.first_at == Consumption.objects.earliest("id").at
    assert edge.last_at == Consumption.objects.latest("id").at
    assert edge.last_entity_id == "Reader/2/end/2"
    assert edge.last_instance.ref == "v1"
    assert edge.component.name == "Reader"
    assert Asset.objects.get().consumer_count == 1
    consumers = api.get("data/xkcd").data["recently_consumed_by"]
    assert [row["instance_id"] == second["id"] for row in consumers] == [False, True, False]


def test_the_project_and_branch_of_the_consumer_are_recorded(api):
    api.register()
    api.consume("data/xkcd/instances/latest", consumer={"project": "other", "branch": "feature/x"})
    api.consume("data/xkcd/instances/latest", consumer={"branch": "user.ada"})
    api.consume("data/xkcd/instances/latest", consumer={})
    api.consume("data/xkcd/instances/latest", consumer=None)
    found = [(edge.component.project_name, edge.write_branch, edge.write_branch_name, edge.count) for edge in edges()]
    assert found == [
        ("other", "feature_x", "feature/x", 1),
        ("churn", "user_ada", "user.ada", 1),
        ("churn", "", "", 2),
    ]
    assert Asset.objects.get().consumer_count == 2
    (_, _, own, other) = api.get("data/xkcd").data["recently_consumed_by"]
    assert (other["project"], other["branch"]) == ("other", "feature_x")
    assert (own["project"], own["branch"]) == ("churn", "user_ada")


def test_reading_leaves_no_trace(api):
    api.register()
    api.get("data/xkcd/instances/latest")
    assert not Consumption.objects.exists()
    assert not edges().exists()


def test_the_same_key_twice_is_one_consumption(api):
    api.register()
    body, headers = {"entity_ref": TASK}, {"Idempotency-Key": "k"}
    first = api.put("data/xkcd/instances/latest", body, **headers)
    again = api.put("data/xkcd/instances/latest", body, **headers)
    assert first.status_code == again.status_code == 200
    assert first.data == again.data
    assert Consumption.objects.count() == edges().get().count == 1
    assert api.put("data/xkcd/instances/latest", {"entity_ref": task("A/1/b/2")}, **headers).status_code == 409


@pytest.mark.parametrize(
    ("kind", "entity", "component"),
    [
        ("task", "Flow/1/start/2", ("flow", "Flow")),
        ("task", "deployer", ("ci", "deployer")),
        ("task", "obproject/promote", ("ci", "obproject/promote")),
        ("task", "user:ada", ("other", "user:ada")),
        ("task", "Flow/1/start", ("other", "Flow/1/start")),
        ("task", "//1/", ("other", "//1/")),
        ("user", "ada", ("person", "ada")),
        ("user", "unknown", ("person", "unknown")),
        ("deployment", "dashboard", ("deployment", "dashboard")),
        ("ci", "obproject-deploy", ("ci", "obproject-deploy")),
        ("notebook", "été 1", ("other", "été 1")),
        ("Task", "Flow/1/start/2", ("other", "Flow/1/start/2")),
    ],
)
def test_entities_of_any_kind_roll_up_into_components(api, kind, entity, component):
    api.register()
    api.consume("data/xkcd/instances/latest", entity_ref={"entity_kind": kind, "entity_id": entity})
    edge = edges().get()
    assert (edge.component.kind, edge.component.name) == component
    assert (edge.last_entity_kind, edge.last_entity_id) == (kind, entity)


def test_unknown_fields_are_passed_over(api):
    api.register(surprise={"a": [1]})
    api.consume("data/xkcd/instances/latest", surprise=1, consumer={"project": "p", "surprise": 1})
    assert edges().get().component.project_name == "p"


@pytest.mark.parametrize(
    "wrong",
    [
        {"entity_ref": None},
        {"entity_ref": {}},
        {"entity_ref": {"entity_kind": "task", "entity_id": ""}},
        {"consumer": "p"},
        {"consumer": {"project": 5}},
        {"consumer": {"branch": "//"}},
        {"consumer": {"branch": ""}},
        {"consumer": {"project": "a\x00"}},
    ],
)
def test_a_malformed_consumption_is_refused_and_leaves_nothing(api, wrong):
    api.register()
    assert api.put("data/xkcd/instances/latest", {"entity_ref": TASK} | wrong).status_code == 400
    assert not Consumption.objects.exists()


def test_what_is_unknown_cant_be_consumed(api):
    api.register()
    for path in ("data/nothing/instances/latest", "data/xkcd/instances/v2", "data/xkcd/instances/@x"):
        assert api.put(path, {"entity_ref": TASK}).status_code == 404
    assert not Consumption.objects.exists()


def test_a_pending_instance_can_be_consumed_by_its_number(api):
    api.register(state="pending")
    assert api.put("data/xkcd/instances/latest", {"entity_ref": TASK}).status_code == 404
    assert api.consume("data/xkcd/instances/v1")["state"] == "pending"
    assert edges().get().count == 1


def test_what_was_asked_for_is_kept_where_it_led_to_an_id(api):
    made = api.register()
    api.consume(f"data/xkcd/instances/{made['id']}", reference="latest")
    api.consume("data/xkcd/instances/v1")
    assert list(Consumption.objects.order_by("pk").values_list("reference", flat=True)) == ["latest", "v1"]
