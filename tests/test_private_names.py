"""The site uses nothing private or undocumented of the libraries that it stands on, as far as its code tells.

A name with a leading underscore is used in the module that defines it, or is one of those that libraries document. What
has no underscore and no documentation either is listed here, as it is met.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_architecture import modules

DOCUMENTED = {
    *("_meta", "_state", "_base_manager", "_default_manager"),  # of models
    *("_asdict", "_fields", "_make", "_replace"),  # of named tuples
}
UNDOCUMENTED = {
    "django.db.models.query": {"FlatValuesListIterable", "ModelIterable", "RelatedPopulator", "get_related_populators"},
    "django.db.models.sql": {"Query"},
    "django.db.models.sql.compiler": {"SQLCompiler"},
    "django.utils.functional": {"LazyObject", "empty", "new_method_proxy"},
    "rest_framework.serializers": {"raise_errors_on_nested_writes"},
    "rest_framework.utils.serializer_helpers": {"BindingDict"},
    "rest_framework.fields": {"get_attribute", "is_simple_callable"},
}
"""Helpers of libraries, by their modules, that may change or go with any release."""
UNDOCUMENTED_ATTRIBUTES = {"klass_info", "annotation_col_map", "get_compiler", "get_initial_alias", "pre_sql_setup"}
"""The same on objects, as of a query of Django's."""
BY_NAME = {"delattr", "getattr", "hasattr", "setattr"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(tree: ast.AST) -> set[str]:
    """The names that a module defines: functions, classes, variables, attributes and parameters."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.arg(arg=name)
            ):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
    return found


def used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The lines and names of what a module uses of something else and can't rely on."""
    own = defined(tree)
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                private = [name.name for name in names if is_private(name.name)]
                private += [part for part in module.split(".") if is_private(part)]
                private += [name.name for name in names if name.name in UNDOCUMENTED.get(module, ())]
                yield from ((node.lineno, name) for name in private)
            case ast.Import(names=names):
                parts = [part for name in names for part in name.name.split(".")]
                yield from ((node.lineno, part) for part in parts if is_private(part))
            case ast.Attribute(attr=name) if is_private(name) and name not in own | DOCUMENTED:
                yield node.lineno, name
            case ast.Attribute(attr=name) if name in UNDOCUMENTED_ATTRIBUTES:
                yield node.lineno, name
            case ast.Call(func=ast.Name(id=function), args=[_, ast.Constant(value=str(name)), *_]) if (
                function in BY_NAME
            ):
                if is_private(name) and name not in own | DOCUMENTED:
                    yield node.lineno, name


@pytest.mark.parametrize(
    "room", ["access", "assetsite", "bench", "catalog", "comparing", "lineage", "promoting", "telling"]
)
def test_nothing_private_of_a_library_is_used(room):
    found = {
        f"{path}:{line}": name
        for module, path in modules(room).items()
        for line, name in used(ast.parse(Path(path).read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from django.db.models.query import get_related_populators", ["get_related_populators"]),
        ("from django.core import _thing", ["_thing"]),
        ("import psycopg._queries", ["_queries"]),
        ("from rest_framework._private import thing", ["_private"]),
        ("serializer._validated_data", ["_validated_data"]),
        ("self._writable_fields", ["_writable_fields"]),
        ("getattr(view, '_request', None)", ["_request"]),
        ("compiler.klass_info", ["klass_info"]),
        ("row._meta.concrete_fields, row._state.adding, Model._base_manager, pair._replace(a=1)", []),
        ("class A:\n    def _own(self): self._mine = self._own()", []),
        ("__import__('a').__name__", []),
    ],
)
def test_what_is_private_is_told_by_its_name(code, names):
    assert [name for _, name in used(ast.parse(code))] == names
