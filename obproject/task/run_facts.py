"""What a run was, as the catalogue is told with the first write of a task: who, when, which code, which values.

Everything here is known to the process already: git is not asked again, and no data is read. Nothing here raises; what
can't be found out is left out, which means that it is not told. :mod:`obproject.task.run_values` has the rules for the
values of parameters and configs.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obproject import lengths
from obproject.json_types import Json
from obproject.task.run_values import values_of

if TYPE_CHECKING:
    from obproject.task.running import RunningTask

_OWN_TAGS = ("asset_write_branch:", "asset_read_branch:", "assets_unpublished")
_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?P<authority>[^/?#]*)(?P<path>[^?#]*)", re.IGNORECASE)


def facts_of_task(task: RunningTask) -> Json:
    """Return the facts of the run that a task belongs to."""
    from metaflow import current

    return {
        **_told(
            started_at=lambda: _started_at(task),
            user=lambda: current.username,
            **_versions(),
            origin_run=lambda: current.origin_run_id and str(current.origin_run_id),
            tags=lambda: _tags(task.run_record),
            graph=lambda: _graph(task.graph),
        ),
        **_or_nothing(lambda: code_facts(_git_info(_script_folder()))),
        **_or_nothing(lambda: values_of(task.flow, task.parameters)),
    }


def facts_of_process(started_at: datetime) -> Json:
    """Return the facts of what an app, a notebook or a script does in this process."""
    from metaflow.util import get_username

    return {
        **_told(started_at=started_at.isoformat, user=get_username, **_versions()),
        **_or_nothing(lambda: code_facts(_git_info(_program_folder()))),
    }


def position_of(task: RunningTask) -> Json:
    """Return where in its run a task is: its step, its foreach path as Metaflow writes it, its iteration."""
    stacks = (getattr(task.flow, name, None) or () for name in ("_foreach_stack", "_iteration_stack"))
    frames, iterations = stacks
    # The task that leads a gang of parallel ones is in none of the splits.
    is_known = all(frame.index is not None for frame in frames)
    foreach = {"foreach": ",".join(f"{frame.step}:{frame.index}" for frame in frames)} if is_known else {}
    return {"step": task.step, **foreach, "iteration": iterations[-1] if iterations else 0}


def code_facts(info: Mapping[str, Any]) -> Json:
    """Return what Metaflow's information about a git repository says of the code, without credentials.

    Without a commit nothing is known of changes; with one, no word of changes means that there are none.
    """
    commit, branch = info.get("commit_sha"), info.get("branch_name")
    found = {
        "repository": without_credentials(str(info.get("repo_url") or "")),
        "commit": commit,
        "git_branch": None if branch == "HEAD" else branch,
    }
    dirty = {"dirty": info.get("has_uncommitted_changes", False)} if commit else {}
    return {name: value for name, value in found.items() if value} | dirty


def without_credentials(address: str) -> str | None:
    """Return the address of a repository without user, password, query and fragment.

    None, where it can't be told for sure what is a credential.
    """
    parts = _ADDRESS.match(address.strip())
    if parts is None or "@" in address[parts.end("authority") :]:
        return None
    host = parts["authority"].rpartition("@")[2]
    return f"{parts['scheme'] or ''}{host}{parts['path']}" or None


def _told(**finders: Callable[[], Any]) -> Json:
    """Return what could be found out."""
    found: Json = {}
    for name, find in finders.items():
        with suppress(Exception):
            value = find()
            if value is not None and value != "":
                found[name] = value
    return found


def _or_nothing(find: Callable[[], Json]) -> Json:
    try:
        return find()
    except Exception:
        return {}


def _versions() -> dict[str, Callable[[], str]]:
    from metaflow.metaflow_version import get_version

    return {"metaflow_version": get_version, "python_version": platform.python_version}


def _started_at(task: RunningTask) -> str | None:
    """The id of a local run, whose record is written anew when it gets tags; else the time of the run's record."""
    milliseconds = task.run_record.get("ts_epoch")
    if task.metadata.TYPE == "local" and task.run_id.isdecimal():
        seconds = int(task.run_id) / 1e6
    elif milliseconds:
        seconds = milliseconds / 1e3
    else:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _tags(run_record: Mapping[str, Any]) -> list[str] | None:
    """The tags of people, without those that this package puts on runs."""
    if not run_record:
        return None
    tags = sorted(tag for tag in run_record.get("tags") or () if not tag.startswith(_OWN_TAGS))
    return tags[: lengths.RUN_TAGS]


def _graph(graph: Any) -> dict[str, list[str]] | None:
    if graph is None:
        return None
    steps = {node.name: list(node.out_funcs) for node in graph}
    return steps if len(steps) <= lengths.GRAPH_STEPS else None


def _git_info(folder: str) -> Mapping[str, Any]:
    """What Metaflow knows of the repository: from the code package, else from git, which it asks once in a process."""
    from metaflow.metaflow_git import get_repository_info
    from metaflow.packaging_sys import MetaflowCodeContent

    found: Mapping[str, Any] = MetaflowCodeContent.get_info() or get_repository_info(folder)
    return found


def _script_folder() -> str:
    return str(Path(sys.argv[0]).absolute().parent)


def _program_folder() -> str:
    """The folder of the program that runs, unless that is a tool such as a web server or a notebook's kernel."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    folder = Path(file).resolve().parent if file else None
    return str(folder if folder and not folder.is_relative_to(sys.prefix) else Path.cwd())
