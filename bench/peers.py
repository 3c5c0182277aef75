"""The site beside MLflow's model registry, both served at once: `python -m bench.peers`.

MLflow gets an environment of its own in a temporary folder, made by uv. Both keep their models in SQLite, have one
worker and are asked the same in turns by one client: rates are those of the best of all blocks, and so is processor
time of the servers' processes.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import SMOKE, say, sections
from bench.blocks import Side, take_turns
from bench.load import UNIQUE, Connection, message
from bench.report import machine, met, sqlite_version
from bench.servers import STARTS_WITHIN, Server, environment, served, sqlite_url
from bench.trials.site import free_port

MLFLOW = "mlflow==3.17.*"
BLOCKS = 7
MODELS, VERSIONS = (120, 110) if SMOKE else (10_000, 1_000)
"""How many models there are, and how many versions the first one has."""
AT_ONCE = 1_000
ALONE = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""MLflow's registry by itself: no processes for its jobs, whose waiting would be counted."""
BRANCH = "/v1/perimeters/default/projects/peers/branches/main"
REGISTRY = "/api/2.0/mlflow"
NAME, TEXT = "model_{:05}", "A run of the night."
TAGS = [{"key": f"key_{letter}", "value": f"value of {letter}"} for letter in "abcde"]
SOURCE = "s3://bucket/models/{}"


@dataclass(frozen=True)
class Row:
    """The same work for both; `least` times MLflow's rate is the target."""

    name: str
    ours: list[bytes]
    theirs: list[bytes]
    least: float | None = None


def rows() -> list[Row]:
    first = NAME.format(0)
    some = [NAME.format(number) for number in range(1, 50)]
    theirs = [_post("model-versions/create", {"name": name, "source": SOURCE.format(name)} | ABOUT) for name in some]
    search = f"model-versions/search?filter=name%3D%27{first}%27&max_results=100"
    latest = [_get(f"model-versions/get?name={first}&version={VERSIONS}")]
    page = [_get("registered-models/search?max_results=100")]
    return [
        Row("register, 5 tags", [registration(name) for name in some], theirs),
        Row("register as our client does", [registration(name, client=True) for name in some], theirs, 3.0),
        Row("get by alias", [_ask(f"{first}/instances/@production")], [_get(ALIAS.format(first))], 3.0),
        Row("get latest; MLflow by number", [_ask(f"{first}/instances/latest")], latest, 6.0),
        Row(f"100 of {MODELS:,} models", [_ask("?page_size=100")], page, 6.5),
        Row(f"100 of {VERSIONS:,} versions", [_ask(f"{first}?page_size=100")], [_get(search)], 5.5),
    ]


ABOUT = {"description": TEXT, "tags": TAGS}
ALIAS = "registered-models/alias?name={}&alias=production"


BODY = ABOUT | {
    "entity_ref": {"entity_kind": "task", "entity_id": f"PeerFlow/{UNIQUE}/end/1"},
    "branch_name": "main",
    "model_asset_kind": "artifact",
}


def registration(name: str, *, client: bool = False) -> bytes:
    """As the client package sends it: with an idempotency key and the attempt of the task."""
    return message("PATCH", f"{BRANCH}/models/{name}", {}, BODY | ({"attempt": 0} if client else {}), once=client)


def registrations(some: Sequence[str]) -> bytes:
    body = {"registrations": [BODY | {"kind": "models", "asset": name} for name in some]}
    return message("POST", f"{BRANCH}/registrations", {}, body)


def _ask(rest: str) -> bytes:
    return message("GET", f"{BRANCH}/models{'' if rest.startswith('?') else '/'}{rest}", {})


def _get(rest: str) -> bytes:
    return message("GET", f"{REGISTRY}/{rest}", {})


def _post(rest: str, body: dict[str, object]) -> bytes:
    return message("POST", f"{REGISTRY}/{rest}", {}, body)


# --- the two servers


@contextmanager
def ours(home: Path) -> Iterator[Server]:
    """The site in local mode, as it is served, with the models."""
    home.mkdir()
    env = environment(sqlite_url(home / "catalogue.sqlite3"), home, team=False)
    with served(env | {"DJANGO_SETTINGS_MODULE": "assetsite.settings"}) as server:
        with Connection(server.port) as connection:
            all_ = [*map(NAME.format, range(MODELS)), *[NAME.format(0)] * (VERSIONS - 1)]
            for some in (all_[at : at + AT_ONCE] for at in range(0, len(all_), AT_ONCE)):
                connection.ask(registrations(some))
        place = f"http://127.0.0.1:{server.port}{BRANCH}/models/{NAME.format(0)}"
        latest = requests.get(f"{place}/instances/latest", timeout=60).json()["id"]
        body = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "instance_id": latest}
        requests.put(f"{place}/aliases/production", json=body, timeout=60).raise_for_status()
        yield server


@contextmanager
def mlflow(home: Path) -> Iterator[Server]:
    """MLflow's server, with one worker and the same models; the rows are written beside it, where it looks for them."""
    uv = Path(sys.executable).with_name("uv")
    python, port = home / "venv" / "bin" / "python", free_port()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home / "venv"], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, MLFLOW], check=True)
    command = ["server", "--backend-store-uri", f"sqlite:///{home / 'registry.db'}", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--default-artifact-root", home / "artifacts"]
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(
            [python.with_name("mlflow"), *command],
            env=env | ALONE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health")
        _write_models(home / "registry.db")
        yield Server(port, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait(process: subprocess.Popen[bytes], health: str) -> None:
    end = time.monotonic() + 3 * STARTS_WITHIN
    while process.poll() is None and time.monotonic() < end:
        try:
            requests.get(health, timeout=5).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.5)
    raise SystemExit("MLflow could not be served.")


def _write_models(database: Path) -> None:
    now = int(time.time() * 1000)
    names = [NAME.format(number) for number in range(MODELS)]
    versions = [(name, 1) for name in names] + [(names[0], number) for number in range(2, VERSIONS + 1)]
    tags = [(tag["key"], tag["value"], *version) for version in versions for tag in TAGS]
    with closing(sqlite3.connect(database)) as connection, connection:
        many = connection.executemany
        many(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description) VALUES (?, ?, ?, ?)",
            [(name, now, now, TEXT) for name in names],
        )
        many(
            "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, current_stage,"
            " source, status, storage_location) VALUES (?, ?, ?, ?, ?, 'None', ?, 'READY', ?)",
            [(*version, now, now, TEXT, *[SOURCE.format(version[0])] * 2) for version in versions],
        )
        many("INSERT INTO model_version_tags (key, value, name, version) VALUES (?, ?, ?, ?)", tags)
        alias = "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('production', ?, ?)"
        connection.execute(alias, (VERSIONS, names[0]))


# --- the section

HEAD = """## Beside MLflow

Made by `python -m bench.peers`, or with everything else by `MLFLOW=1 make bench`. The site in local mode and MLflow
{version} are served at once, each with one worker and {models:,} models in SQLite, of which one has {versions:,}
versions. One client asks both the same in turns; numbers are those of the best of {blocks} blocks. MLflow has five tags
on each version, and so has the site; MLflow's latest version is asked for by its number.

| | |
|---|---|
{machine}

"""
COLUMNS = ["Request", "MLflow, answers/s", "the site", "times its rate", "Target", "Met"]
COLUMNS += ["MLflow, processor ms", "the site", "MLflow's / the site's"]


def section(found: list[tuple[Row, Side, Side]], version: str, blocks: int) -> str:
    lines = []
    for row, ours, theirs in found:
        times = theirs.taken / ours.taken
        target = [f"{row.least:g}", met(times >= row.least)] if row.least else ["", ""]
        rates = [f"{1 / theirs.taken:.1f}", f"{1 / ours.taken:.1f}", f"{times:.2f}"]
        costs = [f"{theirs.cost * 1000:.2f}", f"{ours.cost * 1000:.2f}", f"{theirs.cost / ours.cost:.2f}"]
        lines.append([row.name, *rates, *target, *costs])
    facts = machine([f"SQLite {sqlite_version()}"])
    head = HEAD.format(
        version=version,
        models=MODELS,
        versions=VERSIONS,
        blocks=blocks,
        machine="\n".join(f"| {name} | {value} |" for name, value in facts),
    )
    return head + sections.table(COLUMNS, lines) + "\n"


def measured(blocks: int) -> str:
    """The section."""
    found = []
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        say("installing and filling MLflow ...")
        their = stack.enter_context(mlflow(home))
        says = [home / "venv" / "bin" / "mlflow", "--version"]
        version = subprocess.run(says, capture_output=True, text=True, check=True).stdout.split()[-1]
        say(f"MLflow {version}: filling the site ...")
        our = stack.enter_context(ours(home / "site"))
        for row in rows():
            sides = Side(our, row.ours), Side(their, row.theirs)
            take_turns(sides, blocks)
            say(f"{row.name}: {sides[1].taken / sides[0].taken:.2f} times MLflow's rate")
            found.append((row, *sides))
    return section(found, version, blocks)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--write", action="store_true", help="also keep it in docs/performance.md")
    options = parser.parse_args()
    text = measured(options.blocks)
    print(text)
    if options.write:
        sections.keep("bench.peers", text)


if __name__ == "__main__":
    main()
