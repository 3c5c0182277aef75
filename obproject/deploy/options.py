"""The options of ``obproject-deploy``, and the environment variables that stand for some."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from obproject.project.definitions import DEPLOYERS
from obproject.project.root import PROJECT_FILE

_OFF = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Options:
    """What is to be done, and how it is reported."""

    root: Path | None = None
    projects: tuple[str, ...] = ()
    branch: str | None = None
    perimeter: str | None = None
    deployer: str | None = None
    dags_folder: str | None = None
    authorize: str | None = None
    prune: bool = False
    skip_assets: bool = False
    skip_flows: bool = False
    skip_apps: bool = False
    spec_only: bool = False
    continue_on_error: bool = False
    dry_run: bool = False
    summary: Path | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False


def read_options(argv: Sequence[str] | None, environ: Mapping[str, str] = os.environ) -> Options:
    """Return the options of a command line; exits with a message if it can't be read."""
    found = _parser().parse_args(argv)
    if found.all and found.project:
        _parser().error("--all and --project are not for each other")
    values = {field.name: getattr(found, field.name) for field in fields(Options) if hasattr(found, field.name)}
    return Options(
        **values
        | {
            "projects": tuple(found.project),
            "spec_only": found.no_server or _is_on(environ, "SPEC_ONLY"),
            "continue_on_error": found.continue_on_error or _is_on(environ, "CONTINUE_ON_ERROR"),
        }
    )


def _is_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() not in _OFF


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="obproject-deploy",
        description="Deploy the assets, flows and apps of a project to the branch of its code.",
    )
    what = parser.add_argument_group("what is deployed")
    what.add_argument("--root", type=Path, help=f"the project's folder (default: the nearest with {PROJECT_FILE})")
    what.add_argument(
        "--project", action="append", default=[], metavar="NAME", help="one of several projects; may be repeated"
    )
    what.add_argument("--all", action="store_true", help="all of several projects, which is the default")
    what.add_argument("--skip-assets", action="store_true", help="leave the assets as they are")
    what.add_argument("--skip-flows", action="store_true", help="leave the flows as they are")
    what.add_argument("--skip-apps", action="store_true", help="leave the apps as they are")
    what.add_argument("--no-server", action="store_true", help="only write project_spec.json")
    where = parser.add_argument_group("where to")
    where.add_argument("--branch", help="the branch to deploy to (default: as obproject.toml, the CI or git says)")
    where.add_argument("--perimeter", help="the perimeter to deploy to (default: as the settings say)")
    where.add_argument(
        "--deployer", choices=DEPLOYERS, help="what runs the flows (default: what Metaflow is configured for)"
    )
    where.add_argument("--dags-folder", metavar="FOLDER", help="where Airflow looks for its DAGs")
    where.add_argument("--authorize", metavar="TOKEN", help="production token of flows that another user has deployed")
    where.add_argument("--prune", action="store_true", help="delete the deployed flows that the project lacks by now")
    how = parser.add_argument_group("how")
    how.add_argument("--dry-run", action="store_true", help="validate and say what would change, change nothing")
    how.add_argument("--continue-on-error", action="store_true", help="of several projects, deploy those that can be")
    how.add_argument("--summary", type=Path, metavar="FILE", help="write what was done to a file, as Markdown")
    how.add_argument("--json", action="store_true", help="print what was done, or would be, as JSON")
    how.add_argument("--quiet", action="store_true", help="print nothing but problems")
    how.add_argument("--verbose", action="store_true", help="print what the deployed programs print, too")
    return parser
