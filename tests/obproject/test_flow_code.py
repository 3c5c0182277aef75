"""Reading the source code of flows."""

import runpy
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from types import ModuleType

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


# What `python flow.py` runs: each case is really run, too, with stand-ins for Metaflow and this package


class _Ran(BaseException):
    """A flow is run; its name is the argument."""


class _Flow:
    def __init__(self, use_cli: bool = True) -> None:
        if use_cli:
            raise _Ran(type(self).__name__)


def really_run(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the flow that a file runs."""

    def any_decorator(*arguments: object, **_: object) -> object:
        return arguments[0] if arguments and callable(arguments[0]) else lambda decorated: decorated

    for name in ("metaflow", "obproject"):
        stand_in = ModuleType(name)
        stand_in.__dict__.update({"ProjectFlow": _Flow, "FlowSpec": _Flow})
        stand_in.__dict__.update(dict.fromkeys(("step", "card", "project_trigger", "FlowMutator"), any_decorator))
        monkeypatch.setitem(sys.modules, name, stand_in)
    root = file.parents[2]
    monkeypatch.setattr(sys, "path", [str(file.parent), str(root), str(root / "src"), *sys.path])
    before = set(sys.modules)
    try:
        # In a thread of its own, for in this one tests in a browser keep an event loop running.
        with ThreadPoolExecutor(1) as alone:
            alone.submit(runpy.run_path, str(file), run_name="__main__").result()
    except _Ran as ran:
        return str(ran)
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]
    pytest.fail("The file runs no flow.")


TWO = "from obproject import ProjectFlow\nclass First(ProjectFlow): pass\nclass A(ProjectFlow): pass\n"
"""Two flows; the cases run the second one."""
MAIN = "if __name__ == '__main__':\n"
TEAM = {
    "src/team": TWO + "def main(flow=A): flow()\nASIDE = 'aside'\n",
    "src/__init__": "METAFLOW_PACKAGE_POLICY = 'include'",
    "src/pack/__init__": "from .inner import start",
    "src/pack/inner": "import team\ndef start(): team.main()",
    "src/guarded": f"{TWO}{MAIN}    First()",
    "src/broken": "def (",
}


@pytest.mark.parametrize(
    "source",
    [
        # behind functions
        f"{TWO}def main():\n    A()\n{MAIN}    main()",
        f"{TWO}def run(flow): flow()\ndef main(): run(flow=A)\n{MAIN}    main()",
        f"{TWO}def main(flow=A, *rest, **more): return flow()\n{MAIN}    import sys\n    sys.exit(main())",
        f"{TWO}async def main(): A()\n{MAIN}    import asyncio\n    asyncio.run(main())",
        f"{TWO}def chosen(): return A\n{MAIN}    chosen()()",
        f"{TWO}def chosen():\n    try:\n        return A\n    finally:\n"
        f"        print()\n{MAIN}    flow = chosen()\n    flow()",
        f"{TWO}main = lambda: A()\n{MAIN}    main()",
        f"{TWO}def around(f):\n    def inner(*a): return f(*a)\n"
        f"    return inner\n@around\ndef main(): A()\n{MAIN}    main()",
        f"{TWO}class Start:\n    flow = A\n    def __call__(self): self.flow()\n    @staticmethod\n    def now(): A()\n"
        f"    @classmethod\n    def cls(k): k.now()\n{MAIN}    Start.cls()",
        f"{TWO}class Start:\n    def __init__(self, flow): flow()\n{MAIN}    Start(A)",
        f"{TWO}class Start:\n    def go(self): A()\n    def stop(self): First()\n{MAIN}    Start().go()",
        "from obproject import ProjectFlow\nclass First(ProjectFlow): pass\nclass A(ProjectFlow):\n"
        f"    @classmethod\n    def main(cls): cls()\n{MAIN}    A.main()",
        f"{TWO}def outer():\n    global flow\n    flow = A\nflow = First\nouter()\n{MAIN}    flow()",
        f"{TWO}def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(5)\n{MAIN}    A()",
        f"{TWO}def twice(n):\n    if n: return twice(n - 1)\n    A()\n{MAIN}    twice(0)",
        # imported
        f"from team import main\n{MAIN}    main()",
        f"import team as t\n{MAIN}    t.main()",
        f"from team import *\n{MAIN}    A()",
        f"from team import First, A as Flow\n{MAIN}    Flow()",
        f"from pack import start\n{MAIN}    start()",
        f"import src\nfrom src.team import A\n{MAIN}    A()",
        f"import pack.inner\n{MAIN}    pack.inner.start()",
        f"from guarded import A\n{MAIN}    A()",
        f"try:\n    from team import A\nexcept ImportError:\n    from elsewhere import A\n{MAIN}    A()",
        f"{TWO}try:\n    import broken\nexcept SyntaxError:\n    pass\n{MAIN}    A()",
        # variables, aliases, places
        f"{TWO}F = A\n{MAIN}    F()",
        f"{TWO}{MAIN}    flow = A\n    flow()",
        f"{TWO}flow: type = A\n{MAIN}    flow()",
        f"{TWO}{MAIN}    (flow := A)()",
        f"{TWO}a, (b, *c) = First, (A, First)\n{MAIN}    b()",
        f"{TWO}FLOWS = {{'a': A, 'first': First}}\nKEY = 'a'\n{MAIN}    FLOWS[KEY]()",
        f"{TWO}{MAIN}    [First, A][-1]()",
        f"{TWO}{MAIN}    globals()['A']()",
        f"{TWO}{MAIN}    import sys\n    for flow in (A,):\n        flow()",
        # changed afterwards
        f"{TWO}class Names:\n    flow = First\nNames.flow = A\n{MAIN}    Names.flow()",
        f"{TWO}class Names:\n    flow = First\nsetattr(Names, 'flow', A)\n{MAIN}    Names.flow()",
        f"{TWO}globals()['First'] = A\n{MAIN}    First()",
        f"import team\n{TWO}team.First = A\n{MAIN}    team.First()",
        f"{TWO}def main():\n    flow = First\n    def choose():\n        nonlocal flow\n        flow = A\n"
        f"    choose()\n    flow()\n{MAIN}    main()",
        f"{TWO}class Launcher:\n    def __init__(self, flow): self.flow = flow\n    def go(self): self.flow()\n"
        f"{MAIN}    Launcher(A).go()",
        # chosen by a test that is clear
        f"{TWO}FAST = False\n{MAIN}    if FAST:\n        First()\n    else:\n        A()",
        f"{TWO}FAST = True\nflow = A if FAST else First\n{MAIN}    flow()",
        f"{TWO}MODE = 'a'\nif MODE == 'first':\n    flow = First\n"
        f"elif MODE in ('a', 'b'):\n    flow = A\n{MAIN}    flow()",
        f"{TWO}{MAIN}    None or A()",
        f"from typing import TYPE_CHECKING\n{TWO}flow = A\nif TYPE_CHECKING:\n    flow = First\n{MAIN}    flow()",
        # guards
        f"{TWO}if '__main__' == __name__:\n    A()",
        f"{TWO}if __name__ != '__main__':\n    First()\nelse:\n    A()",
        f"{TWO}if not __name__ == '__main__':\n    First()\nelse:\n    A()",
        f"{TWO}if __name__ in ('__main__', 'flow'):\n    A()",
        f"{TWO}if True:\n    if __name__ == '__main__' and A:\n        A()",
        f"{TWO}__name__ == '__main__' and A()",
        f"{TWO}MAIN = '__main__'\nif __name__ == MAIN:\n    A()",
        f"{TWO}if __name__ == '__main__':\n    with open(__file__) as file:\n"
        f"        try:\n            A()\n        except ValueError:\n            First()",
        f"{TWO}A()",
        f"{TWO}{MAIN}    A()\n    First()",
        f"{TWO}{MAIN}    while True:\n        A()",
        # what runs no flow
        f"{TWO}{MAIN}    First(use_cli=False)\n    A()",
        f"{TWO}{MAIN}    First(False)\n    A(use_cli=True)",
        f"{TWO}OPTIONS = {{'use_cli': False}}\n{MAIN}    First(**OPTIONS)\n    A()",
        f"{TWO}{MAIN}    import argparse, logging\n    logging.basicConfig()\n"
        f"    argparse.ArgumentParser().parse_known_args([])\n    A()",
        # where the class stands
        "from obproject import ProjectFlow\ntry:\n    class A(ProjectFlow): pass\nexcept NameError:\n    raise\n"
        f"{MAIN}    A()",
        "from obproject import ProjectFlow\ndef make():\n    class A(ProjectFlow): pass\n    return A\n"
        f"class First(ProjectFlow): pass\n{MAIN}    make()()",
        "from obproject import ProjectFlow\ndef make(base):\n    class A(base): pass\n    return A\n"
        f"class First(ProjectFlow): pass\nflow = make(First)\n{MAIN}    flow()",
        "from obproject import ProjectFlow\ndef team(cls): return cls\nclass First(ProjectFlow): pass\n"
        f"@team\nclass A(First): pass\n{MAIN}    A()",
        "from obproject import ProjectFlow\ndef team(name):\n"
        "    def deco(cls):\n        class A(cls): pass\n        return A\n"
        f"    return deco\n@team('x')\nclass First(ProjectFlow): pass\n{MAIN}    First()",
        "import obproject, metaflow\n@metaflow.project_trigger(event='x')\nclass A(obproject.ProjectFlow): pass\n"
        f"class First(metaflow.FlowSpec): pass\n{MAIN}    A()",
    ],
)
def test_the_flow_is_the_one_that_running_the_file_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    found = flow_of(tmp_path, source, **TEAM)
    assert found.flow_name == really_run(tmp_path / "flows/a/flow.py", monkeypatch) == "A"


CHOICE = "found a choice between A (line {}) and First (line {})"


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        (f"import sys\n{TWO}flow = A if sys.argv[1:] else First\n{MAIN}    flow()", 7, CHOICE.format(4, 3)),
        (f"import sys\n{TWO}{MAIN}    if sys.argv:\n        A()\n    else:\n        First()", 9, CHOICE.format(4, 3)),
        (f"import sys\n{TWO}{MAIN}    if sys.argv:\n        A()\n    First()", 8, CHOICE.format(4, 3)),
        (f"{TWO}{MAIN}    for flow in (A, First):\n        flow()", 6, CHOICE.format(3, 2)),
        (f"import os\n{TWO}FLOWS = {{'a': A, 'b': First}}\n{MAIN}    FLOWS[os.environ['X']]()", 7, CHOICE.format(4, 3)),
        (
            f"import os\n{TWO}def pick():\n    if os.environ:\n        return A\n    return First\n{MAIN}    pick()()",
            10,
            CHOICE.format(4, 3),
        ),
        (
            f"import os\nif os.environ:\n    class A(ProjectFlow): pass\n"
            f"else:\n    class A(ProjectFlow): pass\n{MAIN}    A()",
            7,
            "found a choice between A (line 3) and A (line 5)",
        ),
        (
            f"{TWO}flow = A\ntry:\n    import fast\n    flow = First\nexcept ImportError:\n    pass\n{MAIN}    flow()",
            11,
            "found a choice between",
        ),
        (f"{TWO}try:\n    from fast import A\nexcept ImportError:\n    pass\n{MAIN}    A()", 9, "fast.A"),
        (f"import fire\n{TWO}{MAIN}    fire.Fire({{'a': A, 'b': First}})", 6, CHOICE.format(4, 3)),
        (
            f"import sys\n{TWO}{MAIN}    match sys.argv:\n        case ['a']:\n            A()\n"
            "        case _:\n            First()",
            10,
            CHOICE.format(4, 3),
        ),
        (
            f"from lib import TrainFlow\nclass A(ProjectFlow): pass\n{MAIN}    TrainFlow()",
            4,
            "found the call of lib.TrainFlow, of which the code does not tell that it runs a flow; "
            "expected the call of a flow's class, such as A()",
        ),
        (f"{TWO}{MAIN}    getattr(__import__('x'), 'A')()", 5, "found the call of __import__"),
        (f"{TWO}flows = [First]\nflows.insert(0, A)\n{MAIN}    flows[0]()", 7, "found a choice between"),
        (f"{TWO}flows = {{'x': First}}\nflows['x'] = A\n{MAIN}    flows['x']()", 7, "found a choice between"),
        (
            f"import os\n{TWO}flow = First\ndef choose():\n    global flow\n    if os.environ:\n        flow = A\n"
            f"choose()\n{MAIN}    flow()",
            12,
            "found a choice between",
        ),
        (f"from ....far import A\n{MAIN}    A()", 3, "found the call of far.A"),
        (TWO, 3, "found the flows First and A, none of which is called; expected A(), or another of them"),
    ],
)
def test_what_the_code_does_not_tell_is_an_error_that_names_the_line(
    tmp_path: Path, source: str, line: int, said: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        flow_of(tmp_path, source)
    assert str(caught.value).startswith(f"flows/a/flow.py: line {line}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        f"import lib\n{TWO}{MAIN}    lib.launch(A)",
        f"import typer\n{TWO}def main(day: str): A()\n{MAIN}    typer.run(main)",
        f"import click\n{TWO}@click.command()\ndef main(): A()\n{MAIN}    main()",
        f"import os\n{TWO}{MAIN}    if os.environ:\n        A()\n    print('nothing to do')",
        f"from team import TeamFlow\nfrom settings import Base\nclass Settings(Base): pass\n"
        f"class A(TeamFlow):\n    @step\n    def start(self): pass\n{MAIN}    Settings()\n    A()",
    ],
)
def test_a_flow_that_is_run_from_outside_the_project_is_found(tmp_path: Path, source: str) -> None:
    assert flow_of(tmp_path, source).flow_name == "A"


def test_code_that_is_too_much_to_follow_is_an_error(tmp_path: Path) -> None:
    doubling = "".join(f"def f{n}(): f{n - 1}(); f{n - 1}()\n" for n in range(1, 20))
    for source in (f"{TWO}def f0(): pass\n{doubling}f19()\n{MAIN}    A()", f"{TWO}x = 1{' + 1' * 1500}\n{MAIN}    A()"):
        with pytest.raises(DefinitionError, match="nested too deeply, or calls too much, to be followed"):
            flow_of(tmp_path, source)


def test_an_error_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    team = f"import os\n{TWO}def main():\n    if os.environ:\n        A()\n    First()"
    with pytest.raises(DefinitionError, match=r"found a choice .* \(line 8 of team\.py, which it imports\)"):
        flow_of(tmp_path, f"from team import main\n{MAIN}    main()", **{"src/team": team})


NAMES = {
    "src/names": "EVAL = 'project_eval'\nLIMITS = 'limits'\nclass Ids:\n    eval = EVAL\n",
    "src/cards": "from metaflow import card, step\ndef evaluated(kind): return card(id='project_eval', type=kind)\n"
    "def shown(function): return evaluated('vega')(step(function))\n",
}


@pytest.mark.parametrize(
    "decorators",
    [
        "@card(id=names.EVAL, type='vega')\n@step",
        "@card(id=names.Ids.eval, type='vega')\n@step",
        "@card(id=EVAL, type='vega')\n@step",
        "@card(id=f'{PREFIX}_eval', type='ve' + 'ga')\n@step",
        "@card(id=OWN, type='vega')\n@step",
        "@card(**{'id': EVAL, 'type': 'vega'})\n@step",
        "@CARD\n@step",
        "@cards.evaluated('vega')\n@step",
        "@cards.shown",
        "@card('vega', id=EVAL)\n@a_step",
    ],
)
def test_ids_that_are_constants_are_known(tmp_path: Path, decorators: str) -> None:
    stack = "\n".join(f"    {line}" for line in decorators.splitlines())
    source = f"""import names, cards
from metaflow import card, step, Config
from names import EVAL
PREFIX = 'project'
CARD = card(id=EVAL, type='vega')
a_step = step
class A(ProjectFlow):
    OWN = EVAL
    limits = Config(names.LIMITS)
{stack}
    def end(self): ...
"""
    found = flow_of(tmp_path, source, **NAMES)
    assert found.evaluation_card == EvaluationCard("end", "vega")
    assert found.config_names == ("limits",)


@pytest.mark.parametrize(
    ("source", "environment"),
    [
        ("class A(ProjectFlow):\n    @pypi(packages={})\n    @step\n    def start(self): ...", "pypi"),
        ("class A(ProjectFlow):\n    @metaflow.conda\n    @step\n    def start(self): ...", "conda"),
        ("@conda_base(python='3.12')\nclass A(ProjectFlow): pass", "conda"),
        ("from metaflow import pypi_base as base\n@base(python='3.12')\nclass A(ProjectFlow): pass", "pypi"),
        ("@conda_base\nclass A(ProjectFlow):\n    @pypi\n    @step\n    def start(self): ...", "pypi"),
        ("from base import Base\nclass A(Base): pass", "pypi"),
        ("from base import torch\nclass A(ProjectFlow):\n    @torch\n    @step\n    def start(self): ...", "conda"),
        ("from base import Packed\n@Packed\nclass A(ProjectFlow): pass", "conda"),
        ("from base import Packed\n@Packed('x')\nclass A(ProjectFlow): pass", "conda"),
        ("class A(ProjectFlow):\n    @step\n    def start(self): ...", None),
    ],
)
def test_the_environment_of_the_packages_is_known(tmp_path: Path, source: str, environment: str | None) -> None:
    base = (
        "from metaflow import FlowMutator, pypi_base, conda, conda_base\n"
        "@pypi_base(python='3.12')\nclass Base(ProjectFlow): pass\n"
        "torch = conda(libraries={'pytorch': '2.4'})\n"
        "class Packed(FlowMutator):\n    def pre_mutate(self, flow):\n"
        "        flow.add_decorator(conda_base, duplicates=flow.ERROR)\n"
    )
    assert flow_of(tmp_path, source, **{"src/base": base}).environment == environment


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
