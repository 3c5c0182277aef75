"""Eight people filter an asset of 300,000 instances for what it has not, again and again; on both databases.

Meanwhile a flow asks for `latest` ten times a second: the median stays below 100 ms. Whatever takes longer than the
limit of pages, or of calls, is stopped with a sentence. `python -m bench.trials.worst_filters [INSTANCES [SECONDS]]`
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests

from bench.servers import CHECKOUT, sqlite_url
from bench.trials.postgresql import postgresql
from bench.trials.promises import verdict
from bench.trials.site import Site, served_site
from bench.trials.writers import ASSET, register

INSTANCES, SECONDS = 300_000, 30.0
PEOPLE = 8
MOST = 0.1
PAGE = "default/trial/main/data/rows"
FILTERS = (
    "annotation=rows>=2",
    "text=nothing+has+this",
    "tag=env=prod",
    "annotation=other=1&tag=env=prod&text=nothing",
    "producer=OtherFlow",
    "annotation=rows!=1",
    "kind=artifact&annotation=none>1",
    "text=zz&annotation=rows<0",
)


def main(instances: int = INSTANCES, seconds: float = SECONDS) -> int:
    promises: dict[str, bool] = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = {"SQLite": sqlite_url(home / "c.sqlite3"), "PostgreSQL": stack.enter_context(postgresql()).url}
        for name, url in databases.items():
            (home / name).mkdir()
            with served_site(url, home / name) as site:
                register(site.url, 3, 1)
                growing = [sys.executable, "-m", "bench.trials.growing", str(instances)]
                subprocess.run(growing, cwd=CHECKOUT, env=site.env, check=True)
                promises |= trial(name, site, seconds)
    return verdict(promises)


def trial(name: str, site: Site, seconds: float) -> dict[str, bool]:
    alone = latest(site, 3.0)
    end = time.monotonic() + seconds
    pages: list[tuple[str, float]] = []
    with ThreadPoolExecutor(PEOPLE) as people:
        for number in range(PEOPLE):
            people.submit(person, site, number, end, pages)
        time.sleep(2)
        beside = latest(site, seconds - 2)
    slowest, answers = max(took for _, took in pages), Counter(answer for answer, _ in pages)
    print(
        f"{name}: latest alone {ms(statistics.median(alone))}; beside {PEOPLE} people median "
        f"{ms(statistics.median(beside))}, 95 % {ms(sorted(beside)[int(len(beside) * 0.95)])}, most {ms(max(beside))}; "
        f"pages: {dict(answers)}, the slowest took {slowest:.1f} s"
    )
    return {
        f"{name}: beside the worst filters, the median of latest is below {ms(MOST)}": statistics.median(beside) < MOST,
        f"{name}: pages are answered or stopped, and nothing else": {answer for answer, _ in pages}
        <= {"200", "stopped"},
        f"{name}: no traceback in the log": site.tracebacks() == 0,
    }


def latest(site: Site, seconds: float) -> list[float]:
    """The seconds that each answer took."""
    took: list[float] = []
    end = time.monotonic() + seconds
    with requests.Session() as session:
        while time.monotonic() < end:
            begin = time.monotonic()
            session.get(f"{site.url}/{ASSET}/instances/latest", timeout=60).raise_for_status()
            took.append(time.monotonic() - begin)
            time.sleep(0.1)
    return took


def person(site: Site, number: int, end: float, pages: list[tuple[str, float]]) -> None:
    with requests.Session() as session:
        while (begin := time.monotonic()) < end:
            page = session.get(f"{site.url}/{PAGE}?{FILTERS[number % len(FILTERS)]}", timeout=300)
            stopped = page.status_code == 503 and "This was stopped after" in page.text
            pages.append(("stopped" if stopped else str(page.status_code), time.monotonic() - begin))


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main(*[int(argument) for argument in sys.argv[1:]]))
