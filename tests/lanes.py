"""Lanes of tests: the marks by which `python -m tests.run` chooses tests, and cases that only the long lane runs.

both     depends on the database, so it runs on SQLite and on PostgreSQL
long     for `make test-long` alone: more cases of what `make test` has seen some of
sample   (n): the first n cases of a test; the others are long
further  a case of a test after its first, which asks a database the same with other values: on PostgreSQL in the long
         lane, and only where the test is marked both; tests/conftest.py finds out which are
each     the cases of a test ask different queries, so PostgreSQL has each of them where it has the first
slow     takes seconds for its file, so `make test-quick` leaves it out
flows    runs real Metaflow flows against a really served site
browser  needs Chromium
alone    on PostgreSQL without other tests at the same time: whose transactions are open is the whole server's matter
database needs the database of the tests; tests/conftest.py finds out which do
served   needs the served site, of which a worker has one; tests/conftest.py finds out which do
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest

WORLDS_ON_POSTGRES = 5
QUICK = "not flows and not browser and not served and not slow and not long"


def long(*cases: Any) -> list[Any]:
    """These cases of a parametrised test, for the long lane alone. A case of several values is a tuple."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long) for case in cases]


def first(most: int, cases: Sequence[Any]) -> list[Any]:
    """The first few cases, and the others for the long lane."""
    return [*cases[:most], *long(*cases[most:])]


def worlds(seeds: Sequence[int]) -> list[Any]:
    """The seeds of random worlds: one of them, and the others for the long lane; PostgreSQL has the first few.

    Seeds make other rows, which are asked for by the same queries.
    """
    on_postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    return first(1, seeds[:WORLDS_ON_POSTGRES] if on_postgres else seeds)


def every(step: int, cases: Sequence[Any]) -> list[Any]:
    """Two parts of many cases that run as one test: every so many of them, and, for the long lane, the others."""
    others = [case for at, case in enumerate(cases) if at % step]
    return [pytest.param(cases[::step], id="some"), pytest.param(others, marks=pytest.mark.long, id="the others")]
