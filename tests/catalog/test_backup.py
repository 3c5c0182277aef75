"""A backup is the database as of one moment, whole or not at all, and restoring it brings just that back."""

import itertools
import sqlite3
import threading
import zipfile
from contextlib import closing, contextmanager

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from catalog.backup import postgresql, sqlite
from catalog.backup.file import NoBackup, opened, write
from catalog.starting.serving import not_served, noted_as_served
from tests.catalog.test_old_catalogues import load, rows
from tests.conftest import POSTGRES, Server, Site, database_url

KIND = postgresql if POSTGRES else sqlite
VENDOR = "postgresql" if POSTGRES else "sqlite"


def writes(content, migrations=()):
    def take(dump, folder):
        dump.write(content)
        return set(migrations)

    return take


@pytest.fixture
def databases(tmp_path, django_db_blocker):
    """The aliases of two empty databases of the kind that the tests run on."""
    default, names = connections["default"].settings_dict, ("source", "target")
    for name in names:
        (tmp_path / name).mkdir()
        url = database_url(tmp_path / name)
        path = tmp_path / name / "catalogue.sqlite3"
        connections.databases[name] = default | {"NAME": url.rpartition("/")[2] if POSTGRES else str(path)}
    with django_db_blocker.unblock():
        yield names
        for name in names:
            connections[name].close()
            del connections[name], connections.databases[name]


def sql(using, *statements):
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


@contextmanager
def written_to(using):
    """Two rows are added at a time, again and again, by somebody else."""
    ends, wrote = threading.Event(), threading.Event()

    def add():
        for number in itertools.count():
            if ends.is_set():
                break
            sql(using, f"INSERT INTO pair VALUES ({number}), ({number})")
            if number == 20:
                wrote.set()
        connections.close_all()

    thread = threading.Thread(target=add)
    thread.start()
    assert wrote.wait(60)
    try:
        yield
    finally:
        ends.set()
        thread.join()


@pytest.mark.both
def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(databases, tmp_path):
    source, target = databases
    MigrationRecorder(connections[source]).record_applied("catalog", "0001_initial")
    sql(source, "CREATE TABLE pair (number integer)", "CREATE TABLE big (text text)")
    sql(source, *[f"INSERT INTO big VALUES ('{'x' * 100_000}')"] * 50)
    with written_to(source):
        [(before,)] = sql(source, "SELECT count(*) FROM pair")
        manifest = write(tmp_path / "b.zip", VENDOR, lambda dump, folder: KIND.take(source, dump, folder))
    assert manifest.migrations == [("catalog", "0001_initial")]
    sql(target, "CREATE TABLE of_a_newer_version (number integer)")
    assert KIND.is_empty(target) is False
    with opened(tmp_path / "b.zip") as (said, dump):
        assert said == manifest
        KIND.put(target, dump)
    [(after,)] = sql(source, "SELECT count(*) FROM pair")
    [(restored,)] = sql(target, "SELECT count(*) FROM pair")
    assert before <= restored <= after
    assert sql(target, "SELECT number FROM pair GROUP BY number HAVING count(*) <> 2") == []
    assert sql(target, "SELECT max(number) FROM pair") == [(restored // 2 - 1,)]
    assert sql(target, "SELECT count(*) FROM big") == [(50,)]
    assert "of_a_newer_version" not in connections[target].introspection.table_names()


@pytest.mark.both
@pytest.mark.parametrize("spoilt", ["cut off", "changed"])
def test_a_dump_that_is_damaged_changes_nothing(databases, tmp_path, spoilt):
    source, target = databases
    MigrationRecorder(connections[source]).ensure_schema()
    sql(source, "CREATE TABLE kept (number integer)", *[f"INSERT INTO kept VALUES ({n})" for n in range(200)])
    sql(target, "CREATE TABLE kept (number integer)", "INSERT INTO kept VALUES (1)")
    file = tmp_path / "b.zip"
    write(file, VENDOR, lambda dump, folder: KIND.take(source, dump, folder))
    content = bytearray(file.read_bytes())
    if spoilt == "changed":
        content[len(content) // 3] ^= 0xFF
    else:
        content = content[: len(content) // 2]
    file.write_bytes(content)
    with pytest.raises((NoBackup, postgresql.ProgramFailed)), opened(file) as (_, dump):
        KIND.put(target, dump)
    assert sql(target, "SELECT number FROM kept") == [(1,)]


def test_a_backup_is_for_its_owner_and_whole_or_not_there(tmp_path):
    file = tmp_path / "b ?%é.zip"
    manifest = write(file, "sqlite", writes(b"first", [("catalog", "0001_initial")]))
    assert file.stat().st_mode & 0o777 == 0o600
    with opened(file) as (said, dump):
        assert (said, dump.read()) == (manifest, b"first")

    def fails(dump, folder):
        dump.write(b"second")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(file, "sqlite", fails)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with opened(file) as (_, dump):
        assert dump.read() == b"first"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"manifest.json": "[]"},
        {"manifest.json": '{"format": 1, "database": "sqlite", "version": "1", "taken_at": "", "migrations": []}'},
        {"manifest.json": '{"format": 1, "database": "oracle", "version": "1", "taken_at": "", "migrations": []}'},
    ],
)
def test_another_zip_is_no_backup(tmp_path, members):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(NoBackup, match="is no backup"), opened(tmp_path / "other.zip"):
        pass


def test_what_does_not_fit_is_refused_before_anything_is_changed(tmp_path):
    file = tmp_path / "b.zip"
    write(file, "postgresql", writes(b""))
    with pytest.raises(CommandError, match="is the backup of a PostgreSQL database, and DATABASE_URL names an SQLite"):
        call_command("restore", file)
    write(file, "sqlite", writes(b"", [("catalog", "0999_of_the_future")]))
    with pytest.raises(CommandError, match=r"is of a newer version than .* does not know catalog\.0999_of_the_future"):
        call_command("restore", file)
    file.write_text("Something else.")
    with pytest.raises(CommandError, match=r"is no backup of assetsite.*The database is as it was\."):
        call_command("restore", file)
    with pytest.raises(CommandError, match="No such file"):
        call_command("restore", tmp_path / "none.zip")
    with pytest.raises(CommandError, match=r"is there already\. Choose another name, or give --overwrite"):
        call_command("backup", file)


def test_nothing_is_restored_while_a_server_runs_or_the_database_is_open(databases, tmp_path):
    source, target = databases
    if POSTGRES:
        pytest.skip("PostgreSQL tells who is connected")
    refused = pytest.raises(CommandError, match="A server runs with this database")
    with noted_as_served(target), noted_as_served(target), refused, not_served(target):
        pass
    with not_served(target):
        pass
    MigrationRecorder(connections[source]).ensure_schema()
    write(tmp_path / "b.zip", "sqlite", lambda dump, folder: sqlite.take(source, dump, folder))
    sql(target, "CREATE TABLE kept (number integer)")
    sqlite_file = connections.databases["target"]["NAME"]
    with closing(sqlite3.connect(sqlite_file)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM kept")
        with opened(tmp_path / "b.zip") as (_, dump), pytest.raises(sqlite.InUse):
            sqlite.put(target, dump)
    assert sql(target, "SELECT * FROM kept") == []


def test_a_damaged_database_is_no_hindrance(databases, tmp_path):
    if POSTGRES:
        pytest.skip("PostgreSQL's files are its own")
    source, target = databases
    MigrationRecorder(connections[source]).record_applied("catalog", "0001_initial")
    write(tmp_path / "b.zip", "sqlite", lambda dump, folder: sqlite.take(source, dump, folder))
    for suffix in ("", "-wal"):
        (tmp_path / "target" / f"catalogue.sqlite3{suffix}").write_text("damaged" * 1000)
    assert not sqlite.is_empty(target)
    with opened(tmp_path / "b.zip") as (_, dump):
        sqlite.put(target, dump)
    assert sql(target, "SELECT app FROM django_migrations") == [("catalog",)]


def another_site(tmp_path, like: Site) -> Site:
    home = tmp_path / "another"
    home.mkdir()
    return Site("", home, like.env | {"ASSETSITE_HOME": str(home), "DATABASE_URL": database_url(home)})


@pytest.mark.both
@pytest.mark.long
def test_a_site_is_backed_up_under_load_and_restored_elsewhere(tmp_path):
    server = Server(tmp_path / "site")
    server.start()
    site, ends = server.site, threading.Event()
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "Load/1/start/1"}, "data_asset_kind": "artifact"}

    def register(name):
        while not ends.is_set():
            assert requests.patch(f"{site.branch}/data/{name}", json=body, timeout=30).status_code == 201

    writers = [threading.Thread(target=register, args=[f"rows_{number % 2}"]) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        site.manage("backup", str(tmp_path / "b.zip"))
    finally:
        ends.set()
        for writer in writers:
            writer.join()
    other = another_site(tmp_path, site)
    other.manage("restore", str(tmp_path / "b.zip"))
    assert other.manage("recount").endswith(" 0 corrections.\n")

    _, all_rows = rows(site.env["DATABASE_URL"], {"catalog_instance": ["id", "uid", "asset_id", "number"]})[
        "catalog_instance"
    ]
    _, restored = rows(other.env["DATABASE_URL"], {"catalog_instance": ["id", "uid", "asset_id", "number"]})[
        "catalog_instance"
    ]
    assert 0 < len(restored) <= len(all_rows)
    assert set(restored) <= set(all_rows)
    assets: dict[int, list[int]] = {}
    for row in restored:
        _, _, asset, number = eval(row)
        assets.setdefault(asset, []).append(number)
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in assets.values())

    server.stop()
    site.manage("backup", str(tmp_path / "again.zip"))
    other.manage("restore", "--replace", str(tmp_path / "again.zip"))
    assert rows(other.env["DATABASE_URL"]) == rows(site.env["DATABASE_URL"])


@pytest.mark.both
@pytest.mark.long
def test_a_backup_of_an_older_version_is_migrated(tmp_path):
    home = tmp_path / "old"
    home.mkdir()
    site = Server(home).site
    load(site.env["DATABASE_URL"], "0.3")
    site.manage("backup", str(tmp_path / "b.zip"))
    other = another_site(tmp_path, site)
    other.manage("restore", str(tmp_path / "b.zip"))
    assert "[ ]" not in other.manage("showmigrations")
    columns = {"catalog_instance": ["id", "number", "asset_id"]}
    assert rows(other.env["DATABASE_URL"], columns) == rows(site.env["DATABASE_URL"], columns)
