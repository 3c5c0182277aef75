"""``obproject promote``: bring instances from a branch to another one, ask what gates would say, ask for approval."""

from __future__ import annotations

import argparse
import os
from typing import Any

from obproject.commands.place import find_perimeter, find_project, project_file_here
from obproject.commands.result import CommandResult
from obproject.commands.tables import one_line, table
from obproject.errors import AssetError
from obproject.json_types import Json
from obproject.rulings import lacks_only_approvals, ruling_lines

_ROLLBACK = "rollback"


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
    gates = parser.add_mutually_exclusive_group()
    gates.add_argument("--check", action="store_true", help="only say what the gates would say; nothing is written")
    gates.add_argument("--ask", metavar="COMMENT", help="where only approvals are missing, ask people for them")
    parser.set_defaults(run=promote)


def promote(options: argparse.Namespace) -> CommandResult:
    """Promote, and say per asset what became of it."""
    from obproject.promotion import check_promotion, promote_assets

    file = project_file_here()
    # A promotion takes its perimeter from the settings, of which the environment comes first.
    os.environ["ASSETSITE_PERIMETER"] = find_perimeter(options, file)
    project = find_project(options, file).name
    wanted: dict[str, Any] = {
        "kinds": [options.kind] if options.kind else None,
        "asset": options.asset,
        "instance": int(options.instance) if options.instance.isdecimal() else options.instance,
        "alias": options.alias or None,
    }
    if options.check:
        answer = check_promotion(project, options.source, options.target, **wanted)
        refused = any(one["passes"] is False for one in answer["checked"])
        return CommandResult(answer, _describe_checks(answer), ok=not refused and not answer["errors"])
    answer = promote_assets(project, options.source, options.target, with_aliases=options.with_aliases, **wanted)
    if options.ask is not None:
        answer = _with_requests(project, options.target, answer, options.ask)
    return CommandResult(answer, _describe(answer), ok=not answer["errors"])


def _with_requests(project: str, target: str, answer: Json, comment: str) -> Json:
    """Ask for what lacks only approvals; an asset of which all that was refused is asked for is no error."""
    from obproject.promotion import ask_for_approval

    errors, asked = [], []
    for entry in answer["errors"]:
        refused = entry.get("refused") or []
        if not refused or not all(lacks_only_approvals(one["rules"]) for one in refused):
            errors.append(entry)
            continue
        subject = {"kind": entry["kind"], "name": entry["name"]}
        for one in refused:
            try:
                request = ask_for_approval(project, target, {**subject, **one}, comment)
            except AssetError as error:
                errors.append({**subject, "error": str(error)})
            else:
                asked.append({**subject, "alias": one["alias"], "request": request})
    return {**answer, "errors": errors, "asked": asked}


def _describe(answer: Json) -> str:
    rows = [("promoted", _name(one), f"@{one['alias']}" if one["alias"] else "") for one in answer["promoted"]]
    rows += [("asked", _name(one), _asked(one)) for one in answer.get("asked", ())]
    rows += [("failed", _name(one), one["error"].partition("\n")[0]) for one in answer["errors"]]
    if not rows:
        return "Nothing was promoted: there are only definitions."
    refused = [(entry, one) for entry in answer["errors"] for one in entry.get("refused", ())]
    lines = [line for entry, one in refused for line in ["", _what(entry, one), *ruling_lines(one["rules"])]]
    return "\n".join([table(("OUTCOME", "ASSET", ""), rows), *lines])


def _asked(entry: Json) -> str:
    alias = f"@{entry['alias']}" if entry["alias"] else "into the branch"
    return f"{alias}  {entry['request'].get('url', '')}"


def _what(entry: Json, one: Json) -> str:
    to = f"@{one['alias']}" if one["alias"] else "the branch"
    return f"{_name(entry)} to {to}:"


def _describe_checks(answer: Json) -> str:
    """Return what each gate would say, with a line for each rule."""
    parts = ["\n".join([_verdict(one), *ruling_lines(one["rules"])]) for one in answer["checked"]]
    rows = [("failed", _name(one), one["error"]) for one in answer["errors"]]
    if rows:
        parts.append(table(("OUTCOME", "ASSET", ""), rows))
    return "\n\n".join(parts) if parts else "There is nothing to check: there are only definitions."


def _verdict(one: Json) -> str:
    to = f"@{one['alias']} of {one['branch']}" if one["alias"] else f"branch {one['branch']}"
    refusing = sum(rule["says"] == "refuses" for rule in one["rules"])
    count = f"{len(one['rules'])} rule{'' if len(one['rules']) == 1 else 's'}"
    if one["passes"] is None:
        says = "is known once its copy is there"
    elif not one["passes"]:
        says = f"would be refused by {refusing} of {count}"
    elif one["outcome"] == _ROLLBACK:
        says = "would pass, as it held the alias before"
    else:
        says = f"would pass {count}" if one["rules"] else "would pass: there are no rules"
    return one_line(f"{_name(one)} {one['instance']} to {to}: {says}")


def _name(entry: Json) -> str:
    return "/".join(part for part in (entry.get("kind"), entry.get("name")) if part)
