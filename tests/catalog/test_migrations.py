"""Migrations of large tables: a column more is added without rewriting a million rows, or locking them for long.

Those up to 0005 are as they were released; the others are read as the SQL that they run on this database.
"""

import re
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

import catalog.migrations
from catalog.models import Asset, Deletion
from tests.conftest import POSTGRES

pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

RELEASED = "0005"
LARGE = ("catalog_instance", "catalog_consumption", "catalog_statechange")
NAMES = sorted(path.stem for path in Path(catalog.migrations.__file__).parent.glob("0*.py"))


def statements(migration: str) -> list[str]:
    out = StringIO()
    call_command("sqlmigrate", "catalog", migration, stdout=out)
    lines = [line for line in out.getvalue().splitlines() if not line.startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


def fault(statement: str) -> str:
    """Why a statement would read or write every row of a large table while it is locked; empty if it does not."""
    table = re.match(r'(?:ALTER TABLE|INSERT INTO|CREATE TABLE|UPDATE|DROP TABLE) "(?:new__)?(\w+)"', statement)
    if table is None or table[1] not in LARGE:
        return ""
    if not statement.startswith("ALTER TABLE") or " RENAME TO " in statement:
        return "rewrites the table"
    added = re.search(r" ADD (COLUMN .*)", statement, re.DOTALL)
    if added is None:
        return "" if " DROP CONSTRAINT " in statement else "changes all rows, or checks them"
    if "NOT NULL" in added[1] and "DEFAULT" not in added[1]:
        return "adds a column that old rows can't have"
    return ""


@pytest.mark.parametrize("migration", [name for name in NAMES if name[:4] > RELEASED])
def test_a_migration_adds_to_large_tables_what_old_rows_lack(migration):
    assert [(statement, why) for statement in statements(migration) if (why := fault(statement))] == []


def test_ids_of_other_forms_of_unicode_are_renamed_unless_their_name_is_taken(api):
    """Korean letters may be made of parts that are letters themselves, so older catalogues took both forms."""
    for name in ("one", "two", "\uae00", "plain"):
        api.register(f"data/{name}")
    for name, parts in (("one", "\u1112\u1161\u11ab"), ("two", "\u1100\u1173\u11af")):
        Asset.objects.filter(asset_id=name).update(asset_id=parts)
    migration = import_module("catalog.migrations.0008_asset_ids_in_nfc")
    migration.into_nfc(apps, SimpleNamespace(connection=connection))
    found = sorted(Asset.objects.values_list("asset_id", flat=True))
    assert found == ["plain", "\u1100\u1173\u11af", "\uae00", "\ud55c"]


def indexes():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Asset._meta.db_table)
        return {name: (row["columns"], row["orders"]) for name, row in found.items() if row["index"]}


def test_tombstones_become_events_with_the_ids_that_their_deletions_had(api):
    for name, uid in (("one", "d_" + "1" * 20), ("two", ""), ("three", "d_" + "3" * 20)):
        api.register(f"data/{name}")
        assert api.delete(f"data/{name}?id={uid}" if uid else f"data/{name}").status_code == 204
    api.register("data/one")
    columns = ("asset__asset_id", "recovered", "uid", "at", "actor", "reason")
    events, there = list(Deletion.objects.order_by("pk").values_list(*columns)), indexes()
    assert len(events) == 3
    try:
        call_command("migrate", "catalog", "0019_audit", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM catalog_deletion")
            cursor.execute("UPDATE catalog_asset SET deletion_uid = %s WHERE asset_id = 'three'", [events[0][2]])
    finally:
        call_command("migrate", "catalog", verbosity=0)
    events[2] = (*events[2][:2], None, *events[2][3:])  # the first one of two has the id
    assert list(Deletion.objects.order_by("pk").values_list(*columns)) == events
    assert indexes() == there


def test_what_was_released_before_did_so():
    """`one_consumption_per_id` of 0.3: to SQLite a constraint is a new table, to PostgreSQL an index of all rows."""
    seen = {why for statement in statements("0003_ids_of_clients") if (why := fault(statement))}
    assert seen == ({"changes all rows, or checks them"} if POSTGRES else {"rewrites the table"})


@pytest.mark.parametrize(
    "statement",
    [
        'ALTER TABLE "catalog_instance" ADD COLUMN "x" integer NOT NULL',
        'ALTER TABLE "catalog_consumption" ALTER COLUMN "run" TYPE text',
        'ALTER TABLE "catalog_instance" ADD CONSTRAINT "c" CHECK ("x" > 0)',
        'CREATE TABLE "new__catalog_instance" ("id" integer)',
        'INSERT INTO "new__catalog_consumption" ("id") SELECT "id" FROM "catalog_consumption"',
        'UPDATE "catalog_instance" SET "x" = 1',
    ],
)
def test_these_are_faults(statement):
    assert fault(statement)
