"""Metaflow's commands for a flow of a project: with which options, in which folder, with which settings they run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from obproject.branches import branch_key, is_main
from obproject.json_types import Json


class DeployerError(Exception):
    """An orchestrator refused, or can't be reached; the message has what Metaflow printed."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and where it runs."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is set beside this process's own environment."""

    def __str__(self) -> str:
        return shlex.join(("python", *self.arguments[1:]) if self.arguments[0] == sys.executable else self.arguments)

    @property
    def document(self) -> Json:
        """The command for programs."""
        environment = dict(self.environment)
        return {"command": list(self.arguments), "folder": str(self.folder), "environment": environment}

    def run(self) -> str:
        """Run the program to its end and return what it printed as its result; raise DeployerError if it failed."""
        try:
            done = subprocess.run(  # noqa: S603 - Metaflow's command, or the one that the project names
                self.arguments,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise DeployerError(f"{self.arguments[0]} can't be run: {error.strerror}") from error
        if done.returncode:
            raise DeployerError((done.stderr + done.stdout).strip() or f"it ended with exit code {done.returncode}")
        return done.stdout


@dataclass(frozen=True)
class DeployableFlow:
    """One flow with all that its commands need."""

    name: str
    project: str
    branch: str
    """The git name of the branch."""
    file: Path
    configs: Mapping[str, Path]
    """Files of the flow's Configs, but for the project spec."""
    config_names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    package_suffixes: str | None = None
    environment: str | None = None
    """Metaflow's ``--environment``."""
    environment_of_runs: str | None = None
    """The same for runs by hand, which take the packages of ``pyproject.toml`` from where they are started."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, spec_file: Path, *arguments: str) -> Command:
        """Return the flow's command with these arguments, on its branch and with a project spec."""
        options = _config_options({"project_spec": spec_file, **self.configs})
        if self.package_suffixes:
            options.append(f"--package-suffixes={self.package_suffixes}")
        if self.environment:
            options.append(f"--environment={self.environment}")
        parts = (sys.executable, self.file.name, *branch_options(self.branch), *options, *arguments)
        return Command(parts, self.file.parent, self.variables)

    def run_by_hand(self, root: Path, spec_file: Path) -> Command:
        """Return the command that runs the flow on this machine, as deployed, in the folder of its project."""
        left_out = {"project_config"} if self.environment_of_runs else {"project_config", "project_deps"}
        configs = {"project_spec": spec_file, **self.configs}
        options = _config_options(
            {name: path.relative_to(root) for name, path in configs.items() if name not in left_out}
        )
        if self.environment_of_runs:
            options.append(f"--environment={self.environment_of_runs}")
        parts = (sys.executable, self.file.relative_to(root).as_posix(), *options, "run")
        return Command(parts, root, self.variables)

    @property
    def tag_options(self) -> tuple[str, ...]:
        """The tags as options of the orchestrators' commands."""
        return tuple(part for tag in self.tags for part in ("--tag", tag))


def _config_options(configs: Mapping[str, Path]) -> list[str]:
    return [part for name, path in configs.items() for part in ("--config", name, str(path))]


def branch_options(branch: str) -> tuple[str, ...]:
    """Return the options that give Metaflow's ``@project`` its branch."""
    return ("--production",) if is_main(branch) else ("--branch", branch_key(branch))
