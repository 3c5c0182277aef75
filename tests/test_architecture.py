"""Data flows one way: which room imports which is read from the code and held to docs/architecture.md."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"access", "assetsite", "bench", "catalog", "examples", "lineage", "metaflow_extensions", "obproject", "tests"}
FLOOR = {
    "obproject.branches",
    "obproject.charts",
    "obproject.evaluation_log",
    "obproject.filter_keys",
    "obproject.highlight_text",
    "obproject.journal",
    "obproject.lengths",
    "obproject.references",
}
MAY_IMPORT = {
    "access": set(),
    "catalog": {"access", "obproject"},
    "lineage": {"access", "catalog"},
    "obproject": set(),
    "metaflow_extensions": {"obproject"},
    "examples": {"obproject"},
}


def modules(room: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / room).rglob("*.py")):
        if "migrations" not in path.parts:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room):
    for module, path in modules(room):
        other = {room_of(name) for name in imports(path)} & ROOMS - {room}
        assert other <= MAY_IMPORT[room], f"{module} imports {other - MAY_IMPORT[room]}"


def test_the_floor_needs_the_standard_library_only():
    for module in FLOOR:
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        outside = {room_of(name) for name in imports(path)} - sys.stdlib_module_names - {"obproject"}
        inside = {name for name in imports(path) if name.startswith("obproject.")}
        assert not outside, f"{module} imports {outside}"
        assert all(any(name.startswith(floor) for floor in FLOOR) for name in inside), f"{module} imports {inside}"


def test_the_server_uses_the_floor_of_the_client_and_nothing_above_it():
    for module, path in modules("catalog"):
        used = {name for name in imports(path) if name.startswith("obproject.")}
        assert all(any(name.startswith(floor) for floor in FLOOR) for name in used), f"{module} imports {used}"


def test_the_flow_side_never_loads_django():
    for room in ("obproject", "metaflow_extensions"):
        for module, path in modules(room):
            assert not {room_of(name) for name in imports(path)} & {"django", "rest_framework"}, module


def test_lineage_uses_what_the_catalogue_is_and_none_of_its_views():
    views = {name for module, path in modules("catalog") if defines_views(path) for name in [module]}
    assert {"catalog.pages.asset", "catalog.pages.overview", "catalog.api.assets"} <= views
    for module, path in modules("lineage"):
        used = {name for name in imports(path) if any(name == view or name.startswith(f"{view}.") for view in views)}
        assert not used, f"{module} imports {used}"


def defines_views(path: Path) -> bool:
    text = path.read_text()
    return "@at_place" in text or "(CatalogView)" in text or "@require_safe\ndef" in text


def test_graph_and_layout_know_no_database_and_no_http():
    pure = [ROOT / "lineage" / "graph.py", ROOT / "lineage" / "walk.py", *(ROOT / "lineage" / "layout").rglob("*.py")]
    for path in pure:
        outside = {room_of(name) for name in imports(path)} - sys.stdlib_module_names
        assert outside <= {"networkx", "lineage"}, f"{path} imports {outside}"


def test_metaflow_is_read_in_one_room_of_the_server():
    for room in ("access", "catalog", "assetsite", "lineage"):
        for module, path in modules(room):
            if not module.startswith("catalog.runs"):
                assert "metaflow" not in {room_of(name) for name in imports(path)}, module
