"""The command ``obproject-deploy``: bring what a project folder declares to the catalogue, on the branch of its code.

Everything is read and validated before the server is asked anything; then one request deploys it all, or nothing. The
record is written to ``project_spec.json``, with which a local run behaves as deployed from that branch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from obproject import ci
from obproject.branches import check_branch
from obproject.definitions import (
    PROJECT_FILE,
    DefinitionError,
    Problem,
    ProjectDefinition,
    find_project_root,
    read_project,
)
from obproject.git import Checkout, GitError, read_checkout
from obproject.record import build_deploy_request, build_record, build_spec
from obproject.workflows import Workflow, read_workflows

if TYPE_CHECKING:
    from obproject.settings import Settings

SPEC_FILE = "project_spec.json"
BROKEN_PIPE = 141
"""Exit code of a program whose reader went away, as the shell gives it."""
MIN_TIMEOUT = 60.0
"""Seconds that the server gets for a deployment at least: it is one write of everything."""


class DeployError(Exception):
    """Why a deployment did not happen, in a sentence for the user."""


@dataclass(frozen=True)
class Deployment:
    """What is about to be deployed."""

    project: ProjectDefinition
    workflows: list[Workflow]
    record: dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all went well, 1 if there was any problem, 141 if nobody reads the output."""
    try:
        try:
            return _run(argv)
        finally:
            # A pipe that broke shows here, not when the interpreter ends.
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE


def _run(argv: Sequence[str] | None) -> int:
    options = _parse_arguments(argv)
    say = _say_nothing if options.quiet else print
    try:
        deployment, settings = _prepare(options)
        if options.dry_run:
            say(_describe_plan(deployment))
        else:
            _deploy(deployment, settings if not options.no_server else None, say)
    except DefinitionError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        count = len(error.problems)
        print(f"{count} problem{'s' if count > 1 else ''} found; nothing was deployed.", file=sys.stderr)
        return 1
    except DeployError as error:
        print(f"obproject-deploy: {error}", file=sys.stderr)
        return 1
    return 0


def _discard_output() -> None:
    """Lead the output nowhere, so that the interpreter's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _say_nothing(_text: str) -> None:
    """Stand in for print where nothing shall be printed."""


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="obproject-deploy",
        description="Deploy the assets and the description of a project to the catalogue, on the branch of its code.",
    )
    parser.add_argument("--root", type=Path, help=f"the project's folder (default: the nearest with {PROJECT_FILE})")
    parser.add_argument("--branch", help="the branch to deploy to (default: as obproject.toml, the CI or git says)")
    parser.add_argument(
        "--perimeter", help="the perimeter to deploy to (default: as ASSETSITE_PERIMETER or obproject.toml says)"
    )
    parser.add_argument("--no-server", action="store_true", help=f"only write {SPEC_FILE}")
    parser.add_argument(
        "--dry-run", action="store_true", help="validate and say what would be deployed, change nothing"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but problems")
    return parser.parse_args(argv)


# Preparing


def _prepare(options: argparse.Namespace) -> tuple[Deployment, Settings]:
    """Read and validate everything that the deployment is made of, without asking the server."""
    root = options.root.resolve() if options.root else find_project_root(Path.cwd())
    if root is None:
        raise DeployError(f"no {PROJECT_FILE} in {Path.cwd()} or above; run it in a project, or name one with --root")
    project, workflows = _read_folder(root)
    settings = _find_settings(options.perimeter, project.config.perimeter)
    checkout = _read_checkout(root)
    spec = build_spec(
        project=project,
        workflows=workflows,
        perimeter=settings.perimeter,
        branch_name=_choose_branch(options.branch, project, checkout, os.environ),
        checkout=checkout,
        ci_url=ci.find_page(os.environ),
        now=datetime.now(UTC),
    )
    version_id = project.config.version or _find_commit(checkout, os.environ) or _digest(project)
    return Deployment(project, workflows, build_record(spec=spec, version_id=version_id)), settings


def _read_folder(root: Path) -> tuple[ProjectDefinition, list[Workflow]]:
    """Read definitions and flows, and report the problems of both together."""
    problems: list[Problem] = []
    project, workflows = None, []
    try:
        project = read_project(root)
    except DefinitionError as error:
        problems.extend(error.problems)
    try:
        workflows = read_workflows(root)
    except DefinitionError as error:
        problems.extend(error.problems)
    if project is None or problems:
        raise DefinitionError(problems)
    return project, workflows


def _read_checkout(root: Path) -> Checkout | None:
    try:
        return read_checkout(root)
    except GitError as error:
        raise DeployError(f"git does not answer for {root}: {error}") from error


def _choose_branch(
    option: str | None, project: ProjectDefinition, checkout: Checkout | None, environ: Mapping[str, str]
) -> str:
    """Return the git name of the branch: what was asked for, else what obproject.toml, the CI or git says."""
    name = option or project.config.branch or ci.find_branch(environ)
    if not name and checkout is None:
        raise DeployError(f"{project.root} is in no git repository, so it has no branch; name one with --branch")
    if not name and checkout is not None:
        name = checkout.branch
    if not name:
        raise DeployError("git is on a detached HEAD, which is no branch; name the branch with --branch")
    try:
        return check_branch(name)
    except ValueError as error:
        raise DeployError(str(error)) from error


def _find_commit(checkout: Checkout | None, environ: Mapping[str, str]) -> str | None:
    return checkout.commits[0].sha if checkout and checkout.commits else ci.find_commit(environ)


def _digest(project: ProjectDefinition) -> str:
    """Return a version for a folder without commits: the same as long as what it declares is the same."""
    content = repr((project.config, project.assets, project.readme))
    return f"content-{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _find_settings(perimeter: str | None, project_perimeter: str | None) -> Settings:
    from obproject.errors import AssetError
    from obproject.settings import find_settings

    try:
        return find_settings(perimeter=perimeter, project_perimeter=project_perimeter)
    except AssetError as error:
        raise DeployError(str(error)) from error


# Acting


def _deploy(deployment: Deployment, settings: Settings | None, say: Callable[[str], None]) -> None:
    """Deploy to the server, if its settings are given, and write the spec file; then tell what was done."""
    done: list[str] = []
    try:
        if settings:
            done.append(_describe_answer(deployment, _send(deployment, settings), settings))
        _write_spec_file(deployment)
        done.append(_describe_spec_file(deployment))
    finally:
        # Told last, so that nothing stays undone if nobody reads it; and told too if the file can't be written.
        for text in done:
            say(text)


def _send(deployment: Deployment, settings: Settings) -> dict[str, Any]:
    """Deploy on the server and return its answer."""
    from obproject.connection import Connection, path_of
    from obproject.errors import AssetError

    if not settings.url:
        raise DeployError(
            f"no server is configured; set ASSETSITE_URL to its address, or use --no-server to write only {SPEC_FILE}"
        )
    record = deployment.record
    path = path_of(
        "perimeters", record["perimeter"], "projects", record["project"], "branches", record["branch"], "deploys"
    )
    connection = Connection(replace(settings, timeout=max(settings.timeout, MIN_TIMEOUT)))
    body = build_deploy_request(record, deployment.project.assets)
    try:
        return connection.request("POST", path, body=body, about=f"deploying {record['project']}")
    except AssetError as error:
        raise DeployError(str(error)) from error


def _write_spec_file(deployment: Deployment) -> None:
    """Write the record beside ``obproject.toml``, so that a reader sees the old one or the new one whole."""
    target = deployment.project.root / SPEC_FILE
    draft = target.with_name(f".{SPEC_FILE}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(deployment.record, indent=2) + "\n", encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise DeployError(f"can't write {target}: {error.strerror}") from error


# Telling


def _headline(deployment: Deployment) -> str:
    record = deployment.record
    version = record["version_id"]
    is_sha = re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", version)
    return f"{record['project']}, branch {record['branch_name']}, version {version[:12] if is_sha else version}"


def _describe_plan(deployment: Deployment) -> str:
    assets = [f"  {asset.folder}/{asset.id}  {asset.name}" for asset in deployment.project.assets]
    flows = [f"  flow {workflow.flow_name}  {workflow.source}" for workflow in deployment.workflows]
    return "\n".join([f"All is valid. Would deploy {_headline(deployment)}:", *assets, *flows])


def _describe_answer(deployment: Deployment, answer: dict[str, Any], settings: Settings) -> str:
    lines = [f"Deployed {_headline(deployment)}."]
    for outcome in ("created", "updated", "unchanged"):
        lines += [f"  {outcome:<10} {asset}" for asset in answer.get(outcome, ())]
    lines += [f"  {'overridden':<10} {_describe_override(entry)}" for entry in answer.get("overridden", ())]
    if not_declared := answer.get("not_declared"):
        lines.append(f"  still in the catalogue, no longer declared: {', '.join(not_declared)}")
    if warning := answer.get("warning"):
        lines.append(f"Warning: {warning}")
    if address := answer.get("url"):
        lines.append(f"See it at {urljoin(f'{settings.url}/', address)}")
    return "\n".join(lines)


def _describe_override(entry: Mapping[str, Any]) -> str:
    before = entry.get("previously_declared")
    changed = f" (before: {before!r})" if before is not None else ""
    return (
        f"{entry['asset']} [properties] {entry['key']}: declared {entry['declared']!r}{changed}, "
        f"but a person set {entry['override']!r}, which stays"
    )


def _describe_spec_file(deployment: Deployment) -> str:
    root = deployment.project.root
    go_there = "" if root == Path.cwd() else f"cd {shlex.quote(str(root))} && "
    sources = [workflow.source for workflow in deployment.workflows]
    commands = [f"  {go_there}python {shlex.quote(source)} --config project_spec {SPEC_FILE} run" for source in sources]
    return "\n".join(
        [
            f"Wrote {SPEC_FILE}." + (" To run a flow as deployed from this branch:" if commands else ""),
            *commands,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
