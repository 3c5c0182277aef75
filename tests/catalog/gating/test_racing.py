"""Promoters at the same moment: the second is judged by what the first left."""

import pytest

from tests.catalog.test_concurrency import crowd as crowd
from tests.catalog.test_concurrency import registration
from tests.catalog.wire import CI, TASK, definition, deploy_body

pytestmark = pytest.mark.both

BETTER = {"production": {"require": ["auc > @production"]}}


def versions(crowd, aucs, path="data/xkcd", **more):
    answers = [crowd.send(0, "PATCH", path, registration(annotations={"auc": auc, **more})) for auc in aucs]
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json()["id"] for answer in answers]


def test_of_promoters_that_race_each_is_judged_by_what_those_before_it_left(crowd):
    """However they come, the auc of production only rises: nobody passes by what was there before another moved it."""
    assert crowd.send(0, "POST", "deploys", deploy_body(definition("xkcd", gates=BETTER))).status_code == 200
    aucs = [0.5 + number / 100 for number in range(16)]
    ids = dict(zip(versions(crowd, aucs), aucs, strict=True))
    body = {"entity_ref": TASK}
    answers = crowd.all([("PUT", "data/xkcd/aliases/production", body | {"instance_id": uid}) for uid in ids])
    assert {answer.status_code for answer in answers} <= {200, 422}
    moves = crowd.get("data/xkcd/alias-history").json()["entries"][::-1]
    held = [ids[move["instance_id"]] for move in moves]
    assert held == sorted(held)
    assert held[-1] == max(aucs)
    assert sum(answer.status_code == 200 for answer in answers) == len(held)


def test_equal_ones_that_race_have_one_winner(crowd):
    assert crowd.send(0, "POST", "deploys", deploy_body(definition("xkcd", gates=BETTER))).status_code == 200
    ids = versions(crowd, [0.8] * 8)
    body = {"entity_ref": TASK}
    answers = crowd.all([("PUT", "data/xkcd/aliases/production", body | {"instance_id": uid}) for uid in ids])
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7


def test_a_deploy_that_comes_between_is_met_or_not_and_nothing_is_half_done(crowd):
    """Gates that come while promoters are at it hold from one moment on, for copies and for aliases."""
    (source,) = versions(crowd, [0.7], f"{crowd.root}/projects/{crowd.project}/branches/feature/data/xkcd")
    crowd.send(0, "PATCH", "data/xkcd", registration())
    copy = registration(annotations={"auc": 0.7, "promoted_from_instance": source})
    gates = deploy_body(definition("xkcd", gates={"into branch": {"require": ["auc >= 0.8"]}}), entity_ref=CI)
    calls = [("PATCH", "data/xkcd", copy)] * 8 + [("POST", "deploys", gates)] + [("PATCH", "data/xkcd", copy)] * 8
    answers = crowd.all(calls)
    assert {answer.status_code for answer in answers} <= {200, 201, 422}
    made = sum(answer.status_code == 201 for answer in answers)
    assert len(crowd.get("data/xkcd").json()["recent_instances"]) == made + 1
    assert crowd.send(0, "PATCH", "data/xkcd", copy).status_code == 422


def test_equal_copies_that_race_have_one_winner_alone_and_together(crowd):
    """Each is judged by those that were promoted before it, also within one request."""
    gates = {"into branch": {"require": ["auc > latest"]}}
    assert crowd.send(0, "POST", "deploys", deploy_body(definition("xkcd", gates=gates))).status_code == 200
    versions(crowd, [0.7])
    copy = registration(annotations={"auc": 0.8, "promoted_from_instance": "i_elsewhere"})
    together = {"registrations": [copy | {"kind": "data", "asset": "xkcd"}] * 2}
    answers = crowd.all([("PATCH", "data/xkcd", copy)] * 6 + [("POST", "registrations", together)] * 2)
    statuses = [answer.status_code for answer in answers[:6]]
    statuses += [one["status"] for answer in answers[6:] for one in answer.json()["registrations"]]
    assert sorted(statuses) == [201] + [422] * 9
