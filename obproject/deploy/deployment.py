"""Deploying one project: the catalogue first, then its flows, then its apps.

Flows are compiled before anything is changed. From then on each part is done or not, and the record in the catalogue
says which: it names a version of a flow as live only when the orchestrator has taken it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from obproject.catalogue.branch import BranchCatalogue
from obproject.deploy.choice import delete_live, former_branch
from obproject.deploy.metaflow_commands import DeployableFlow, DeployerError
from obproject.deploy.options import Options
from obproject.deploy.plan import SPEC_FILE, Plan
from obproject.deploy.result import DeployResult
from obproject.errors import AssetError, AssetNotFound
from obproject.json_types import Json
from obproject.project.record import build_deploy_request, live_flows, with_live_flows

Say = Callable[[str], None]

COMPILED_AT_ONCE = min(4, os.cpu_count() or 1)
_AGAIN = "Run obproject-deploy again when that is put right; what is done already does no harm."


def compile_flows(plan: Plan) -> tuple[dict[str, str], list[str]]:
    """Compile a project's flows, some at a time, and deploy nothing.

    Returns what the orchestrator calls them, by name of the flow, and why flows can't be compiled.
    """
    with tempfile.TemporaryDirectory(prefix="obproject-") as folder, ThreadPoolExecutor(COMPILED_AT_ONCE) as pool:
        spec_file = Path(folder, SPEC_FILE)
        spec_file.write_text(json.dumps(plan.record), encoding="utf-8")
        results = list(pool.map(lambda flow: _compile(plan, flow, spec_file), plan.flows))
    compiled = list(zip(plan.flows, results, strict=True))
    names = {flow.name: result for flow, result in compiled if isinstance(result, str)}
    failures = [_refused(plan, flow, result) for flow, result in compiled if isinstance(result, DeployerError)]
    return names, failures


def _compile(plan: Plan, flow: DeployableFlow, spec_file: Path) -> str | DeployerError:
    assert plan.deployer
    try:
        return plan.deployer.compile(flow, spec_file)
    except DeployerError as error:
        return error


def _refused(plan: Plan, flow: DeployableFlow, error: DeployerError) -> str:
    deployer = plan.deployer.name if plan.deployer else ""
    return f"{flow.name} ({flow.file.relative_to(plan.root)}) can't be deployed to {deployer}:\n{_indented(error)}"


def _indented(error: DeployerError) -> str:
    return "\n".join(f"    {line}" for line in str(error).splitlines())


def deploy(plan: Plan, names: dict[str, str], options: Options, say: Say) -> DeployResult:
    """Deploy a project; ``names`` are those of its compiled flows. ``say`` prints progress.

    What fails is in the result.
    """
    deployment = _Deployment(plan, names, options, say)
    deployment.run()
    return deployment.result


def write_spec_only(plan: Plan) -> DeployResult:
    """Write the project spec without any request."""
    result = DeployResult(plan, plan.record)
    _write_spec_file(result)
    return result


class _Deployment:
    """One deployment in progress. Each step returns whether it was done."""

    def __init__(self, plan: Plan, names: dict[str, str], options: Options, say: Say) -> None:
        self.plan, self.names, self.options, self.say = plan, names, options, say
        self.catalogue = BranchCatalogue(plan.settings, plan.name, plan.branch)
        self.result = DeployResult(plan, plan.record, not_deployed=[flow.name for flow in plan.flows])
        self.result.apps_not_deployed = [app.name for app in plan.apps if app.command]
        self.live: dict[str, Json] = {}
        """What the orchestrators have, as far as it is known."""
        self.is_recorded = True

    def run(self) -> None:
        try:
            done = self._declare() and self._deploy_flows() and self._prune()
        finally:
            # Whoever interrupts a deployment still leaves a true record.
            recorded = self._record_flows()
        if done and recorded:
            self._deploy_apps()

    def _fail(self, *lines: str) -> bool:
        self.result.failures.append("\n".join(lines))
        return False

    def _declare(self) -> bool:
        """Bring the catalogue up to date, and write the spec file."""
        result = self.result
        try:
            previous = _previous_spec(self.catalogue)
            self.live = live_flows(previous)
            result.record = with_live_flows(_with_skipped(self.plan.record, previous, self.options), self.live)
            declared = {flow.flow_name for flow in self.plan.workflows}
            result.left = [] if self.options.skip_flows else sorted(self.live.keys() - declared)
            result.elsewhere = self._elsewhere()
            assets = () if self.options.skip_assets else self.plan.project.assets
            result.answer = self.catalogue.deploy(build_deploy_request(result.record, assets))
            if "gated" not in result.answer:
                result.gates_not_kept = [f"{one.folder}/{one.id}" for one in assets if one.gates]
            if "timezone" not in result.answer:
                result.freshness_not_kept = [f"{one.folder}/{one.id}" for one in assets if one.freshness]
        except AssetError as error:
            return self._fail(str(error))
        return _write_spec_file(result)

    def _elsewhere(self) -> dict[str, str]:
        """Return the flows that another orchestrator has, from when they were deployed to that."""
        now = self.plan.deployer
        was = {flow.name: self.live[flow.name]["deployer"] for flow in self.plan.flows if flow.name in self.live}
        return {name: deployer for name, deployer in was.items() if now and deployer != now.name}

    def _deploy_flows(self) -> bool:
        """Deploy the flows one by one, up to the first that fails."""
        deployer, result = self.plan.deployer, self.result
        for flow in self.plan.flows:
            assert deployer
            self.say(f"Deploying {flow.name} to {deployer.name} ...")
            entry = {"flow_name": flow.name, "deployer": deployer.name, "flow_template_id": self.names[flow.name]}
            before = {} if flow.name in result.elsewhere else self.live.get(flow.name, {})
            # Until the command has succeeded, it is unknown which version is live.
            self._note_live(entry)
            try:
                printed = deployer.deploy(flow, self.plan.spec_file)
            except DeployerError as error:
                return self._fail(_refused(self.plan, flow, error), self._what_is_live(flow.name), _AGAIN)
            if self.options.verbose:
                self.say(printed.rstrip())
            self._note_live(entry | {"version_id": self.plan.record["version_id"]})
            result.deployed[flow.name] = self.names[flow.name]
            result.not_deployed.remove(flow.name)
            if not self._delete_former(before):
                return False
        return True

    def _delete_former(self, entry: Json) -> bool:
        """Delete a flow where a version before 0.6 deployed it, whose key of the branch was another one."""
        if not (former := former_branch(entry, self.plan.branch)):
            return True
        name = entry["flow_name"]
        self.say(f"Deleting {name} from {entry['deployer']}, where it is deployed to {former!r} ...")
        try:
            self._delete(entry)
        except DeployerError as error:
            return self._fail(f"{name}, deployed to {former!r} before, can't be deleted:\n{_indented(error)}")
        return True

    def _note_live(self, entry: Json) -> None:
        self.live[entry["flow_name"]] = entry
        self.is_recorded = False

    def _what_is_live(self, failed: str) -> str:
        live = ", ".join(self.result.deployed) or "none"
        before = ", ".join(name for name in self.result.not_deployed if name != failed) or "none"
        return f"Live with this version: {live}. Half-done or as before: {failed}. Not tried, so as before: {before}."

    def _prune(self) -> bool:
        """Delete the flows that the project lacks, if that is wanted."""
        for name in self.result.left[:] if self.options.prune else ():
            self.say(f"Deleting {name} from {self.live[name]['deployer']} ...")
            try:
                self._delete(self.live[name])
            except DeployerError as error:
                return self._fail(f"{name} can't be deleted:\n{_indented(error)}", _AGAIN)
            self.result.left.remove(name)
            self.result.pruned.append(name)
            del self.live[name]
            self.is_recorded = False
        return True

    def _delete(self, entry: Json) -> None:
        dags_folder = self.plan.deployer.dags_folder if self.plan.deployer else None
        delete_live(entry, self.plan.name, self.plan.branch, self.options.authorize, dags_folder)

    def _record_flows(self) -> bool:
        """Record in the catalogue which flows are live, if that has changed."""
        result = self.result
        if self.is_recorded:
            return True
        entries = [entry for entry in result.record["spec"]["workflows"] if entry.get("flow_name") not in result.pruned]
        record = {**result.record, "spec": {**result.record["spec"], "workflows": entries}}
        result.record = with_live_flows(record, self.live)
        try:
            self.catalogue.post(result.record)
        except AssetError as error:
            return self._fail(str(error), "The catalogue does not know yet which flows are live.", _AGAIN)
        return _write_spec_file(result)

    def _deploy_apps(self) -> None:
        """Run the commands of the apps one by one, up to the first that fails."""
        result = self.result
        for app in self.plan.apps:
            if not app.command:
                continue
            self.say(f"Deploying the app {app.name} ...")
            try:
                printed = self.plan.app_command(app).run()
            except DeployerError as error:
                self._fail(f"The app {app.name} can't be deployed:\n{_indented(error)}", _AGAIN)
                return
            if self.options.verbose:
                self.say(printed.rstrip())
            result.apps.append(app.name)
            result.apps_not_deployed.remove(app.name)


def _previous_spec(catalogue: BranchCatalogue) -> Json | None:
    try:
        return catalogue.spec()
    except AssetNotFound:
        # A perimeter that does not exist yet: whether it may be made is for the deployment to find out.
        return None


def _with_skipped(record: Json, previous: Json | None, options: Options) -> Json:
    """Return the record with what is skipped as it is on the branch, and with what only older deployments knew."""
    was, spec = previous or {}, record["spec"]
    kept: Json = {} if "created_at" in spec or "created_at" not in was else {"created_at": was["created_at"]}
    if options.skip_assets:
        # The catalogue completes these lists with all assets that it has.
        kept |= {"data": [], "models": []}
    if options.skip_flows:
        kept |= {name: _objects(was.get(name)) for name in ("workflows", "card_info")}
    if options.skip_apps:
        kept["deployments"] = _objects(was.get("deployments"))
    return {**record, "spec": {**spec, **kept}}


def _objects(value: Any) -> list[Json]:
    """Return the entries of a list in a spec that may come from any tool."""
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _write_spec_file(result: DeployResult) -> bool:
    """Write the record beside ``obproject.toml``, so that a reader sees the old one or the new one whole."""
    target = result.plan.spec_file
    draft = target.with_name(f".{SPEC_FILE}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(result.record, indent=2) + "\n", encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        result.failures.append(f"can't write {target}: {error.strerror}")
        return False
    result.wrote_spec = True
    return True
