"""How long a catalogue takes to catch up with runs that it has not heard of."""

import os
import re
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import SMOKE
from bench.flows.rows import Row
from bench.flows.running import run_flow
from bench.servers import environment, sqlite_url, start

RUNS, FEW = (20, 10) if SMOKE else (1000, 100)
ROOM = 2 * 2**30
MOST_SECONDS = 60
MOST_MEMORY = 1.1
ENTRY = re.compile(r"\bi_[0-9a-f]{20}\b")
METADATA = re.compile(r"(_self|sysmeta_.*)\.json")
"""Files that say which run they belong to; what they say of artifacts is listed, and read by nobody here."""


@dataclass(frozen=True)
class Pass:
    """One run of the command."""

    seconds: float
    memory: int
    """Bytes, at their most."""


class Catalogue:
    """An empty catalogue on SQLite, which no server has open."""

    def __init__(self, home: Path) -> None:
        self.file = home / "catalogue.sqlite3"
        self.env = environment(sqlite_url(self.file), home, team=False)
        self._manage("migrate", "--verbosity", "0")

    def reconcile(self, root: Path) -> Pass:
        begin = time.perf_counter()
        memory = self._manage("reconcile", "--root", str(root))
        return Pass(time.perf_counter() - begin, memory)

    def ready(self) -> int:
        """How many instances there are to be read."""
        with sqlite3.connect(self.file) as connection:
            (count,) = connection.execute("SELECT count(*) FROM catalog_instance WHERE state = 'ready'").fetchone()
        return int(count)

    def _manage(self, *command: str) -> int:
        """Run a command; return the memory that it took at most, in bytes."""
        process = start(self.env, "manage.py", *command)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"manage.py {command[0]} failed.")
        return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def reconciling() -> Iterator[Row]:
    """Catch up with a few runs, then with many more."""
    with ExitStack() as stack:
        home, project = (Path(stack.enter_context(folder)) for folder in (_folder(), _folder(in_memory())))
        run_flow("keeping", project)
        runs = project / ".metaflow" / "KeepingFlow"
        original = next(path for path in runs.iterdir() if path.name.isdigit())
        catalogue = Catalogue(home)
        copy_run(original, FEW)
        few = catalogue.reconcile(project / ".metaflow")
        copy_run(original, RUNS)
        many = catalogue.reconcile(project / ".metaflow")
        if catalogue.ready() != 1 + FEW + RUNS:
            raise SystemExit(f"{catalogue.ready()} instances are there, of {1 + FEW + RUNS} registered.")
    yield Row(
        f"`assetsite reconcile` of {RUNS:,} new runs",
        f"under {MOST_SECONDS} s",
        f"{many.seconds:.1f} s",
        many.seconds < MOST_SECONDS,
    )
    growth = many.memory / few.memory
    measured = f"{growth:.2f} ({many.memory / 2**20:.0f} MiB, {few.memory / 2**20:.0f} MiB)"
    yield Row(f"its memory, of that for {FEW} runs", f"at most {MOST_MEMORY}", measured, growth <= MOST_MEMORY)


def _folder(parent: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="assetsite-bench-", dir=parent)


def in_memory() -> Path | None:
    """Where many small files are made and removed fast, if there is room; they would be read from memory anyway."""
    memory = Path("/dev/shm")  # noqa: S108
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def copy_run(original: Path, times: int) -> None:
    """Make a run so many times more, each with an id of its own, as the local metadata lays it out."""
    files = [path for path in original.rglob("*") if path.is_file()]
    texts = {path: path.read_text() for path in files if METADATA.fullmatch(path.name)}
    entries = {entry for text in texts.values() for entry in ENTRY.findall(text)}
    for _ in range(times):
        new = {original.name: str(time.time_ns() // 1000)} | {entry: f"i_{secrets.token_hex(10)}" for entry in entries}
        for path in files:
            copy = Path(renamed(str(path), new))
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path in texts:
                copy.write_text(renamed(texts[path], new))
            else:
                copy.hardlink_to(path)


def renamed(text: str, new: dict[str, str]) -> str:
    for old, name in new.items():
        text = text.replace(old, name)
    return text
