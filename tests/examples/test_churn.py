"""The churn example's own mathematics and its made-up customers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from tests.examples.folders import EXAMPLES


@pytest.fixture
def churn(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules as the flows import them."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "churn/src"))
    for flow in ("dataset", "gate"):
        monkeypatch.syspath_prepend(str(EXAMPLES / f"churn/flows/{flow}"))
    import customers
    import judgement
    import logistic

    return SimpleNamespace(customers=customers, judgement=judgement, logistic=logistic)


def test_a_round_always_has_the_same_customers_and_the_next_more(churn: SimpleNamespace) -> None:
    make = churn.customers.make_customers
    assert make(2) == make(2)
    assert len(make(3)) > len(make(2))
    share = sum(customer["churned"] for customer in make(2)) / len(make(2))
    assert 0.2 < share < 0.5


def test_a_fit_learns_which_way_a_column_points(churn: SimpleNamespace) -> None:
    rows, labels = [[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1]
    weights, bias, losses = churn.logistic.fit(rows, labels, rate=1.0, epochs=50)
    assert weights[0] > 1
    assert bias == pytest.approx(0)
    assert losses == sorted(losses, reverse=True)
    model = {"columns": ["x"], "weights": weights, "bias": bias, "threshold": 0.5}
    scores = churn.logistic.predict(model, rows)
    assert churn.logistic.accuracy(scores, labels, 0.5) == 1


def test_the_measures_are_those_of_the_textbook(churn: SimpleNamespace) -> None:
    scores, labels = [0.9, 0.4, 0.4, 0.2], [1, 1, 0, 0]
    assert churn.logistic.auc(scores, labels) == 3.5 / 4
    assert churn.logistic.accuracy(scores, labels, 0.5) == 0.75
    expected = -(math.log(0.9) + math.log(0.4) + math.log(0.6) + math.log(0.8)) / 4
    assert churn.logistic.log_loss(scores, labels) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("present", "aliases", "why"),
    [
        (None, ["validated", "production"], "AUC 0.8, and nothing was in production"),
        (0.79, ["validated", "production"], "AUC 0.8 is above 0.79 of v1, which was in production"),
        (0.8, ["validated"], "AUC 0.8 is not above 0.8 of v1, which is in production"),
    ],
)
def test_a_candidate_goes_into_production_if_it_is_better(
    churn: SimpleNamespace, present: float | None, aliases: list[str], why: str
) -> None:
    before = {"version": "v1", "auc": present} if present else None
    assert churn.judgement.judge({"version": "v2", "auc": 0.8}, before, min_auc=0.78) == (aliases, why)


def test_a_candidate_that_is_not_good_enough_gets_nowhere(churn: SimpleNamespace) -> None:
    assert churn.judgement.judge({"version": "v2", "auc": 0.7}, None, min_auc=0.78) == ([], "AUC 0.7 is below 0.78")
