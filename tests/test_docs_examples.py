"""The examples of the docs are run: by Metaflow, against a really served site."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from metaflow.runner.utils import format_flowfile

from tests.conftest import Site
from tests.docs_examples import DOCS, FLOW_OF_STEPS, OK, Example, Place, examples_of, keep_examples, results_in
from tests.obproject.flows import FlowRun, run_flow, write_flow
from tests.places import CHECKOUT
from tests.warmed import python_for

pytestmark = pytest.mark.flows

PROJECTS = {"prj.md": "weather", "flows.md": "comics", "moving.md": "fraud"}
EXAMPLES = {page: examples_of(page) for page in PROJECTS}
ON_MAIN = ("--config-value", "project_spec", json.dumps({"branch_name": "main"}))
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


def run(folder: Path, env: dict[str, str], *command: str) -> tuple[bool, str]:
    """Run Python in a folder; return whether it went well, and what it said."""
    env = env | {"METAFLOW_HOME": str(folder / "no-configuration")}
    done = subprocess.run(
        [python_for(env), *command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode == 0, done.stdout


def run_page(page: str, folder: Path, env: dict[str, str]) -> dict[str, str]:
    """Run the steps and scripts of a page; return what became of each."""
    write_flow(folder, FLOW_OF_STEPS, f'project = "{PROJECTS[page]}"\n')
    keep_examples(EXAMPLES[page], folder)
    _, flow_said = run(folder, env, "flow.py", "--no-pylint", *ON_MAIN, "run")
    _, scripts_said = run(folder, env, "-m", "tests.docs_examples")
    unrun = {
        one.name: f"did not run\n{flow_said}\n{scripts_said}" for one in EXAMPLES[page] if one.place is not Place.FLOW
    }
    return unrun | results_in(folder)


def run_alone(page: str, example: Example, folder: Path, env: dict[str, str]) -> dict[str, str]:
    """Run an example that is a flow of its own, in a project of its own: it runs at the same time as the page."""
    start = f'\n\nif __name__ == "__main__":\n    {example.flow_name}()\n'
    write_flow(folder, example.code + start, f'project = "{PROJECTS[page]}_alone"\n')
    went_well, output = run(folder, env, "flow.py", "--no-pylint", *ON_MAIN, "run")
    return {example.name: OK if went_well else output}


class Webhook(BaseHTTPRequestHandler):
    """Argo Events, as far as a publisher sees it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def webhook() -> Iterator[str]:
    """The address of a webhook for events."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


Results = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def results(served: Site, webhook: str, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of the examples of a page, by their names."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {"PYTHONPATH": str(CHECKOUT), "METAFLOW_USER": "alice", "ASSETSITE_URL": served.url}
    env |= {"METAFLOW_ARGO_EVENTS_WEBHOOK_URL": webhook}
    new_folder = partial(tmp_path_factory.mktemp, "examples")

    @cache
    def results(page: str) -> dict[str, str]:
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(run_page, page, new_folder(), env)]
            alone = [one for one in EXAMPLES[page] if one.place is Place.FLOW]
            jobs += [pool.submit(run_alone, page, one, new_folder(), env) for one in alone]
        found: dict[str, str] = {}
        for job in jobs:
            found |= job.result()
        return found

    return results


NAMES = [(page, one.name) for page, examples in EXAMPLES.items() for one in examples]


@pytest.mark.long
@pytest.mark.parametrize(("page", "name"), NAMES)
def test_fault_56_an_example_of_the_docs_runs(results: Results, page: str, name: str) -> None:
    assert results(page)[name] == OK, f"docs/{name}\n{results(page)[name]}"


# The quick start

QUICKSTART = (DOCS / "quickstart.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def test_metaflow_finds_the_flow_of_a_notebook_in_its_cell() -> None:
    """That it then runs is what the test above says of the same example."""
    [cell] = [one.code for one in EXAMPLES["flows.md"] if "NBRunner" in one.code]
    assert format_flowfile(cell + "\nrun = NBRunner(NotebookFlow).nbrun()").endswith("NotebookFlow()")


def block(language: str) -> str:
    """The only block of a language on the page."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", QUICKSTART, re.MULTILINE | re.DOTALL)
    return found


def edited(*signs: str) -> str:
    """The flow of the page, of the lines that have one of these signs in front."""
    return "".join(
        line[1:] for line in block("diff").splitlines(keepends=True) if (line[0] if line.strip() else " ") in signs
    )


@pytest.fixture(scope="module")
def quickstarted(served: Site, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """A run of the page's flow, after its three edits."""
    folder = tmp_path_factory.mktemp("quickstart")
    write_flow(folder, edited(" ", "+"), block("toml"))
    return run_flow(folder, served.url)


def test_the_flow_of_the_quick_start_is_a_plain_one_before_the_edits() -> None:
    before = ast.parse(edited(" ", "-"))
    assert "obproject" not in ast.dump(before)
    assert edited(" ", "-").startswith("from metaflow import FlowSpec, step\n")


def test_the_edited_flow_of_the_quick_start_runs_and_says_what_the_page_shows(
    quickstarted: FlowRun, served: Site
) -> None:
    assert quickstarted.ok, quickstarted.output
    shown = (
        block("text").replace(ADDRESS, served.url).replace("user.ada", "user.alice").replace("user_ada", "user_alice")
    )
    assert [line for line in shown.splitlines() if line not in quickstarted.said()] == []


def test_what_the_quick_start_registers_is_there_with_its_producer_and_consumer(
    quickstarted: FlowRun, served: Site
) -> None:
    branch = f"{served.url}/v1/perimeters/default/projects/my_project/branches/user_alice"
    asset = requests.get(f"{branch}/data/points", timeout=10).json()
    assert [one["ref"] for one in asset["recent_instances"]] == ["v1"]
    [produced], [consumed] = asset["recently_produced_by"], asset["recently_consumed_by"]
    assert produced["entity_ref"]["entity_id"].startswith("TrainFlow/")
    assert "/train/" in consumed["entity_ref"]["entity_id"]
