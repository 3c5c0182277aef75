"""The flows of `assetsite demo`, run once the server is up: both example projects, for real, on three branches each.

Each step leaves something in the catalogue, and the catalogue is asked what is there already: a second demo adds
nothing, and one that was interrupted goes on. Copies of the projects, their runs and their logs are below
``$ASSETSITE_HOME/demo``; the examples stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import requests

from examples.progress import AtWork, Progress
from examples.warm import warm_python
from obproject.branches import branch_key

EXAMPLES = Path(__file__).resolve().parent
HOME = Path(os.environ.get("ASSETSITE_HOME", "")).expanduser().resolve() / "demo"
AT_ONCE = 2
LOG_LINES_SHOWN = 30
PERIMETER = os.environ.get("ASSETSITE_PERIMETER") or "default"
LOOK_AT = f"/{PERIMETER}/churn/main/models/churn_model"
"""The page to look at first, once all is there."""
NOT_PASSED_ON = ("METAFLOW_", "OBP_", "OB_", "GIT_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""By the last, what imports Metaflow would compile it each time anew: five times as long."""
MAIN, FEATURE, LOCAL = "main", "feature/better-features", "user.demo"


@dataclass(frozen=True)
class Change:
    """A change of the code: some lines of one file replaced, and perhaps a file added."""

    message: str
    file: str
    before: str
    after: str
    added: tuple[str, str] | None = None
    """Name and content of a new file."""

    def apply(self, folder: Path) -> None:
        """Change a copy of the project."""
        file = folder / self.file
        file.write_text(file.read_text().replace(self.before, self.after))
        if self.added:
            name, content = self.added
            (folder / name).parent.mkdir()
            (folder / name).write_text(content)


CHANGES = {
    "churn": Change(
        "Let support calls and contract interact, as features of their own",
        "src/feature_set.py",
        'ASSET = "churn_features"\nINTERACTIONS = False',
        'ASSET = "interaction_features"\nINTERACTIONS = True',
        added=(
            "data/interaction_features/asset_config.toml",
            'name = "Interaction features"\nid = "interaction_features"\nkind = "artifact"\nicon = "✖️"\n'
            'description = "Churn features with calls without a contract as a column of its own"\n',
        ),
    ),
    "comics": Change("Add a silent panel before the last", "flows/comic_data/flow.py", "PANELS = 3", "PANELS = 4"),
}

UNCOMMITTED = {"churn": Change("Train for longer", "flows/train/flow.py", "EPOCHS = 40", "EPOCHS = 80")}
"""What the user tries on the local branch without committing it, so that it can't be said which code it was."""

# The catalogue


class Catalogue:
    """The demo's client of the catalogue, which decides what is done."""

    def __init__(self, url: str, token: str | None, perimeter: str) -> None:
        self._root = f"{url.rstrip('/')}/v1/perimeters/{perimeter}"
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between this machine and itself
        self._session.headers.update({"x-api-key": token} if token else {})

    def get(self, workspace: Workspace, path: str, **query: str) -> dict[str, Any] | None:
        """Return what is below a branch; None if there is no such thing."""
        answer = self._session.get(self._address(workspace, path), params=query, timeout=20)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def _address(self, workspace: Workspace, path: str) -> str:
        return f"{self._root}/projects/{workspace.project}/branches/{branch_key(workspace.branch)}/{path}"


# Where steps work


def environment_of(user: str) -> dict[str, str]:
    """Return the environment of a user's steps: nobody's Metaflow configuration, and no network but the catalogue."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(NOT_PASSED_ON)}
    return kept | {
        "ASSETSITE_URL": os.environ["ASSETSITE_URL"],
        "METAFLOW_HOME": str(HOME / "no-configuration"),
        "METAFLOW_USER": user,
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True)
class Workspace:
    """A copy of an example project, with one branch checked out."""

    project: str
    branch: str

    @property
    def folder(self) -> Path:
        return HOME / self.project / branch_key(self.branch)

    @property
    def is_deployed(self) -> bool:
        return self.branch != LOCAL

    @property
    def user(self) -> str:
        """Who runs its flows."""
        return "ci" if self.is_deployed else LOCAL.removeprefix("user.")

    def environment(self) -> dict[str, str]:
        """Return the environment of its steps."""
        return environment_of(self.user) | {"PYTHONPATH": str(self.folder / "src")}

    def prepare(self) -> None:
        """Copy the project, unless that is done."""
        if self.folder.exists():
            return
        draft = self.folder.with_name(f".{self.folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        leave_out = shutil.ignore_patterns("__pycache__", ".*", "project_spec.json")
        shutil.copytree(EXAMPLES / self.project, draft, ignore=leave_out)
        # The first commit is the same in all copies, hence its fixed time.
        _commit(draft, MAIN, "Add the project", int((EXAMPLES / self.project / "obproject.toml").stat().st_mtime))
        if self.branch == FEATURE:
            change = CHANGES[self.project]
            change.apply(draft)
            _commit(draft, FEATURE, change.message, int(time.time()))
        if self.branch == LOCAL and self.project in UNCOMMITTED:
            UNCOMMITTED[self.project].apply(draft)
        draft.rename(self.folder)


def _commit(folder: Path, branch: str, message: str, at: int) -> None:
    """Commit everything to a new branch, so that deploys can say what they deploy; without git they can't."""
    if shutil.which("git") is None:
        return
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    when = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
    who = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com")
    for command in (("init",), ("checkout", "-b", branch), ("add", "."), (*who, "commit", "-m", message)):
        subprocess.run(
            ["git", *command],
            cwd=folder,
            env=kept | plain | when,
            capture_output=True,
            check=True,
        )


# What a step can be


@dataclass(frozen=True)
class Step:
    """Something that leaves a trace in the catalogue."""

    workspace: Workspace

    @property
    def title(self) -> str:
        raise NotImplementedError

    def is_done(self, catalogue: Catalogue) -> bool:
        """Say whether the catalogue shows what this step leaves there."""
        raise NotImplementedError

    def _arguments(self) -> list[str]:
        raise NotImplementedError

    @property
    def fails(self) -> bool:
        """Whether it is there to show a failure."""
        return False

    @property
    def is_run(self) -> bool:
        """Whether it counts, where it is said how far the demo is."""
        return False

    @property
    def while_running(self) -> str:
        """What is said of it while it runs, in few words."""
        return f"the {self.title} of {self.workspace.project} on {self.workspace.branch}"

    def end(self) -> None:
        """Take note that its process has ended as it should."""

    def __str__(self) -> str:
        return f"{self.workspace.project}, {self.workspace.branch}: {self.title}"

    @property
    def key(self) -> str:
        """Name of the step's files."""
        return "-".join(re.findall(r"\w+", str(self)))

    @property
    def log(self) -> Path:
        return HOME / "logs" / f"{self.key}.log"

    def start(self, python: str) -> subprocess.Popen[bytes]:
        """Start its process, by this Python."""
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [python, *self._arguments()],
                cwd=self.workspace.folder,
                env=self.workspace.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@dataclass(frozen=True)
class Deploy(Step):
    """Bring what the project declares to the catalogue."""

    title = "deploy"

    def is_done(self, catalogue: Catalogue) -> bool:
        has_spec_file = (self.workspace.folder / "project_spec.json").exists()
        return has_spec_file and catalogue.get(self.workspace, "latestflowproject") is not None

    def _arguments(self) -> list[str]:
        return ["-m", "obproject.deploy", "--branch", self.workspace.branch]


FLOWS = {
    "DatasetFlow": ("flows/dataset/flow.py", "data/customers"),
    "FeatureFlow": ("flows/features/flow.py", "data/churn_features"),
    "TrainFlow": ("flows/train/flow.py", "models/churn_model"),
    "GateFlow": ("flows/gate/flow.py", "data/evaluation_log"),
    "EvaluateFlow": ("flows/evaluate/flow.py", "data/evaluation"),
    "ComicData": ("flows/comic_data/flow.py", "data/comic"),
    "ComicExplainer": ("flows/comic_explainer/flow.py", "data/explanations"),
}
"""Where the flows are, and what each of them registers."""


@dataclass(frozen=True)
class Run(Step):
    """Run a flow, which registers an asset."""

    flow: str
    label: str
    options: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.flow}, {self.label}"

    @property
    def fails(self) -> bool:
        return "--break-it" in self.options

    @property
    def is_run(self) -> bool:
        return True

    @property
    def while_running(self) -> str:
        return f"{self.flow} on {self.workspace.branch}"

    @property
    def asset(self) -> str:
        """The asset that the run registers; that of one flow is changed on the feature branch."""
        changed = self.flow == "FeatureFlow" and self.workspace.branch == FEATURE
        return "data/interaction_features" if changed else FLOWS[self.flow][1]

    def instance(self, catalogue: Catalogue) -> dict[str, Any] | None:
        """Return what the run registered; None if there is no run, or the catalogue doesn't know it."""
        if not self._run_id_file.exists():
            return None
        run = f"{self.flow}/{self._run_id_file.read_text().strip()}/"
        summary = catalogue.get(self.workspace, self.asset, text=run, state="any")
        return next(iter(summary["recent_instances"]), None) if summary else None

    def is_done(self, catalogue: Catalogue) -> bool:
        instance = self.instance(catalogue)
        return instance is not None and instance["state"] == ("failed" if self.fails else "ready")

    def end(self) -> None:
        """Only now the run counts: one that was interrupted may have registered and not have done the rest."""
        self._started_file.rename(self._run_id_file)

    @property
    def _run_id_file(self) -> Path:
        return HOME / "runs" / self.key

    @property
    def _started_file(self) -> Path:
        return self._run_id_file.with_suffix(".started")

    def _arguments(self) -> list[str]:
        spec = ["--config", "project_spec", "project_spec.json"] if self.workspace.is_deployed else []
        before = [FLOWS[self.flow][0], "--no-pylint", "--quiet", *spec]
        return [*before, "run", *self.options, "--run-id-file", str(self._started_file)]


@dataclass(frozen=True)
class Dashboard(Step):
    """Consume assets as a deployment."""

    title = "dashboard"

    def is_done(self, catalogue: Catalogue) -> bool:
        summary = catalogue.get(self.workspace, FLOWS["TrainFlow"][1], page_size="1") if self.log.exists() else None
        consumers = [entry["entity_ref"]["entity_id"] for entry in summary["recently_consumed_by"]] if summary else []
        return "dashboard" in consumers

    def _arguments(self) -> list[str]:
        return ["deployments/dashboard/app.py", "@production"]


@dataclass(frozen=True)
class Deprecate(Step):
    """Withdraw the first model, as somebody does who has found out what is wrong with it."""

    title = "deprecation"
    reason = "Measured on a holdout with test accounts in it"

    def is_done(self, catalogue: Catalogue) -> bool:
        version = catalogue.get(self.workspace, f"{FLOWS['TrainFlow'][1]}/instances/v1")
        return version is not None and bool(version["deprecated"])

    def _arguments(self) -> list[str]:
        project, branch = self.workspace.project, self.workspace.branch
        deed = f"Asset({project!r}, {branch!r}).deprecate('churn_model', 'v1', {self.reason!r}, 'model')"
        return ["-c", f"from obproject import Asset; {deed}"]


# The plan

Plan = dict[Step, tuple[Step, ...]]
"""Steps with those that each of them has to wait for."""


def make_plan() -> Plan:
    """Return the whole demo."""
    return {**_plan_churn(), **_plan_comics()}


def _plan_churn() -> Plan:
    main, feature, local = (Workspace("churn", branch) for branch in (MAIN, FEATURE, LOCAL))

    def run(where: Workspace, flow: str, number: int) -> Run:
        options = ("--round", str(number)) if flow in ("DatasetFlow", "TrainFlow") else ()
        return Run(where, flow, f"round {number}", options)

    flows = ("DatasetFlow", "FeatureFlow", "TrainFlow", "GateFlow", "EvaluateFlow")
    rounds = {number: [run(main, flow, number) for flow in flows] for number in (1, 2, 3, 4)}
    branched = [Deploy(feature), run(feature, "FeatureFlow", 3), run(feature, "TrainFlow", 3)]
    again = Run(main, "FeatureFlow", "again, round 4")
    broken = Run(local, "TrainFlow", "broken on purpose", ("--round", "6", "--break-it", "True"))
    plan = {Deploy(main): (), **_plan_rounds(Deploy(main), rounds.values())}
    # The branch's features are made of main's customers and its models measured on main's holdout, each time those of
    # its own round: it waits for them, and main's next round for it.
    plan |= _chain(*branched, after=rounds[3][:1])
    plan[rounds[4][0]] += (branched[-1],)
    return {
        **plan,
        **_chain(Dashboard(main), after=rounds[4]),
        **_chain(Deprecate(main), after=rounds[4]),
        **_chain(run(feature, "FeatureFlow", 4), run(feature, "TrainFlow", 4), after=rounds[4][:1]),
        # Main's features once more, of the same customers: a version with the content of the one before.
        **_chain(again, run(local, "TrainFlow", 5), broken, after=[*rounds[4], Dashboard(main)]),
    }


def _plan_rounds(deploy: Deploy, rounds: Iterable[list[Run]]) -> Plan:
    """Return rounds of which each begins when a model is judged; its evaluation may take until new features come."""
    plan: Plan = {}
    judged: Step = deploy
    evaluated: Step = deploy
    for dataset, features, train, gate, evaluate in rounds:
        plan |= {dataset: (judged,), features: (dataset, evaluated), train: (features,), gate: (train,)}
        plan |= {evaluate: (train,)}
        judged, evaluated = gate, evaluate
    return plan


def _plan_comics() -> Plan:
    main, feature, local = (Workspace("comics", branch) for branch in (MAIN, FEATURE, LOCAL))

    def draw(where: Workspace, number: int) -> Run:
        return Run(where, "ComicData", f"no. {number}", ("--number", str(number)))

    def explain(where: Workspace, number: int) -> Run:
        return Run(where, "ComicExplainer", f"no. {number}")

    strips = [step for number in (1, 2, 3) for step in (draw(main, number), explain(main, number))]
    return {
        **_chain(Deploy(main), *strips),
        # Other branches explain main's newest strip, for that is where they read.
        **_chain(Deploy(feature), draw(feature, 3), explain(feature, 3), draw(feature, 4), after=strips),
        **_chain(draw(local, 5), explain(local, 3), after=strips),
    }


def _chain(*steps: Step, after: Iterable[Step] = ()) -> Plan:
    """Return steps that come one after the other, the first of them after others."""
    waits_for = [tuple(after), *((step,) for step in steps)]
    return dict(zip(steps, waits_for, strict=False))


# Carrying it out


class StepFailed(Exception):
    """A step did not end as it should."""

    def __init__(self, step: Step) -> None:
        tail = step.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:] if step.log.exists() else []
        self.sentence, self.log = f"{step} did not end as it should.", str(step.log)
        super().__init__("\n".join(["", *tail, "", f"{self.sentence} All it said: {self.log}"]))


class Demo:
    """Carries out what is left of a plan, ``AT_ONCE`` steps at a time."""

    def __init__(self, plan: Plan, catalogue: Catalogue, at_work: AtWork) -> None:
        self._plan = plan
        self._catalogue = catalogue
        self._at_work = at_work
        self._runs = sum(step.is_run for step in plan)
        self._done = {step for step in plan if step.is_done(catalogue)}
        self._running: dict[Step, tuple[subprocess.Popen[bytes], float]] = {}

    def carry_out(self) -> None:
        """Do what is left; raise StepFailed at the first step that does not end as it should."""
        self._tell()
        print(self._welcome(), flush=True)
        for workspace in {step.workspace for step in self._plan}:
            workspace.prepare()
        users = {step.workspace.user for step in self._plan if step not in self._done}
        with ExitStack() as until_done:
            pythons = {user: until_done.enter_context(warm_python(environment_of(user))) for user in users}
            until_done.callback(self._stop)
            self._carry_out_rest(pythons)
        self._tell(over=True)

    def _stop(self) -> None:
        for process, _ in self._running.values():
            process.terminate()
            process.wait()

    def _welcome(self) -> str:
        if len(self._done) == len(self._plan):
            return f"The examples have run already: all {self._runs} runs are in the catalogue."
        if self._done:
            return f"The site is usable now: {self._runs_done} of the demo's {self._runs} runs are there already."
        return f"The site is usable now; {self._runs} runs fill it, {AT_ONCE} at a time."

    @property
    def _runs_done(self) -> int:
        return sum(step.is_run for step in self._done)

    def _tell(self, *, over: bool = False) -> None:
        """Tell the pages of the site how far this is."""
        running = tuple(step.while_running for step in self._running)
        self._at_work.tell(Progress(self._runs, self._runs_done, running, over=over, look_at=LOOK_AT))

    def _carry_out_rest(self, pythons: dict[str, str]) -> None:
        order = TopologicalSorter(self._plan)
        order.prepare()
        waiting: list[Step] = []
        while order.is_active():
            waiting += order.get_ready()
            order.done(*(step for step in waiting if step in self._done))
            waiting = [step for step in waiting if step not in self._done]
            for step in waiting[: AT_ONCE - len(self._running)]:
                waiting.remove(step)
                self._running[step] = step.start(pythons[step.workspace.user]), time.monotonic()
            self._tell()
            order.done(*self._collect())

    def _collect(self) -> list[Step]:
        """Return the steps that have ended, after a moment in which some may."""
        time.sleep(0.02)
        ended = [step for step, (process, _) in self._running.items() if process.poll() is not None]
        for step in ended:
            process, started = self._running.pop(step)
            failed = process.returncode != 0
            if failed != step.fails:
                raise StepFailed(step)
            step.end()
            if not step.is_done(self._catalogue):
                raise StepFailed(step)
            self._done.add(step)
            outcome = " (failed, as it should)" if failed else ""
            seconds = f"{time.monotonic() - started:.1f} s"
            print(f"{self._runs_done:3}/{self._runs}  {step}{outcome} … {seconds}", flush=True)
        return ended


def main(at_work: AtWork) -> int:
    """Run the demo against the catalogue that ASSETSITE_URL names; return 0 if all is in the catalogue in the end."""
    catalogue = Catalogue(os.environ["ASSETSITE_URL"], os.environ.get("ASSETSITE_TOKEN"), PERIMETER)
    # Metaflow keeps its runs in the nearest folder of this name: one datastore for all branches, as in a team.
    for folder in (".metaflow", "runs", "logs"):
        (HOME / folder).mkdir(parents=True, exist_ok=True)
    try:
        Demo(make_plan(), catalogue, at_work).carry_out()
    except StepFailed as failure:
        at_work.fail(failure.sentence, failure.log)
        print(failure, file=sys.stderr)
        return 1
    except requests.RequestException as error:
        at_work.fail("The catalogue does not answer as it should.")
        print(f"The catalogue at {os.environ['ASSETSITE_URL']} does not answer as it should: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the next demo goes on from here.", file=sys.stderr)
        return 130
    return 0
