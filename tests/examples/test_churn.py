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
    monkeypatch.syspath_prepend(str(EXAMPLES / "churn/flows/dataset"))
    import customers
    import logistic

    return SimpleNamespace(customers=customers, logistic=logistic)


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
