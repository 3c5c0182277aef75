"""The newest rows are dated three years ahead, as by a machine whose clock ran ahead; on both databases.

What is registered afterwards, under the right clock, must be the latest all the same.
"""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import requests

from bench.servers import CHECKOUT, sqlite_url
from bench.trials.postgresql import postgresql
from bench.trials.promises import verdict
from bench.trials.site import served_site
from bench.trials.writers import ASSET, register

AHEAD = """
from datetime import timedelta
from django.db.models import F
from catalog.models import Asset, Instance
years = timedelta(days=3 * 365)
Instance.objects.update(created_at=F("created_at") + years, settled_at=F("settled_at") + years)
Asset.objects.update(newest_at=F("newest_at") + years, refreshed_at=F("refreshed_at") + years)
"""


def main() -> int:
    promises: dict[str, bool] = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = {"SQLite": sqlite_url(home / "c.sqlite3"), "PostgreSQL": stack.enter_context(postgresql()).url}
        for name, url in databases.items():
            with served_site(url, home) as site:
                register(site.url, 1, 1)
                shell = [sys.executable, "manage.py", "shell", "-v", "0", "-c", AHEAD]
                subprocess.run(shell, cwd=CHECKOUT, env=site.env, check=True)
                register(site.url, 1, 1)
                latest = requests.get(f"{site.url}/{ASSET}/instances/latest", timeout=20).json()
                page = requests.get(f"{site.url}/default/trial/main/data/rows", timeout=20)
                print(f"{name}: latest is {latest['ref']}, of {latest['created_at']}")
                promises[f"{name}: the newer one is the latest, and pages go on"] = (
                    latest["ref"] == "v2" and page.status_code == 200
                )
    return verdict(promises)


if __name__ == "__main__":
    sys.exit(main())
