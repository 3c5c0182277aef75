"""What a body says of the run that makes a write: facts, position, session, digests.

None of it may cost a registration: what makes no sense is left out, and a note says so.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from access.errors import BadRequest
from catalog import limits
from catalog.entities import Entity
from catalog.recording.runs import Told
from catalog.wire.parsing import check_storable
from obproject.sessions import is_session_id

Json = dict[str, Any]
FRAME = re.compile(r"[^\s,:]{1,255}:\d{1,9}")


class _Senseless(ValueError):
    """Says what is wrong with a value."""


class _Reader:
    """Reads members that may be missing; notes those that make no sense."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def read(self, of: Mapping[str, Any], key: str, check: Callable[[Any], Any], name: str = "") -> Any:
        """The value of a member, as `check` returns it; None if it is missing or makes no sense.

        The members of an object are checked when they are read in their turn.
        """
        if of.get(key) is None:
            return None
        try:
            if check is not _object:
                check_storable(of[key])
            return check(of[key])
        except BadRequest:
            self.notes.append(f"The {name or key} has a part that can't be stored; it is left out.")
            return None
        except _Senseless as why:
            self.notes.append(f"The {name or key} {why}; it is left out.")
            return None


def told_by(body: Json, entity: Entity) -> Told:
    """What a checked body of a registration or consumption says of its run."""
    reader = _Reader()
    position = reader.read(body, "position", _object) or {}
    if position and _is_elsewhere(position, entity):
        reader.notes.append("The position names another step than the entity; it is left out.")
        position = {}
    session = reader.read(body, "session", _session) or ""
    if session and entity.run:
        reader.notes.append("The session is that of a task, which has a run; it is left out.")
        session = ""
    facts = reader.read(body, "run", _object) if entity.run or session else None
    return Told(
        session=session,
        attempt=body.get("attempt"),
        foreach_path=reader.read(position, "foreach", _foreach_path, "foreach path"),
        iteration=reader.read(position, "iteration", _iteration),
        facts=None if facts is None else _facts(reader, facts, entity),
        notes=tuple(reader.notes),
    )


def digest_in(value: Any) -> tuple[str | None, tuple[str, ...]]:
    """The digest that a client tells, and a note if it makes no sense."""
    reader = _Reader()
    return reader.read({"digest": value}, "digest", _digest), tuple(reader.notes)


def digests_in(value: Any) -> tuple[dict[str, str], tuple[str, ...]]:
    """The digests that a client tells, by the ids of instances, and a note about each that makes no sense."""
    reader = _Reader()
    told = reader.read({"digests": value}, "digests", _object) or {}
    digests = {uid: reader.read(told, uid, _digest, f"digest of '{_shown(uid)}'") for uid in told}
    return {uid: digest for uid, digest in digests.items() if digest is not None}, tuple(reader.notes)


def _facts(reader: _Reader, facts: Json, entity: Entity) -> Json:
    """The columns of `Run`."""

    def text(key: str, most: int = 255) -> str:
        return reader.read(facts, key, lambda value: _text(value, most), f"run's {key}") or ""

    flow = entity.run.partition("/")[0]
    origin = text("origin_run")
    if origin and (not flow or "/" in origin):
        reader.notes.append("The origin run is no id of a run of the same flow; it is left out.")
        origin = ""
    return {
        "user": text("user"),
        "started_at": reader.read(facts, "started_at", _time, "run's start"),
        "metaflow_version": text("metaflow_version", 128),
        "python_version": text("python_version", 128),
        "repository": text("repository", 512),
        "commit": text("commit", 128),
        "dirty": reader.read(facts, "dirty", _boolean, "run's dirtiness"),
        "git_branch": text("git_branch"),
        "parameters": reader.read(facts, "parameters", _values, "set of the run's parameters"),
        "configs": reader.read(facts, "configs", _values, "set of the run's configs"),
        "left_out": reader.read(facts, "left_out", _names, "list of what is left out"),
        "tags": reader.read(facts, "tags", _names, "list of the run's tags"),
        "graph": reader.read(facts, "graph", _graph, "run's graph"),
        "origin": f"{flow}/{origin}" if origin and f"{flow}/{origin}" != entity.run else "",
    }


def _is_elsewhere(position: Json, entity: Entity) -> bool:
    step = position.get("step")
    return entity.pathspec is None or (step is not None and step != entity.pathspec[2])


def _shown(name: str) -> str:
    return limits.UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", name[:40])


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise _Senseless("is no object")
    return value


def _session(value: Any) -> str:
    if not is_session_id(value):
        raise _Senseless("is not 's_' and 20 hexadecimal digits")
    return str(value)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise _Senseless("is no text")
    if len(value) > most:
        raise _Senseless(f"is longer than {most} characters")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Senseless("is neither true nor false")
    return value


def _time(value: Any) -> datetime:
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
        at = at.astimezone(UTC) if at and at.tzinfo else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise _Senseless("is no time with a time zone")
    return at


def _digest(value: Any) -> str:
    text = _text(value, limits.DIGEST_LENGTH)
    if not text.isprintable() or not text.strip():
        raise _Senseless("is no visible text")
    return text


def _foreach_path(value: Any) -> str:
    text = _text(value, limits.FOREACH_LENGTH)
    frames = text.split(",") if text else []
    if len(frames) > limits.FOREACH_DEPTH:
        raise _Senseless(f"is {len(frames)} deep; at most {limits.FOREACH_DEPTH} are taken")
    if not all(FRAME.fullmatch(frame) for frame in frames):
        raise _Senseless("is not written as step:index, separated by commas")
    return text


def _iteration(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limits.ITERATIONS:
        raise _Senseless(f"is no whole number from 0 to {limits.ITERATIONS}")
    return value


def _values(value: Any) -> Json:
    values = _sized(_object(value))
    for name, one in values.items():
        if len(json.dumps(one)) > limits.RUN_VALUE_BYTES:
            raise _Senseless(f"has a value of more than {limits.RUN_VALUE_BYTES} bytes, '{name[:40]}'")
    return values


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _Senseless("has members that are no text")
    if len(value) > limits.RUN_TAGS:
        raise _Senseless(f"has {len(value)} members; at most {limits.RUN_TAGS} are taken")
    named: list[str] = _sized(value)
    return named


def _graph(value: Any) -> dict[str, list[str]]:
    graph = _object(value)
    if len(graph) > limits.GRAPH_STEPS:
        raise _Senseless(f"has {len(graph)} steps; at most {limits.GRAPH_STEPS} are taken")
    for step, after in graph.items():
        if not isinstance(after, list) or not all(isinstance(one, str) and one in graph for one in after):
            raise _Senseless(f"leads from '{step[:40]}' to what is no step of it")
    steps: dict[str, list[str]] = _sized(graph)
    return steps


def _sized(value: Any) -> Any:
    size = len(json.dumps(value))
    if size > limits.RUN_BYTES:
        raise _Senseless(f"has {size} bytes; at most {limits.RUN_BYTES} are taken")
    return value
