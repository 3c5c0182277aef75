"""Many clients at once against a really served site: nothing is lost, repeated or refused for no reason."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from obproject.branches import branch_key
from tests.catalog.wire import PERIMETER, TASK, declaration, definition, deploy_body, spec_body, task

pytestmark = pytest.mark.both

CLIENTS = 16


class Crowd:
    """Clients that each keep a connection of their own, all below one branch that nobody has used."""

    def __init__(self, site):
        self.root = f"{site.url}{PERIMETER}"
        self.project = f"p{secrets.token_hex(4)}"
        self.branch = f"{self.root}/projects/{self.project}/branches/main"
        self.pool = ThreadPoolExecutor(CLIENTS)
        self.sessions = [requests.Session() for _ in range(CLIENTS)]

    def all(self, calls):
        """Send (method, path, body, headers) calls at once, `CLIENTS` at a time; the answers in their order."""
        numbered = list(enumerate(calls))
        return list(self.pool.map(lambda numbered: self.send(numbered[0] % CLIENTS, *numbered[1]), numbered))

    def send(self, client, method, path, body=None, headers=None):
        url = path if path.startswith("http") else f"{self.branch}/{path}"
        answer = self.sessions[client].request(method, url, json=body, headers=headers, timeout=60)
        assert answer.status_code < 500, answer.text
        return answer

    def get(self, path):
        return self.send(0, "GET", path)

    def put(self, path, body):
        return self.send(0, "PUT", path, body)


@pytest.fixture
def crowd(served):
    crowd = Crowd(served)
    yield crowd
    crowd.pool.shutdown()
    for session in crowd.sessions:
        session.close()


def registration(n=0, **more):
    return {"entity_ref": task(f"Flow{n % 3}/{n}/s/1"), "data_asset_kind": "s3", **more}


def numbers(answers):
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers][:3]
    return sorted(answer.json()["number"] for answer in answers)


def test_parallel_registrations_are_numbered_without_gap_or_repeat(crowd):
    answers = crowd.all([("PATCH", "data/xkcd", registration(n, annotations={"n": n})) for n in range(32)])
    assert numbers(answers) == list(range(1, 33))
    assert len({answer.json()["id"] for answer in answers}) == 32
    listed = crowd.get("data/xkcd").json()["recent_instances"]
    assert [row["number"] for row in listed] == list(range(32, 0, -1))
    assert crowd.get("data/xkcd/instances/latest").json()["ref"] == "v32"


def test_one_request_sent_many_times_at_once_gives_one_instance(crowd):
    key = {"Idempotency-Key": secrets.token_hex(8)}
    answers = crowd.all([("PATCH", "data/xkcd", registration(), key)] * 16)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(crowd.get("data/xkcd").json()["recent_instances"]) == 1
    assert crowd.all([("PATCH", "data/xkcd", registration())])[0].json()["number"] == 2


def test_the_first_use_of_everything_at_once(crowd):
    """Project, branches, assets and components all come into being in the same moment."""
    calls = []
    for n in range(32):
        branch = f"{crowd.root}/projects/{crowd.project}/branches/{'feature_x' if n % 2 else 'main'}"
        name = {"branch_name": "feature/x"} if n % 4 == 1 else {}
        calls.append(("PATCH", f"{branch}/data/asset{n // 16}", registration(n, **name)))
    assert numbers(crowd.all(calls)) == sorted([*range(1, 9)] * 4)
    found = crowd.get("data").json()["items"]
    assert [item["asset"]["id"] for item in found] == ["asset0", "asset1"]


def test_two_names_for_one_key_at_once_one_of_them_wins(crowd):
    branch = f"{crowd.root}/projects/{crowd.project}/branches/feature_x"
    names = ["feature/x", "feature-x", "Feature.X"]
    answers = crowd.all(
        [("PATCH", f"{branch}/data/a{n}", registration(n, branch_name=names[n % 3])) for n in range(24)]
    )
    made = {names[n % 3] for n, answer in enumerate(answers) if answer.status_code == 201}
    assert len(made) == 1
    assert {answer.status_code for answer in answers} == {201, 409}
    assert sum(answer.status_code == 201 for answer in answers) == 8


def test_a_crowd_that_does_everything_at_once_meets_no_deadlock(crowd):
    """Each write locks several rows; the order in which they do must agree."""
    crowd.all([("PATCH", f"data/a{n}", registration(n)) for n in range(4)])
    calls = []
    for n in range(96):
        asset = f"data/a{n % 4}"
        spec = {"data": [{"id": f"a{i}", "description": f"text {n}"} for i in range(4)]}
        calls.append(
            [
                ("PATCH", asset, registration(n % 12, attempt=n // 12, state="pending", branch_name="main")),
                ("PATCH", f"data/new{n // 8}", registration(n)),
                ("PUT", f"{asset}/instances/latest", {"entity_ref": task(f"New{n}/1/s/1")}),
                ("POST", "deploys", deploy_body(*(definition(f"a{i}", description=f"{n}") for i in range(5)))),
                ("POST", f"{crowd.root}/flowprojects", spec_body(spec, project=crowd.project)),
                ("DELETE", f"data/a{3 - n % 4}" if n % 24 == 5 else f"data/new{n // 8}"),
                ("POST", f"{crowd.root}/confirmations", {**registration(n % 12), "attempt": n // 12, "state": "ready"}),
                ("PATCH", asset, declaration(f"h{n}")),
            ][n % 8]
        )
    answers = crowd.all(calls)
    odd = [answer.text for answer in answers if answer.status_code not in (200, 201, 204, 404)]
    assert odd == []


def test_a_new_flow_that_registers_and_consumes_at_once_meets_no_deadlock(crowd):
    """Both make the flow's component; one locks the asset first, the other its edge."""
    crowd.all([("PATCH", "data/xkcd", registration())])
    calls = []
    for n in range(24):
        calls.append(("PATCH", "data/xkcd", {**registration(), "entity_ref": task(f"New{n}/1/s/1")}))
        calls.append(("PUT", "data/xkcd/instances/v1", {"entity_ref": task(f"New{n}/1/s/2")}))
    assert {answer.status_code for answer in crowd.all(calls)} == {200, 201}


def test_naming_a_branch_while_others_add_assets_to_it_meets_no_deadlock(crowd):
    """Both change the branch: its name, and how many assets it has."""
    branches = [f"{crowd.root}/projects/{crowd.project}/branches/feature_{n}" for n in range(12)]
    crowd.all([("PATCH", f"{branch}/data/zero", registration()) for branch in branches])
    calls = []
    for n, branch in enumerate(branches):
        calls.append(("PATCH", f"{branch}/data/a", registration()))
        calls.append(("PATCH", f"{branch}/data/a", registration(branch_name=f"feature/{n}")))
        calls.append(("POST", f"{branch}/deploys", deploy_body(definition("a"), branch_name=f"feature/{n}")))
    assert {answer.status_code for answer in crowd.all(calls)} == {200, 201}


def test_no_consumption_is_lost_or_counted_twice(crowd, served):
    crowd.all([("PATCH", "data/xkcd", registration())])
    calls = [("PUT", "data/xkcd/instances/latest", {"entity_ref": task(f"Reader{n % 4}/{n}/s/1")}) for n in range(48)]
    assert {answer.status_code for answer in crowd.all(calls)} == {200}
    consumers = crowd.get("data/xkcd").json()["recently_consumed_by"]
    assert len(consumers) == 48
    assert {row["component"]["name"] for row in consumers} == {f"Reader{n}" for n in range(4)}
    assert served.manage("recount").endswith(" 0 corrections.\n")


def test_an_alias_moved_by_many_from_one_place_has_one_winner(crowd):
    answers = crowd.all([("PATCH", "data/xkcd", registration(n)) for n in range(12)])
    ids = [answer.json()["id"] for answer in answers]
    moves = crowd.all(
        [
            ("PUT", "data/xkcd/aliases/prod", {"entity_ref": TASK, "instance_id": to, "expected_instance_id": None})
            for to in ids
        ]
    )
    (winner,) = [to for to, move in zip(ids, moves, strict=True) if move.status_code == 200]
    losers = [move for move in moves if move.status_code == 409]
    assert len(losers) == 11
    assert {move.json()["detail"]["current"]["instance_id"] for move in losers} == {winner}
    assert crowd.get("data/xkcd/instances/@prod").json()["id"] == winner
    assert len(crowd.get("data/xkcd/alias-history").json()["entries"]) == 1


def test_fault_15_nothing_is_lost_when_many_rewrite_the_spec(crowd):
    """As the public client does it: register, read the whole spec, append, post it."""
    post = f"{crowd.root}/flowprojects"
    crowd.all([("POST", post, spec_body({"data": [], "kept": 1}, project=crowd.project))])

    def register(n):
        client = n % CLIENTS
        crowd.send(client, "PATCH", f"data/a{n:02}", registration(n))
        spec = crowd.send(client, "GET", "latestflowproject").json()
        if f"a{n:02}" not in [entry["id"] for entry in spec["data"]]:
            spec["data"].append({"id": f"a{n:02}", "display_name": f"a{n:02}"})
        return crowd.send(client, "POST", post, spec_body(spec, project=crowd.project))

    assert {answer.status_code for answer in crowd.pool.map(register, range(16))} == {200}
    spec = crowd.get("latestflowproject").json()
    assert sorted(entry["id"] for entry in spec["data"]) == [f"a{n:02}" for n in range(16)]
    assert spec["kept"] == 1


def test_a_retried_task_in_parallel_leaves_its_last_attempt_only(crowd):
    body = {"entity_ref": TASK | {"entity_id": f"F/{crowd.project}/s/1"}, "data_asset_kind": "s3"}
    answers = crowd.all([("PATCH", "data/xkcd", body | {"attempt": attempt}) for attempt in [0, 1, 2, 3] * 4])
    assert numbers(answers) == list(range(1, 17))
    rows = crowd.get("data/xkcd?state=any").json()["recent_instances"]
    assert {(row["attempt"] == 3, row["state"]) for row in rows} == {(True, "ready"), (False, "failed")}


def test_of_highlights_shown_at_once_one_of_each_flow_is_the_newest(crowd):
    def shown(n):
        return {"entity_ref": task(f"Flow{n % 3}/{n}/s/1"), "content": {"title": f"No. {n}"}}

    other = f"{crowd.root}/projects/{crowd.project}/branches/feature-x/highlights"
    calls = [("POST", "highlights" if n % 2 else other, shown(n)) for n in range(32)]
    answers = crowd.all(calls)
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers][:3]
    newest = [row["component"]["name"] for row in crowd.get("highlights").json()["highlights"]]
    assert sorted(newest) == ["Flow0", "Flow1", "Flow2"]
    assert len(crowd.get(other).json()["highlights"]) == 3


@pytest.mark.long
def test_retried_tasks_that_read_and_register_the_same_assets_in_opposite_order_meet_no_deadlock(crowd, served):
    """Each write of a later attempt fails what the earlier one read and registered, on both assets."""
    crowd.all([("PATCH", f"data/{name}", registration()) for name in "ab"])

    def writes(n, attempt):
        ref, order = task(f"Retried{n % 2}/{crowd.project}/s/{n}"), "ab" if n % 2 else "ba"
        facts = {"run": {"user": "ada", "origin_run": "1"}} if attempt else {}
        calls = []
        for name in order:
            role = {"role": "baseline"} if attempt == 1 and name == "a" else {}
            reading = {"entity_ref": ref, "attempt": attempt, **facts, **role}
            calls.append(("PUT", f"data/{name}/instances/v1", reading))
            body = {"entity_ref": ref, "data_asset_kind": "s3", "attempt": attempt, "state": "pending", **facts}
            calls.append(("PATCH", f"data/{name}", body))
        end = {"entity_ref": ref, "attempt": attempt, "state": "failed" if attempt < 2 else "ready"}
        return calls, ("POST", f"{crowd.root}/confirmations", end)

    for attempt in range(3):
        tasks = [writes(n, attempt) for n in range(8)]
        answers = crowd.all([call for position in range(4) for calls, _ in tasks for call in [calls[position]]])
        assert {answer.status_code for answer in answers} == {200, 201}
        if attempt != 1:  # the middle attempt was killed; the last one says so by what it writes
            assert {answer.status_code for answer in crowd.all([end for _, end in tasks])} == {200}
    rows = crowd.get("data/a?state=any&page_size=50").json()["recent_instances"]
    assert {(row["attempt"] in (None, 2), row["state"]) for row in rows} == {(True, "ready"), (False, "failed")}
    code = (
        "from catalog.models import Consumption; "
        f"found = Consumption.objects.filter(run__endswith='{crowd.project}'); "
        "print(sorted(set(found.values_list('attempt', 'failed'))), found.count())"
    )
    said = served.manage("shell", "-v", "0", "-c", code).strip()
    assert said == "[(0, True), (1, True), (2, None)] 48"
    assert served.manage("recount").endswith(" 0 corrections.\n")


def test_names_of_one_old_key_that_come_at_once_have_a_branch_each(crowd):
    """Their own clients and those that leave out the letters; nobody's write is lost, and none is on another's."""
    names = ("user.李", "user.王", "user.張", "user.陳")
    root, body = f"{crowd.root}/projects/{crowd.project}/branches", {"entity_ref": TASK, "data_asset_kind": "artifact"}
    ways = [(key, name) for name in names for key in (branch_key(name), "user")]
    calls = [("PATCH", f"{root}/{key}/data/d", {**body, "branch_name": name}) for key, name in ways * 4]
    answers = crowd.all([*calls, *[("PATCH", f"{root}/user/data/d", body)] * 8])
    made = answers[: len(calls)]
    assert {answer.status_code for answer in made} == {201}
    refs = {name: set() for name in names}
    for (_, name), answer in zip(ways * 4, made, strict=True):
        refs[name].add((answer.json()["url"].split("/data/")[0], answer.json()["ref"]))
    assert all(len(found) == 8 for found in refs.values())
    places = {name: {place for place, _ in found} for name, found in refs.items()}
    assert all(len(found) == 1 for found in places.values())
    assert len({*places["user.李"], *places["user.王"], *places["user.張"], *places["user.陳"]}) == 4
    assert {answer.status_code for answer in answers[len(calls) :]} <= {201, 409}


def test_many_registrations_at_once_in_any_order_wait_for_each_other_and_never_deadlock(crowd):
    """Each request has the same assets, flows and runs in another order; half of the assets are new to all of them."""
    crowd.all([("PATCH", f"data/asset{n}", registration(n)) for n in range(0, 10, 2)])
    calls = []
    for n in range(12):
        order = [(n * 7 + place * 3) % 10 for place in range(10)]
        entries = [registration(100 + place) | {"kind": "data", "asset": f"asset{place}"} for place in order]
        calls.append(("POST", "registrations", {"registrations": entries}))
        calls.append(("PATCH", f"data/asset{n % 10}", registration(100 + n % 10)))
    answers = crowd.all(calls)
    assert {answer.status_code for answer in answers} == {200, 201}
    made = [entry for answer in answers[::2] for entry in answer.json()["registrations"]]
    assert {entry["status"] for entry in made} == {201}
    assert len({entry["answer"]["id"] for entry in made}) == 120
    assert crowd.get("data/asset1/instances/latest").json()["number"] == 12 + 2
