"""The flows of a project folder, found by reading ``flows/*/flow.py`` without running them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from obproject.definitions import DefinitionError, Problem, read_readme

FLOW_BASES = ("ProjectFlow", "FlowSpec")


@dataclass(frozen=True)
class Workflow:
    """One flow of a project."""

    flow_name: str
    source: str
    """The file, relative to the project, with ``/`` between its parts."""
    readme: str | None


def read_workflows(root: Path) -> list[Workflow]:
    """Find the flows of a project, by folder name; raise DefinitionError if a ``flow.py`` holds none.

    Folders without a ``flow.py``, and hidden ones, are no flows.
    """
    workflows: list[Workflow] = []
    problems: list[Problem] = []
    for path in sorted(root.glob("flows/[!._]*/flow.py")):
        source = path.relative_to(root).as_posix()
        try:
            flow_name = _find_flow_name(path)
            workflows.append(Workflow(flow_name, source, read_readme(root, path.parent, problems)))
        except SyntaxError as error:
            problems.append(Problem(source, f"line {error.lineno or 1}", f"found a syntax error ({error.msg})"))
        except (OSError, ValueError) as error:
            problems.append(Problem(source, "", str(error)))
    if problems:
        raise DefinitionError(problems)
    return workflows


def _find_flow_name(path: Path) -> str:
    """Return the class that the file runs as a flow: the one called at its end, else the first that looks like one."""
    tree = ast.parse(path.read_bytes())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    flows = [name for name in classes if _is_flow(name, classes)]
    # A class that is called may derive from a flow of another file, which this one does not show.
    called = [name for name in _called_when_run(tree) if name in classes]
    candidates = [name for name in called if name in flows] or called or flows
    if not candidates:
        raise ValueError("found no flow, expected a class derived from ProjectFlow")
    return candidates[0]


def _is_flow(name: str, classes: dict[str, ast.ClassDef]) -> bool:
    """Say whether a class of the file derives from a flow, through other classes of the file where need be."""
    pending, seen = [name], set[str]()
    while pending:
        current = pending.pop()
        if current in FLOW_BASES:
            return True
        if current in classes and current not in seen:
            seen.add(current)
            pending.extend(ast.unparse(base).rpartition(".")[2] for base in classes[current].bases)
    return False


def _called_when_run(tree: ast.Module) -> list[str]:
    """Return the names called without arguments below ``if __name__ == "__main__":``."""
    blocks = [node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    calls = [node for block in blocks for node in ast.walk(block) if isinstance(node, ast.Call) and not node.args]
    return [call.func.id for call in calls if isinstance(call.func, ast.Name)]
