"""Where a project is: in the nearest folder with its file. Every task asks for it, so nothing is loaded for that."""

from __future__ import annotations

from pathlib import Path

PROJECT_FILE = "obproject.toml"


def find_project_root(start: Path) -> Path | None:
    """Return the nearest folder at or above ``start`` that holds an ``obproject.toml``.

    A link to that of a folder above, as some flows have it beside them, stands for that folder.
    """
    start = start.resolve()
    found = next((folder for folder in (start, *start.parents) if _is_file(folder / PROJECT_FILE)), None)
    target = (found / PROJECT_FILE).resolve() if found else None
    return target.parent if target and target.name == PROJECT_FILE and target.parent in start.parents else found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A folder that may not be looked into.
        return False
