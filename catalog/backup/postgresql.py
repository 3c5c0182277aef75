"""The dump of a PostgreSQL database is what `pg_dump` writes, in its custom format, as of one moment.

The programs of PostgreSQL get the password by their environment, as everybody on a machine sees the arguments of a
process.
"""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.db import connections, transaction
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from catalog.starting.versions import Migration, applied

SIZE = 1 << 20


class ProgramFailed(Exception):
    """A program of PostgreSQL is missing, is too old, or says that it failed."""


def take(using: str, dump: IO[bytes], folder: Path) -> set[Migration]:
    """Write the database to `dump` while others write to it; its migrations. Raises ProgramFailed."""
    program = _program("pg_dump", using)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), current_schema()")
        snapshot, schema = cursor.fetchone()
        what = [f"--snapshot={snapshot}", f'--table="{schema}".*', "--no-owner", "--no-privileges"]
        with tempfile.TemporaryFile() as errors:
            command = [program, "--no-password", "--format=custom", *what, f"--dbname={_address(using)}"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=_environment(using)) as process:  # noqa: S603
                shutil.copyfileobj(_pipe(process.stdout), dump, SIZE)
            _refuse_failed("pg_dump", process.returncode, errors)
        return applied(using)


def is_empty(using: str) -> bool:
    """Whether there is nothing that a restored catalogue would take the place of."""
    return not _tables(using)


def users(using: str) -> list[str]:
    """From where others are connected to the database at the moment."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND coalesce(backend_type, 'client backend') = 'client backend'"
        )
        return [row[0] for row in cursor.fetchall()]


def put(using: str, dump: IO[bytes]) -> None:
    """Put the dump in the place of all tables of the schema, in one transaction; raises ProgramFailed."""
    loading = [
        _program("psql", using),
        "--no-password",
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
    ]
    reading = [_program("pg_restore", using), "--no-owner", "--no-privileges", "--file=-"]
    quoted = [connections[using].ops.quote_name(table) for table in _tables(using)]
    drop = f"DROP TABLE {', '.join(quoted)} CASCADE;\n" if quoted else ""
    connections[using].close()
    with tempfile.TemporaryFile() as said_reading, tempfile.TemporaryFile() as said_loading:
        load = subprocess.Popen(  # noqa: S603
            [*loading, f"--dbname={_address(using)}"],
            stdin=subprocess.PIPE,
            stderr=said_loading,
            env=_environment(using),
        )
        script = _pipe(load.stdin)
        read = None
        try:
            script.write(f"BEGIN;\n{drop}".encode())
            script.flush()
            read = subprocess.Popen(reading, stdin=subprocess.PIPE, stdout=script, stderr=said_reading)  # noqa: S603
            with _pipe(read.stdin) as archive:
                shutil.copyfileobj(dump, archive, SIZE)
            if read.wait() == 0:  # else the end of the script leaves the transaction open, which undoes it
                script.write(b"COMMIT;\nANALYZE;\n")
            script.close()
        except BrokenPipeError:
            pass  # one of the two has ended, and says why
        finally:
            for process in (read, load):
                if process is not None:
                    _end(process)
        _refuse_failed("psql", load.returncode, said_loading)
        _refuse_failed("pg_restore", read.returncode if read else 1, said_reading)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin and not process.stdin.closed:
        with suppress(BrokenPipeError):
            process.stdin.close()
    process.wait()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _tables(using: str) -> list[str]:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
        return [row[0] for row in cursor.fetchall()]


def _program(name: str, using: str) -> str:
    """The path of a program of PostgreSQL that is not older than the server."""
    found = shutil.which(name)
    if found is None:
        raise ProgramFailed(f"{name} is not installed here; it comes with postgresql-client.")
    connections[using].ensure_connection()
    server = connections[using].pg_version // 10_000  # type: ignore[attr-defined]  # of Django's for PostgreSQL
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    number = re.search(r"\d+", version)
    if number and int(number[0]) < server:
        raise ProgramFailed(f"{found} is of PostgreSQL {number[0]}, and the server of {server}: install its client.")
    return found


def _address(using: str) -> str:
    """The address of the database for libpq, without the password."""
    where = connections[using].settings_dict
    names = {"NAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user"}
    libpq = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"password"}
    options = {name: value for name, value in where["OPTIONS"].items() if name in libpq}
    return make_conninfo(**options, **{libpq: where[django] for django, libpq in names.items() if where[django]})


def _environment(using: str) -> dict[str, str]:
    password = connections[using].settings_dict["PASSWORD"]
    return {**os.environ, **({"PGPASSWORD": password} if password else {}), "LC_ALL": "C"}


def _refuse_failed(name: str, code: int, errors: IO[bytes]) -> None:
    if code:
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines() or [f"it ended with {code}"]
        raise ProgramFailed(f"{name} failed: {lines[0]}")
