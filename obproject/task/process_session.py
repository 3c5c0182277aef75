"""The session of this process, for what it writes other than as a Metaflow task; see :mod:`obproject.sessions`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from obproject.sessions import LIFETIME, new_session_id
from obproject.task.first_report import FirstReport
from obproject.task.run_facts import facts_of_process

_process_began_at: datetime = datetime.now(UTC)


@dataclass
class Session:
    """What one entity does in this process, for at most twelve hours."""

    id: str = field(default_factory=new_session_id)
    began_at: float = field(default_factory=time.time)
    facts: FirstReport = field(default_factory=lambda: FirstReport(lambda: facts_of_process(_process_began_at)))

    @property
    def is_over(self) -> bool:
        """Whether the next write belongs to a new session."""
        return time.time() - self.began_at >= LIFETIME.total_seconds()


_lock = threading.Lock()
_sessions: dict[tuple[tuple[str, str], ...], Session] = {}


def session_of(entity_ref: Mapping[str, str]) -> Session:
    """Return the session of an entity in this process; a new one for its first write, after a fork, and in time."""
    entity = tuple(sorted(entity_ref.items()))
    with _lock:
        if entity not in _sessions or _sessions[entity].is_over:
            _sessions[entity] = Session()
        return _sessions[entity]


def _begin_anew() -> None:
    """Give a forked child sessions of its own, and a lock that no thread of its parent holds."""
    global _lock, _process_began_at
    _lock = threading.Lock()
    _process_began_at = datetime.now(UTC)
    _sessions.clear()


os.register_at_fork(after_in_child=_begin_anew)
