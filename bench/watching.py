"""`python -m bench.watching`: how long the background looks at all assets of a large catalogue, and what it needs.

Every asset has something new, which it never has but after an upgrade: each is learned from and judged anew. Then all
get one more version each, then none does.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from bench import say
from bench.databases import KINDS

ASSETS, VERSIONS = 100_000, 20
HOURS = "(CASE WHEN asset.id % 10 = 0 THEN 6 ELSE 24 END)"
"""From a version of an asset to the next."""
NOISE = "((asset.id * 7919 + turn.n * 104729) % 1000)"
MADE = {
    "postgresql": f"now() - make_interval(hours => {HOURS} * ({{last}} - turn.n), secs => {NOISE})",
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({HOURS} * ({{last}} - turn.n)) || ' hours', '-' || {NOISE} || ' seconds')",  # noqa: E501
}
SAID = {
    "postgresql": f"jsonb_build_object('auc', 0.8 + {NOISE} / 10000.0, 'loss', {NOISE}, 'rows', 100000 + {NOISE})",
    "sqlite": f"json_object('auc', 0.8 + {NOISE} / 10000.0, 'loss', {NOISE}, 'rows', 100000 + {NOISE})",
}
SERIES = "WITH RECURSIVE turn (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM turn WHERE n < {last})"


def seed(assets: int, versions: int) -> None:
    """Copies of one asset and of one version, by the database itself."""
    from django.db import connection
    from django.utils import timezone

    from access.models import Perimeter
    from catalog.models import Asset, Branch, Component, Instance, Project

    perimeter, now = Perimeter.objects.create(name="default"), timezone.now()
    project = Project.objects.create(perimeter=perimeter, name="large", created_at=now)
    branch = Branch.objects.create(project=project, key="main", created_at=now)
    flow = Component.objects.create(perimeter=perimeter, project_name="large", kind="flow", name="LargeFlow")
    asset = Asset.objects.create(branch=branch, kind="data", asset_id="asset-1", created_at=now, last_number=versions)
    by = {"producer_kind": "task", "producer_id": "LargeFlow/1/make/1", "component": flow}
    Instance.objects.create(asset=asset, number=1, state="ready", created_at=now, settled_at=now, **by)
    copied = {"id": f"{asset.pk} + turn.n", "asset_id": "'asset-' || turn.n", "definition_uid": "'d_' || turn.n"}
    with connection.cursor() as cursor:
        cursor.execute(SERIES.format(first=2, last=assets) + _copying(Asset, copied, "CROSS JOIN turn"))
    append(1, versions)


def append(first: int, last: int) -> None:
    """So many versions more of each asset, of which the last one becomes the newest."""
    from django.db import connection

    from catalog.models import Instance

    vendor = connection.vendor
    made = MADE[vendor].format(last=last)
    copied = {
        "asset_id": "asset.id",
        "uid": "'i_' || asset.id || '_' || turn.n",
        "number": "turn.n",
        "created_at": made,
        "settled_at": made,
        "annotations": SAID[vendor],
        "producer_id": "'LargeFlow/' || asset.id || '/make/' || turn.n",
    }
    with connection.cursor() as cursor:
        if first == 1:
            cursor.execute("UPDATE catalog_instance SET number = 1000000 WHERE number = 1")
        cursor.execute(
            SERIES.format(first=first, last=last)
            + _copying(Instance, copied, "CROSS JOIN catalog_asset AS asset CROSS JOIN turn", "row.number = 1000000")
        )
        newest = f"(SELECT id FROM catalog_instance WHERE asset_id = catalog_asset.id AND number = {last})"  # noqa: S608
        cursor.execute(
            f"UPDATE catalog_asset SET to_look_at = TRUE, newest_id = {newest}, newest_ready_id = {newest}"  # noqa: S608
        )


def _copying(model: Any, copied: dict[str, str], joined: str, which: str = "TRUE") -> str:
    columns = [field.column for field in model._meta.concrete_fields if field.column != "id" or "id" in copied]
    values = ", ".join(copied.get(column, f'row."{column}"') for column in columns)
    named, table = ", ".join(f'"{column}"' for column in columns), model._meta.db_table
    return f" INSERT INTO {table} ({named}) SELECT {values} FROM {table} AS row {joined} WHERE {which}"  # noqa: S608


def looked_at(what: str) -> None:
    from catalog.watching.looking import look

    process, most, worked = psutil.Process(), 0, time.process_time()

    def note() -> None:
        nonlocal most
        most = max(most, process.memory_info().rss)

    before, began = process.memory_info().rss, time.monotonic()
    done = look(after_each=note)
    seconds = time.monotonic() - began
    each = f"{time.process_time() - worked:.1f} s of them its own"
    more = f"{(max(most, before) - before) / 2**20:.0f} MiB more than before"
    print(f"{what}: {done.assets:,} assets in {seconds:.1f} s, {each}; {done.unusual:,} unusual; {more}", flush=True)


def measured_here(assets: int, versions: int) -> None:
    """In a process whose site has an empty database."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    seed(assets, versions)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    looked_at("all are new")
    append(versions + 1, versions + 1)
    looked_at("each has one more")
    looked_at("nothing has come")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.watching", description=__doc__)
    parser.add_argument("--database", choices=KINDS, help="only this one; default: both")
    parser.add_argument("--assets", type=int, default=ASSETS)
    parser.add_argument("--versions", type=int, default=VERSIONS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measured_here(options.assets, options.versions)
        return
    for kind in [options.database] if options.database else KINDS:
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
            (home / "large").mkdir()
            (home / "small").mkdir()
            version, urls = stack.enter_context(KINDS[kind](home))
            say(f"{kind} {version}")
            env = os.environ | {"DATABASE_URL": urls["large"], "ASSETSITE_HOME": str(home)}
            env |= {"DJANGO_SETTINGS_MODULE": "assetsite.settings", "ASSETSITE_MODE": "local"}
            size = ["--assets", str(options.assets), "--versions", str(options.versions)]
            subprocess.run([sys.executable, "-m", "bench.watching", "--here", *size], env=env, check=True)


if __name__ == "__main__":
    main()
