"""Reading the source code of flows."""

from pathlib import Path
from textwrap import dedent

import pytest

from obproject.project.definitions import DefinitionError
from obproject.project.flow_code import EvaluationCard
from obproject.project.workflows import Workflow, read_workflows
from tests.obproject.deploying import FLOW, write


def flow_of(root: Path, source: str, **files: str) -> Workflow:
    """Read the one flow of a project; ``files`` are further ones, without their ``.py``."""
    write(root, {"flows/a/flow.py": dedent(source)})
    write(root, {f"{name}.py": dedent(text) for name, text in files.items()})
    (found,) = read_workflows(root)
    return found


@pytest.mark.parametrize(
    ("source", "flow_name"),
    [
        (FLOW.format(name="Plain"), "Plain"),
        ("class A(FlowSpec): pass", "A"),
        ("class A(obproject.ProjectFlow): pass", "A"),
        ("from obproject import ProjectFlow as P\nclass A(P): pass", "A"),
        ("class Base(ProjectFlow): pass\nclass A(Base): pass\nif __name__ == '__main__':\n    A()", "A"),
        ("from team import TeamFlow\nclass A(TeamFlow): pass\nif __name__ == '__main__':\n    A()", "A"),
        ("class H: pass\nclass A(ProjectFlow): pass\nif __name__ == '__main__':\n    H()\n    A()", "A"),
        ("class Loop(Loop): pass\nclass A(ProjectFlow): pass", "A"),
    ],
)
def test_the_flow_of_a_file_is_found(tmp_path: Path, source: str, flow_name: str) -> None:
    write(tmp_path, {"flows/a/flow.py": source, "flows/_off/flow.py": "broken(", "flows/none/other.py": ""})
    assert [workflow.flow_name for workflow in read_workflows(tmp_path)] == [flow_name]


TEAM_FLOW = """
    from metaflow import card, step, Config
    from obproject import ProjectFlow, highlight

    class TeamFlow(ProjectFlow):
        limits = Config("limits", default="limits.json")

        @highlight
        @step
        def start(self): ...

        @card(id="project_eval", type="blank")
        @step
        def end(self): ...
"""


@pytest.mark.parametrize(
    ("header", "base", "files"),
    [
        ("from team import TeamFlow", "TeamFlow", {"src/team": TEAM_FLOW}),
        ("import team as t", "t.TeamFlow", {"src/team": TEAM_FLOW}),
        ("from team import *", "TeamFlow", {"team": TEAM_FLOW}),
        ("from team.base import TeamFlow as T", "T", {"src/team/base": TEAM_FLOW}),
        ("import team.base", "team.base.TeamFlow", {"src/team/base": TEAM_FLOW}),
        ("from team import base", "base.TeamFlow", {"src/team/__init__": "", "src/team/base": TEAM_FLOW}),
        (
            "from team import TeamFlow",
            "TeamFlow",
            {"src/team/__init__": "from .base import TeamFlow", "src/team/base": TEAM_FLOW},
        ),
        ("from beside import TeamFlow", "TeamFlow", {"flows/a/beside": TEAM_FLOW}),
    ],
)
def test_fault_27_bases_are_followed_into_the_projects_own_files(
    tmp_path: Path, header: str, base: str, files: dict[str, str]
) -> None:
    # Nothing is called at the end, so the class is only found by what it derives from.
    found = flow_of(tmp_path, f"{header}\nclass Other: pass\nclass A({base}): pass", **files)
    assert found.flow_name == "A"
    assert found.highlight_step == "start"
    assert found.evaluation_card == EvaluationCard("end", "blank")
    assert found.config_names == ("limits",)


def test_fault_27_imports_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    circle = {"src/a": "from b import X", "src/b": "from a import X"}
    found = flow_of(tmp_path, "from a import X\nclass F(X): pass\nif __name__ == '__main__':\n    F()", **circle)
    assert found.flow_name == "F"


def test_fault_27_a_file_of_the_project_is_never_run(tmp_path: Path) -> None:
    boom = "raise SystemExit('was run')\nfrom obproject import ProjectFlow\nclass T(ProjectFlow): pass"
    assert flow_of(tmp_path, "from team import T\nclass F(T): pass", **{"src/team": boom}).flow_name == "F"


@pytest.mark.parametrize(
    ("decorators", "highlight", "card"),
    [
        ("@highlight\n@step", "start", None),
        ("@highlight\n@card(type='blank')\n@retry(times=max(2, min(3, 4)))\n@step", "start", None),
        ("@obproject.highlight\n@step", "start", None),
        ("@highlight()\n@step", "start", None),
        ("@highlight", None, None),
        ("@card(id='project_eval')\n@step", None, "default"),
        ("@card(type='html', id='project_eval')\n@resources(memory=int(f(8)))\n@step", None, "html"),
        ("@card('html', id='project_eval')\n@card(id='other')\n@step", None, "html"),
        ("@card(id=EVAL, type=KIND)\n@step", None, "vega"),
        ("@card(id='other')\n@step", None, None),
        ("@card\n@step", None, None),
    ],
)
def test_fault_27_decorators_are_found_wherever_they_stand(
    tmp_path: Path, decorators: str, highlight: str | None, card: str | None
) -> None:
    stack = "\n".join(f"    {line}" for line in decorators.splitlines())
    source = f"EVAL = 'project_eval'\nKIND = 'vega'\nclass A(ProjectFlow):\n{stack}"
    found = flow_of(tmp_path, f"{source}\n    def start(self): ...\n")
    assert found.highlight_step == highlight
    assert found.evaluation_card == (EvaluationCard("start", card) if card else None)


@pytest.mark.parametrize(
    ("decorator", "said"),
    [
        ("@highlight", "line 7: found @highlight on the steps start and end"),
        ("@card(id='project_eval')", "line 7: found @card(id='project_eval') on the steps start and end"),
    ],
)
def test_fault_27_two_steps_where_one_can_be_are_refused(tmp_path: Path, decorator: str, said: str) -> None:
    body = "".join(f"    {decorator}\n    @step\n    def {name}(self): ...\n" for name in ("start", "end"))
    with pytest.raises(DefinitionError) as caught:
        flow_of(tmp_path, f"class A(ProjectFlow):\n{body}")
    assert f"flows/a/flow.py: {said}" in str(caught.value)


def test_a_step_hides_that_of_its_base(tmp_path: Path) -> None:
    source = """
        class Base(ProjectFlow):
            @highlight
            @step
            def start(self): ...

        class A(Base):
            @step
            def start(self): ...

        if __name__ == "__main__":
            A()
    """
    assert flow_of(tmp_path, source).highlight_step is None


def test_configs_are_known_by_name(tmp_path: Path) -> None:
    source = """
        from metaflow import Config as C

        class A(ProjectFlow):
            one = C("one", default="a.json")
            two = C(name="two", default_value="")
            three = C(chosen())
    """
    assert flow_of(tmp_path, source).config_names == ("one", "two")


@pytest.mark.parametrize(
    ("bases", "is_plain"), [("FlowSpec", True), ("ProjectFlow", False), ("Mixin, FlowSpec", False)]
)
def test_a_plain_flow_is_told_from_a_projects(tmp_path: Path, bases: str, is_plain: bool) -> None:
    assert flow_of(tmp_path, f"class A({bases}): pass").is_plain is is_plain


def test_two_flows_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"flows/a/flow.py": FLOW.format(name="A"), "flows/b/flow.py": FLOW.format(name="A")})
    with pytest.raises(DefinitionError, match=r"flows/b/flow\.py: found the flow A, which flows/a/flow\.py has too"):
        read_workflows(tmp_path)


def test_flows_are_left_out_unread_on_branches_that_their_file_does_not_name(tmp_path: Path) -> None:
    rules = {"a": 'branches = ["main", "release/*"]', "b": "branches = []", "c": "", "d": 'branches = ["*"]'}
    for name, rule in rules.items():
        write(tmp_path, {f"flows/{name}/flow.py": FLOW.format(name=name.upper())})
        write(tmp_path, {f"flows/{name}/obproject_deploy.toml": f"[deploy]\n{rule}\n"})
    write(tmp_path, {"flows/b/flow.py": "broken("})

    def deployed_from(branch: str) -> list[str]:
        return [flow.flow_name for flow in read_workflows(tmp_path, branch)]

    assert deployed_from("release/v2") == ["A", "C", "D"]
    assert deployed_from("feature/x") == ["C", "D"]
    write(tmp_path, {"flows/c/obproject_deploy.toml": '[deploy]\nbranches = "main"\n'})
    with pytest.raises(DefinitionError, match=r"flows/c/obproject_deploy\.toml: \[deploy\] key 'branches'"):
        read_workflows(tmp_path, "main")
