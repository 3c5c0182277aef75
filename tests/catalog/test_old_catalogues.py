"""A catalogue of an older version, opened by this one: nothing is lost, and it answers as if this one had written it.

tests/catalog/old/ has the catalogues, and what wrote them. The same is written to this version here, and each page and
each answer of the two must be equal but for times and ids.
"""

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.catalog.old.write import VERSIONS, Writer, fill
from tests.conftest import POSTGRES, Server, Site

pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.long]

OLD = Path(__file__).parent / "old"
DERIVED = {"catalog_edge", "catalog_promotion"}
NOT_COMPARED = {"changed", "deletion_uid"}
"""Columns that a restored catalogue has anew, or in rows of their own (tests/catalog/test_migrations.py)."""
NOT_KEPT = {"auth_permission", "catalog_lease", "django_content_type", "django_migrations", "sqlite_sequence"}
LIVE = ["churn/branches/main", "churn/branches/feature_x", "churn/branches/user.ada", "comics/branches/main"]
QUESTIONS = ["lineage", "lineage/impact", "instances/latest/lineage", "alias-history", "aliases", "instances/v1"]


@contextmanager
def connected(url: str) -> Iterator[sqlite3.Connection]:
    """The database of a site, without Django."""
    if POSTGRES:
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    else:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            yield connection


def load(url: str, version: str) -> None:
    dump = (OLD / f"{version}.{'postgresql' if POSTGRES else 'sqlite'}.sql").read_text()
    with connected(url) as connection:
        if POSTGRES:
            connection.execute(dump)
        else:
            connection.executescript(dump)


def rows(url: str, columns: dict[str, list[str]] | None = None) -> dict[str, tuple[list[str], list[str]]]:
    """The columns and the sorted rows of each table, but for those that are derived; only `columns`, if given."""
    name = (
        "tablename FROM pg_tables WHERE schemaname = 'public'"
        if POSTGRES
        else "name FROM sqlite_master WHERE type = 'table'"
    )
    found = {}
    with connected(url) as connection:
        tables = {row[0] for row in connection.execute(f"SELECT {name}")} - DERIVED - NOT_KEPT
        for table in sorted(tables & columns.keys() if columns else tables):
            which = ", ".join(f'"{column}"' for column in columns[table]) if columns else "*"
            answer = connection.execute(
                f'SELECT {which} FROM "public"."{table}"' if POSTGRES else f'SELECT {which} FROM "{table}"'
            )
            names = [part[0] for part in answer.description]
            kept = [place for place, column in enumerate(names) if column not in NOT_COMPARED]
            found[table] = [names[place] for place in kept], sorted(repr(tuple(row[i] for i in kept)) for row in answer)
    return found


def schema(url: str) -> set[tuple[str, ...]]:
    """Each column, constraint and index of a database, whatever their order."""
    with connected(url) as connection:
        if POSTGRES:
            found = {row for question in ON_POSTGRES for row in connection.execute(question)}
            return {tuple(without_casts(part) for part in row) for row in found}
        written = connection.execute("SELECT tbl_name, type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            (table, kind, name, part)
            for table, kind, name, sql in written
            for part in (parts(sql) if kind == "table" else [sql])
        }


ON_POSTGRES = (
    """
    SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
        pg_get_expr(adbin, adrelid)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (
        SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
    )
    """,
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    """,
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
)


def without_casts(part: object) -> str:
    """A check is kept with other ones after it has been read from a dump."""
    text = str(part)
    return re.sub(r"::(character varying|text)|\[\]|[()]", "", text) if text.startswith("CHECK ") else text


def parts(sql: str) -> list[str]:
    """The columns and constraints that a table is made of."""
    found, depth = [""], 0
    for letter in sql.partition("(")[2].rpartition(")")[0]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found]


def wait_until_recounted(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with connected(url) as connection:
            if connection.execute("SELECT version FROM catalog_derivation").fetchone()[0]:
                return
        time.sleep(0.1)
    raise AssertionError("It was not recounted.")


def wait_until_looked_at(url: str) -> None:
    """Until the background has learned when the next version of each asset is expected."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with connected(url) as connection:
            if not connection.execute(
                "SELECT count(*) FROM catalog_asset WHERE to_look_at AND deleted_at IS NULL"
            ).fetchone()[0]:
                return
        time.sleep(0.5)
    raise AssertionError("Not all assets were looked at.")


class Reader:
    """Reads pages and answers of a site, made comparable."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.site}{path}", timeout=20)

    def pages(self) -> list[str]:
        """All pages that links lead to, without those of a question."""
        found, new = {"/"}, ["/"]
        for page in new:
            answer = self.get(page)
            assert answer.ok, (page, answer.status_code)
            links = {urlsplit(link).path for link in re.findall(r'href="(/default[^"]*)"', answer.text)}
            more = sorted(link for link in links - found if "." not in link)
            found.update(more)
            new += more
        return new

    def answers(self, pages: list[str]) -> dict[str, object]:
        paths = [f"{page}.json" for page in pages if page != "/"]
        for branch in LIVE:
            at = f"/v1/perimeters/default/projects/{branch}"
            paths += [f"{at}/latestflowproject", f"{at}/lineage"]
            for kind in ("data", "models"):
                paths += [f"{at}/{kind}", f"{at}/{kind}?state=pending", f"{at}/{kind}?state=failed"]
                for item in self.get(f"{at}/{kind}").json()["items"]:
                    asset = f"{at}/{kind}/{item['asset']['id']}"
                    paths += [asset, *(f"{asset}/{question}" for question in QUESTIONS)]
        return {path: self.comparable(path) for path in paths}

    def comparable(self, path: str) -> Any:
        """An answer without addresses and times, with ids numbered in the order in which they come."""
        answer = self.get(path)
        assert answer.status_code < 500, path
        text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "then", answer.text.replace(self.site, ""))
        text = re.sub(r'"seconds":[\d.]+', '"seconds":0', text)  # how long an alias led somewhere
        if not text.startswith(("{", "[")):
            return answer.status_code
        found = json.loads(text)
        if "links" in found:
            return in_order(found)
        ids: dict[str, str] = {}
        return json.loads(re.sub(r"\b[acdhi]_[0-9a-f]{20}\b", lambda id: ids.setdefault(id[0], f"id {len(ids)}"), text))


def in_order(answer: Any) -> Any:
    """An answer about lineage with names in place of ids, in the order of names."""
    parts = ("kind", "project", "branch", "key", "name", "version", "deleted")
    names = {node["id"]: " ".join(str(node[part]) for part in parts) for node in answer["nodes"]}
    assert len(set(names.values())) == len(names)

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: named(one) for key, one in value.items()}
        if isinstance(value, list):
            return sorted((named(one) for one in value), key=json.dumps)
        return names.get(value, value) if isinstance(value, str) else value

    return named(answer)


@contextmanager
def running(server: Server) -> Iterator[Site]:
    server.start()
    try:
        yield server.site
    finally:
        server.stop()


RUNS = """
    SELECT run.name, run.branch, component.kind, component.name FROM catalog_run run
    JOIN catalog_component component ON component.id = run.component_id
"""


def runs(url: str) -> list[str]:
    with connected(url) as connection:
        return sorted(map(repr, connection.execute(RUNS)))


@pytest.fixture(scope="module")
def written_now(tmp_path_factory) -> dict[str, Any]:
    """What this version answers if it was written to as the old ones were."""
    with running(Server(tmp_path_factory.mktemp("now"), LOGNAME="ada")) as site:
        fill(Writer("0.3", site.url))
        reader = Reader(site.url)
        database = site.env["DATABASE_URL"]
        wait_until_looked_at(database)
        return {"runs": runs(database), "schema": schema(database), **reader.answers(reader.pages())}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_catalogue_is_right_by_itself_and_nothing_of_it_is_lost(tmp_path, version, written_now):
    server = Server(tmp_path, LOGNAME="ada")
    database = server.site.env["DATABASE_URL"]
    load(database, version)
    before = rows(database)
    assert len(before) > 20
    with running(server) as site:
        wait_until_recounted(database)
        wait_until_looked_at(database)
        reader = Reader(site.url)
        right = {path: answer for path, answer in written_now.items() if version >= "0.3" or "/highlights" not in path}
        assert runs(database) == right.pop("runs") != []
        assert schema(database) == right.pop("schema")
        answers = {path: reader.comparable(path) for path in right}
        if version < "0.3":
            answers, right = without_highlights(answers), without_highlights(right)
        assert [path for path in right if answers[path] != right[path]] == []
        for page in {re.sub(r"/v\d+\b", "/v1", path.removesuffix(".json")) for path in right if ".json" in path}:
            assert reader.get(page).ok, page
        assert site.manage("recount").endswith(" recounted, 0 corrections.\n")
    assert rows(database, {table: columns for table, (columns, _) in before.items()}) == before


def without_highlights(found: Any) -> Any:
    """What a version says that did not have them."""
    if isinstance(found, dict):
        left = {key: without_highlights(value) for key, value in found.items()}
        return {key: value for key, value in left.items() if key not in ("highlights", "newest_highlight")}
    return [without_highlights(value) for value in found] if isinstance(found, list | tuple) else found


def test_a_recount_by_hand_brings_an_old_catalogue_up_to_date(tmp_path):
    server = Server(tmp_path)
    load(server.site.env["DATABASE_URL"], "0.1")
    assert "This catalogue is to be recounted once" in server.site.manage("migrate")
    assert "Promotion 1: was missing" in server.site.manage("recount")
    wait_until_recounted(server.site.env["DATABASE_URL"])
