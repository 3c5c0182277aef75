"""What customers paid, as made-up files of the bank: three a day, each with what the bank itself counted in it."""

import random

FILES = ("morning", "noon", "evening")
NEW_FORMAT = (4, FILES.index("evening"))
"""Round and file from which on the bank counts in per cent what it told as a share before."""


def payments_of(round_number):
    """Return the files of a round, by their names; the same round always has the same ones."""
    chance = random.Random(70 + round_number)  # noqa: S311 - made-up data
    return {name: _file(chance, (round_number, place) >= NEW_FORMAT) for place, name in enumerate(FILES)}


def _file(chance, in_per_cent):
    payments = [
        {"amount": round(chance.gauss(42, 11), 2), "days_late": int(chance.expovariate(1 / 3))}
        for _ in range(chance.randrange(360, 440))
    ]
    late = sum(payment["days_late"] > 7 for payment in payments) / len(payments)
    return {"payments": payments, "late_share": round(late * 100, 2) if in_per_cent else round(late, 4)}
