"""The OpenLineage events of an answer, read by the classes that the OpenLineage project generates from its schemas.

Its package ships these classes and not the schemas. They refuse what the specification does not know, want what it
requires, check ids and times, and know the address of the schema that each part has to name.
"""

import json
from dataclasses import replace
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from uuid import UUID

import attr
import pytest
from openlineage.client import event_v2, facet_v2
from openlineage.client.generated import dataset_type_dataset
from openlineage.client.serde import Serde

from lineage.answers import Answer, Question
from lineage.exports import EXPORTS
from lineage.graph import Kind, Link, Node, Relation, RunFacts
from tests.lineage.exports.examples import (
    ANSWERS,
    HOSTILE,
    SITE,
    answer_of,
    asset,
    at,
    by_component,
    by_instance,
    consumes,
    flow,
    hostile,
    produces,
    promotes,
    run,
)

FACETS = {
    "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet,
}
HOST = "assetsite://assets.example.org"


def events_of(answer: Answer, site: str = SITE) -> list[dict[str, Any]]:
    return [json.loads(line) for line in EXPORTS["ndjson"].write(answer, site).splitlines()]


def read(kind: Any, value: Any) -> Any:
    """Build an object of the library out of JSON, strictly."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is list:
        return [read(get_args(kind)[0], item) for item in value]
    if get_origin(kind) is dict:
        return {name: read(FACETS[name], facet) for name, facet in value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if attr.has(kind):
        return built(kind, value)
    assert isinstance(value, kind), (kind, value)
    return value


def built(kind: Any, value: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    schema = {name: value[name] for name in ("schemaURL", "_schemaURL") if name in hints}
    fields = {name.lstrip("_"): read(hints[name], part) for name, part in value.items() if name not in schema}
    found = kind(**fields)
    for name, address in schema.items():
        assert address == getattr(found, name)
    return found


def addresses_in(value: Any) -> list[str]:
    if isinstance(value, list):
        return [address for item in value for address in addresses_in(item)]
    if not isinstance(value, dict):
        return []
    mine = [value[name] for name in ("producer", "schemaURL", "_producer", "_schemaURL") if name in value]
    return mine + [address for item in value.values() for address in addresses_in(item)]


def without_nothing(value: Any) -> Any:
    """JSON without empty objects, which the library writes where we write nothing."""
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    if isinstance(value, dict):
        return {name: without_nothing(item) for name, item in value.items() if item != {}}
    return value


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_each_event_is_one_of_the_specification(answer):
    events = events_of(answer())
    assert events
    for event in events:
        again = Serde.to_dict(built(event_v2.RunEvent, event))
        assert without_nothing(again) == without_nothing(event)
        assert all(urlsplit(address).scheme == "https" for address in addresses_in(event))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"eventType": "DONE"}, ValueError),
        ({"eventTime": "yesterday"}, ValueError),
        ({"run": {"runId": "17"}}, ValueError),
        ({"job": {"name": "Train"}}, TypeError),
        ({"extra": 1}, KeyError),
        ({"inputs": [{"namespace": HOST, "name": 7}]}, AssertionError),
        ({"schemaURL": f"{SITE}/schema"}, AssertionError),
    ],
)
def test_what_is_not_of_the_specification_is_refused_here(change, error):
    event = events_of(by_component())[0]
    built(event_v2.RunEvent, event)
    with pytest.raises(error):
        built(event_v2.RunEvent, event | change)


def path_of(node: Node) -> str:
    return f"default/churn/{node.branch}/{'models' if node.kind == Kind.MODEL else 'data'}/{node.key}"


def told(answer: Answer) -> set[tuple[str, str, str]]:
    """Each dataset of each event: the name of the job, the direction, the name of the dataset."""
    return {
        (event["job"]["name"], direction, dataset["name"])
        for event in events_of(answer)
        for direction in ("inputs", "outputs")
        for dataset in event[direction]
    }


def test_a_component_is_told_with_the_assets_that_it_is_linked_with():
    main, branch = "default/churn/main", "default/churn/feature_x"
    assert told(by_component()) == {
        (f"{main}/flows/TrainFlow", "inputs", f"{main}/data/asset_1"),
        (f"{main}/flows/TrainFlow", "inputs", f"{main}/data/asset_4"),
        (f"{main}/flows/TrainFlow", "inputs", f"{main}/models/asset_2"),
        (f"{main}/flows/TrainFlow", "outputs", f"{main}/models/asset_2"),
        (f"{branch}/flows/TrainFlow", "inputs", f"{main}/data/asset_1"),
        (f"{branch}/flows/TrainFlow", "outputs", f"{branch}/models/asset_3"),
        (f"{main}/deployments/app", "inputs", f"{main}/models/asset_2"),
        ("default/churn/unknown/cron", "outputs", f"{main}/data/asset_4"),
        (f"{main}/models/asset_2/promote", "inputs", f"{branch}/models/asset_3"),
        (f"{main}/models/asset_2/promote", "outputs", f"{main}/models/asset_2"),
        (f"{main}/data/asset_1/promote", "outputs", f"{main}/data/asset_1"),
    }


def test_every_link_of_a_hostile_answer_is_told():
    answer = hostile()
    links = [link for link in answer.links if link.relation != Relation.PROMOTES]
    pairs = {
        (link.relation, path_of(answer.node(link.source if link.relation == Relation.CONSUMES else link.target)))
        for link in links
    }
    kinds = {"inputs": Relation.CONSUMES, "outputs": Relation.PRODUCES}
    assert {(kinds[direction], name) for _, direction, name in told(answer)} == pairs
    assert len(told(answer)) == len(links)
    assert len({event["job"]["name"] for event in events_of(answer)}) == len(HOSTILE)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_namespace_and_name_make_a_uri(answer):
    for event in events_of(answer()):
        for named in (event["job"], *event["inputs"], *event["outputs"]):
            assert named["namespace"] == HOST
            address = urlsplit(f"{named['namespace']}/{named['name']}")
            assert address.path == f"/{named['name']}"
            assert named["name"].isascii()
            assert not set(named["name"]) & set(' "<>\\^`{|}?#')


def test_a_name_depends_on_the_thing_alone_whether_or_not_it_has_a_page():
    lab, plant = (asset(1, "raw", perimeter=perimeter, url="") for perimeter in ("lab", "plant"))
    plant = replace(plant, id="d_2")
    ada, namesake = (
        Node(id, Kind.PERSON, "ada", "ada", "churn", "main", "main", perimeter=perimeter)
        for id, perimeter in (("c_1.main", "lab"), ("c_2.main", "plant"))
    )
    links = [produces(ada, lab), produces(namesake, plant), promotes(lab, plant)]
    jobs = {event["job"]["name"] for event in events_of(answer_of([lab, plant, ada, namesake], links))}
    assert jobs == {
        "lab/churn/main/people/ada",
        "plant/churn/main/people/ada",
        "plant/churn/main/data/asset_1/promote",
    }


def test_nothing_hidden_is_told():
    text = EXPORTS["ndjson"].write(by_component(), SITE)
    assert "x_1" not in text
    assert "hidden" not in text.lower()
    secret = Node("x_9", Kind.HIDDEN, "secret", key="secret", project="secret", branch="secret", url="/secret/secret")
    comics, train = asset(1, "Comics"), flow(1, "Train")
    answer = answer_of(
        [comics, train, secret], [produces(secret, comics), consumes(comics, train), produces(train, secret)]
    )
    assert "secret" not in EXPORTS["ndjson"].write(answer, SITE)


def versions(datasets: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(each["name"], each["facets"].get("version", {}).get("datasetVersion")) for each in datasets]


def test_a_run_is_one_event_with_all_that_it_read_and_made():
    train, promotion = events_of(by_instance())
    assert train["job"]["name"] == "default/churn/main/flows/TrainFlow"
    assert versions(train["inputs"]) == [
        ("default/churn/main/data/labels", "v1"),
        ("default/churn/main/data/raw", "v4"),
        ("default/churn/main/models/llm", None),
    ]
    assert versions(train["outputs"]) == [
        ("default/churn/main/models/churn_model", "v8"),
        ("default/churn/main/models/churn_model", "v9"),
    ]
    assert train["eventTime"] == "2026-03-01T12:40:00.000000Z"
    assert versions(promotion["inputs"]) == [("default/churn/main/models/churn_model", "v9")]
    assert versions(promotion["outputs"]) == [("default/churn/prod/models/churn_model", "v1")]
    assert promotion["job"]["name"] == "default/churn/prod/models/churn_model/promote"
    assert promotion["eventTime"] == "2026-03-01T13:00:00.000000Z"


def test_a_run_has_the_same_id_in_every_answer_and_another_one_than_any_other_run():
    raw = asset(1, "raw")
    first, second = run("r_5", "TrainFlow/12/start/1", at(1)), run("r_6", "TrainFlow/13/start/1", at(2))
    links = [consumes(raw, first), consumes(raw, second)]
    ids = {run_id(event) for event in events_of(answer_of([raw, first, second], links, question=Question.EXACT))}
    assert len(ids) == 2
    assert run_id(events_of(by_instance())[0]) in ids


def test_a_component_has_a_new_run_when_it_was_active_again_and_none_of_those_that_really_ran():
    ids = [
        run_id(event) for event in events_of(by_component()) if event["job"]["name"].endswith("main/flows/TrainFlow")
    ]
    comics = asset(1, "Comics")
    for task, same in (("TrainFlow/7/start/1", True), ("TrainFlow/8/start/1", False)):
        train = flow(1, "TrainFlow", key=task)
        (event,) = events_of(answer_of([comics, train], [consumes(comics, train)]))
        assert (run_id(event) in ids) == same
        ran = run("r_1", task, at(1))
        (exact,) = events_of(answer_of([comics, ran], [consumes(comics, ran)], question=Question.EXACT))
        assert run_id(exact) != run_id(event)


def run_id(event: dict[str, Any]) -> UUID:
    return UUID(event["run"]["runId"])


def test_by_component_the_version_of_the_arrow_is_told_and_never_the_newest_of_the_asset():
    assert "datasetVersion" not in EXPORTS["ndjson"].write(by_component(), SITE)
    comics, train = asset(1, "Comics"), flow(1, "Train")
    (event,) = events_of(answer_of([comics, train], [replace(consumes(comics, train), version="v2")]))
    assert versions(event["inputs"]) == [("default/churn/main/data/asset_1", "v2")]


def made(number: int, name: str, **more: object) -> Node:
    return replace(asset(number, name, **more), id=f"i_{number}")


def facets_of(node: Node, asset_state: str = "ready") -> list[dict[str, Any]]:
    raw, model = made(1, "raw"), made(2, "model", state=asset_state)
    return events_of(
        answer_of([raw, model, node], [consumes(raw, node), produces(node, model)], question=Question.EXACT)
    )


def test_what_failed_is_an_event_of_its_own_that_says_so():
    good, bad = made(2, "good"), made(3, "bad", state="failed")
    train = run("r_5", "TrainFlow/12/start/1", at(1))
    links = [consumes(made(1, "raw"), train), produces(train, good), produces(train, bad)]
    events = events_of(answer_of([made(1, "raw"), good, bad, train], links, question=Question.EXACT))
    said = {event["eventType"]: [one["name"][-1] for one in event["outputs"]] for event in events}
    assert said == {"COMPLETE": ["2"], "FAIL": ["3"]}
    assert all(len(event["inputs"]) == 1 for event in events)
    assert [event["eventType"] for event in facets_of(train, "failed")] == ["FAIL"]


def test_what_a_run_told_stands_in_facets():
    told = RunFacts(
        name="TrainFlow/12", started_at=at(0), repository="https://git.example.org/a/b", commit="6a20eaa",
        git_branch="main", origin="TrainFlow/11",
    )  # fmt: skip
    (event,) = facets_of(run("r_5", "TrainFlow/12/start/1", at(1), run=told))
    code = event["job"]["facets"]["sourceCodeLocation"]
    assert (code["type"], code["repoUrl"], code["version"]) == ("git", "https://git.example.org/a/b", "6a20eaa")
    assert event["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2026-03-01T12:00:00.000000Z"
    (origin,) = facets_of(run("r_4", "TrainFlow/11/start/1", at(1)))
    parent = event["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["job"]["name"]) == (origin["run"]["runId"], origin["job"]["name"])
    assert "parent" not in origin["run"]["facets"]
    assert "sourceCodeLocation" not in origin["job"]["facets"]


def test_a_run_that_failed_says_so():
    told = RunFacts(name="TrainFlow/12", state="failed")
    (event,) = facets_of(run("r_5", "TrainFlow/12/start/1", at(1), run=told))
    assert event["eventType"] == "FAIL"


def test_a_time_is_told_even_where_none_is_kept():
    comics, train = asset(1, "Comics"), flow(1, "Train", at=None)
    link = Link(comics.id, train.id, Relation.CONSUMES)
    (event,) = events_of(answer_of([comics, train], [link]))
    assert event["eventTime"] == "2026-03-01T22:00:00.000000Z"


def test_two_sites_never_share_a_namespace():
    (here, there) = (events_of(by_component(), site)[0] for site in (SITE, "http://localhost:8000/"))
    assert there["job"]["namespace"] == "assetsite://localhost:8000"
    assert there["producer"] == "http://localhost:8000"
    assert run_id(here) != run_id(there)


def test_events_are_in_the_order_of_their_times():
    times = [event["eventTime"] for event in events_of(by_component())]
    assert times == sorted(times)
