"""Which projects a deployment is about: the one around the present folder, or those of ``obproject_multi.toml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from obproject.project.checked_toml import DefinitionError, Problem, Table, read_toml
from obproject.project.root import PROJECT_FILE, find_project_root

MULTI_FILE = "obproject_multi.toml"


class NoProject(Exception):
    """There is no project where one was looked for, in a sentence for the user."""


@dataclass(frozen=True)
class ProjectFolder:
    """A folder with a project."""

    root: Path
    name: str = ""
    """Its name in ``obproject_multi.toml``; empty for a project that is on its own."""
    repository: Path | None = None
    """The folder of that file, whose modules the project's flows can import."""


def find_projects(start: Path, names: Iterable[str] = (), *, climb: bool = True) -> list[ProjectFolder]:
    """Return the projects of a folder, or of the nearest one above it: all of them, or those that are named.

    Without ``climb`` only the folder itself is meant. Raises NoProject, and DefinitionError for an
    ``obproject_multi.toml`` that can't be used.
    """
    start = start.resolve()
    above = (start, *start.parents)
    multi_roots = [folder for folder in above if (folder / MULTI_FILE).is_file()]
    rooted = [*multi_roots, *filter(None, [find_project_root(start)])]
    root = max(rooted, key=lambda folder: len(folder.parts), default=None) if climb else start
    if root is None:
        raise NoProject(f"no {PROJECT_FILE} in {start} or above; run this in a project, or name its folder with --root")
    if len(multi_roots) > 1:
        raise NoProject(f"{MULTI_FILE} is in {' and in '.join(map(str, multi_roots))}; one repository has one at most")
    if root not in multi_roots:
        return [ProjectFolder(root, "", *multi_roots)]
    if (root / PROJECT_FILE).is_file():
        raise NoProject(f"{root} has {PROJECT_FILE} and {MULTI_FILE}; a folder is one project or holds several")
    return _chosen(read_multi(root), list(names))


def read_multi(root: Path) -> list[ProjectFolder]:
    """Return the projects of ``obproject_multi.toml``; raise DefinitionError with all that is wrong with it."""
    problems: list[Problem] = []
    values = read_toml(root / MULTI_FILE, MULTI_FILE, problems)
    table = Table(values or {}, MULTI_FILE, problems)
    paths = table.table("projects").all_texts(check=lambda path: _check_project(root, path))
    if values is not None and not paths and not problems:
        table.report("projects", "nothing", "a table of projects: their names and their folders")
    if problems:
        raise DefinitionError(problems)
    return [ProjectFolder(root / path, name, root) for name, path in paths.items()]


def _check_project(root: Path, path: str) -> str:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"found {path!r}, expected a folder below that of {MULTI_FILE}, relative to it")
    if not (root / path / PROJECT_FILE).is_file():
        raise ValueError(f"found {path!r}, expected a folder with {PROJECT_FILE}")
    return path


def _chosen(projects: list[ProjectFolder], names: list[str]) -> list[ProjectFolder]:
    known = {project.name: project for project in projects}
    if unknown := [name for name in names if name not in known]:
        raise NoProject(f"{MULTI_FILE} has no project {unknown[0]!r}; it has {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(names)] if names else projects
