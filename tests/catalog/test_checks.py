"""The start is refused on a database that can't take the catalogue's writes."""

import sqlite3
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks

from catalog.recording import checks


@pytest.mark.parametrize(
    ("version", "vendor", "refused"),
    [
        ("3.34.1", "sqlite", True),
        ("3.35.0", "sqlite", False),
        ("3.40.1", "sqlite", False),
        ("3.34.1", "postgresql", False),
    ],
)
def test_an_old_sqlite_is_refused_with_what_to_do(monkeypatch, version, vendor, refused):
    monkeypatch.setattr(sqlite3, "sqlite_version", version)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", tuple(map(int, version.split("."))))
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor=vendor))
    found = [problem for problem in run_checks() if problem.id == "catalog.E003"]
    assert bool(found) == refused
    for problem in found:
        assert problem.is_serious()
        assert problem.msg == "This Python has SQLite 3.34.1; the catalogue needs 3.35 or newer."
        assert "set DATABASE_URL to a PostgreSQL" in problem.hint
