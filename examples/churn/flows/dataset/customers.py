"""Customers of a company that does not exist: the same round always brings the same ones."""

import math
import random

COLUMNS = ["tenure_months", "monthly_fee", "support_calls", "logins_per_week", "has_contract", "churned"]


def make_customers(round_number: int) -> list[dict[str, float]]:
    """Return one row a customer; every round has more of them."""
    chance = random.Random(round_number)  # noqa: S311 - made-up data
    return [_make_customer(chance) for _ in range(300 + 150 * round_number)]


def _make_customer(chance: random.Random) -> dict[str, float]:
    tenure = min(int(chance.expovariate(1 / 22)) + 1, 96)
    fee = round(chance.gauss(42, 11), 2)
    calls = int(chance.expovariate(1 / 1.6))
    logins = max(0.0, round(chance.gauss(6, 3), 1))
    contract = int(chance.random() < 0.45)
    # Who calls support often and may leave at any time leaves; no single column says so.
    leaning = 0.2 - 0.035 * tenure + 0.03 * (fee - 42) - 0.22 * (logins - 6) - 0.6 * contract
    leaning += 0.6 * calls * (1 - contract) - 0.4
    churned = int(chance.random() < 1 / (1 + math.exp(-leaning)))
    return dict(zip(COLUMNS, (tenure, fee, calls, logins, contract, churned), strict=True))
