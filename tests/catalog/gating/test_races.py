"""Racing promoters: the second one is judged by what the first left, so no two of them both win by the old truth."""

import secrets
from itertools import pairwise

import pytest

from tests.catalog.test_concurrency import Crowd
from tests.catalog.wire import TASK, definition, deploy_body

pytestmark = pytest.mark.both

STRICTLY_BETTER = {
    "production": {"require": ["auc > @production"]},
    "into branch": {"require": ["auc > latest"]},
}


@pytest.fixture
def crowd(served):
    crowd = Crowd(served)
    assert crowd.send(0, "POST", "deploys", deploy_body(definition("m", gates=STRICTLY_BETTER))).status_code == 200
    yield crowd
    crowd.pool.shutdown()
    for session in crowd.sessions:
        session.close()


def version(crowd, auc):
    body = {"entity_ref": TASK, "data_asset_kind": "s3", "annotations": {"auc": auc}}
    return crowd.send(0, "PATCH", "data/m", body).json()["id"]


def move(uid):
    body = {"entity_ref": TASK, "instance_id": uid, "id": f"a_{secrets.token_hex(10)}"}
    return "PUT", "data/m/aliases/production", body


def test_of_two_that_are_equally_better_one_moves_the_alias(crowd):
    first, *others = [version(crowd, auc) for auc in (0.7, 0.8, 0.8)]
    assert crowd.send(0, *move(first)).status_code == 200
    answers = crowd.all([move(uid) for uid in others])
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    refused = next(answer.json() for answer in answers if answer.status_code == 422)
    assert refused["error"] == "gate_refused"
    assert refused["detail"]["rules"][0]["needs"] == "more than 0.8"  # what the winner has


def test_whoever_moves_it_last_was_better_than_whoever_was_there(crowd):
    aucs = [round(0.5 + 0.01 * (n * 7 % 16), 2) for n in range(16)]
    uids = {version(crowd, auc): auc for auc in aucs}
    answers = crowd.all([move(uid) for uid in uids])
    assert {answer.status_code for answer in answers} <= {200, 422}
    entries = crowd.get("data/m/alias-history").json()["entries"]
    made = [uids[entry["instance_id"]] for entry in reversed(entries)]
    assert all(before < after for before, after in pairwise(made))
    assert made[-1] == max(aucs)
    assert sum(answer.status_code == 200 for answer in answers) == len(made)
    assert sum("receipt" in answer.json() for answer in answers) == len(made)


def test_of_equal_copies_one_is_promoted(crowd):
    version(crowd, 0.7)
    copy = {"entity_ref": TASK, "data_asset_kind": "s3", "annotations": {"auc": 0.8, "promoted_from_instance": "i_x"}}
    alone = [("PATCH", "data/m", copy) for _ in range(6)]
    together = [("POST", "registrations", {"registrations": [copy | {"kind": "data", "asset": "m"}] * 2})] * 2
    answers = crowd.all([*alone, *together])
    told = [answer.json() for answer in answers]
    statuses = [answer.status_code for answer in answers[:6]]
    statuses += [one["status"] for said in told[6:] for one in said["registrations"]]
    assert sorted(statuses) == [201] + [422] * 9
