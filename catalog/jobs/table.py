"""The jobs. To add one, add its row: a name, how often it is done, and a function that does it once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from catalog.derivation import is_current
from catalog.jobs.packing import pack_series
from catalog.jobs.watching import look_at_all, tell_all_lates
from catalog.reconciling.passes import reconcile
from catalog.reconciling.progress import line_about
from catalog.reconciling.recounting import recount

MINUTE = 60.0  # seconds
LOOK_EVERY, LATE_EVERY = 15.0, 30.0


@dataclass(frozen=True)
class Doing:
    """What a job is told: who does it (of whom a pass of reconciling tells), to whom it says how far it is, and whether
    it should end between two writes. `gently`: it rests as long as it works, for those who write meanwhile."""

    actor: str
    say: Callable[..., Any]
    should_stop: Callable[[], bool] = lambda: False
    gently: bool = False


@dataclass(frozen=True)
class Job:
    """`every`: seconds between two times; 0: it is done only by those who name it. `do` answers what it has done in a
    sentence; empty if there was nothing to do. `apart`: it does not wait until others are done.

    It raises `LeaseTaken` if another process does it, `Stopped` once it should stop.
    """

    name: str
    about: str
    every: Callable[[], float]
    do: Callable[[Doing], str]
    apart: bool = False


def _recount(doing: Doing) -> str:
    if is_current():
        return ""
    doing.say("The catalogue is being brought up to date with this version.")
    return recount(say=doing.say, should_stop=doing.should_stop, gently=doing.gently)


def _reconcile(doing: Doing) -> str:
    done = reconcile(actor=doing.actor, say=lambda line: None, should_stop=doing.should_stop)
    return line_about(done) if done.made or done.settled else ""


def _series(doing: Doing) -> str:
    return pack_series(should_stop=doing.should_stop, gently=doing.gently)


def _look(doing: Doing) -> str:
    return look_at_all(should_stop=doing.should_stop, gently=doing.gently)


def _late(doing: Doing) -> str:
    return tell_all_lates(should_stop=doing.should_stop, gently=doing.gently)


JOBS = (
    Job("recount", "what an older version has derived, once", lambda: MINUTE, _recount),
    Job("reconcile", "writes that were missed", lambda: settings.RECONCILE_MINUTES * MINUTE, _reconcile),
    Job("series", "metrics of many versions, for charts", lambda: MINUTE, _series),
    Job("look", "what came: when the next version is expected, and what is unusual", lambda: LOOK_EVERY, _look),
    Job("late", "what has become late", lambda: LATE_EVERY, _late),
)


def all_jobs() -> tuple[Job, ...]:
    """Those of the catalogue, and those of rooms above it, which the settings name (`MORE_JOBS`)."""
    return (*JOBS, *(job for name in settings.MORE_JOBS for job in import_string(name)))
