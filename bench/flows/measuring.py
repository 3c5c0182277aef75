"""The measurements of the flow side, each in turns with its baseline."""

import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import SMOKE
from bench.flows.reconciling import reconciling
from bench.flows.rows import Row, beside, ms
from bench.flows.running import Cost, artifact, run_flow
from bench.servers import environment, served, sqlite_url

TASKS, ROUNDS, WORKERS = 200, 2, 2
INTERPRETERS, CALLS = (3, 5) if SMOKE else (11, 40)
IMPORT = """
import time, metaflow
begin = time.process_time()
from obproject import ProjectFlow
print(time.process_time() - begin)
"""
MOST_IMPORT = 0.025
MOST_READ = 1.2
MOST_TIME = 1.10
MOST_CPU = 0.045


@dataclass(frozen=True)
class Place:
    """A project's folder, and the site that its flows register with."""

    project: Path
    url: str

    def run(self, flow: str, *options: str) -> Cost:
        return run_flow(flow, self.project, *options, url=self.url)

    def calls(self) -> list[str]:
        """The API requests answered since the last time, each as method and address."""
        answer = requests.get(f"{self.url}/bare/requests", timeout=60).json()
        return [request for request in answer["requests"] if " /v1/" in request]


@contextmanager
def place() -> Iterator[Place]:
    """An empty site in local mode on SQLite, and a project's folder."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        server = stack.enter_context(served(environment(sqlite_url(home / "catalogue.sqlite3"), home, team=False)))
        yield Place(home / "project", f"http://127.0.0.1:{server.port}")


def add_options(parser: ArgumentParser) -> None:
    """Add the options that say how much is measured."""
    parser.add_argument("--tasks", type=int, default=TASKS, help="of the foreach")
    parser.add_argument(
        "--flow-rounds", type=int, default=ROUNDS, help="of the foreach, with and without registrations"
    )


def run(say: Callable[[str], None], *, tasks: int, rounds: int) -> list[Row]:
    """Measure all of it: a foreach of so many tasks in so many rounds, and the rest."""
    say("flows: importing ...")
    rows = [importing()]
    with place() as where:
        say("flows: timing calls ...")
        rows += calling(where)
        say(f"flows: a foreach of {tasks} tasks, {2 * rounds} times ...")
        rows += many_tasks(where, tasks, rounds)
    say("flows: reconciling ...")
    return [*rows, *reconciling()]


def importing() -> Row:
    """The time that our import adds to Metaflow's, in fresh interpreters."""
    command = [sys.executable, "-c", IMPORT]
    taken = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(INTERPRETERS + 1)]
    extra = statistics.median(taken[1:])
    name = "processor time of `from obproject import ProjectFlow`, after `import metaflow`"
    return Row(name, f"at most {MOST_IMPORT * 1000:.0f} ms", ms(extra), extra <= MOST_IMPORT)


def calling(where: Place) -> Iterator[Row]:
    """The requests and the time of one call."""
    where.calls()
    where.run("calls", "--calls", str(CALLS))
    yield from requests_of_calls(where.calls())
    taken = artifact(where.project, "CallsFlow", "timed", "seconds")
    seconds = {name: statistics.median(times) for name, times in taken.items()}
    yield Row("`register_data`, beside a bare PATCH", "", beside(seconds["register_data"], seconds["PATCH"]))
    own = seconds["Task"] + seconds["PUT"]
    ratio = seconds["get_data"] / own
    measured = f"{ratio:.2f} ({beside(seconds['get_data'], own)})"
    name = "`get_data` of a small artifact, of Metaflow's `Task(…)[name].data` and a bare PUT"
    yield Row(name, f"at most {MOST_READ}", measured, ratio <= MOST_READ)


def requests_of_calls(sent: list[str]) -> Iterator[Row]:
    made = CALLS + 1  # the first of them is not timed
    registrations = sum(request.startswith("PATCH ") and request.endswith("/data/made") for request in sent)
    yield Row("requests of a `register_data`", "1", f"{registrations / made:g}", registrations == made)
    # The task before it has registered as well.
    confirmations = sum(request.endswith("/confirmations") for request in sent) - 1
    yield Row(f"confirmations of a task that registers {made} times", "1", str(confirmations), confirmations == 1)


def many_tasks(where: Place, tasks: int, rounds: int) -> Iterator[Row]:
    """A foreach of many tasks that register, and the same without us."""
    costs: dict[str, list[Cost]] = {"plain": [], "registering": []}
    options = ("--tasks", str(tasks), "--max-workers", str(WORKERS), "--max-num-splits", str(tasks))
    where.calls()
    for turn in range(rounds):
        for flow in costs if turn % 2 else reversed(costs):
            costs[flow].append(where.run(flow, *options))
    sent = len(where.calls()) / tasks / rounds
    wall = {flow: sum(cost.wall for cost in times) / rounds for flow, times in costs.items()}
    cpu = {flow: sum(cost.cpu for cost in times) / rounds / tasks for flow, times in costs.items()}
    ratio, extra = wall["registering"] / wall["plain"], cpu["registering"] - cpu["plain"]
    name = f"a foreach of {tasks} tasks that register, on {WORKERS} workers, of the same on FlowSpec"
    took = f"{ratio:.2f} ({wall['registering']:.1f} s, {wall['plain']:.1f} s)"
    yield Row(name, f"at most {MOST_TIME}", took, ratio <= MOST_TIME)
    used = f"{ms(extra)} ({beside(cpu['registering'], cpu['plain'])})"
    yield Row("processor time of such a task, on top", f"at most {MOST_CPU * 1000:.0f} ms", used, extra <= MOST_CPU)
    yield Row("requests of such a task", "2", f"{sent:g}", sent == 2)
