"""Many registrations in one request: each is done or refused by itself, in one transaction."""

import json

import pytest
from django.db import OperationalError

from access.errors import Conflict
from access.models import Perimeter
from catalog import limits, recording
from catalog.api import registering
from catalog.models import Asset, Branch, Component, IdempotencyKey, Instance, Project, Run
from tests.catalog.wire import TASK, declaration, task

pytestmark = pytest.mark.both

ONCE = {"Idempotency-Key": "k"}


def entry(asset="xkcd", kind="data", by="ComicData/1/start/1", **more):
    asset_kind = "data_asset_kind" if kind == "data" else "model_asset_kind"
    return {"kind": kind, "asset": asset, "entity_ref": task(by), asset_kind: "artifact", **more}


def uid(number):
    return f"i_{number:020x}"


def register(api, *entries, **headers):
    answer = api.post("registrations", {"registrations": list(entries)}, **headers)
    assert answer.status_code == 200, answer.content
    return [(one["status"], one["answer"]) for one in answer.data["registrations"]]


def refs(answers):
    return [(status, answer.get("ref") or answer["error"]) for status, answer in answers]


def what_is_there():
    models = (Project, Branch, Asset, Instance, Component, Run, IdempotencyKey)
    return {model.__name__: model.objects.count() for model in models}


def without_ids(instance):
    times = ("created_at", "settled_at")
    return {name: value for name, value in instance.items() if name not in ("id", "url", *times)} | {
        "asset": instance["asset"] | {"id": "", "name": "", "display_name": ""}
    }


def test_each_is_answered_as_a_registration_of_its_own_is(api):
    said = {
        "annotations": {"n": 1}, "tags": [{"key": "a", "value": "b"}], "description": "d", "blobs": ["s3://x"],
        "attempt": 0, "digest": "sha256:1", "datastore": {"type": "s3", "root": "s3://r"}, "state": "pending",
        "position": {"foreach": "a:1", "iteration": "x"}, "run": {"user": "ada"},
    }  # fmt: skip
    answers = register(api, entry("a", **said), entry("m", "models", **said), entry("e\u0301"))
    assert [status for status, _ in answers] == [201] * 3
    alone = api.register("data/alone", **said)
    assert "notes" in alone
    assert without_ids(answers[0][1]) == without_ids(alone)
    assert without_ids(answers[1][1]) == without_ids(api.register("models/alone", **said))
    assert answers[2][1]["notes"] == [registering.NORMALISED]
    assert api.get("data/a/instances/v1").data["run"]["user"] == "ada"
    assert api.get("data?state=any").data["items"][0]["latest_instance"]["id"] == answers[0][1]["id"]
    assert Branch.objects.get().data_count == 3


def test_they_are_numbered_in_their_order(api):
    answers = register(api, *(entry(name, annotations={"n": n}) for n, name in enumerate("bababa")))
    assert [answer["ref"] for _, answer in answers] == ["v1", "v1", "v2", "v2", "v3", "v3"]
    listed = api.get("data/a").data["recent_instances"]
    assert [row["data_properties"]["annotations"]["n"] for row in listed] == [5, 3, 1]


BAD = [
    ({}, 400, "kind"),
    (7, 400, ""),
    (entry(kind="things"), 400, "kind"),
    (entry(7), 400, "asset"),
    (entry("a/b"), 400, "asset"),
    (entry(tags=[{"key": "a"}]), 400, "tags.0.value"),
    (entry(annotations={"a": float("nan")}), 400, "annotations.a"),
    (entry(description="\0"), 400, "description"),
    (entry() | {"data_asset_kind": ""}, 400, "data_asset_kind"),
    (entry() | {"model_asset_kind": "x"}, 400, "model_asset_kind"),
    (entry(branch_name="another"), 400, "branch_name"),
    (entry(branch="another"), 400, "branch"),
    (entry(project="another"), 400, "project"),
    (entry(id="i_1"), 400, "id"),
    (entry(state="failed"), 400, "state"),
]


def test_what_is_refused_costs_no_other(api):
    answers = register(api, entry("first"), *(said for said, *_ in BAD), entry("last"))
    assert [answers[0][0], answers[-1][0]] == [201, 201]
    for (said, status, field), (found, error) in zip(BAD, answers[1:-1], strict=True):
        assert (found, error["error"]) == (status, "bad_request"), said
        assert error["message"]
        assert error["detail"].get("field", error["detail"].get("asset")) in (field or None, "a/b"), said
    assert set(Asset.objects.values_list("asset_id", flat=True)) == {"first", "last"}


def test_nothing_of_a_refused_one_is_left_not_even_its_run(api):
    api.register("data/theirs", id=uid(1))
    before = what_is_there()
    answers = register(
        api,
        entry("new", by="Refused/1/start/1", id=uid(1)),
        entry("other", id=uid(2)),
        entry("new-too", by="Refused/2/start/1", id=uid(1)),
    )
    assert refs(answers) == [(409, "conflict"), (201, "v1"), (409, "conflict")]
    after = what_is_there()
    assert after == before | {"Asset": before["Asset"] + 1, "Instance": before["Instance"] + 1}


def test_one_that_is_refused_while_writing_is_undone_and_the_others_are_done(api, monkeypatch):
    """The database refuses an id of another perimeter's instance, which nobody here can see."""
    api.branch = api.branch.replace("/default/", "/other/")
    Perimeter.objects.create(name="other")
    api.register("data/theirs", id=uid(1))
    api.branch = api.branch.replace("/other/", "/default/")
    seen = frozenset(Perimeter.objects.filter(name="default").values_list("pk", flat=True))
    monkeypatch.setattr("access.identity.Viewer.perimeter_ids", lambda self, role=None: seen)
    answers = register(
        api, entry("a"), entry("refused", by="Refused/1/start/1", id=uid(1)), entry("a"), entry("b", id=uid(2))
    )
    assert refs(answers) == [(201, "v1"), (409, "conflict"), (201, "v2"), (201, "v1")]
    assert not Asset.objects.filter(asset_id="refused").exists()
    assert not Component.objects.filter(name="Refused").exists()
    assert not Run.objects.filter(name="Refused/1").exists()
    assert Branch.objects.get(project__perimeter__name="default").data_count == 2


def test_a_failing_database_fails_all(api, monkeypatch):
    done = []

    def failing(**asked):
        if done:
            raise OperationalError("gone")
        done.append(recording.registering.register(**asked))
        return done[0]

    monkeypatch.setattr(recording, "register", failing)
    before = what_is_there()
    with pytest.raises(OperationalError):
        register(api, entry("a"), entry("b"))
    assert what_is_there() == before


def test_a_repeat_by_key_has_the_first_answer_and_registers_nothing(api):
    body = {"registrations": [entry("a"), entry("b", state="failed"), entry("a")]}
    first = api.post("registrations", body, **ONCE)
    assert api.post("registrations", body, **ONCE).data == first.data
    assert Instance.objects.count() == 2
    assert api.post("registrations", {"registrations": []}, **ONCE).status_code == 409


def test_a_repeat_by_id_has_the_first_answer_also_within_one_request(api):
    first = register(api, entry("a", id=uid(1)), entry("b", id=uid(2)), entry("a", id=uid(1)))
    again = register(api, entry("b", id=uid(2)), entry("c", id=uid(3)), entry("a", id=uid(1)))
    assert [status for status, _ in (*first, *again)] == [201] * 6
    ids = [answer["id"] for _, answer in (*first, *again)]
    assert ids == [uid(1), uid(2), uid(1), uid(2), uid(3), uid(1)]
    assert Instance.objects.count() == 3
    ((status, error),) = register(api, entry("a", id=uid(1), description="Another."))
    assert (status, error["detail"]["differing"]) == (409, ["description"])
    bad = entry("d", id=uid(4), by="D/1/s/1")
    twice = register(api, bad | {"branch_name": "x"}, bad)
    assert [status for status, _ in twice] == [400, 201]


def test_later_attempts_supersede_earlier_ones(api):
    old = register(api, *(entry(name, attempt=0, state="pending") for name in "ab"))
    new = register(api, entry("b", attempt=1), entry("a", attempt=1), entry("a", attempt=0))
    assert [answer["state"] for _, answer in new] == ["ready", "ready", "failed"]
    for (_, answer), name in zip(old, "ab", strict=True):
        found = api.get(f"data/{name}/instances/{answer['id']}").data
        assert (found["state"], found["state_reason"]) == ("failed", "superseded by attempt 1")


def test_a_declaration_among_them(api):
    answers = register(api, declaration() | {"kind": "data", "asset": "a"}, entry("a"), entry("b"))
    assert refs(answers) == [(201, "definition"), (201, "v1"), (201, "v1")]
    assert Branch.objects.get().data_count == 2


@pytest.mark.parametrize("body", [[], {}, {"registrations": {}}, {"registrations": None}])
def test_a_body_without_a_list_is_refused(api, body):
    answer = api.post("registrations", body)
    assert (answer.status_code, answer.data["detail"]) == (400, {"field": "registrations"})


def test_more_than_a_thousand_are_too_many(api):
    answer = api.post("registrations", {"registrations": [{}] * (limits.REGISTRATIONS + 1)})
    assert (answer.status_code, answer.data["detail"]) == (413, {"most": 1000})
    assert register(api) == []


def test_what_is_nested_too_deep_is_refused_by_itself_or_where_it_can_not_be_written_again_for_all(api):
    for depth in (40, 41, 190, 300, 970, 20_000):
        deep = "[" * depth + "]" * depth
        answer = api.call(
            "POST", "registrations", f'{{"registrations": [{{"a": {deep}}}]}}', **ONCE | {"Idempotency-Key": str(depth)}
        )
        said = answer.data["registrations"][0]["answer"] if answer.status_code == 200 else answer.data
        assert (said["error"], "is nested more than 40 deep" in said["message"]) == ("bad_request", depth > 40), depth
        assert answer.status_code == (200 if depth < 200 else 400), depth


def test_by_a_further_key_all_are_done_at_the_branchs_own(api):
    api.branch = api.branch.replace("/main", "/f%C3%A9te")
    register(api, entry("a", branch_name="féte"))
    own = Branch.objects.get(git_name="féte").key
    api.branch = api.branch.replace("/f%C3%A9te", "/f_te")
    answers = register(api, entry("a"), entry("b"))
    assert refs(answers) == [(201, "v2"), (201, "v1")]
    assert set(Branch.objects.values_list("key", flat=True)) == {own}


def test_what_others_write_again_and_again_is_a_conflict(api, monkeypatch):
    tried = []

    def sometimes(**asked):
        tried.append(asked)
        if len(tried) % 2:
            raise Conflict("Not now.")
        return recording.registering.register(**asked)

    monkeypatch.setattr(recording, "register", sometimes)
    answer = api.post("registrations", {"registrations": [entry("a")]})
    assert (answer.status_code, answer.data["error"]) == (409, "conflict")
    assert not Asset.objects.exists()


def test_many_cost_few_queries_each(api, django_assert_max_num_queries):
    names = [f"a{number}" for number in range(20)]
    register(api, *map(entry, names))
    # of each: component with its run, asset, locked; instance, edge and pointers of the asset (one on PostgreSQL)
    with django_assert_max_num_queries(20 * 5 + 12):
        register(api, *map(entry, names))


def test_a_body_is_json_and_nothing_else(api):
    assert api.call("POST", "registrations", "{").status_code == 400
    nan = json.dumps({"registrations": [entry("a"), entry("b", annotations={"n": float("inf")})]})
    answer = api.call("POST", "registrations", nan)
    assert [one["status"] for one in answer.data["registrations"]] == [201, 400]
    assert TASK["entity_id"] == Instance.objects.get().producer_id
