"""``obproject teardown``: take down what was deployed from a branch."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from obproject.branches import is_main
from obproject.commands.place import find_perimeter, project_file_here
from obproject.commands.result import CommandError, CommandResult
from obproject.commands.tables import table
from obproject.project.place import ProjectFile
from obproject.settings import find_settings

if TYPE_CHECKING:
    from obproject.deploy.teardown import TeardownResult

_HEADLINES = {
    "ok": "Torn down: branch {branch} of project {project}.",
    "noop": "Branch {branch} of project {project} has nothing to tear down.",
    "dry_run": "Would tear down branch {branch} of project {project}.",
    "partial": "Not all of branch {branch} of project {project} is torn down. Repeat it when the causes are gone.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``obproject teardown``."""
    parser.add_argument("target", metavar="PROJECT/BRANCH", help="the branch by its git name, such as churn/feature/x")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, delete nothing")
    parser.add_argument("--force", action="store_true", help="tear down main or master too")
    parser.add_argument("--authorize", metavar="TOKEN", help="production token of flows that another user has deployed")
    parser.add_argument("--dags-folder", type=Path, metavar="FOLDER", help="where Airflow looks for its DAGs")
    parser.set_defaults(run=tear_down)


def tear_down(options: argparse.Namespace) -> CommandResult:
    """Show what there is, ask, and delete it."""
    from obproject.deploy.teardown import teardown

    file = _project_file(options.target)
    run = partial(
        teardown,
        options.target,
        settings=find_settings(perimeter=find_perimeter(options, file)),
        force=options.force,
        authorize=options.authorize,
        dags_folder=options.dags_folder,
        say=partial(print, file=sys.stderr),
    )
    if options.dry_run:
        return _command_result(run(dry_run=True))
    if not options.yes:
        preview = run(dry_run=True)
        if not preview.deleted:
            return _command_result(preview)
        # The production branch is refused without force, and then there is nothing to ask.
        if options.force or not is_main(preview.branch):
            _ask(preview)
    return _command_result(run())


def _project_file(target: str) -> ProjectFile:
    """Return the file of the project here if that is the target's project; else an empty one."""
    file = project_file_here()
    return file if file.text("project") == target.partition("/")[0] else ProjectFile(Path.cwd())


def _ask(preview: TeardownResult) -> None:
    """Ask whether all of it shall go; raise CommandError unless the answer is yes."""
    if not sys.stdin.isatty():
        raise CommandError("Nothing was deleted: nobody is there to be asked. Give --yes, or --dry-run to only look.")
    print(_describe(preview), file=sys.stderr)
    print(f"Delete these {len(preview.deleted)} for good? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was deleted.")


def _command_result(result: TeardownResult) -> CommandResult:
    return CommandResult(result.document, _describe(result), ok=result.ok)


def _describe(result: TeardownResult) -> str:
    headline = _HEADLINES[result.status].format(branch=repr(result.branch), project=repr(result.project))
    deleted = "would delete" if result.dry_run else "deleted"
    rows = [(deleted, what, "") for what in result.deleted]
    rows += [("stays" if failure.is_held else "failed", failure.what, failure.why) for failure in result.failed]
    return f"{table(('OUTCOME', 'WHAT', ''), rows)}\n{headline}" if rows else headline
