"""The churn example's own mathematics and its made-up customers."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from statistics import fmean, pstdev
from types import SimpleNamespace
from typing import Any

import pytest

from catalog.freshness.declared import Declared, data_time
from catalog.unusual import unusual_of
from obproject.project.definitions import read_project
from tests.examples.folders import EXAMPLES


@pytest.fixture
def churn(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules as the flows import them."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "churn/src"))
    for flow in ("dataset", "gate"):
        monkeypatch.syspath_prepend(str(EXAMPLES / f"churn/flows/{flow}"))
    import customers
    import feature_set
    import judgement
    import logistic
    import payments

    return SimpleNamespace(
        customers=customers, feature_set=feature_set, judgement=judgement, logistic=logistic, payments=payments
    )


def test_a_round_always_has_the_same_customers_and_the_next_more(churn: SimpleNamespace) -> None:
    make = churn.customers.make_customers
    assert make(2) == make(2)
    assert len(make(3)) > len(make(2))
    share = sum(customer["churned"] for customer in make(2)) / len(make(2))
    assert 0.2 < share < 0.5


def test_models_of_several_rounds_are_measured_on_the_same_customers_whom_none_was_trained_on(
    churn: SimpleNamespace,
) -> None:
    make_holdout, make_customers = churn.customers.make_holdout, churn.customers.make_customers
    assert make_holdout(1) != make_holdout(2) == make_holdout(3) == make_holdout(4)
    trained_on = {tuple(customer.values()) for number in (1, 2, 3, 4) for customer in make_customers(number)}
    assert trained_on.isdisjoint(tuple(customer.values()) for customer in make_holdout(4))


def measured(churn: SimpleNamespace, number: int) -> dict[str, float]:
    """What a model of a round comes to on its holdout, with the features that are switched on."""
    customers, holdout = churn.customers.make_customers(number), churn.customers.make_holdout(number)
    columns, labels = churn.feature_set.columns_of(customers), churn.feature_set.labels_of(customers)
    scales = {name: (fmean(values), pstdev(values)) for name, values in columns.items()}
    weights, bias, _ = churn.logistic.fit(churn.feature_set.rows_of(customers, scales), labels, 2.0, 40)
    scores = churn.logistic.predict({"weights": weights, "bias": bias}, churn.feature_set.rows_of(holdout, scales))
    labels = churn.feature_set.labels_of(holdout)
    return {"auc": churn.logistic.auc(scores, labels), "log_loss": churn.logistic.log_loss(scores, labels)}


def test_interactions_make_a_better_model(churn: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far beyond what versions on main differ by, so the feature branch of the demo is right to be proud of it."""
    main = {number: measured(churn, number) for number in (3, 4)}
    monkeypatch.setattr(churn.feature_set, "INTERACTIONS", True)
    feature = {number: measured(churn, number) for number in (3, 4)}
    noise = abs(main[4]["auc"] - main[3]["auc"])
    for number in (3, 4):
        assert feature[number]["auc"] > main[number]["auc"] + max(0.03, 3 * noise)
        assert feature[number]["log_loss"] < main[number]["log_loss"] - 0.02
    assert main[4]["log_loss"] > main[3]["log_loss"] + 0.05  # more leave than the holdout's customers: it jumps


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
    ("present", "why"),
    [
        (None, "AUC 0.8, and nothing was in production"),
        ({"version": "v1", "auc": 0.79}, "AUC 0.8, beside 0.79 of v1, which was in production"),
    ],
)
def test_what_passes_says_beside_what(churn: SimpleNamespace, present: dict[str, Any] | None, why: str) -> None:
    assert churn.judgement.why({"version": "v2", "auc": 0.8}, present) == why


def test_what_is_refused_says_by_which_rules(churn: SimpleNamespace) -> None:
    passes = {"rule": "card present", "passes": True, "has": "", "needs": "", "reason": ""}
    short = {"rule": "auc >= 0.78", "passes": False, "has": "0.7", "needs": "0.78", "reason": ""}
    lacks = {"rule": "auc >= @production", "passes": False, "has": "", "needs": "", "reason": "not measured in v2"}
    refusal = SimpleNamespace(alias="validated", rules=[passes, short, lacks])
    assert churn.judgement.why({"version": "v2", "auc": 0.7}, None, refusal) == (
        "@validated refused: auc >= 0.78 (has 0.7, needs 0.78); auc >= @production (not measured in v2)"
    )


def test_the_bank_tells_shares_until_its_last_file_which_is_unusual(churn: SimpleNamespace) -> None:
    files = [file for number in (1, 2, 3, 4) for file in churn.payments.payments_of(number).values()]
    said = [{"rows": len(file["payments"]), "late_share": file["late_share"]} for file in files]
    assert [list(unusual_of(said[:place], one)) for place, one in enumerate(said)] == [[]] * 11 + [["late_share"]]
    assert churn.payments.payments_of(4) == churn.payments.payments_of(4)


def test_customers_are_late_by_the_time_of_their_data(churn: SimpleNamespace) -> None:
    today = date(2026, 3, 2)
    until = [churn.customers.exported_until(number, today) for number in (1, 2, 3, 4, 5)]
    assert [f"{day:%d.%m.}" for day in until] == ["24.02.", "25.02.", "26.02.", "27.02.", "27.02."]
    for asset in ("customers", "churn_features"):
        (found,) = [one for one in read_project(EXAMPLES / "churn").assets if one.id == asset]
        declared = Declared.of(found.freshness, "Europe/Berlin")
        last = data_time(until[-1].isoformat(), declared.zone)
        due = last and declared.next_due(last)
        assert due
        assert due + declared.grace_at(due) < datetime(2026, 3, 2, tzinfo=UTC)
