"""`make demo` carries out the plan that examples/README.md promises, in order and never twice."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from examples import demo
from examples.demo import (
    CHANGES,
    FEATURE,
    LOCAL,
    MAIN,
    UNCOMMITTED,
    Dashboard,
    Demo,
    Deprecate,
    Plan,
    Run,
    Step,
    StepFailed,
    Workspace,
    make_plan,
)
from examples.progress import AtWork, Progress
from obproject.project.definitions import read_project
from tests.examples.folders import EXAMPLES

pytestmark = pytest.mark.slow

BRANCHES = (MAIN, FEATURE, LOCAL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(demo, "HOME", tmp_path)
    monkeypatch.setenv("ASSETSITE_URL", "http://127.0.0.1:1")
    for folder in ("runs", "logs"):
        (tmp_path / folder).mkdir()
    return tmp_path


# The plan


def test_the_runs_are_those_of_the_readme() -> None:
    table = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in (EXAMPLES / "README.md").read_text().splitlines()
        if line.startswith("|")
    ]
    assert table[0] == ["Flow", *BRANCHES]
    promised = {
        (row[0], branch): int(count)
        for row in table[2:]
        for branch, count in zip(BRANCHES, row[1:], strict=True)
        if count
    }
    planned = Counter((step.flow, step.workspace.branch) for step in make_plan() if isinstance(step, Run))
    assert planned == promised


def test_every_step_can_be_reached_and_has_files_of_its_own() -> None:
    plan = make_plan()
    order = list(TopologicalSorter(plan).static_order())
    assert set(order) == set(plan)
    assert len({step.key for step in plan}) == len(plan)


def test_runs_wait_for_the_deploy_of_their_branch_and_of_main_which_they_read() -> None:
    plan = make_plan()
    for step in plan:
        if isinstance(step, Run):
            waits_for = {str(earlier) for earlier in ancestors(plan, step)}
            branches = {MAIN, step.workspace.branch} - {LOCAL}
            assert waits_for >= {f"{step.workspace.project}, {branch}: deploy" for branch in branches}


def test_a_model_waits_for_the_features_of_its_round() -> None:
    plan = make_plan()
    features = {
        (step.workspace, step.label): step for step in plan if isinstance(step, Run) and step.flow == "FeatureFlow"
    }
    trainings = [step for step in plan if isinstance(step, Run) and step.flow == "TrainFlow"]
    pairs = [(step, features[key]) for step in trainings if (key := (step.workspace, step.label)) in features]
    assert len(pairs) == 6
    assert all(earlier in ancestors(plan, step) for step, earlier in pairs)


def test_a_model_is_judged_before_there_is_another_and_evaluated_before_there_are_other_features() -> None:
    plan = make_plan()
    rounds = {
        (step.flow, int(step.label.split()[-1])): step
        for step in plan
        if isinstance(step, Run) and step.workspace == Workspace("churn", MAIN)
    }
    for number in (1, 2, 3):
        judged = ancestors(plan, rounds["DatasetFlow", number + 1])
        assert {rounds["GateFlow", number], rounds["TrainFlow", number]} <= judged
        assert rounds["EvaluateFlow", number] in ancestors(plan, rounds["FeatureFlow", number + 1])


def test_versions_of_an_asset_always_come_in_the_same_order() -> None:
    plan = make_plan()
    runs = [step for step in plan if isinstance(step, Run)]
    for one, other in combinations(runs, 2):
        if (one.workspace, one.flow) == (other.workspace, other.flow):
            assert one in ancestors(plan, other) or other in ancestors(plan, one)


def test_what_is_read_is_always_the_same_version() -> None:
    """Whoever reads the latest of an asset runs before or after each run that makes one, never beside it."""
    plan = make_plan()
    reads: dict[str, list[str]] = {
        "FeatureFlow": ["DatasetFlow"],
        "TrainFlow": ["DatasetFlow", "FeatureFlow"],
        "GateFlow": ["DatasetFlow", "TrainFlow"],
        "EvaluateFlow": ["FeatureFlow", "TrainFlow"],
        "dashboard": ["FeatureFlow", "GateFlow"],
    }
    for reader in plan:
        flow = reader.flow if isinstance(reader, Run) else reader.title
        for maker in plan:
            if isinstance(maker, Run) and maker.flow in reads.get(flow, ()) and _reads_from(reader, maker):
                assert reader in ancestors(plan, maker) or maker in ancestors(plan, reader), f"{reader} beside {maker}"


def _reads_from(reader: Step, maker: Run) -> bool:
    """Whether the branch of one sees what the other makes: its own, and main's of what it has none of."""
    if maker.flow == "FeatureFlow" and reader.workspace.branch == FEATURE:
        return maker.workspace == reader.workspace
    return maker.workspace in (reader.workspace, Workspace("churn", MAIN)) and isinstance(reader, Run | Dashboard)


def ancestors(plan: Plan, step: Step) -> set[Step]:
    found: set[Step] = set()
    waiting = [step]
    while waiting:
        new = set(plan[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def test_what_is_deprecated_is_not_what_anybody_reads() -> None:
    """The first model, when the last one is there: `latest` and all aliases are on others."""
    plan, main = make_plan(), Workspace("churn", MAIN)
    before = ancestors(plan, Deprecate(main))
    assert {step.label for step in before if isinstance(step, Run) and step.flow == "GateFlow"} == {
        f"round {number}" for number in (1, 2, 3, 4)
    }


def test_one_run_is_there_to_fail() -> None:
    assert [str(step) for step in make_plan() if step.fails] == ["churn, user.demo: TrainFlow, broken on purpose"]


def test_flows_are_where_the_plan_says() -> None:
    for step in make_plan():
        if isinstance(step, Run):
            assert (EXAMPLES / step.workspace.project / demo.FLOWS[step.flow][0]).is_file()


# Copies of the projects


@pytest.mark.parametrize("project", CHANGES)
def test_a_copy_of_the_feature_branch_has_its_change_and_is_valid(project: str, home: Path) -> None:
    change = CHANGES[project]
    assert (EXAMPLES / project / change.file).read_text().count(change.before) == 1
    main, feature = Workspace(project, MAIN), Workspace(project, FEATURE)
    for workspace in (main, feature):
        workspace.prepare()
    assert change.before in (main.folder / change.file).read_text()
    assert change.after in (feature.folder / change.file).read_text()
    added = {asset.id for asset in read_project(feature.folder).assets} - {
        asset.id for asset in read_project(main.folder).assets
    }
    assert added == ({"interaction_features"} if project == "churn" else set())


def test_copies_have_a_history_that_deploys_can_tell(home: Path) -> None:
    main, feature = Workspace("comics", MAIN), Workspace("comics", FEATURE)
    for workspace in (main, feature):
        workspace.prepare()
    assert git(main, "log", "--format=%s") == ["Add the project"]
    assert git(feature, "log", "--format=%s") == [CHANGES["comics"].message, "Add the project"]
    assert git(feature, "rev-parse", "--abbrev-ref", "HEAD") == [FEATURE]
    assert git(feature, "status", "--porcelain") == []
    assert git(feature, "rev-parse", "HEAD~1") == git(main, "rev-parse", "HEAD")


def test_the_user_tries_something_that_is_not_committed(home: Path) -> None:
    change, workspace = UNCOMMITTED["churn"], Workspace("churn", LOCAL)
    assert (EXAMPLES / "churn" / change.file).read_text().count(change.before) == 1
    workspace.prepare()
    assert change.after in (workspace.folder / change.file).read_text()
    assert git(workspace, "status", "--porcelain") == [f" M {change.file}"]


def test_what_a_step_compiles_is_kept_and_nothing_of_the_user_is_passed_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_user = {"PYTHONDONTWRITEBYTECODE", "METAFLOW_PROFILE", "OB_BRANCH", "GIT_DIR"}
    for name in of_the_user:
        monkeypatch.setenv(name, "1")
    assert not of_the_user & set(Workspace("churn", MAIN).environment())


def git(workspace: Workspace, *arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=workspace.folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_copy_is_made_once(home: Path) -> None:
    workspace = Workspace("comics", LOCAL)
    workspace.prepare()
    (workspace.folder / "project_spec.json").write_text("{}")
    workspace.prepare()
    assert (workspace.folder / "project_spec.json").exists()


# Carrying a plan out


@dataclass(frozen=True)
class Note(Step):
    """A step that appends its name to a file, which stands for the catalogue."""

    name: str
    code: str = ""
    is_expected_to_fail: bool = False

    @property
    def title(self) -> str:
        return self.name

    @property
    def fails(self) -> bool:
        return self.is_expected_to_fail

    @property
    def notes(self) -> Path:
        return demo.HOME / "notes"

    @property
    def is_run(self) -> bool:
        return not self.name.startswith("deploy")

    def is_done(self, catalogue: Any) -> bool:
        return self.notes.exists() and self.name in self.notes.read_text().splitlines()

    def _arguments(self) -> list[str]:
        return ["-c", f"open({str(self.notes)!r}, 'a').write({self.name!r} + chr(10))\n{self.code}"]


SOMEWHERE = Workspace("comics", LOCAL)


def test_a_run_that_was_interrupted_after_registering_is_not_done(home: Path) -> None:
    class Everything:
        """A catalogue that has whatever it is asked for."""

        def get(self, *asked: Any, **query: str) -> dict[str, Any]:
            return {"recent_instances": [{"state": "ready"}]}

    run = Run(SOMEWHERE, "ComicData", "no. 1")
    Path(run._arguments()[-1]).write_text("12")
    assert not run.is_done(Everything())  # type: ignore[arg-type]
    run.end()
    assert run.is_done(Everything())  # type: ignore[arg-type]


def carry_out(plan: Plan) -> list[str]:
    """Return the notes of everything that has ever been done."""
    at_work = AtWork(demo.HOME)
    try:
        Demo(plan, catalogue=None, at_work=at_work).carry_out()  # type: ignore[arg-type]
    finally:
        at_work.end()
    return (demo.HOME / "notes").read_text().splitlines()


def test_steps_run_in_order_and_a_second_demo_adds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = (Note(SOMEWHERE, name) for name in ("first", "second", "third"))
    plan = {third: (second,), second: (first,), first: ()}
    assert carry_out(plan) == ["first", "second", "third"]
    assert "  3/3  comics, user.demo: third … " in capsys.readouterr().out
    assert carry_out(plan) == ["first", "second", "third"]
    assert "already: all 3 runs" in capsys.readouterr().out


def test_an_interrupted_demo_goes_on_where_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = Note(SOMEWHERE, "first"), Note(SOMEWHERE, "second")
    carry_out({first: ()})
    assert carry_out({first: (), second: (first,)}) == ["first", "second"]
    assert "1 of the demo's 2 runs" in capsys.readouterr().out


def test_it_tells_the_site_how_far_it_is_and_what_runs_now(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Progress] = []
    monkeypatch.setattr(AtWork, "tell", lambda self, progress: told.append(progress))
    deploy, first, second = (Note(SOMEWHERE, name) for name in ("deploy", "first", "second"))
    carry_out({deploy: (), first: (deploy,), second: (first,)})
    seen = list(dict.fromkeys((one.done, one.running, one.over) for one in told))
    assert {one.runs for one in told} == {2}
    assert seen == [
        (0, (), False),
        (0, ("the deploy of comics on user.demo",), False),
        (0, ("the first of comics on user.demo",), False),
        (1, ("the second of comics on user.demo",), False),
        (2, (), True),
    ]


def test_the_page_to_look_at_first_is_of_what_it_makes() -> None:
    made = {f"/default/{step.workspace.project}/main/{step.asset}" for step in make_plan() if isinstance(step, Run)}
    assert demo.LOOK_AT in made


def test_a_step_that_fails_stops_the_demo_and_its_log_is_shown(home: Path) -> None:
    first, second = Note(SOMEWHERE, "first", "raise SystemExit('no disk left')"), Note(SOMEWHERE, "second")
    with pytest.raises(StepFailed, match=r"(?s)no disk left.*comics, user.demo: first did not end as it should"):
        carry_out({first: (), second: (first,)})
    assert not second.is_done(None)


def test_a_step_that_leaves_nothing_in_the_catalogue_stops_the_demo(home: Path) -> None:
    @dataclass(frozen=True)
    class Forgetful(Note):
        def is_done(self, catalogue: Any) -> bool:
            return False

    with pytest.raises(StepFailed):
        carry_out({Forgetful(SOMEWHERE, "first"): ()})


def test_a_step_that_is_there_to_fail_has_to(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carry_out({Note(SOMEWHERE, "bad", "raise SystemExit(1)", is_expected_to_fail=True): ()}) == ["bad"]
    assert "bad (failed, as it should)" in capsys.readouterr().out
    with pytest.raises(StepFailed):
        carry_out({Note(SOMEWHERE, "good", is_expected_to_fail=True): ()})
