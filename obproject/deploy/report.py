"""What is printed about a plan, the changes that it would make, and its result."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from obproject.deploy.difference import Change, Difference
from obproject.deploy.gates import NewGates
from obproject.deploy.metaflow_commands import Command
from obproject.deploy.plan import SPEC_FILE, Plan
from obproject.deploy.result import DeployResult
from obproject.json_types import Json
from obproject.project.git import is_ignored

_LONGEST_VALUE = 60


def headline(plan: Plan) -> str:
    """Return the project, the branch and the version in one line."""
    return f"{plan.name}, branch {plan.branch}, version {short_version(plan.record['version_id'])}"


def short_version(version: str) -> str:
    """Return a version as people read it: a commit by its beginning."""
    return version[:12] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", version) else version


# A plan


def describe_plan(plan: Plan, difference: Difference | None, why_unknown: str = "") -> str:
    """Return what would be done; without a difference, why it is not known what that would change."""
    changes = _changes(difference) if difference else _contents(plan, why_unknown)
    return "\n".join([f"All is valid. Would deploy {headline(plan)}:", *changes, *_commands(plan)])


def _contents(plan: Plan, why_unknown: str) -> Iterator[str]:
    for asset in plan.project.assets:
        yield f"  {asset.folder}/{asset.id}  {asset.name}"
    for flow in plan.workflows:
        yield f"  flow {flow.flow_name}  {flow.source}"
    yield f"What that would change is not known: {why_unknown}"


def _changes(difference: Difference) -> Iterator[str]:
    gates = {one.asset: one for one in difference.gates}
    for name in difference.created:
        yield _line("create", name)
        yield from _gate_lines(gates.get(name))
    for name, changes in difference.updated.items():
        yield _line("update", name)
        yield from (f"    {_describe_change(change)}" for change in changes)
        yield from _gate_lines(gates.get(name))
    yield from (_line("unchanged", name) for name in difference.unchanged)
    yield from (_line("overridden", describe_override(entry)) for entry in difference.overridden)
    yield from (_line("undeclared", f"{name}, which stays in the catalogue") for name in difference.not_declared)
    yield from (_line("spec", _describe_change(change)) for change in difference.spec)
    yield from (_line("new flow", name) for name in difference.flows_added)
    for name in difference.flows_removed:
        still_live = ", which stays live; --prune deletes it" if name in difference.left else ""
        yield _line("flow gone", f"{name}{still_live}")


def _gate_lines(gates: NewGates | None) -> Iterator[str]:
    if gates:
        yield from (f"    gate {change}" for change in gates.changes)
        yield from (f"    {line}" for line in gates.looked_back)


def _line(word: str, rest: str) -> str:
    return f"  {word:<10} {rest}"


def _describe_change(change: Change) -> str:
    if change.what == "README":
        return f"README: {_size(change.before)} -> {_size(change.after)}"
    return f"{change.what}: {_shorten(change.before)} -> {_shorten(change.after)}"


def _size(text: Any) -> str:
    return f"{len(text):,} characters" if isinstance(text, str) and text else "none"


def _shorten(value: Any) -> str:
    text = "none" if value is None else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def _commands(plan: Plan) -> Iterator[str]:
    if plan.deployer and plan.flows:
        yield f"Flows would be deployed by {plan.deployer.name}:"
        yield from (f"  {shown(plan.deployer.create(flow, plan.spec_file))}" for flow in plan.flows)
        if plan.deployer.beside_command:
            yield plan.deployer.beside_command
        yield f"They read {SPEC_FILE}, which every deployment writes, and obproject-deploy --no-server alone."
    for app in plan.apps:
        if app.command:
            yield f"The app {app.name} would be deployed by:"
            yield f"  {shown(plan.app_command(app))}"
        else:
            yield f"The app {app.name} has no command to deploy it, so it would be listed only."


def shown(command: Command) -> str:
    """Return a command as a shell takes it, wherever it is run."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in command.environment.items()]
    return f"cd {shlex.quote(str(command.folder))} && {' '.join([*settings, str(command)])}"


# A result


def describe_result(result: DeployResult) -> str:
    """Return what was done."""
    return "\n".join([*_catalogue_lines(result), *_flow_lines(result), *_spec_file_lines(result)])


def _catalogue_lines(result: DeployResult) -> Iterator[str]:
    answer = result.answer
    if answer is None:
        return
    yield f"Deployed {headline(result.plan)}."
    for word in ("created", "updated", "unchanged"):
        yield from (_line(word, asset) for asset in answer.get(word, ()))
    yield from (_line("overridden", describe_override(entry)) for entry in answer.get("overridden", ()))
    yield from (_line("gates", f"{asset}: others hold now") for asset in answer.get("gated", ()))
    if not_declared := answer.get("not_declared"):
        yield f"  still in the catalogue, no longer declared: {', '.join(not_declared)}"
    for what, ignored in (("gates", result.gates_not_kept), ("freshness", result.freshness_not_kept)):
        if ignored:
            names = ", ".join(ignored)
            yield f"Warning: the catalogue is older than this program, so it did not keep the {what} of {names}."
    if warning := answer.get("warning"):
        yield f"Warning: {warning}"


def _flow_lines(result: DeployResult) -> Iterator[str]:
    for name, template in result.deployed.items():
        yield _line("deployed", f"{name}  {template}")
    yield from (_line("app", name) for name in result.apps)
    yield from (_line("pruned", name) for name in result.pruned)
    for name, deployer in result.elsewhere.items():
        yield f"  {name} is on {deployer} too, from before; to delete it there:"
        yield f"    {_delete_command(result.plan, name, deployer)}"
    if result.left:
        yield f"  still live, no longer in the project: {', '.join(result.left)} (--prune deletes them)"
    if result.url:
        yield f"See it at {urljoin(f'{result.plan.settings.url}/', result.url)}"


def _delete_command(plan: Plan, name: str, deployer: str) -> str:
    flow = next(flow for flow in plan.flows if flow.name == name)
    return shown(flow.command(plan.spec_file, deployer, "delete"))


def _spec_file_lines(result: DeployResult) -> Iterator[str]:
    if not result.wrote_spec:
        return
    plan = result.plan
    by_hand = [] if plan.deployer else [shown(flow.run_by_hand(plan.root, plan.spec_file)) for flow in plan.runnable]
    yield f"Wrote {SPEC_FILE}." + (" To run a flow as deployed from this branch:" if by_hand else "")
    yield from (f"  {command}" for command in by_hand)
    if plan.source.checkout and not is_ignored(plan.spec_file):
        yield f"Each deployment makes {SPEC_FILE} anew, so name it in .gitignore."


def describe_override(entry: Json) -> str:
    """Return which value of a person stays."""
    before = entry.get("previously_declared")
    changed = f" (before: {before!r})" if before is not None else ""
    return (
        f"{entry['asset']} [properties] {entry['key']}: declared {entry['declared']!r}{changed}, "
        f"but a person set {entry['override']!r}, which stays"
    )
