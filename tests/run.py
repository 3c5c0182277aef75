"""The lanes of the suite: `python -m tests.run [quick|usual|long] [options of pytest]`.

    quick  on SQLite, without flows, browsers, served sites and slow files: while one writes code
    usual  on SQLite, then what depends on the database on PostgreSQL
    long   what the usual lane leaves out, and on PostgreSQL one case of each other test that has a database; the demo,
           rebuilt from Metaflow alone; the benchmarks once

What this machine lacks is skipped and said in the last lines, with how to get it; with ASSETSITE_TEST_EVERYTHING set,
lacking it is a failure.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import IO

import pytest

from tests.chromium import CHROMIUM
from tests.lanes import QUICK
from tests.on_postgres import cluster, programs

TESTS = Path(__file__).parent
DOT, NGINX = Path("/usr/bin/dot"), Path("/usr/sbin/nginx")
CONTAINERS = os.geteuid() == 0 and all(map(which, ("podman", "runc", "mmdebstrap")))
# tests/conftest.py says what stays together; the long ones come first, so that no worker is left with one at the end.
# On two cores; the tests of flows and browsers wait for other processes, so there is one worker more where they run.
PYTEST = ["-m", "pytest", "-q", "--no-loadscope-reorder"]
SMOKE = [
    *("-m", "bench", "--database", "SQLite", "--rounds", "1", "--seconds", "0.02"),
    *("--tasks", "2", "--flow-rounds", "1"),
]
WITH_DATABASE = [str(TESTS / room) for room in ("access", "catalog", "comparing", "lineage", "promoting", "telling")]
NO_TESTS = int(pytest.ExitCode.NO_TESTS_COLLECTED)


def main(lane: str = "usual", *options: str) -> int:
    """Run a lane and return its exit code. With options of pytest, a database for which they leave no test is fine."""
    lanes: dict[str, Callable[..., int]] = {"quick": quick, "usual": usual, "long": long}
    if lane not in lanes:
        print(__doc__)
        return 2
    lacking = what_is_lacking()
    if lacking and os.environ.get("ASSETSITE_TEST_EVERYTHING"):
        print("This machine lacks what the whole suite needs:", *lacking, sep="\n  ")
        return 1
    compile_once()
    failed = lanes[lane](*options)
    for what in lacking if lane != "quick" else []:
        print(f"Skipped here: {what}")
    return failed


def compile_once() -> None:
    """In a fresh checkout, one process compiles what else all workers would compile at the same time.

    Hypothesis, too, keeps what it reads in our modules then.
    """
    if not any(TESTS.glob("__pycache__/*pytest*.pyc")):
        with tempfile.TemporaryFile("w+") as told:  # what is wrong, the workers say as well
            python("-m", "pytest", "-q", "--collect-only", out=told)


def quick(*options: str) -> int:
    """Files that are left out as a whole are not even collected."""
    left_out = re.compile(r"^pytestmark = .*\bmark\.(flows|browser|slow|long)\b", re.MULTILINE)
    return on_sqlite("-m", QUICK, *options, *files(lambda text: not left_out.search(text)))


def usual(*options: str) -> int:
    both = files(lambda text: "mark.both" in text)  # no other file need be collected
    return on_sqlite("-m", "not long", *options) or on_postgres("both and not (long or further)", both, *options)


def long(*options: str) -> int:
    rest = "both and (long or further) or database and not (both or further or browser or flows or served)"
    some_long = files(lambda text: re.search(r"tests\.lanes|mark\.(long|sample)", text))
    if failed := on_sqlite("-m", "long", *options, *some_long):
        return failed
    # what waits for processes of its own, while the others run
    with (
        beside("-m", "tests.rebuild_demo") as code_of_demo,
        beside(*SMOKE, ASSETSITE_BENCH_SMOKE="1") as code_of_benchmarks,
    ):
        codes = [on_postgres(rest, WITH_DATABASE, *options), code_of_demo(), code_of_benchmarks()]
    return next(filter(None, codes), 0)


@contextmanager
def beside(*command: str, **more: str) -> Iterator[Callable[[], int]]:
    """Run a command of Python's at the same time; what is given waits for it, prints what it said and has its code."""
    with ThreadPoolExecutor() as pool, tempfile.TemporaryFile("w+") as told:
        running = pool.submit(lambda: python(*command, out=told, **more))

        def code() -> int:
            found = running.result()
            told.seek(0)
            print(told.read(), flush=True)
            return found

        yield code


def on_sqlite(*options: str) -> int:
    print("\nOn SQLite", flush=True)
    return _no_failure_without_tests(python(*PYTEST, "-n", "3", *options), options)


def on_postgres(chosen: str, where: list[str], *options: str) -> int:
    """The tests that the marks choose in these files and rooms; those that need a server alone have one meanwhile."""
    if programs() is None:
        return 0
    print("\nOn PostgreSQL", flush=True)
    alone = files(lambda text: "mark.alone" in text)
    more = ["-n", "0", "-m", f"({chosen}) and alone", *options, *alone]
    with cluster() as url, cluster() as other_url, beside(*PYTEST, *more, DATABASE_URL=other_url) as their_code:
        code = python(*PYTEST, "-n", "2", "-m", f"({chosen}) and not alone", *options, *where, DATABASE_URL=url)
        failed = _no_failure_without_tests(code, options)
        code = their_code()
    return failed or (0 if code == NO_TESTS else code)


def files(wanted: Callable[[str], object]) -> list[str]:
    """The files of tests whose text is wanted."""
    return sorted(str(path) for path in TESTS.rglob("test_*.py") if wanted(path.read_text()))


def python(*command: str, out: IO[str] | None = None, **more: str) -> int:
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run([sys.executable, *command], env=env | more, stdout=out, check=False).returncode


def _no_failure_without_tests(code: int, options: tuple[str, ...]) -> int:
    return 0 if code == NO_TESTS and options else code


def what_is_lacking() -> list[str]:
    needed = {
        "the tests in a browser (apt-get install chromium-headless-shell)": CHROMIUM.exists(),
        "the tests that have Graphviz draw (apt-get install graphviz)": DOT.exists(),
        "the tests behind a proxy (apt-get install nginx openssl)": NGINX.exists() and which("openssl") is not None,
        "the tests of the image (apt-get install podman runc mmdebstrap; for root only)": CONTAINERS,
        "the tests on PostgreSQL (apt-get install postgresql)": programs() is not None,
    }
    return [what for what, is_here in needed.items() if not is_here]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
