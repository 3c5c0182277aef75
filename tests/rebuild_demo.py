"""Runs the demo, rebuilds its catalogue from Metaflow's metadata alone, and compares: `python -m tests.rebuild_demo`.

The demo is that of the wheels, in an environment with nothing else.

Compared row by row is all that tasks wrote, what gates said of it, and what the background learned from it. What
deploys, apps and people wrote is not in Metaflow, and neither are the pictures of highlights.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from obproject.project.definitions import read_project
from tests.places import CHECKOUT, EXAMPLES, MANAGE
from tests.wheels.building import build, environment

SECRET_KEY = secrets.token_urlsafe(50)
"""The same for both, as for a site that is set up anew: by it receipts are believed."""
READ_BY_REBUILD = ("state", "finished_at")
"""What Metaflow alone says of runs; the demo reconciles nothing."""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        lived, rebuilt = Path(folder) / "lived", Path(folder) / "rebuilt"
        dist = Path(folder) / "dist"
        _live(lived, environment(Path(folder) / "env", build(dist)))
        roots = [str(found) for found in sorted(lived.rglob(".metaflow"))]
        _manage(rebuilt, "migrate", "--verbosity", "0")
        print(_manage(rebuilt, "rebuild", *(part for root in roots for part in ("--root", root))))
        return _differences(_rows_of(lived), _rows_of(rebuilt))


def _live(home: Path, programs: Path) -> None:
    """Run the whole demo with its server, which reconciles nothing by itself meanwhile, far from the checkout."""
    home.mkdir()
    env = _env(home) | {"ASSETSITE_RECONCILE_MINUTES": "0"}
    command = [programs / "assetsite", "demo"]
    demo = subprocess.Popen(command, cwd=home.parent, env=env, stdout=subprocess.PIPE, text=True)
    assert demo.stdout
    for line in demo.stdout:
        print(line, end="", flush=True)
        if line.startswith("assetsite is at"):
            break
    demo.terminate()
    demo.wait(timeout=30)


def _env(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {"ASSETSITE_HOME": str(home), "ASSETSITE_SECRET_KEY": SECRET_KEY}
    return kept | own | {"PORT": os.environ.get("PORT", "8765")}


def _manage(home: Path, *command: str) -> str:
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [*MANAGE, *command],
        cwd=CHECKOUT,
        env=_env(home),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _rows_of(home: Path) -> list[str]:
    _manage(home, "work", "--once", "--only", "look")
    code = "from tests.rebuild_demo import print_rows; print_rows()"
    return _manage(home, "shell", "--no-imports", "--command", code).splitlines()


def print_rows() -> None:
    """Print what tasks wrote, a line for each row, without the keys of rows."""
    from catalog.models import (
        Alias,
        AliasMove,
        Cadence,
        Component,
        Consumption,
        Edge,
        GateVerdict,
        Highlight,
        Instance,
        Promotion,
        Run,
        StateChange,
        Unusual,
    )
    from tests.catalog.test_rebuild import COMPARED, done

    by_tasks = {
        Instance: Instance.objects.filter(producer_kind="task"),
        Consumption: Consumption.objects.filter(entity_kind="task").exclude(instance=None),
        Edge: Edge.objects.filter(component__kind=Component.Kind.FLOW).exclude(last_instance=None),
        Promotion: Promotion.objects.all(),
        Run: Run.objects.filter(name__contains="/"),
        StateChange: StateChange.objects.filter(instance__producer_kind="task"),
        Alias: Alias.objects.filter(entity_kind="task"),
        AliasMove: AliasMove.objects.filter(entity_kind="task"),
        GateVerdict: done(GateVerdict.objects.filter(entity_kind="task")),
        Highlight: Highlight.objects.all(),
        Unusual: Unusual.objects.all(),
        Cadence: Cadence.objects.exclude(asset__asset_id__in=_declared()).exclude(asset__newest_ready=None),
    }
    shown = ("branch__key", "uid", "entity_id", "run", "attempt", "title", "content", "at", "is_newest")
    place = tuple(f"asset__{name}" for name in ("branch__key", "asset_id", "watch", "usual", "due_at", "late_at"))
    compared = {
        **COMPARED,
        Highlight: shown,
        Unusual: ("instance__uid", "reasons", "rule"),
        Cadence: (*place, "told__rule"),  # not from when on: by the catalogue, when it was told of a success
    }
    for model, rows in by_tasks.items():
        columns = [name for name in compared[model] if name not in READ_BY_REBUILD]
        for row in rows.values_list(*columns):
            print(model.__name__, json.dumps(row, default=str, sort_keys=True))


def _declared() -> set[str]:
    """The ids of assets of which it is declared when they are due: nothing is learned of them."""
    projects = [read_project(EXAMPLES / name) for name in ("churn", "comics")]
    return {asset.id for project in projects for asset in project.assets if asset.freshness}


def _differences(lived: list[str], rebuilt: list[str]) -> int:
    missing, added = sorted(set(lived) - set(rebuilt)), sorted(set(rebuilt) - set(lived))
    for sign, rows in (("-", missing), ("+", added)):
        for row in rows:
            print(sign, row)
    kinds = {kind: sum(row.startswith(kind + " ") for row in lived) for kind in {row.split(" ")[0] for row in lived}}
    print(f"Compared {len(lived)} rows: {kinds}. {'They are equal.' if lived and not missing + added else 'DIFFERENT'}")
    return int(not lived or bool(missing or added) or len(lived) != len(rebuilt))


if __name__ == "__main__":
    sys.exit(main())
