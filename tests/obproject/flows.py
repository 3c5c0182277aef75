"""Runs flows with Metaflow, in a folder of their own, against a catalogue."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.places import CHECKOUT
from tests.warmed import python_for

_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class FlowRun:
    ok: bool
    output: str
    folder: Path

    @property
    def run_id(self) -> str:
        """Id of the folder's newest run."""
        flow = next(found for found in (self.folder / ".metaflow").iterdir() if found.name.endswith("Flow"))
        return (flow / "latest_run").read_text()

    @property
    def started(self) -> str:
        """Id of the very run, from its output."""
        return self.output.partition("run-id ")[2].partition(")")[0]

    def said(self) -> list[str]:
        """The lines that this package printed in tasks, without Metaflow's time and task in front."""
        return [
            "assetsite: " + line.split("assetsite: ", 1)[1]
            for line in self.output.splitlines()
            if "assetsite: " in line
        ]


def write_flow(folder: Path, source: str, project_toml: str = 'project = "tryout"\n') -> None:
    (folder / "obproject.toml").write_text(project_toml)
    (folder / "flow.py").write_text(dedent(source))


def run_flow(
    folder: Path,
    url: str | None,
    *options: str,
    command: str = "run",
    after: tuple[str, ...] = (),
    settings: dict[str, str] | None = None,
) -> FlowRun:
    """Run or resume ``flow.py`` of a folder as user alice; ``options`` stand before the command, ``after`` behind."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | (settings or {})
    env |= {"PYTHONPATH": str(CHECKOUT), "METAFLOW_USER": "alice", "METAFLOW_HOME": str(folder / "no-configuration")}
    if url:
        env["ASSETSITE_URL"] = url
    done = subprocess.run(
        [python_for(env), "flow.py", "--no-pylint", *options, command, *after],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return FlowRun(done.returncode == 0, done.stdout, folder)
