"""Strangers who try passwords as fast as they are answered: is the site there for others, and what do they learn?

In team mode on SQLite with two processes: 30 of them at one address, then each at an address of its own (as a trusted
proxy tells it). Prints how long pages and flows' calls take before and meanwhile, and how many passwords were checked;
then how long one failure takes for the name of an account, of none, of a closed account and of one without a password.
It fails if a request of somebody else fails, or if one in twenty takes more than three seconds and four times as long
as before; or if the medians of two kinds of names differ by more than a fifth.
"""

import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import requests

from bench.load import Sample, measure, message
from bench.seed import ASSETS
from bench.servers import CHECKOUT, Server, environment, seeded, served, sqlite_url
from bench.workload import MAIN, api

STRANGERS = 30
SECONDS = 8.0
UPPER, TIMES = 2.0, 4.0
TRIES, APART = 11, 0.2
NAMES = {"an account": "known", "none": "nobody", "closed": "closed", "without a password": "bot"}
ACCOUNTS = """
from django.contrib.auth.models import User
User.objects.create_user("known", password="correct horse battery")
User.objects.create_user("closed", password="correct horse battery", is_active=False)
User.objects.create_user("bot")
"""
addresses = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in count(1))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        env = environment(sqlite_url(Path(folder) / "catalogue.sqlite3"), Path(folder), team=True)
        env["ASSETSITE_TRUST_PROXY"] = "true"
        seeded({"small": env})
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", ACCOUNTS]
        subprocess.run(command, cwd=CHECKOUT, env=env, check=True)
        with served(env) as server:
            before = asked(server)
            broken = beside(server, "at one address", before, lambda: "192.0.2.7")
            broken += beside(server, "each at its own", before, lambda: next(addresses))
            broken += told_apart(server)
    print(f"Broken: {', '.join(broken)}" if broken else "Nothing is broken.")
    return 1 if broken else 0


def beside(server: Server, where: str, before: dict[str, Sample], address: Callable[[], str]) -> list[str]:
    """What was too slow for others."""
    broken = []
    with guessing(server, address) as answers:
        meanwhile = asked(server)
    checked, refused = answers[200] / (2 * SECONDS), answers[429] / (2 * SECONDS)
    print(f"{STRANGERS} strangers {where}: {checked:.1f} passwords a second checked, {refused:.0f} refused with 429")
    for name, now in meanwhile.items():
        was = before[name]
        print(
            f"  {name:6} median {1000 * was.p50:6.1f} -> {1000 * now.p50:6.1f} ms"
            f"   95 % within {1000 * was.p95:6.1f} -> {1000 * now.p95:6.1f} ms",
            flush=True,
        )
        if now.p95 > max(UPPER, TIMES * was.p95):
            broken.append(f"{name} beside strangers {where}")
    if set(answers) - {200, 429}:
        broken.append(f"answers to strangers {where}: {dict(answers)}")
    return broken


@contextmanager
def guessing(server: Server, address: Callable[[], str]) -> Iterator[Counter[int]]:
    """Strangers at work, each name once; counts the statuses of their answers."""
    answers: Counter[int] = Counter()
    over = threading.Event()

    def stranger() -> None:
        while not over.is_set():
            answers[fail(server, secrets.token_hex(8), address())] += 1
            time.sleep(0.02)  # this process needs some of the processors, too

    threads = [threading.Thread(target=stranger) for _ in range(STRANGERS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def fail(server: Server, name: str, address: str) -> int:
    """Try a wrong password; answer the status. The form's token is what the made-up cookie says."""
    token = "a" * 32
    answer = requests.post(
        f"http://127.0.0.1:{server.port}/sign-in",
        data={"username": name, "password": "wrong", "csrfmiddlewaretoken": token},
        headers={"X-Forwarded-For": address, "Cookie": f"assetsite_csrf={token}"},
        timeout=60,
    )
    return answer.status_code


def told_apart(server: Server) -> list[str]:
    """Whether the time of an answer tells which accounts there are."""
    times: dict[str, list[float]] = {kind: [] for kind in NAMES}
    for _ in range(TRIES):
        for kind, name in NAMES.items():
            begin = time.perf_counter()
            fail(server, name, next(addresses))
            times[kind].append(time.perf_counter() - begin)
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    print("One failure: " + ", ".join(f"{kind} {1000 * median:.0f} ms" for kind, median in medians.items()))
    return ["names are told apart"] if max(medians.values()) > (1 + APART) * min(medians.values()) else []


def asked(server: Server) -> dict[str, Sample]:
    """One client asks, for so many seconds each."""
    paths = {"latest": api("main", ASSETS[0], "/instances/latest"), "page": MAIN}
    calls = {name: [message("GET", path, server.program)] for name, path in paths.items()}
    return {name: measure(server.port, call, 1, SECONDS) for name, call in calls.items()}


if __name__ == "__main__":
    sys.exit(main())
