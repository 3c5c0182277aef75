"""What gates cost: nothing where there are none, and little where there are five rules."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.catalog.gating.doors import deployed, measured, move, moved, promoted, requires
from tests.catalog.wire import TASK

TRAIN = "TrainFlow/1/train/2"
CARD = "mf.cards/TrainFlow/runs/1/steps/train/tasks/2/cards/default-abcdef0123456789.html"
RULES = ("auc >= 0.5", "auc >= @production - 0.2", "rows within 20% of @production", "card present", "not unusual")


@pytest.fixture
def with_card(tmp_path, settings):
    """The members of a registration whose task has made a card."""
    settings.CARD_ROOTS = [str(tmp_path)]
    (tmp_path / CARD).parent.mkdir(parents=True)
    (tmp_path / CARD).write_text("<p>A card.</p>")
    return {"task": TRAIN, "datastore": {"type": "local", "root": str(tmp_path)}}


def queries(act):
    with CaptureQueriesContext(connection) as found:
        act()
    return [query["sql"] for query in found.captured_queries]


def past(api, with_card):
    """Versions that are nothing special; the id of the last one."""
    for number in range(12):
        last = measured(api, 0.8 + number / 1000, annotations={"rows": 900 + number}, **with_card)
    return last


def test_five_rules_cost_a_few_queries_and_no_rule_none(api, with_card):
    first, last = past(api, with_card), past(api, with_card)
    moved(api, first)
    moved(api, first, "staging")
    plain = queries(lambda: moved(api, last, "staging"))
    deployed(api, requires(*RULES))
    gated = queries(lambda: moved(api, last))
    # the gates; the version, for its card; the project; whether it held the alias; what holds it; the past; the verdict
    assert len(gated) - len(plain) <= 8, "\n".join(gated)
    assert len(queries(lambda: moved(api, first, "staging"))) <= len(plain) + 1  # the gates, which are not for this one


def test_a_move_without_gates_asks_what_it_always_did(api):
    first, second = measured(api, 0.7), measured(api, 0.8)
    moved(api, first)
    found = queries(lambda: moved(api, second))
    assert len(found) <= 15, "\n".join(found)
    # the answer tells what was said of the last moves, which comes with them
    assert not any('FROM "catalog_gate' in sql or 'INTO "catalog_gate' in sql for sql in found)


def test_registering_what_is_no_promotion_asks_nothing_of_gates(api):
    measured(api, 0.7)
    before = queries(lambda: measured(api, 0.7))
    deployed(api, requires("auc >= 0.9", alias="into branch"))
    after = queries(lambda: measured(api, 0.7))
    assert len(after) == len(before)
    made = queries(lambda: api.register("data/other"))
    deployed(api, requires("auc >= 0.9"), "third")
    assert len(queries(lambda: api.register("data/fourth"))) == len(made)


def test_refusing_costs_little_more(api):
    deployed(api, requires("auc >= 0.9"))
    bad = measured(api, 0.7)
    move(api, bad)
    assert len(queries(lambda: move(api, bad))) <= 20
    body = promoted(bad, 0.1) | {"entity_ref": TASK}
    assert len(queries(lambda: api.patch("data/xkcd", body))) <= 20
