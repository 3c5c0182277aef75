"""What a write says of the run that makes it, and the row of that run: the first report is kept.

Every run that makes or reads something has a row, and so has one that another resumed. A session, which takes the
place of a run, belongs to the entity that wrote with it first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from access.statements import inserting, values_of
from catalog.counters import component_of
from catalog.entities import Entity
from catalog.models import ClonedTask, Component, Run
from catalog.recording.places import in_one_transaction, moment


@dataclass(frozen=True)
class Told:
    """What a write says of where in a run or session it was made; everything is optional.

    `facts` are columns of `Run`, as a run's first write has them.
    """

    session: str = ""
    attempt: int | None = None
    foreach_path: str | None = None
    iteration: int | None = None
    facts: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    """Sentences about what made no sense and is left out."""


NOTHING_TOLD = Told()


def writer_of(
    *,
    perimeter_id: int,
    project: str,
    entity: Entity,
    branch: str,
    is_written: bool,
    told: Told,
    when: datetime | None,
) -> tuple[Component, str]:
    """The component of who writes, and the name of the run or session, which gets its row; empty if there is none.

    `branch` is the key of the branch that the run writes to, empty if it is unknown; `is_written`: by this write, which
    is surer than what a reader says. `when` is the past moment of a write that arrives only now.
    """
    at, is_late = moment(when), when is not None
    name = entity.run or told.session
    component, row = component_of(perimeter_id=perimeter_id, project=project, entity=entity, run=name)
    if not name:
        return component, ""
    if row is None:
        reported = {} if told.facts is None else {**told.facts, "reported_at": at}
        row = Run(perimeter_id=perimeter_id, name=name, component=component, branch=branch, first_at=at, **reported)
        if not _insert(row):
            row = Run.objects.get(perimeter_id=perimeter_id, name=name)
    _complete(row, component, told.facts, at)
    if is_late:
        _put_first(row, told.facts, at)
    if branch and branch != row.branch and (is_written or not row.branch):
        Run.objects.filter(pk=row.pk).update(branch=branch)
    return component, name if entity.run or _is_of(row, component) else ""


def _is_of(session: Run, component: Component) -> bool:
    """Whether a session is that of an entity, which is another component in each project."""
    if session.component_id == component.pk or session.component is None:
        return True
    return (session.component.kind, session.component.name) == (component.kind, component.name)


def _complete(row: Run, component: Component, facts: dict[str, Any] | None, at: datetime) -> None:
    """Fill in what was not known of a run before, and make sure of the row of the run that it resumes."""
    if facts is not None and row.reported_at is None:
        told = {column: value for column, value in facts.items() if value not in ("", None)}
        Run.objects.filter(pk=row.pk, reported_at=None).update(**told, reported_at=at)
    if row.component_id is None:
        row.component = component
        Run.objects.filter(pk=row.pk).update(component=component)
    if facts and facts["origin"]:
        _insert(Run(perimeter_id=row.perimeter_id, name=facts["origin"], component=component, first_at=at))


def _put_first(row: Run, facts: dict[str, Any] | None, at: datetime) -> None:
    """What arrives late may be the first write of its run, or the first report on it."""
    Run.objects.filter(pk=row.pk, first_at__gt=at).update(first_at=at)
    if facts is not None:
        Run.objects.filter(pk=row.pk, reported_at__gt=at).update(**facts, reported_at=at, read_at=None)


@dataclass(frozen=True)
class ReadRun:
    """What Metaflow says of a run: columns of `Run`, and the originals of its cloned tasks.

    `always` is written as it is; `untold` only where nothing is known; `unreported` only if no client has reported.
    """

    always: dict[str, Any]
    untold: dict[str, Any] = field(default_factory=dict)
    unreported: dict[str, Any] = field(default_factory=dict)
    clones: Mapping[str, str] = field(default_factory=dict)


@in_one_transaction
def keep_read_run(row: Run, read: ReadRun) -> None:
    """Keep what was read of a run, and make sure of the row of the run that it resumes."""
    mine = Run.objects.filter(pk=row.pk)
    now = mine.select_for_update(no_key=True).get()
    untold = {column: value for column, value in read.untold.items() if getattr(now, column) in ("", None)}
    mine.update(**untold, **({} if now.reported_at else read.unreported), **read.always)
    ClonedTask.objects.bulk_create(
        (ClonedTask(run=row, task=task, origin=origin) for task, origin in read.clones.items()),
        update_conflicts=True,
        unique_fields=["run", "task"],
        update_fields=["origin"],
    )
    if origin := read.always.get("origin"):
        _insert(Run(perimeter_id=row.perimeter_id, name=origin, component=row.component, first_at=row.first_at))


def _insert(run: Run) -> bool:
    """Insert the row of a run; return whether this did it, and no other writer before."""
    unless_there = inserting(Run, "ON CONFLICT (perimeter_id, name) DO NOTHING RETURNING id")
    inserted = unless_there.one(**values_of(run))
    if inserted:
        run.pk, run._state.adding = inserted[0], False
    return inserted is not None
