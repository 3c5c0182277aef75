"""PgBouncer between site and PostgreSQL, in session and in transaction mode (apt-get install pgbouncer).

In transaction mode `assetsite check` must say what to set, unless this PgBouncer keeps prepared statements; so set, the
site answers eight clients at once without an error, and its limits do not reach other clients of the pooler.
"""

import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import requests

from bench.servers import CHECKOUT
from bench.trials.postgresql import PostgreSQL, postgresql
from bench.trials.promises import verdict
from bench.trials.site import Site, free_port, served_site
from bench.trials.writers import ASSET, register

PROGRAM = "/usr/sbin/pgbouncer"
CLIENTS, SECONDS = 8, 15.0
PAGES = ("/", "/default/trial", "/default/trial/main", "/default/trial/main/data", "/default/trial/main/data/rows")


def main() -> int:
    print(subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0])
    promises: dict[str, bool] = {}
    with postgresql() as server, tempfile.TemporaryDirectory() as home, served_site(server.url, Path(home)) as site:
        register(site.url, 20, 4)
        promises["check: without a pooler nothing is to be set"] = checked(site.env, server.url)
        with pooler(server, "session") as url:
            promises["check: in session mode nothing is to be set"] = checked(site.env, url)
        with pooler(server, "transaction", more="max_prepared_statements = 200") as url:
            keeps = url != "" and checked(site.env, url)
        with pooler(server, "transaction") as url:
            promises["check: in transaction mode it says what to set"] = not checked(site.env, url)
            off = {"ASSETSITE_PREPARED_STATEMENTS": "false"}
            promises["check: it is content when that is set"] = checked(site.env | off, url)
            answers, limits = mixed(url, **off)
            print(f"transaction mode, prepared statements off: {dict(answers)}")
            promises["transaction mode: no error"] = set(answers) == {200, 201}
            promises["transaction mode: no limit reaches other clients"] = limits == {"0"}
    print(f"this PgBouncer {'keeps' if keeps else 'does not keep'} prepared statements with max_prepared_statements")
    return verdict(promises)


def checked(env: dict[str, str], url: str) -> bool:
    """Whether `assetsite check` has nothing to say."""
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=env | {"DATABASE_URL": url}, capture_output=True, text=True, check=False
    )
    if done.returncode and "ASSETSITE_PREPARED_STATEMENTS=false" not in done.stderr:
        raise SystemExit(done.stderr)
    return done.returncode == 0


def mixed(url: str, **settings: str) -> tuple[Counter[int], set[str]]:
    """The answers to pages and calls, and the limits that another client of the pooler finds meanwhile."""
    with tempfile.TemporaryDirectory() as home, served_site(url, Path(home), **settings) as site:
        end = time.monotonic() + SECONDS
        with (
            ThreadPoolExecutor(CLIENTS) as pool,
            psycopg.connect(url, autocommit=True, prepare_threshold=None) as other,
        ):
            asked = [pool.submit(ask, site, end) for _ in range(CLIENTS)]
            limits = set()
            while time.monotonic() < end:
                limits |= {row[0] for row in other.execute("SHOW statement_timeout")}
                limits |= {row[0] for row in other.execute("SHOW lock_timeout")}
                time.sleep(0.01)
            return sum((each.result() for each in asked), Counter()), limits


def ask(site: Site, end: float) -> Counter[int]:
    answers: Counter[int] = Counter()
    with requests.Session() as session:
        while time.monotonic() < end:
            body = {
                "entity_ref": {"entity_kind": "task", "entity_id": f"TrialFlow/{uuid.uuid4().hex}/end/1"},
                "data_asset_kind": "table",
            }
            key = {"Idempotency-Key": uuid.uuid4().hex}
            answers[session.patch(f"{site.url}/{ASSET}", json=body, headers=key).status_code] += 1
            answers[session.get(f"{site.url}/{ASSET}/instances/latest").status_code] += 1
            for page in PAGES:
                answers[session.get(f"{site.url}{page}").status_code] += 1
    return answers


@contextmanager
def pooler(server: PostgreSQL, mode: str, more: str = "") -> Iterator[str]:
    """The address of the database behind a PgBouncer; empty if it does not know a setting in `more`."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "users").write_text('"assetsite" ""\n')
        (home / "ini").write_text(
            f"""[databases]
postgres = host=127.0.0.1 port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {home / "users"}
pool_mode = {mode}
default_pool_size = 10
max_client_conn = 100
{more}
"""
        )
        process = subprocess.Popen(
            [*server.as_user, PROGRAM, "-q", str(home / "ini")], stderr=subprocess.DEVNULL, cwd=folder
        )
        try:
            url = f"postgres://assetsite@127.0.0.1:{port}/postgres"
            yield url if answers(url, process) else ""
        finally:
            process.terminate()
            process.wait()


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    while process.poll() is None:
        try:
            psycopg.connect(url).close()
            return True
        except psycopg.OperationalError:
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    sys.exit(main())
