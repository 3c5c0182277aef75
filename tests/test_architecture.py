"""Data flows one way: who imports whom is read from the code and held to docs/architecture.md.

A module may import its own room's lower floors, and of other rooms what is listed here. Imports that only types need
(below `if TYPE_CHECKING`) are no arrows.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

from tests.places import modules_in, place

ROOMS = (
    "access",
    "assetsite",
    "catalog",
    "comparing",
    "lineage",
    "metaflow_extensions",
    "obproject",
    "promoting",
    "telling",
)
MAY_IMPORT = {
    "access": set(),
    "catalog": {"access", "obproject"},
    "lineage": {"access", "catalog", "obproject"},
    "comparing": {"access", "catalog", "lineage", "obproject"},
    "promoting": {"access", "catalog", "comparing", "lineage", "obproject"},
    "telling": {"access", "catalog", "lineage", "obproject"},
    "assetsite": {"access", "catalog", "comparing", "examples", "lineage", "promoting", "telling"},
    "obproject": set(),
    "metaflow_extensions": {"obproject"},
    "examples": {"obproject"},
}
SHARED = {
    "branches",
    "charts",
    "evaluation_log",
    "filter_keys",
    "first_steps",
    "highlight_text",
    "journal",
    "lengths",
    "metric_names",
    "metric_rules",
    "promoted",
    "references",
    "roles",
    "sessions",
}
"""The floor: modules of `obproject` that client and server share."""

FLOORS = {
    "access": [
        ["database_trouble", "masking", "pooling", "postgresql", "statement_limits"],
        ["addresses", "errors", "feed_addresses", "headers", "schema", "statements", "visibility"],
        ["models", "refused_forms", "turns"],
        ["local_mode"],
        ["identity"],
        ["token_use"],
        ["attempts", "authentication", "admin", "api", "checks", "deployment_checks"],
        ["pages", "sign_in"],
        ["apps", "for_pages", "management", "middleware", "urls"],
    ],
    "catalog": [
        ["folding", "indexes", "limits", "readmes", "starting", "states"],
        ["freshness", "metrics"],
        ["asset_facts", "backup", "declared_metrics", "unusual"],
        ["filter_values", "json_lookups", "runs", "shown"],
        ["filters", "gates", "marks", "plotting"],
        ["querysets"],
        ["models"],
        [
            *(
                "addresses",
                "approvals",
                "derivation",
                "entities",
                "expected",
                "gates_in_force",
                "name_starts",
                "newest",
                "own_cards",
            ),
            *("alarming", "outbox", "specs", "statements"),
        ],
        [
            "attention",
            "branch_keys",
            "branch_writers",
            "edges",
            "old_runs",
            "run_outcomes",
            "search",
            "series",
            "windows",
        ],
        ["reading", "wrong_facts"],
        ["counters", "news", "unchanged"],
        ["watching"],
        ["recording"],
        ["wire"],
        ["apikit"],
        ["pagekit", "reconciling"],
        ["jobs"],
        ["supervising"],
        ["admin", "api", "apps", "management", "pages", "styleguide", "templatetags"],
    ],
    "lineage": [
        ["graph", "layout", "reading_roles", "run_rule"],
        ["addresses", "run_rows", "scope", "walk"],
        ["answers", "component_rows", "instance_rows"],
        ["answer_from_walk", "drawing", "exports"],
        ["instance_names"],
        ["inputs", "questions"],
        ["api", "pages"],
    ],
    "comparing": [
        ["noise", "sentences"],
        ["sameness"],
        ["deltas"],
        ["branch_rows", "references", "table", "verdict"],
        ["arrows", "changing", "definitions", "found", "input_rows", "measured", "pairs", "texts", "then"],
        ["branches", "fact_rows", "suggestions"],
        ["branch_words", "versions"],
        ["branch_shape", "drawn", "markdown"],
        ["pages"],
    ],
    "promoting": [
        ["answers", "asked", "copying", "facts", "readers", "replaced"],
        ["pages"],
    ],
    "telling": [
        [
            "backoff",
            "bounded",
            "found",
            "groups",
            "kept_secrets",
            "networks",
            "signing",
            "subscriptions",
            "unsubscribing",
        ],
        ["wanting"],
        ["letters", "notices", "payload", "sending", "sorting"],
        ["delivering", "mailing"],
        ["lag", "pruning", "webhooks", "wire", "working"],
        ["api", "checks", "jobs", "pages"],
        ["apps"],
    ],
    "obproject": [
        sorted(SHARED - {"first_steps", "metric_rules", "promoted", "references"}),
        ["first_steps", "metric_rules", "promoted", "references"],
        ["entities", "errors", "json_types", "kinds", "notices", "rulings"],
        ["aliases", "instances", "project", "shipping"],
        ["settings"],
        ["connection"],
        ["task"],
        ["catalogue", "events", "highlights"],
        ["assets", "triggers"],
        ["evals"],
        ["prj", "promotion", "project_events"],
        ["flow"],
        ["deploy", "projectbase"],
        ["commands"],
    ],
}
"""The modules and packages of each room, from the ground up."""

FOR_LINEAGE = {
    *(
        "addresses",
        "apikit",
        "derivation",
        "unchanged",
        "filters",
        "freshness",
        "limits",
        "models",
        "pagekit",
        "querysets",
        "reading",
        "shown",
        "states",
    ),
    "wire",
}
"""What lineage uses of the catalogue: what it holds, and what its pages and its API share."""


@cache
def modules(room: str) -> dict[str, Path]:
    """The modules of a room by their dotted names; a package goes by its own name."""
    found = {name: path for name, path in modules_in(room).items() if "migrations" not in path.parts}
    return {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path for name, path in found.items()}


@cache
def imports(path: Path) -> frozenset[str]:
    """The dotted names that a module imports when it runs, within functions too."""
    found: set[str] = set()
    for node in running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {imported(node.module, alias.name) for alias in node.names}
    return frozenset(found)


def imported(module: str, name: str) -> str:
    """What `from module import name` imports: a module of a package, or something of the module itself."""
    path = place("/".join([*module.split("."), name]))
    return f"{module}.{name}" if path.is_dir() or path.with_suffix(".py").exists() else module


def running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree but for what stands below `if TYPE_CHECKING`."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from running(child)


def room_of(name: str) -> str:
    return name.partition(".")[0]


def part_of(name: str) -> str:
    """The module or package of a room that a name stands in; empty for the room itself."""
    return name.split(".")[1] if "." in name else ""


def used(module: str, room: str) -> set[str]:
    """The parts of a room that a module imports."""
    return {part_of(name) for name in imports(modules(room_of(module))[module]) if room_of(name) == room} - {""}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room):
    ours = {*ROOMS, "bench", "examples", "tests"}
    for module, path in modules(room).items():
        other = {room_of(name) for name in imports(path)} & ours - {room}
        assert other <= MAY_IMPORT[room], f"{module} imports {other - MAY_IMPORT[room]}"


@pytest.mark.parametrize("room", FLOORS)
def test_every_module_has_its_floor(room):
    listed = [part for floor in FLOORS[room] for part in floor]
    assert len(listed) == len(set(listed))
    assert set(listed) == {part_of(module) for module in modules(room)} - {""}


@pytest.mark.parametrize("room", FLOORS)
def test_a_module_imports_only_what_is_below_it(room):
    level = {part: number for number, floor in enumerate(FLOORS[room]) for part in floor}
    for module in modules(room):
        own = part_of(module)
        above = {part for part in used(module, room) if part in level and part != own and level[part] >= level[own]}
        assert not own or not above or (module, above) in LATE, f"{module} imports {above}"


LATE = [("obproject.assets", {"promotion"})]
"""`obproject.assets.promote_assets` is where code for other clients looks for it; imported when asked for."""


def test_no_module_imports_itself_by_way_of_others():
    known = {module: path for room in ROOMS for module, path in modules(room).items()}
    arrows = [(module, name) for module, path in known.items() for name in imports(path) if name in known]
    late = [("obproject.assets", "obproject.promotion")]
    drawn = nx.DiGraph([(module, name) for module, name in arrows if module != name and (module, name) not in late])
    assert [sorted(circle) for circle in nx.strongly_connected_components(drawn) if len(circle) > 1] == []


@pytest.mark.parametrize("room", ["catalog.api", "catalog.pages", "lineage.api", "lineage.pages"])
def test_views_are_imported_by_addresses_alone(room):
    for module in (module for other in ROOMS for module in modules(other)):
        if not module.startswith(f"{room}."):
            assert not within(imports(modules(room_of(module))[module]), [room]) or module == "assetsite.urls", module


def test_lineage_uses_what_the_catalogue_holds_and_what_views_share():
    assert set().union(*(used(module, "catalog") for module in modules("lineage"))) == FOR_LINEAGE


def test_the_floor_needs_the_standard_library_only():
    for name in SHARED:
        found = imports(modules("obproject")[f"obproject.{name}"])
        outside = {room_of(name) for name in found} - sys.stdlib_module_names - {"obproject"}
        assert not outside, f"{name} imports {outside}"
        assert used(f"obproject.{name}", "obproject") <= SHARED, name


@pytest.mark.parametrize("room", ["catalog", "lineage"])
def test_the_server_uses_the_floor_of_the_client_and_nothing_above_it(room):
    for module in modules(room):
        assert used(module, "obproject") <= SHARED, module


def test_the_flow_side_never_loads_django():
    for room in ("obproject", "metaflow_extensions"):
        for module, path in modules(room).items():
            assert not {room_of(name) for name in imports(path)} & {"django", "rest_framework"}, module


def test_graph_and_layout_know_no_database_and_no_http():
    for module, path in modules("lineage").items():
        if within([module], ["lineage.graph", "lineage.walk", "lineage.run_rule", "lineage.layout"]):
            outside = {room_of(name) for name in imports(path)} - sys.stdlib_module_names
            assert outside <= {"networkx", "lineage", "obproject"}, f"{module} imports {outside}"


def test_what_a_comparison_comes_to_is_known_without_a_database():
    pure = {f"comparing.{name}" for name in ("noise", "sentences", "sameness", "deltas", "verdict", "table", "texts")}
    pure |= {f"comparing.{name}" for name in ("changing", "input_rows", "measured")}
    pure |= {"catalog.metrics", "catalog.declared_metrics", "lineage.graph"}
    for name in pure:
        used_by = imports(modules(room_of(name))[name])
        assert {one for one in used_by if room_of(one) in ("catalog", "comparing", "lineage")} <= pure, name
        assert not {room_of(one) for one in used_by} & {"access", "django"}, name


def test_metaflow_is_read_in_one_room_of_the_server():
    for room in ("access", "catalog", "comparing", "assetsite", "lineage", "promoting", "telling"):
        for module, path in modules(room).items():
            if not within([module], ["catalog.runs"]):
                assert "metaflow" not in {room_of(name) for name in imports(path)}, module


def within(names: Iterable[str], rooms: Iterable[str]) -> bool:
    """Whether any of the names is one of these modules or packages, or stands in one."""
    return any(name == room or name.startswith(f"{room}.") for name in names for room in rooms)
