"""``obproject doctor``: what is configured, does it work, and which branches it leads to."""

from __future__ import annotations

import argparse
import platform
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from obproject.branches import BranchChoice, branch_key, resolve_branches
from obproject.commands.next_steps import next_steps
from obproject.commands.place import find_project, project_file_here
from obproject.commands.result import CommandError, CommandResult
from obproject.commands.sources import describe_settings
from obproject.commands.tables import one_line
from obproject.connection import Connection
from obproject.errors import AssetError
from obproject.json_types import Json
from obproject.project.checked_toml import DefinitionError
from obproject.project.definitions import read_project
from obproject.project.place import PlaceUnknown, ProjectFile, SourcedName, deployed_branch
from obproject.settings import HOW_TO_CONFIGURE, find_settings
from obproject.shipping import LOOPBACK

if TYPE_CHECKING:
    from obproject.settings import Settings

PACKAGE = "assetsite-client"
_OTHER_CLIENT = "ob-project-utils"
_PLUGIN = "assetsite_task"

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    subject: str
    status: Status
    message: str
    next_step: str = ""
    """What to do about it, unless the message says so itself."""

    def __str__(self) -> str:
        line = f"{self.status:<8} {self.subject:<11} {one_line(self.message)}"
        return f"{line}\n{'':>20} -> {one_line(self.next_step)}" if self.next_step else line


@dataclass
class Report:
    """All that was looked at."""

    checks: list[Check] = field(default_factory=list)

    def ok(self, subject: str, message: str) -> None:
        """Note what is as it should be."""
        self.checks.append(Check(subject, "ok", message))

    def warning(self, subject: str, message: str, next_step: str = "") -> None:
        """Note what works and may yet surprise."""
        self.checks.append(Check(subject, "warning", message, next_step))

    def problem(self, subject: str, message: str, next_step: str = "") -> None:
        """Note what does not work."""
        self.checks.append(Check(subject, "problem", message, next_step))

    @property
    def healthy(self) -> bool:
        """Whether there is no problem."""
        return all(check.status != "problem" for check in self.checks)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``obproject doctor`` takes beside the shared options: nothing."""
    parser.set_defaults(run=examine)


def examine(options: argparse.Namespace) -> CommandResult:
    """Look at everything that a flow depends on here."""
    report, steps = Report(), None
    _check_packages(report)
    if _check_metaflow(report):
        file = _check_project(report, options)
        settings = _check_settings(report, options, file)
        grant = _check_server(report, settings) if settings and settings.url else None
        _check_local_run(report, file, grant)
        _check_deploy(report, options, file, grant)
        if settings:
            steps = next_steps(settings, _project_named(options, file), file, answers=grant is not None)
    counts = {status: sum(check.status == status for check in report.checks) for status in ("problem", "warning")}
    summary = ", ".join(f"{count} {status}{'s' * (count != 1)}" for status, count in counts.items())
    document = {"ok": report.healthy, "checks": [asdict(check) for check in report.checks]}
    lines = [*map(str, report.checks), summary]
    if steps:
        document |= steps.document
        lines += ["", str(steps)]
    return CommandResult(document, "\n".join(lines), ok=report.healthy)


# What is installed


def _check_packages(report: Report) -> None:
    found = [f"{name} {_installed(name) or 'not installed'}" for name in (PACKAGE, "metaflow", "requests")]
    report.ok("packages", f"{', '.join(found)}, Python {platform.python_version()}")
    if _installed(_OTHER_CLIENT):
        report.problem(
            "packages",
            f"{_OTHER_CLIENT} is installed too, and both bring a package obproject.",
            f"Uninstall {_OTHER_CLIENT}, then reinstall {PACKAGE}.",
        )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _check_metaflow(report: Report) -> bool:
    """Say whether Metaflow can be loaded, and what it is configured for."""
    try:
        from metaflow import metaflow_config, plugins
    except Exception as error:  # whatever a broken configuration makes of it
        report.problem("metaflow", f"Metaflow can't be loaded: {error}", "Correct its configuration or reinstall it.")
        return False
    storage = metaflow_config.DEFAULT_DATASTORE
    root = getattr(metaflow_config, f"DATASTORE_SYSROOT_{storage.upper()}", None)
    where = f" at {root}" if root else ", in .metaflow of the present folder or above" if storage == "local" else ""
    report.ok("metaflow", f"datastore {storage}{where}; metadata {metaflow_config.DEFAULT_METADATA}")
    if any(decorator.name == _PLUGIN for decorator in plugins.STEP_DECORATORS):
        report.ok("plug-in", "Metaflow has loaded what follows the tasks of a ProjectFlow.")
    else:
        report.problem("plug-in", "Metaflow does not know its part of this package.", f"Reinstall {PACKAGE}.")
    return True


# What is configured


def _check_project(report: Report, options: argparse.Namespace) -> ProjectFile:
    try:
        file = project_file_here()
    except PlaceUnknown as error:
        report.problem("project", str(error))
        return ProjectFile(Path.cwd())
    problems = _problems_of(file)
    for problem in problems:
        report.problem("project", problem, "Correct the file; nothing is deployed before.")
    if not problems:
        _check_project_name(report, options, file)
    return file


def _check_project_name(report: Report, options: argparse.Namespace, file: ProjectFile) -> None:
    try:
        report.ok("project", str(find_project(options, file)))
    except CommandError as error:
        report.warning("project", str(error))


def _project_named(options: argparse.Namespace, file: ProjectFile) -> str | None:
    try:
        return find_project(options, file).name
    except CommandError:
        return None


def _problems_of(file: ProjectFile) -> list[str]:
    try:
        if file.path:
            read_project(file.path.parent)
    except DefinitionError as error:
        return [str(problem) for problem in error.problems]
    return []


def _check_settings(report: Report, options: argparse.Namespace, file: ProjectFile) -> Settings | None:
    in_project = file.text("perimeter")
    try:
        settings = find_settings(perimeter=options.perimeter, project_perimeter=in_project)
    except AssetError as error:
        report.problem("settings", str(error))
        return None
    named_by = file.path if in_project else None
    for found in describe_settings(settings, perimeter_option=options.perimeter, project_file=named_by):
        report.ok("settings", f"{found.name}: {found.value} ({found.source})")
    if settings.url is None:
        report.problem("server", "No catalogue is configured, so flows publish nothing.", HOW_TO_CONFIGURE)
    elif settings.headers and _travels_in_the_clear(settings.url):
        report.warning("server", "The token travels unencrypted over http.", "Use the catalogue's https address.")
    return settings


def _travels_in_the_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK


# What the server says


def _check_server(report: Report, settings: Settings) -> Json | None:
    """Ask the server who is calling; return what that caller may do in the perimeter, None if that is nothing."""
    connection = Connection(replace(settings, retries=0))
    try:
        connection.request("GET", "/healthz", about="asking whether the catalogue is well")
        report.ok("server", f"{settings.url} answers.")
        me = connection.request("GET", "/v1/me", about="asking who the token belongs to")
    except AssetError as error:
        report.problem("server", str(error))
        return None
    if not isinstance(me.get("perimeters"), list):
        report.problem("server", f"{settings.url} is no catalogue.", "Set ASSETSITE_URL to the catalogue's address.")
        return None
    return _check_grant(report, settings.perimeter, me)


def _check_grant(report: Report, perimeter: str, me: Json) -> Json | None:
    user, mode = me.get("user") or "nobody", me.get("mode")
    grant: Json | None = next((found for found in me["perimeters"] if found["perimeter"] == perimeter), None)
    if grant is None:
        visible = ", ".join(found["perimeter"] for found in me["perimeters"]) or "none"
        report.problem(
            "identity",
            f"{user} ({mode} mode) has no role in the perimeter {perimeter!r}; perimeters to see: {visible}.",
            "Set ASSETSITE_TOKEN to a token of the perimeter, or ASSETSITE_PERIMETER to one of those.",
        )
        return None
    limits = f", writes to branches {', '.join(grant['branches'])} only" if grant["branches"] else ""
    report.ok("identity", f"{user} ({mode} mode), {grant['role']} in the perimeter {perimeter!r}{limits}")
    return grant


# Where that leads


def _check_local_run(report: Report, file: ProjectFile, grant: Json | None) -> None:
    from metaflow.util import get_username

    user = get_username()
    if not user:
        report.problem("local run", "Metaflow does not know who runs flows here.", "Set METAFLOW_USER to your name.")
        return
    branches = _resolve(report, file, metaflow_branch=f"user.{user}")
    if branches is None:
        return
    if _may_write(grant, branches.write):
        report.ok("local run", f"A local run {_use(branches)}.")
    else:
        report.problem(
            "local run",
            f"A local run {_use(branches)}, which this token may not write.",
            "Ask an admin of the perimeter for a token that may.",
        )


def _check_deploy(report: Report, options: argparse.Namespace, file: ProjectFile, grant: Json | None) -> None:
    if file.path is None:
        return
    try:
        target = SourcedName(options.branch, "--branch") if options.branch else deployed_branch(file)
    except PlaceUnknown as error:
        report.warning("deploy", f"A deploy from here would not know its branch. {error} Give --branch NAME.")
        return
    branches = _resolve(report, file, project_spec={"branch_name": target.name})
    if branches is None:
        return
    where = f"What is deployed from here, on branch {target}, {_use(branches)}"
    if _may_write(grant, branches.write):
        report.ok("deploy", f"{where}.")
    else:
        report.warning(
            "deploy", f"{where}, which this token may not write.", "Deploy from the CI, or with a token that may."
        )


def _resolve(report: Report, file: ProjectFile, **named_by: Any) -> BranchChoice | None:
    try:
        return resolve_branches(dev_assets_branch=file.dev_assets_branch, own_first=file.own_first, **named_by)
    except ValueError as error:
        report.problem("branches", str(error), "Correct [dev-assets] in obproject.toml, or the branch's name.")
        return None


def _use(branches: BranchChoice) -> str:
    reads = ", then ".join(repr(branch) for branch in branches.lookup_order)
    return f"reads branch {reads} and writes branch {branches.write!r}"


def _may_write(grant: Json | None, branch: str) -> bool:
    """Say whether the caller may write a branch, by git name or key; unknown counts as yes."""
    if grant is None:
        return True
    names = (branch, branch_key(branch))
    fits = any(fnmatchcase(name, pattern) for name in names for pattern in grant["branches"])
    return grant["role"] != "viewer" and (fits or not grant["branches"])
