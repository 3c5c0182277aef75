"""The package as a whole: what it exports, and that importing it costs little."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import obproject
from obproject import errors
from tests.places import CHECKOUT, FLOW_SIDE, modules_in


def test_all_is_sorted_and_everything_in_it_is_there() -> None:
    assert obproject.__all__ == sorted(obproject.__all__)
    for name in obproject.__all__:
        assert getattr(obproject, name) is not None
        assert name in dir(obproject)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        obproject.Nothing  # noqa: B018


def test_the_package_travels_with_a_flows_code() -> None:
    assert obproject.METAFLOW_PACKAGE_POLICY == "include"


@pytest.mark.parametrize(
    "module", ["obproject", "obproject.branches", "obproject.project.definitions", "obproject.references"]
)
def test_the_floor_loads_neither_metaflow_nor_requests(module: str) -> None:
    script = (
        f"import sys, {module}; print([name for name in ('metaflow', 'requests', 'django') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_whole_client_loads_no_django() -> None:
    script = "import sys; from obproject import *; print('django' in sys.modules, 'metaflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("names", ["ProjectFlow", "ProjectFlow, highlight, project_schedule, project_trigger"])
def test_a_process_of_a_flow_that_runs_no_step_loads_nothing_that_asks_the_catalogue(names: str) -> None:
    script = f"import sys; from obproject import {names}; print([*filter({{*sys.modules}}.__contains__, sys.argv)])"
    asking = ("obproject.prj", "obproject.assets", "obproject.connection", "obproject.task.running")
    done = subprocess.run([sys.executable, "-c", script, *asking], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _error_classes() -> list[type[errors.AssetError]]:
    return [
        found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, errors.AssetError)
    ]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        stem, word = len(line) - len(line.lstrip(" │├└─")), line.lstrip(" │├└─").split(" ")[0]
        if word in vars(errors) and line.startswith("    "):
            drawn.append((stem, word))
    assert {name for _, name in drawn} == {found.__name__ for found in _error_classes()}
    for position, (stem, name) in enumerate(drawn[1:], start=1):
        parent = next(above for indent, above in reversed(drawn[:position]) if indent < stem)
        assert getattr(errors, parent) in getattr(errors, name).__bases__


@pytest.mark.parametrize("error_class", _error_classes())
def test_every_error_survives_pickling(error_class: type[errors.AssetError]) -> None:
    error = pickle.loads(pickle.dumps(error_class("what happened")))
    assert type(error) is error_class
    assert str(error) == "what happened"


def test_fault_55_every_package_that_is_imported_is_declared() -> None:
    declared = tomllib.loads((CHECKOUT / "client" / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in declared["dependencies"]}
    imported = {name.partition(".")[0] for path in modules_in(*FLOW_SIDE).values() for name in imports(path)}
    assert {"metaflow", "requests"} <= imported
    assert imported - sys.stdlib_module_names - {"obproject", "metaflow_extensions"} == names
    assert declared["requires-python"] == ">=3.11"


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
