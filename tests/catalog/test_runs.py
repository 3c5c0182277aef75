"""What a write says of the run or session that makes it: kept once, and never at the cost of the write."""

import json
from datetime import UTC, datetime

import pytest

from catalog.models import Consumption, Instance, Run
from obproject.sessions import new_session_id
from tests.catalog.kept import Metaflow
from tests.catalog.wire import PERIMETER, task

pytestmark = pytest.mark.both

FACTS = {
    "started_at": "2026-01-02T03:04:05.678+02:00", "user": "ada", "metaflow_version": "2.19.39",
    "python_version": "3.11.7", "repository": "https://example.org/me/x", "commit": "6a20eaa", "dirty": True,
    "git_branch": "feature/x", "parameters": {"alpha": 0.2, "data": {"_omitted": {"file": "data.csv"}}},
    "configs": {"config": {"rows": [1, 2]}}, "left_out": ["api_key"], "origin_run": "7", "tags": ["nightly"],
    "graph": {"start": ["loop"], "loop": ["loop", "end"], "end": []},
}  # fmt: skip
COLUMNS = {
    **{name: value for name, value in FACTS.items() if name != "origin_run"},
    "started_at": datetime(2026, 1, 2, 1, 4, 5, 678000, UTC),
    "origin": "ComicData/7",
}
TASK = "ComicData/1/start/1"
APP = {"entity_kind": "app", "entity_id": "dashboard"}
DEEP = json.loads("[" * 60 + "]" * 60)


def known(name="ComicData/1", columns=COLUMNS):
    return Run.objects.filter(name=name).values(*columns).get()


class TestFacts:
    def test_the_first_report_is_kept(self, api):
        first = api.register(task=TASK, run=FACTS)
        assert "notes" not in first
        assert known() == COLUMNS
        run = Run.objects.get(name="ComicData/1")
        assert run.reported_at == run.first_at
        assert (run.branch, run.component.name, run.state, run.read_at) == ("main", "ComicData", "", None)
        api.register(task="ComicData/1/end/2", run=FACTS | {"user": "eve", "commit": "other", "tags": []})
        api.register(task="ComicData/1/end/2", run={})
        assert known() == COLUMNS
        assert Run.objects.get(name="ComicData/1").reported_at == run.reported_at

    def test_a_reading_reports_too(self, api):
        api.register(task="Other/1/start/1")
        api.consume("data/xkcd/instances/latest", task=TASK, run=FACTS, consumer={"branch": "feature/x"})
        assert known() == COLUMNS
        assert Run.objects.get(name="ComicData/1").branch == "feature_x"

    def test_a_write_without_facts_makes_the_row_and_the_next_one_may_fill_it(self, api):
        api.register(task=TASK)
        assert Run.objects.get().reported_at is None
        api.register(task="ComicData/1/end/2", run=FACTS)
        assert known() == COLUMNS

    def test_what_a_report_does_not_tell_is_not_told(self, api):
        api.register(task=TASK, run={"user": "ada"})
        told = known()
        assert told.pop("user") == "ada"
        assert set(map(str, told.values())) == {"", "None"}
        api.register(task=TASK, run=FACTS)  # the first report is kept, also what it lacks
        assert known()["commit"] == ""

    def test_runs_are_those_of_their_perimeter(self, api, db):
        from access.models import Perimeter

        Perimeter.objects.create(name="other")
        api.register(task=TASK, run={"user": "ada"})
        path = "/v1/perimeters/other/projects/churn/branches/main/data/xkcd"
        api.register(path, task=TASK, run={"user": "eve"})
        assert dict(Run.objects.values_list("perimeter__name", "user")) == {"default": "ada", "other": "eve"}

    def test_the_run_that_is_resumed_gets_a_row(self, api):
        api.register(task=TASK, run=FACTS)
        origin = Run.objects.get(name="ComicData/7")
        assert (origin.component.name, origin.reported_at, origin.branch) == ("ComicData", None, "")
        api.register(task="ComicData/7/start/1", run={"user": "eve"})
        assert Run.objects.get(name="ComicData/7").user == "eve"

    def test_the_branch_that_a_run_writes_to_is_surer_than_what_its_reader_says(self, api):
        api.register(task="Other/1/start/1")
        api.consume("data/xkcd/instances/v1", task=TASK, consumer={"branch": "said"})
        assert Run.objects.get(name="ComicData/1").branch == "said"
        made = api.register(task=TASK)
        assert Run.objects.get(name="ComicData/1").branch == "main"
        api.consume("data/xkcd/instances/v1", task=TASK, consumer={"branch": "said"})
        api.register("data/copy", task=TASK, annotations={"promoted_from_instance": made["id"]})
        assert Run.objects.get(name="ComicData/1").branch == "main"

    def test_the_same_comes_by_the_journal(self, api, tmp_path, monkeypatch):
        from io import StringIO

        from django.core.management import call_command

        monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
        metaflow = Metaflow(tmp_path / ".metaflow")
        api.register(task="Other/1/start/1")
        kept = metaflow.task("ComicData/1/loop/2", attempt=1)
        where = {"run": FACTS, "position": {"step": "loop", "foreach": "start:3", "iteration": 2}}
        made = kept.registers("made", body=where | {"digest": "sha256:1"})
        kept.consumes(made.id, "made", body=where | {"attempt": 1, "role": "baseline"})
        kept.registers("bad", body={"run": {"tags": float("nan"), "user": "a\0b"}, "position": 7, "session": "\ud800"})
        kept.ends()
        call_command("reconcile", "--root", str(metaflow.root), stdout=StringIO())
        assert known() == COLUMNS
        instance, reading = Instance.objects.get(uid=made.id), Consumption.objects.get()
        assert (instance.foreach_path, instance.iteration, instance.digest) == ("start:3", 2, "sha256:1")
        assert (reading.foreach_path, reading.iteration, reading.attempt) == ("start:3", 2, 1)
        assert reading.role == "baseline"
        assert Instance.objects.filter(asset__asset_id="bad").exists()

    def test_a_report_that_arrives_late_may_be_the_first(self, api, tmp_path, monkeypatch):
        from io import StringIO

        from django.core.management import call_command

        monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
        metaflow = Metaflow(tmp_path / ".metaflow")
        api.register(task=TASK, run=FACTS | {"user": "late", "configs": {"a": 1}})
        first, second = (metaflow.task(f"ComicData/1/loop/{name}", minutes=name) for name in (2, 3))
        first.registers(body={"run": {"user": "first", "commit": "f"}})
        second.registers(body={"run": {"user": "second", "commit": "s"}})
        for kept in (second, first):
            kept.ends()
            call_command("reconcile", "--root", str(metaflow.root), stdout=StringIO())
        assert known(columns=("user", "commit", "configs")) == {"user": "first", "commit": "f", "configs": None}

    def test_the_first_write_is_the_first_in_time(self, api, tmp_path, monkeypatch):
        from io import StringIO

        from django.core.management import call_command

        monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
        kept = Metaflow(tmp_path / ".metaflow").task(TASK)
        late = kept.registers()
        api.register(task=TASK)
        kept.ends()
        call_command("reconcile", "--root", str(tmp_path / ".metaflow"), stdout=StringIO())
        assert Run.objects.get().first_at == late.at


class TestPositions:
    def test_they_are_kept_with_registrations_and_readings(self, api):
        position = {"step": "start", "foreach": "loop:1,inner:0", "iteration": 3}
        api.register(task=TASK, position=position)
        api.consume("data/xkcd/instances/v1", task=TASK, position=position | {"foreach": ""}, attempt=2)
        made, read = Instance.objects.get(), Consumption.objects.get()
        assert (made.foreach_path, made.iteration, made.attempt) == ("loop:1,inner:0", 3, None)
        assert (read.foreach_path, read.iteration, read.attempt) == ("", 3, 2)

    def test_without_one_nothing_is_told(self, api):
        api.register(task=TASK, position={"step": "start"})
        assert (Instance.objects.get().foreach_path, Instance.objects.get().iteration) == (None, None)


class TestSessions:
    def test_it_stands_where_the_run_stands(self, api):
        session = new_session_id()
        api.register(entity_ref=APP, session=session, run={"user": "ada", "commit": "f"})
        api.consume("data/xkcd/instances/v1", entity_ref=APP, session=session)
        assert Instance.objects.get().run == Consumption.objects.get().run == session
        run = Run.objects.get()
        assert (run.name, run.component.name, run.user, run.is_session) == (session, "dashboard", "ada", True)

    def test_one_entity_may_have_several(self, api):
        for _ in range(2):
            api.register(entity_ref=APP, session=new_session_id())
        assert Run.objects.count() == 2

    def test_of_another_entity_it_is_left_out(self, api):
        session = new_session_id()
        api.register(entity_ref=APP, session=session, run={"user": "ada"})
        other = {"entity_kind": "user", "entity_id": "eve"}
        made = api.register(entity_ref=other, session=session, run={"user": "eve"})
        assert made["notes"] == ["The session belongs to another entity; it is left out."]
        read = api.consume("data/xkcd/instances/v1", entity_ref=other, session=session)
        assert read["notes"] == ["The session belongs to another entity; it is left out."]
        assert set(Instance.objects.values_list("run", flat=True)) == {session, ""}
        assert Consumption.objects.get().run == ""
        assert Run.objects.get().user == "ada"

    def test_a_task_has_none(self, api):
        made = api.register(task=TASK, session=new_session_id(), run={"user": "ada"})
        assert made["notes"] == ["The session is that of a task, which has a run; it is left out."]
        assert Run.objects.get().name == Instance.objects.get().run == "ComicData/1"

    def test_without_one_there_is_no_run(self, api):
        api.register(entity_ref=APP, run=FACTS)
        assert (Instance.objects.get().run, Run.objects.count()) == ("", 0)


ALL_SENSELESS = {
    "run": [
        (7, "The run is no object; it is left out."),
        ({"user": 7}, "The run's user is no text; it is left out."),
        ({"user": "x" * 256}, "The run's user is longer than 255 characters; it is left out."),
        ({"user": "a\0b"}, "The run's user has a part that can't be stored; it is left out."),
        ({"commit": "\ud800"}, "The run's commit has a part that can't be stored; it is left out."),
        ({"dirty": "yes"}, "The run's dirtiness is neither true nor false; it is left out."),
        ({"started_at": "yesterday"}, "The run's start is no time with a time zone; it is left out."),
        ({"started_at": "2026-01-02T03:04:05"}, "The run's start is no time with a time zone; it is left out."),
        ({"started_at": "0001-01-01T00:00:00+23:59"}, "The run's start is no time with a time zone; it is left out."),
        ({"started_at": "2026-13-45T00:00:00Z"}, "The run's start is no time with a time zone; it is left out."),
        ({"started_at": 5}, "The run's start is no time with a time zone; it is left out."),
        ({"parameters": [1]}, "The set of the run's parameters is no object; it is left out."),
        ({"parameters": {"a": float("nan")}}, "The set of the run's parameters has a part that can't be stored;"),
        ({"parameters": {"a": DEEP}}, "The set of the run's parameters has a part that can't be stored;"),
        ({"parameters": {"a": 10**400}}, "The set of the run's parameters has a part that can't be stored;"),
        ({"parameters": {"a\0": 1}}, "The set of the run's parameters has a part that can't be stored;"),
        ({"parameters": {"big": "x" * 3000}}, "The set of the run's parameters has a value of more than 2048 bytes"),
        ({"parameters": {f"p{n}": "x" * 999 for n in range(99)}}, "bytes; at most 65536 are taken; it is left out."),
        ({"configs": "x"}, "The set of the run's configs is no object; it is left out."),
        ({"left_out": "api_key"}, "The list of what is left out has members that are no text; it is left out."),
        ({"tags": [7]}, "The list of the run's tags has members that are no text; it is left out."),
        ({"tags": ["t"] * 201}, "The list of the run's tags has 201 members; at most 200 are taken; it is left out."),
        ({"origin_run": "a/b"}, "The origin run is no id of a run of the same flow; it is left out."),
        ({"graph": [1]}, "The run's graph is no object; it is left out."),
        ({"graph": {"start": ["nowhere"]}}, "The run's graph leads from 'start' to what is no step of it; it is left"),
        ({"graph": {"start": "end", "end": []}}, "The run's graph leads from 'start' to what is no step of it; it is"),
        ({"graph": {"start": [["end"]], "end": []}}, "The run's graph leads from 'start' to what is no step of it;"),
        ({"graph": {f"s{n}": [] for n in range(10_000)}}, "The run's graph has 10000 steps; at most 1000 are taken;"),
        ({"graph": {"s" * 200 + f"{n}": [] for n in range(900)}}, "bytes; at most 65536 are taken; it is left out."),
    ],
    "position": [
        ("loop", "The position is no object; it is left out."),
        ({"step": "end", "foreach": "a:1"}, "The position names another step than the entity; it is left out."),
        ({"step": "a\0b"}, "The position names another step than the entity; it is left out."),
        ({"step": "start", "foreach": 7}, "The foreach path is no text; it is left out."),
        ({"step": "start", "foreach": "loop"}, "The foreach path is not written as step:index, separated by commas;"),
        ({"step": "start", "foreach": "loop:-1"}, "The foreach path is not written as step:index, separated by commas"),
        ({"step": "start", "foreach": ",".join(["a:1"] * 100)}, "The foreach path is 100 deep; at most 32 are taken;"),
        ({"step": "start", "foreach": "a" * 513}, "The foreach path is longer than 512 characters; it is left out."),
        ({"step": "start", "foreach": "a\0:1"}, "The foreach path has a part that can't be stored; it is left out."),
        ({"step": "start", "iteration": -1}, "The iteration is no whole number from 0 to 1000000; it is left out."),
        ({"step": "start", "iteration": True}, "The iteration is no whole number from 0 to 1000000; it is left out."),
        ({"step": "start", "iteration": 1.5}, "The iteration is no whole number from 0 to 1000000; it is left out."),
    ],
    "session": [
        ("s_1", "The session is not 's_' and 20 hexadecimal digits; it is left out."),
        (["s_" + "0" * 20], "The session is not 's_' and 20 hexadecimal digits; it is left out."),
        ("s_\0", "The session has a part that can't be stored; it is left out."),
    ],
    "digest": [
        (7, "The digest is no text; it is left out."),
        ("x" * 129, "The digest is longer than 128 characters; it is left out."),
        (" ", "The digest is no visible text; it is left out."),
        ("", "The digest is no visible text; it is left out."),
        ("a\nb", "The digest is no visible text; it is left out."),
        ("a\0b", "The digest has a part that can't be stored; it is left out."),
        ("\udfff", "The digest has a part that can't be stored; it is left out."),
    ],
}  # fmt: skip
SENSELESS = [(member, value, note) for member, cases in ALL_SENSELESS.items() for value, note in cases]


class TestWhatMakesNoSense:
    """It is left out, the answer says so, and the registration stands."""

    @pytest.mark.parametrize(
        ("member", "value", "note"), SENSELESS, ids=[f"{m}-{n}" for n, (m, _, _) in enumerate(SENSELESS)]
    )
    def test_a_registration_stands(self, api, member, value, note):
        made = api.register(task=TASK, **{member: value})
        assert len(made["notes"]) == 1
        assert note in made["notes"][0]
        instance, run = Instance.objects.get(), Run.objects.get()
        assert (instance.foreach_path, instance.iteration, instance.digest) == (None, None, None)
        assert (run.user, run.commit, run.dirty, run.started_at, run.origin) == ("", "", None, None, "")
        assert (run.parameters, run.configs, run.left_out, run.tags, run.graph) == (None,) * 5

    @pytest.mark.parametrize("member", ["run", "position", "session"])
    def test_so_does_a_reading(self, api, member):
        api.register(task="Other/1/start/1")
        for value, note in ALL_SENSELESS[member]:
            read = api.consume("data/xkcd/instances/v1", task=TASK, **{member: value})
            assert note in read["notes"][0]
        assert Consumption.objects.count() == len(ALL_SENSELESS[member])
        assert set(Consumption.objects.values_list("foreach_path", "iteration")) == {(None, None)}

    def test_one_part_costs_only_itself(self, api):
        made = api.register(
            task=TASK,
            run=FACTS | {"tags": 7, "origin_run": "a/b", "graph": {"start": ["x"]}},
            position={"step": "start", "foreach": 5, "iteration": 2},
            digest="fine",
        )
        assert len(made["notes"]) == 4
        assert known(columns=("user", "commit", "dirty")) == {"user": "ada", "commit": "6a20eaa", "dirty": True}
        assert (Instance.objects.get().iteration, Instance.objects.get().digest) == (2, "fine")

    def test_members_that_nobody_knows_are_passed_over(self, api):
        made = api.register(task=TASK, run={"weather": "a\0b", "user": "ada"}, position={"step": "start", "mood": "\0"})
        assert "notes" not in made
        assert known(columns=("user",)) == {"user": "ada"}

    def test_the_position_of_who_is_no_task(self, api):
        made = api.register(entity_ref=APP, position={"foreach": "a:1"})
        assert made["notes"] == ["The position names another step than the entity; it is left out."]

    def test_the_origin_of_a_session_and_of_itself(self, api):
        api.register(entity_ref=APP, session=new_session_id(), run={"origin_run": "7"})
        api.register(task=TASK, run={"origin_run": "1"})
        assert set(Run.objects.values_list("origin", flat=True)) == {""}
        assert Run.objects.count() == 2

    @pytest.mark.parametrize("member", ["description", "id", "attempt", "annotations"])
    @pytest.mark.parametrize("value", ["a\0b", "\ud800", float("inf"), DEEP])
    def test_elsewhere_it_is_refused(self, api, member, value):
        body = {"entity_ref": task(TASK), "data_asset_kind": "s3", member: value}
        body["annotations"] = {"a": value} if member == "annotations" else {}
        assert api.patch("data/xkcd", body).status_code == 400
        assert not Instance.objects.exists()

    @pytest.mark.parametrize("content", ['{"run": {"a": NaN', "[NaN]", '{"run": [}', '{"x": Infinity}'])
    def test_what_is_no_json_is_refused(self, api, content):
        answer = api.client.generic("PATCH", f"{api.branch}/data/xkcd", content, content_type="application/json")
        assert answer.status_code == 400

    def test_an_idempotent_request_may_have_it_too(self, api):
        body = {"entity_ref": task(TASK), "data_asset_kind": "s3", "digest": "\ud800", "run": {"user": float("nan")}}
        first, again = (api.patch("data/xkcd", body, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, first.data, len(first.data["notes"])) == (201, again.data, 2)
        assert Instance.objects.count() == 1


class TestRolesAndAttempts:
    @pytest.mark.parametrize("role", ["Baseline", "a b", "", "1a", "x" * 33, 7, ["baseline"], "é", "a\0"])
    def test_a_role_that_is_none_is_refused(self, api, role):
        api.register(task="Other/1/start/1")
        body = {"entity_ref": task(TASK), "role": role}
        answer = api.put("data/xkcd/instances/v1", body)
        assert answer.status_code == 400, answer.data
        assert not Consumption.objects.exists()

    @pytest.mark.parametrize("attempt", [-1, 10_001, 1.5, "0", True, [0]])
    def test_so_is_an_attempt(self, api, attempt):
        api.register(task="Other/1/start/1")
        assert api.put("data/xkcd/instances/v1", {"entity_ref": task(TASK), "attempt": attempt}).status_code == 400
        assert not Consumption.objects.exists()

    @pytest.mark.parametrize(
        ("role", "kept"), [("input", None), (None, None), ("baseline", "baseline"), ("a-1_b", "a-1_b")]
    )
    def test_an_input_is_no_role(self, api, role, kept):
        api.register(task="Other/1/start/1")
        api.consume("data/xkcd/instances/v1", task=TASK, role=role)
        assert Consumption.objects.get().role == kept


class TestDigests:
    def confirm(self, api, digests, **more):
        body = {"entity_ref": task(TASK), "attempt": 0, "state": "ready", "digests": digests} | more
        answer = api.post(f"{PERIMETER}/confirmations", body)
        assert answer.status_code == 200, answer.content
        return answer.data

    def test_the_confirmation_brings_them(self, api):
        one, two = (api.register(f"data/{name}", task=TASK, attempt=0, state="pending") for name in "ab")
        assert "notes" not in self.confirm(api, {one["id"]: "ab" * 20, "i_unknown": "cd"})
        kept = dict(Instance.objects.values_list("uid", "digest"))
        assert kept == {one["id"]: "ab" * 20, two["id"]: None}
        settled = Instance.objects.values_list("uid", "state_changes__digest")
        assert dict(settled) == kept
        self.confirm(api, {two["id"]: "cd", one["id"]: "ef"})  # repeating it changes nothing
        assert dict(Instance.objects.values_list("uid", "digest")) == kept

    def test_only_of_what_this_task_registered(self, api):
        other = api.register(task="Other/1/start/1", attempt=0, state="pending")
        self.confirm(api, {other["id"]: "ab"})
        assert Instance.objects.get().digest is None

    def test_those_that_make_no_sense_are_left_out(self, api):
        ids = [api.register(f"data/{name}", task=TASK, attempt=0, state="pending")["id"] for name in "abcd"]
        said = self.confirm(api, dict(zip(ids, [7, "a\0b", "x" * 129, "fine"], strict=True)) | {"\ud800\0": "\ud800"})
        assert len(said["notes"]) == 4
        assert said["notes"][0] == f"The digest of '{ids[0]}' is no text; it is left out."
        assert list(Instance.objects.order_by("pk").values_list("digest", "state")) == [
            *[(None, "ready")] * 3,
            ("fine", "ready"),
        ]

    @pytest.mark.parametrize("digests", [7, "x", ["a"], {"i": float("nan")}])
    def test_what_is_no_object_costs_nothing_either(self, api, digests):
        api.register(task=TASK, attempt=0, state="pending")
        assert len(self.confirm(api, digests)["notes"]) == 1
        assert Instance.objects.get().state == "ready"

    def test_a_registration_may_bring_its_own(self, api):
        api.register(task=TASK, digest="sha256:abc")
        assert Instance.objects.get().digest == "sha256:abc"
