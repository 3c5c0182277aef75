"""500 clients that send half a body, and 500 that read their answers a byte at a time: is the site there for others?

In local mode (four threads for pages, SQLite) and in team mode (two processes), where the half-sent bodies are those of
nobody who has signed in. Prints how long probes, pages and flows' calls take before and meanwhile; it fails if one of
them fails, or if the slowest one in twenty takes more than a second and three times as long as before.
"""

import sys
import tempfile
import time
from pathlib import Path

from bench.load import Sample, measure, message
from bench.seed import ASSETS
from bench.servers import Server, environment, seeded, served
from bench.trials.crowd import half_sent, slow_readers
from bench.workload import MAIN, api

COUNT = 500
SECONDS = 6.0
"""For each kind of request; the bodies are half-sent for longer than the 10 and the 30 seconds that they may take."""

UPPER = 1.0
TIMES = 3.0
LARGE = f"{MAIN}/lineage.json"


def main() -> int:
    broken = []
    for mode in ("local", "team"):
        with tempfile.TemporaryDirectory() as folder:
            env = environment(f"sqlite:///{folder}/catalogue.sqlite3", Path(folder), team=mode == "team")
            seeded({"small": env})
            with served(env) as server:
                broken += trial(mode, server)
    print(f"Broken: {', '.join(broken)}" if broken else "Nothing is broken.")
    return 1 if broken else 0


def trial(mode: str, server: Server) -> list[str]:
    """What was too slow."""
    print(f"\n{mode} mode, {COUNT} at once (memory {server.memory() >> 20} MB)", flush=True)
    before = asked(server)
    with half_sent(server.port, half_a_body(mode), COUNT):
        broken = told(mode, "half-sent bodies", before, asked(server))
    begin = time.monotonic()
    with slow_readers(server.port, message("GET", LARGE, server.program), COUNT):
        print(
            f"  (slow readers were answered after {time.monotonic() - begin:.0f} s, memory {server.memory() >> 20} MB)"
        )
        broken += told(mode, "slow readers", before, asked(server))
    return broken


def half_a_body(mode: str) -> bytes:
    """In team mode of a stranger, who has made up the cookie that lets the form be read."""
    call = (f"PATCH {api('main', ASSETS[0])} HTTP/1.1", "Content-Type: application/json")
    cookie = f"Cookie: assetsite_csrf={'a' * 32}"
    form = ("POST /sign-in HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", cookie)
    lines = [*(call if mode == "local" else form), "Host: 127.0.0.1", "Content-Length: 1000", "", "x"]
    return "\r\n".join(lines).encode()


def asked(server: Server) -> dict[str, Sample]:
    """One client asks, for so many seconds each."""
    latest = api("main", ASSETS[0], "/instances/latest")
    paths = {"livez": "/livez", "healthz": "/healthz", "latest": latest, "page": MAIN}
    asked = {name: [message("GET", path, server.program)] for name, path in paths.items()}
    return {name: measure(server.port, requests, 1, SECONDS) for name, requests in asked.items()}


def told(mode: str, crowd: str, before: dict[str, Sample], meanwhile: dict[str, Sample]) -> list[str]:
    broken = []
    for name, sample in meanwhile.items():
        was, now = before[name], sample
        print(
            f"  {crowd:17} {name:8} median {1000 * was.p50:6.1f} -> {1000 * now.p50:6.1f} ms"
            f"   95 % within {1000 * was.p95:6.1f} -> {1000 * now.p95:6.1f} ms",
            flush=True,
        )
        if now.p95 > UPPER and now.p95 > TIMES * was.p95:
            broken.append(f"{name} beside {crowd} in {mode} mode")
    return broken


if __name__ == "__main__":
    sys.exit(main())
