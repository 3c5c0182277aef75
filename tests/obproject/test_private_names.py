"""Names that begin with an underscore are used in their own module only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.places import FLOW_SIDE, modules_in, place

MODULES = [*modules_in(*FLOW_SIDE)]


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse(place(path).read_text())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def members(path: str) -> set[str]:
    """Return the private names that the classes of a module define."""
    classes = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    return {name for one in classes for name in (*_class_names(one), *_attributes(one)) if is_private(name)}


def _class_names(one: ast.ClassDef) -> Iterator[str]:
    for node in one.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _attributes(one: ast.ClassDef) -> Iterator[str]:
    """Yield what methods set on ``self``."""
    for node in ast.walk(one):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            yield node.attr


@cache
def of_the_package() -> set[str]:
    return set().union(*map(members, MODULES))


def test_the_private_names_of_classes_are_found():
    assert {"_entry", "_send", "_asset_exists", "_process", "_read_asset"} <= of_the_package()


@pytest.mark.parametrize("path", MODULES)
def test_no_module_uses_a_private_name_of_a_class_of_another_module(path):
    own = members(path)
    used = {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
    assert {name for name in used & of_the_package() if name not in own} == set()


@pytest.mark.parametrize("path", MODULES)
def test_no_module_imports_a_private_name_of_another(path):
    imports = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").partition(".")[0] in ("obproject", "metaflow_extensions")]
    assert [alias.name for node in ours for alias in node.names if is_private(alias.name)] == []
