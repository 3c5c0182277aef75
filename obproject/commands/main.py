"""The command line of ``obproject``: arguments, output and exit codes."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

from obproject.commands import assets, doctor, promote, teardown
from obproject.commands.result import CommandError, CommandResult
from obproject.commands.tables import one_line
from obproject.errors import AssetError

DONE, FAILED = 0, 1
INTERRUPTED, BROKEN_PIPE = 130, 141
"""Exit codes as the shell gives them; argparse adds 2 for a command line that can't be right."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all went well, 1 if there was any problem."""
    options = _parser().parse_args(argv)
    try:
        try:
            return _run(options)
        finally:
            # A pipe that broke shows here, not when the interpreter ends.
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    try:
        # Notices are no part of the result.
        with redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            result: CommandResult = options.run(options)
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        print(f"obproject: {one_line(error)}", file=sys.stderr)
        if options.json:
            print(json.dumps({"error": str(error)}, indent=2))
        return FAILED
    print(json.dumps(result.document, indent=2) if options.json else result.text)
    return DONE if result.ok else FAILED


def _show_warning(message: Warning | str, *_where: Any, **_more: Any) -> None:
    print(f"obproject: {one_line(message)}", file=sys.stderr)


def _is_for_the_user(error: Exception) -> bool:
    """Say whether the text of an error is all that there is to say; Metaflow's own count where it is loaded."""
    metaflow = sys.modules.get("metaflow.exception")
    return isinstance(error, (AssetError, CommandError, *([metaflow.MetaflowException] if metaflow else [])))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="obproject",
        description="Look at a set-up and at assets, promote them, take a branch down.",
        epilog="Address and token come from the settings (ASSETSITE_URL, ASSETSITE_TOKEN), never from arguments. "
        "Exit codes: 0 all went well, 1 there was a problem, 2 the command line can't be right.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(doctor.PACKAGE)}")
    commands = parser.add_subparsers(required=True, metavar="{doctor,assets,promote,teardown}")
    output, perimeter, project, branch = _shared_options()
    examining = commands.add_parser(
        "doctor", parents=[output, perimeter, project, branch], help="what is configured, and does it work"
    )
    doctor.add_arguments(examining)
    looking = commands.add_parser("assets", help="look at the assets of a branch")
    assets.add_arguments(looking, shared=[output, perimeter, project, branch])
    promoting = commands.add_parser(
        "promote", parents=[output, perimeter, project], help="bring instances from a branch to another one"
    )
    promote.add_arguments(promoting)
    removing = commands.add_parser("teardown", parents=[output, perimeter], help="take down what a branch deployed")
    teardown.add_arguments(removing)
    return parser


def _shared_options() -> tuple[argparse.ArgumentParser, ...]:
    output, perimeter, project, branch = (argparse.ArgumentParser(add_help=False) for _ in range(4))
    output.add_argument("--json", action="store_true", help="print one JSON document, and all else on stderr")
    perimeter.add_argument("--perimeter", metavar="NAME", help="default: as ASSETSITE_PERIMETER or obproject.toml says")
    project.add_argument("--project", metavar="NAME", help="default: as obproject.toml in this folder or above says")
    branch.add_argument("--branch", metavar="NAME", help="default: as obproject.toml, the CI or git says")
    return output, perimeter, project, branch
