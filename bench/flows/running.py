"""Runs the flows of this folder, each in a project's folder with nothing else configured."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.servers import CHECKOUT

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Cost:
    """Seconds: how long a run took, and the processor time of all its processes."""

    wall: float
    cpu: float


def run_flow(flow: str, project: Path, *options: str, url: str = "") -> Cost:
    """Run a flow to its end; `project` is the folder that it runs in, and is made where it is missing."""
    project.mkdir(exist_ok=True)
    (project / "obproject.toml").write_text('project = "bench"\n')
    command = [sys.executable, str(HERE / f"{flow}.py"), "--no-pylint", "run", *options]
    before, begin = _processor_time(), time.perf_counter()
    done = subprocess.run(command, cwd=project, env=_environment(project, url), capture_output=True, text=True)
    cost = Cost(time.perf_counter() - begin, _processor_time() - before)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return cost


def _environment(project: Path, url: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    ours = {"METAFLOW_USER": "bench", "METAFLOW_HOME": str(project), "PYTHONPATH": str(CHECKOUT)}
    return kept | ours | ({"ASSETSITE_URL": url} if url else {})


def _processor_time() -> float:
    """The seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def artifact(project: Path, flow: str, step: str, name: str) -> Any:
    """Return an artifact of the newest run of a flow, as JSON holds it."""
    read = "import json, sys; from metaflow import Flow, namespace; namespace(None); flow, step, name = sys.argv[1:]; "
    read += "print(json.dumps(next(iter(Flow(flow)))[step].task[name].data))"
    command = [sys.executable, "-c", read, flow, step, name]
    done = subprocess.run(
        command, cwd=project, env=_environment(project, ""), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)
