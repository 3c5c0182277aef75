"""One web process of two is killed every ten seconds for a minute, while clients register and read.

A request that is cut off may fail at the client's socket; the client sends it again, with the same id. It fails if one
registration is lost or made twice, if the numbers of an asset have a gap, or if nobody was answered for a second.
"""

import itertools
import random
import secrets
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import requests

from bench.servers import Server, environment, served

SECONDS = 60.0
KILLED_EVERY = 10.0
WRITERS = 4
READERS = 2
LONGEST_GAP = 1.0


class Load:
    """Clients that write and read until they are stopped, and what they saw."""

    def __init__(self, server: Server) -> None:
        self._branch = f"http://127.0.0.1:{server.port}/v1/perimeters/default/projects/trial/branches/main"
        self._over = threading.Event()
        self._answered = [time.monotonic()]
        self.cut_off: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self.registered: list[str] = []
        self.reads = 0

    def run(self, seconds: float, kill: Any) -> None:
        self._register(0)  # which is read from now on
        threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]
        threads += [threading.Thread(target=self._read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, KILLED_EVERY))
            kill()
        self._over.set()
        for thread in threads:
            thread.join()

    def longest_gap(self) -> float:
        """Seconds in which nobody was answered."""
        times = sorted(self._answered)
        return max(after - before for before, after in itertools.pairwise(times))

    def _write(self, writer: int) -> None:
        while not self._over.is_set():
            self._register(writer)

    def _register(self, writer: int) -> None:
        uid = f"i_{secrets.token_hex(10)}"
        task = {"entity_kind": "task", "entity_id": "Flow/1/start/1"}
        body = {"entity_ref": task, "data_asset_kind": "artifact", "id": uid}
        while not self._ask("PATCH", f"data/asset_{writer}", body):
            time.sleep(0.05)
        self.registered.append(uid)

    def _read(self) -> None:
        while not self._over.is_set():
            self.reads += self._ask("GET", "data/asset_0/instances/latest", None)

    def _ask(self, method: str, path: str, body: Any) -> bool:
        try:
            answer = requests.request(method, f"{self._branch}/{path}", json=body, timeout=30)
        except requests.RequestException as error:
            self.cut_off[type(error).__name__] += 1
            return False
        self._answered.append(time.monotonic())
        if not answer.ok:
            self.refused[answer.status_code] += 1
        return answer.ok


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        env = environment(f"sqlite:///{folder}/catalogue.sqlite3", Path(folder), team=False)
        with served(env | {"ASSETSITE_WORKERS": "2"}) as server:
            load, killed = Load(server), []
            load.run(SECONDS, lambda: killed.append(kill_one(server)))
        kept = instances(Path(folder, "catalogue.sqlite3"))
    numbers: dict[int, list[int]] = {}
    for asset, number, _ in kept:
        numbers.setdefault(asset, []).append(number)
    gaps = [asset for asset, found in numbers.items() if sorted(found) != list(range(1, len(found) + 1))]
    whole = sorted(uid for _, _, uid in kept) == sorted(load.registered)
    print(f"{len(killed)} web processes killed in {SECONDS:g} s")
    print(f"{len(load.registered)} registrations acknowledged, {len(kept)} kept; {load.reads} reads")
    print(f"cut off at the client's socket: {dict(load.cut_off)}; answered with an error: {dict(load.refused)}")
    print(f"longest time without an answer to anybody: {load.longest_gap():.2f} s; assets with a gap: {gaps or 'none'}")
    broken = not whole or gaps or load.refused or load.longest_gap() > LONGEST_GAP
    print("Broken." if broken else "Nothing is broken.")
    return 1 if broken else 0


def instances(database: Path) -> list[tuple[int, int, str]]:
    """Asset, number and id of each that was kept."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT asset_id, number, uid FROM catalog_instance").fetchall()


def kill_one(server: Server) -> int:
    """A child that listens; the one that reconciles does not."""
    listening = [
        child
        for child in psutil.Process(server.pid).children()
        if any(connection.status == psutil.CONN_LISTEN for connection in child.net_connections("tcp"))
    ]
    victim = random.choice(listening)  # noqa: S311
    victim.kill()
    return victim.pid


if __name__ == "__main__":
    sys.exit(main())
