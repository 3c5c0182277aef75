"""Customers of a company that does not exist: the same round always brings the same ones."""

import math
import random
from datetime import date, timedelta

COLUMNS = ["tenure_months", "monthly_fee", "support_calls", "logins_per_week", "has_contract", "churned"]


SECOND_HOLDOUT = 2
"""The round from which on models are measured on other customers than before."""
RIVAL = 4
"""The round in which a rival makes an offer, and many more leave."""
LAST_EXPORT = 4
"""The round with the last customers that the CRM exported; it has exported none since, and nobody knows why."""
STOPPED = timedelta(days=3)
"""How long ago that was."""


def exported_until(round_number: int, today: date) -> date:
    """Return the day until whose beginning a round has customers; each round has one day more, up to the last."""
    return today - STOPPED - timedelta(days=max(LAST_EXPORT - round_number, 0))


def make_customers(round_number: int) -> list[dict[str, float]]:
    """Return one row a customer; every round has more of them."""
    chance = random.Random(40 + round_number)  # noqa: S311 - made-up data
    return [_make_customer(chance, float(round_number >= RIVAL)) for _ in range(300 + 150 * round_number)]


def make_holdout(round_number: int) -> list[dict[str, float]]:
    """Return customers that no model is trained on: for several rounds the same ones."""
    chance = random.Random(102 if round_number < SECOND_HOLDOUT else 101)  # noqa: S311 - made-up data
    return [_make_customer(chance) for _ in range(800)]


def _make_customer(chance: random.Random, leaning: float = 0.0) -> dict[str, float]:
    tenure = min(int(chance.expovariate(1 / 22)) + 1, 96)
    fee = round(chance.gauss(42, 11), 2)
    calls = int(chance.expovariate(1 / 1.6))
    logins = max(0.0, round(chance.gauss(6, 3), 1))
    contract = int(chance.random() < 0.45)
    # Who calls support often leaves if there is no contract, and is looked after if there is: no column alone says so.
    leaning += -0.2 - 0.035 * tenure + 0.03 * (fee - 42) - 0.22 * (logins - 6) - 0.3 * contract
    leaning += 0.9 * calls * (1 - contract) - 0.3 * calls * contract
    churned = int(chance.random() < 1 / (1 + math.exp(-leaning)))
    return dict(zip(COLUMNS, (tenure, fee, calls, logins, contract, churned), strict=True))
