"""The whole suite, on SQLite and then on PostgreSQL: `python -m tests.everything`.

What this machine lacks is skipped and said in the last lines, with how to get it; with ASSETSITE_TEST_EVERYTHING set,
lacking it is a failure.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.on_postgres import cluster, programs

CHROMIUM, DOT = Path("/usr/bin/chromium"), Path("/usr/bin/dot")
# in the order of tests/conftest.py: the long ones first, so that no worker is left with one at the end
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
# What doesn't depend on the database is tested once: what is marked so, what reads files, and what pages make of rows
# that other tests read from both.
ROWS_SHOWN = ["asset_page", "instance_page", "listing", "overview", "highlights", "evaluations"]
DATABASE_TESTS = [
    *("tests/access", "tests/catalog", "tests/flows", "tests/lineage", "-m", "not browser and not once"),
    "--ignore=tests/catalog/runs",
    *(f"--ignore=tests/catalog/pages/test_{page}.py" for page in ROWS_SHOWN),
]


def main() -> int:
    lacking = []
    if not CHROMIUM.exists():
        lacking.append("the tests in a browser (apt-get install chromium)")
    if not DOT.exists():
        lacking.append("the tests that have Graphviz draw (apt-get install graphviz)")
    if programs() is None:
        lacking.append("the tests on PostgreSQL (apt-get install postgresql)")
    everything = bool(os.environ.get("ASSETSITE_TEST_EVERYTHING"))
    if lacking and everything:
        print("This machine lacks what the whole suite needs:", *lacking, sep="\n  ")
        return 1
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    print("\nOn SQLite", flush=True)
    failed = subprocess.run(PYTEST, env=env, check=False).returncode
    if not failed and programs():
        print("\nOn PostgreSQL", flush=True)
        with cluster() as url:
            failed = subprocess.run([*PYTEST, *DATABASE_TESTS], env=env | {"DATABASE_URL": url}, check=False).returncode
    for what in lacking:
        print(f"Skipped here: {what}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
