"""``obproject promote``: bring instances from a branch to another one."""

from __future__ import annotations

import argparse
import os

from obproject.commands.place import find_perimeter, find_project, project_file_here
from obproject.commands.result import CommandResult
from obproject.commands.tables import table
from obproject.json_types import Json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``obproject promote``."""
    parser.add_argument("source", metavar="SOURCE", help="the branch to promote from")
    parser.add_argument("target", metavar="TARGET", help="the branch to promote to; SOURCE to only move the alias")
    parser.add_argument("--asset", metavar="NAME", help="one asset (default: all of the branch)")
    parser.add_argument("--kind", choices=("data", "model"), help="one kind of assets (default: both)")
    parser.add_argument(
        "--instance", default="latest", metavar="REF", help="latest, latest-1, v12 or 12, @alias or an id"
    )
    parser.add_argument("--alias", default="candidate", help="the alias that it gets; '' for none (default: candidate)")
    aliases = parser.add_mutually_exclusive_group()
    aliases.add_argument(
        "--with-aliases",
        action="store_true",
        default=None,
        help="copy the other aliases of the instance too (default between branches)",
    )
    aliases.add_argument("--no-aliases", dest="with_aliases", action="store_false", help="copy no other aliases")
    parser.set_defaults(run=promote)


def promote(options: argparse.Namespace) -> CommandResult:
    """Promote, and say per asset what became of it."""
    from obproject.promotion import promote_assets

    file = project_file_here()
    # A promotion takes its perimeter from the settings, of which the environment comes first.
    os.environ["ASSETSITE_PERIMETER"] = find_perimeter(options, file)
    answer = promote_assets(
        find_project(options, file).name,
        options.source,
        options.target,
        kinds=[options.kind] if options.kind else None,
        asset=options.asset,
        instance=int(options.instance) if options.instance.isdecimal() else options.instance,
        with_aliases=options.with_aliases,
        alias=options.alias or None,
    )
    return CommandResult(answer, _describe(answer), ok=not answer["errors"])


def _describe(answer: Json) -> str:
    rows = [("promoted", _name(one), f"@{one['alias']}" if one["alias"] else "") for one in answer["promoted"]]
    rows += [("failed", _name(one), one["error"]) for one in answer["errors"]]
    return table(("OUTCOME", "ASSET", ""), rows) if rows else "Nothing was promoted: there are only definitions."


def _name(entry: Json) -> str:
    return "/".join(part for part in (entry.get("kind"), entry.get("name")) if part)
