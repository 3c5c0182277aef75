"""The folders of the flow side stand above one another: which of them imports which is read from the code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "obproject"
MAY_IMPORT: dict[str, set[str]] = {
    "project": set(),
    "task": set(),
    "catalogue": {"task"},
    "deploy": {"catalogue", "project"},
    "commands": {"catalogue", "deploy", "project"},
}


def imported(path: Path) -> set[str]:
    """Return the folders and top modules of the package that a module imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("obproject.")}


def test_every_folder_has_its_level() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_is_below_it(folder: str) -> None:
    for path in (PACKAGE / folder).glob("*.py"):
        assert imported(path) & set(MAY_IMPORT) <= {folder} | MAY_IMPORT[folder], path.name
