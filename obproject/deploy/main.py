"""The program ``obproject-deploy``: from its options to its exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from obproject.deploy.check_runs import set_check
from obproject.deploy.comments import find_conversation, write_to_job_page
from obproject.deploy.comparison import NotCompared, compared
from obproject.deploy.deployment import compile_flows, deploy, write_spec_only
from obproject.deploy.difference import Difference, compare
from obproject.deploy.gates import NewGates, new_gates
from obproject.deploy.options import Options, read_options
from obproject.deploy.plan import Plan, make_plan
from obproject.deploy.platform_calls import NoAnswer
from obproject.deploy.projects import NoProject, ProjectFolder, find_projects
from obproject.deploy.report import describe_plan, describe_result
from obproject.deploy.result import DeployResult
from obproject.deploy.summary import summarise
from obproject.errors import AssetError, AssetNotFound
from obproject.json_types import Json
from obproject.project.checked_toml import DefinitionError, Problem

BROKEN_PIPE = 141
"""Exit code of a program whose reader went away, as the shell gives it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all went well, 1 if there was any problem, 141 if nobody reads the output."""
    output = Output()
    try:
        code = _DeployRun(read_options(argv), output).run()
        # A pipe that broke shows here, not when the interpreter ends.
        sys.stdout.flush()
    except BrokenPipeError:
        output.is_open = False
    if not output.is_open:
        _discard_output()
        return BROKEN_PIPE
    return code


def _discard_output() -> None:
    """Lead the output nowhere, so that the interpreter's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


class Output:
    """Standard output and error. When their reader goes away, the run goes on to its end without printing."""

    is_open = True

    def say(self, text: str) -> None:
        """Print a text as a result."""
        self._write(text, sys.stdout)

    def complain(self, text: str) -> None:
        """Print a text as a problem."""
        self._write(text, sys.stderr)

    def _write(self, text: str, stream: Any) -> None:
        try:
            if self.is_open and text:
                print(text, file=stream, flush=True)
        except BrokenPipeError:
            self.is_open = False


class _DeployRun:
    """One run of the program."""

    def __init__(self, options: Options, output: Output) -> None:
        self.options, self.output = options, output
        self.say: Callable[[str], None] = _say_nothing if options.quiet or options.json else output.say
        self.problems: list[Json] = []
        """What was found wrong before anything was changed."""
        self.documents: list[Json] = []
        self.gates: dict[str, list[NewGates]] = {}
        """What each project changes of gates."""

    def run(self) -> int:
        plans = self._plan(self._find())
        if self._is_over():
            return self._end()
        plans = [plan for plan in plans if self._gates_are_known(plan)]
        if self._is_over():
            return self._end()
        if self.options.dry_run:
            for plan in plans:
                self._show(plan)
            return self._end()
        compiled = self._compile(plans)
        if self._is_over():
            return self._end()
        results = self._deploy(compiled)
        self._publish(results)
        self.documents = [result.document for result in results]
        return self._end()

    # Before anything is changed

    def _find(self) -> list[ProjectFolder]:
        start = self.options.root or Path.cwd()
        try:
            return find_projects(start, self.options.projects, climb=self.options.root is None)
        except NoProject as error:
            self._note("", f"obproject-deploy: {error}")
        except DefinitionError as error:
            self._note_all("", error.problems)
        return []

    def _plan(self, folders: Sequence[ProjectFolder]) -> list[Plan]:
        plans: dict[str, Plan] = {}
        for folder in folders:
            try:
                plan = make_plan(folder, self.options)
            except DefinitionError as error:
                self._note_all(folder.name, error.problems)
                continue
            if other := plans.get(plan.name):
                message = f"found the project {plan.name!r}, which {other.folder.name} is too, expected one of its own"
                self._note_all(folder.name, [Problem("obproject.toml", "key 'project'", message)])
            else:
                plans[plan.name] = plan
                for note in plan.project.notes:
                    self.say(f"{plan.name}: {note}")
        return list(plans.values())

    def _gates_are_known(self, plan: Plan) -> bool:
        """Ask the catalogue what the gates of a project are; return whether it can parse them all."""
        if self.options.skip_assets or self.options.spec_only or plan.settings.url is None:
            return True
        try:
            self.gates[plan.name] = new_gates(plan)
        except DefinitionError as error:
            self._note_all(plan.folder.name, error.problems)
            return False
        except AssetError as error:
            self._note(plan.folder.name, str(error))
            return False
        return True

    def _compile(self, plans: Sequence[Plan]) -> list[tuple[Plan, dict[str, str]]]:
        """Compile the flows of all projects before any of them is deployed; leave out those that can't be."""
        compiled = []
        for plan in plans:
            if plan.flows:
                self.say(f"Compiling {len(plan.flows)} flow{'s' if len(plan.flows) > 1 else ''} of {plan.name} ...")
            names, failures = compile_flows(plan)
            for failure in failures:
                self._note(plan.folder.name, failure)
            if not failures:
                compiled.append((plan, names))
        return compiled

    def _note_all(self, project: str, problems: Sequence[Problem]) -> None:
        for problem in problems:
            self._note(project, str(problem), source=problem.source, where=problem.where)

    def _note(self, project: str, message: str, **place: str) -> None:
        self.problems.append({"project": project, "message": message, **place})
        self.output.complain(f"{project}: {message}" if project else message)

    def _is_over(self) -> bool:
        """Say whether what was found wrong ends it: anything does, unless other projects are to go on."""
        return bool(self.problems) and not self.options.continue_on_error

    def _show(self, plan: Plan) -> None:
        """Show what a deployment would change."""
        difference, why_unknown = None, ""
        if self.options.spec_only or plan.settings.url is None:
            why_unknown = "no server is asked."
        else:
            try:
                difference = compare(plan, self.gates.get(plan.name, ()), skip_assets=self.options.skip_assets)
            except AssetNotFound:
                why_unknown = f"the perimeter {plan.settings.perimeter!r} is not there yet, or not to be seen."
            except AssetError as error:
                self._note(plan.folder.name, str(error))
                return
        self.documents.append(plan_document(plan, difference))
        self.say(describe_plan(plan, difference, why_unknown))

    # Changing things

    def _deploy(self, compiled: Sequence[tuple[Plan, dict[str, str]]]) -> list[DeployResult]:
        """Deploy one project after the other, up to the first that fails unless all are to be tried."""
        results: list[DeployResult] = []
        for plan, names in compiled:
            if results and not results[-1].ok and not self.options.continue_on_error:
                self._note(plan.folder.name, "was not deployed, because one before it failed.")
                continue
            only_spec = self.options.spec_only
            result = write_spec_only(plan) if only_spec else deploy(plan, names, self.options, self.say)
            result.gates = self.gates.get(plan.name, [])
            results.append(result)
            self.say(describe_result(result))
            for failure in result.failures:
                self.output.complain(f"obproject-deploy: {failure}")
        return results

    def _publish(self, results: Sequence[DeployResult]) -> None:
        """Put the summaries where people look; what does not work is one line."""
        if self.options.spec_only or not results:
            return
        ci = results[0].plan.ci
        if ci or self.options.summary:
            for result in results:
                self._compare(result)
        texts = [summarise(result) for result in results]
        try:
            if self.options.summary:
                self.options.summary.write_text("\n".join(texts), encoding="utf-8")
            if ci and (line := write_to_job_page(ci.system, "\n".join(texts))):
                self.say(line)
        except OSError as error:
            self.output.complain(f"The summary was not written: {error}")
        if ci and (conversation := find_conversation(ci.system)):
            try:
                for result, text in zip(results, texts, strict=True):
                    mark = f"obproject-deploy {result.plan.settings.perimeter}/{result.plan.name}"
                    conversation.say(mark, text, result.url)
            except NoAnswer as error:
                self.output.complain(f"The comment was not written: {error}")
        for result in results:
            self._set_check(result)

    def _compare(self, result: DeployResult) -> None:
        """Ask how the branch stands beside the main branch, if it was deployed."""
        try:
            result.comparison = compared(result.plan) if result.answer is not None else None
        except NotCompared as error:
            self.output.complain(f"The summary has no comparison: {error}")

    def _set_check(self, result: DeployResult) -> None:
        plan, comparison = result.plan, result.comparison
        check = plan.project.config.check
        if plan.ci is None or comparison is None or check == "none":
            return
        page = comparison.page(urljoin(f"{plan.settings.url}/", result.url or ""))
        try:
            set_check(
                plan.ci, comparison, fails=check == "failure", page=page, of=plan.name if plan.folder.name else ""
            )
        except NoAnswer as error:
            self.output.complain(f"The check was not set: {error}")

    def _end(self) -> int:
        """Print the document, or how many problems there were; return the exit code."""
        ok = not self.problems and all(document["ok"] for document in self.documents)
        if self.options.json:
            status = "failed" if not ok else "dry_run" if self.options.dry_run else "ok"
            document = {"status": status, "problems": self.problems, "projects": self.documents}
            self.output.say(json.dumps(document, indent=2))
        elif (count := len(self.problems)) and not self.documents:
            self.output.complain(f"{count} problem{'s' if count > 1 else ''} found; nothing was deployed.")
        return 0 if ok else 1


def plan_document(plan: Plan, difference: Difference | None) -> Json:
    """Return a plan for programs."""
    commands = [plan.deployer.create(flow, plan.spec_file) for flow in plan.flows] if plan.deployer else []
    return {
        "project": plan.name,
        "branch": plan.branch,
        "perimeter": plan.settings.perimeter,
        "version_id": plan.record["version_id"],
        "ok": True,
        "deployer": plan.deployer.name if plan.deployer else None,
        "flows": [{"name": flow.name, **command.document} for flow, command in zip(plan.flows, commands, strict=True)],
        "apps": [{"name": app.name, **plan.app_command(app).document} for app in plan.apps],
        "difference": difference.document if difference else None,
    }


def _say_nothing(_text: str) -> None:
    """Stand in for printing where nothing shall be printed."""
