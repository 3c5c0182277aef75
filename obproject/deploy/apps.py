"""Apps of a project: what is below ``deployments/``, and the commands that deploy it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from obproject.branches import check_asset_id
from obproject.deploy.metaflow_commands import Command
from obproject.project.checked_toml import Problem
from obproject.project.definitions import DEPLOY_FILE, read_deploy_rule


@dataclass(frozen=True)
class App:
    """One app."""

    name: str
    command: tuple[str, ...]
    """The program that deploys it, with its arguments; empty if it is only declared."""
    config: str | None
    """Its configuration file for this environment, relative to the project."""

    def deploy_command(self, root: Path, variables: Mapping[str, str]) -> Command:
        """Return the command, which learns where the app belongs from its environment."""
        config = {"OB_DEPLOYMENT_CONFIG": self.config} if self.config else {}
        return Command(self.command, root, {**variables, "ASSETSITE_DEPLOYMENT": self.name, **config})


def read_apps(root: Path, git_branch: str, config_name: str, problems: list[Problem]) -> list[App]:
    """Return the apps that are deployed from a branch, by folder name; what is wrong goes to ``problems``."""
    return list(_read_all(root, git_branch, config_name, problems))


def _read_all(root: Path, git_branch: str, config_name: str, problems: list[Problem]) -> Iterator[App]:
    for folder in sorted(path for path in root.glob("deployments/[!._]*") if path.is_dir()):
        source = folder.relative_to(root).as_posix()
        rule = read_deploy_rule(root, folder, problems)
        if not rule.admits(git_branch):
            continue
        try:
            check_asset_id(folder.name)
        except ValueError:
            problems.append(Problem(source, "", "found a folder name that can't name a deployment: use letters and _"))
        if rule.command and not _can_run(root, rule.command[0]):
            found = f"found {rule.command[0]!r}, expected a program on the PATH or a file of the project"
            problems.append(Problem(f"{source}/{DEPLOY_FILE}", "[deploy] key 'command'", found))
        yield App(folder.name, rule.command, _config_of(root, folder, config_name))


def _can_run(root: Path, program: str) -> bool:
    # A name with a folder is looked up where the command runs.
    return shutil.which(str(root / program) if "/" in program else program) is not None


def _config_of(root: Path, folder: Path, name: str) -> str | None:
    """Return an app's configuration file; ``.yml`` and ``.yaml`` are one."""
    wanted = folder / name
    other = wanted.with_suffix({".yml": ".yaml", ".yaml": ".yml"}.get(wanted.suffix, wanted.suffix))
    found = next((path for path in (wanted, other) if path.is_file()), None)
    return found.relative_to(root).as_posix() if found else None
