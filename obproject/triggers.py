"""When a deployed flow starts by itself: ``@project_schedule`` and ``@project_trigger``.

Both look at the branch that the flow is deployed from, which the project spec of ``obproject-deploy`` names, and add
Metaflow's own ``@schedule`` or ``@trigger``. A flow without a spec, such as a developer's copy deployed by hand, gets
neither, whatever branch it reads its assets from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from metaflow import FlowMutator
from metaflow.exception import MetaflowException

from obproject.branches import resolve_branches
from obproject.errors import InvalidInput
from obproject.events import check_event_name, event_name

_SCHEDULE_KEYS = ("cron", "hourly", "daily", "weekly", "timezone")

Event = str | Mapping[str, Any]


class ProjectScheduleException(MetaflowException):
    """``@project_schedule`` can't be used as it is written."""

    headline = "@project_schedule can't be used"


class ProjectTriggerException(MetaflowException):
    """``@project_trigger`` can't be used as it is written."""

    headline = "@project_trigger can't be used"


class project_schedule(FlowMutator):
    """Starts a deployed flow at times that depend on the branch it is deployed from::

        @project_schedule({"main": {"daily": True}, "release/*": {"cron": "0 6 * * MON"}})
        class TrainFlow(ProjectFlow): ...

    The patterns are matched with the git name of the branch, in order; the first that fits gives the arguments of
    Metaflow's ``@schedule``: one of ``cron``, ``hourly``, ``daily``, ``weekly``, and ``timezone``. Without a fit there
    is no schedule.
    """

    def init(self, schedules: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Check the schedules."""
        if not isinstance(schedules, Mapping) or not schedules:
            raise ProjectScheduleException(
                '@project_schedule needs a dictionary of branch patterns, such as {"main": {"daily": True}}.'
            )
        for pattern, schedule in schedules.items():
            if not isinstance(pattern, str) or not isinstance(schedule, Mapping) or not schedule:
                raise ProjectScheduleException(
                    f'@project_schedule: {pattern!r} needs a dictionary such as {{"daily": True}}, not {schedule!r}.'
                )
            if unknown := sorted(str(key) for key in schedule if key not in _SCHEDULE_KEYS):
                raise ProjectScheduleException(
                    f"@project_schedule: {pattern!r} has the key {unknown[0]!r}; known are {', '.join(_SCHEDULE_KEYS)}."
                )
        self._schedules = schedules

    def pre_mutate(self, mutable_flow: Any) -> None:
        """Add ``@schedule`` if a pattern fits the branch that the flow is deployed from."""
        if _has_decorator(mutable_flow, "schedule"):
            raise ProjectScheduleException("A flow has either @schedule or one @project_schedule.")
        _, branch = _deployment(mutable_flow, ProjectScheduleException)
        if schedule := self._schedule_of(branch):
            mutable_flow.add_decorator("schedule", deco_kwargs=dict(schedule))

    def _schedule_of(self, branch: str | None) -> Mapping[str, Any] | None:
        if branch is None:
            return None
        return next((schedule for pattern, schedule in self._schedules.items() if fnmatchcase(branch, pattern)), None)


class project_trigger(FlowMutator):
    """Starts a deployed flow on events of its project and branch, published by ``prj.publish_event``::

        @project_trigger(event="data_ready")
        class TrainFlow(ProjectFlow): ...

    ``event`` is a name, or a dictionary that also maps parameters of the flow to keys of the payload:
    ``{"name": "data_ready", "parameters": {"day": "date"}}``. ``events`` is a list of such, all of which have to
    happen; ``options`` are those of Metaflow's ``@trigger``.
    """

    def init(
        self,
        event: Event | None = None,
        events: Sequence[Event] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Check the events."""
        if bool(event) == bool(events):
            raise ProjectTriggerException('@project_trigger needs event="name", or events=["name", ...].')
        self._events = [_as_dictionary(one) for one in events or (event,)]
        self._options = dict(options or {})

    def pre_mutate(self, mutable_flow: Any) -> None:
        """Add ``@trigger`` with the full names of the events if the flow is deployed."""
        if _has_decorator(mutable_flow, "trigger"):
            raise ProjectTriggerException(
                "A flow has either @trigger or one @project_trigger; give several events as events=[...]."
            )
        project, branch = _deployment(mutable_flow, ProjectTriggerException)
        if branch is not None:
            events = [{**event, "name": event_name(project, branch, event["name"])} for event in self._events]
            mutable_flow.add_decorator("trigger", deco_kwargs={"events": events, "options": self._options})


def _as_dictionary(event: Event | None) -> dict[str, Any]:
    found = dict(event) if isinstance(event, Mapping) else {"name": event}
    try:
        check_event_name(found.get("name", ""))
    except InvalidInput as error:
        raise ProjectTriggerException(f"@project_trigger: {error}") from None
    return found


def _has_decorator(mutable_flow: Any, name: str) -> bool:
    return any(found == name for found, *_ in mutable_flow.decorator_specs)


def _deployment(mutable_flow: Any, refusal: type[MetaflowException]) -> tuple[str, str | None]:
    """Return the project of a flow, and the git name of the branch it is deployed from; None if it is not."""
    configs = dict(mutable_flow.configs)
    if "project_config" not in configs:
        raise refusal("The flow is no ProjectFlow, so it has no project.")
    try:
        # The branch of a run without a spec is not known yet, and makes no difference here.
        choice = resolve_branches(project_spec=configs.get("project_spec"), metaflow_branch="local")
    except ValueError as error:
        raise refusal(f"The project spec can't be used: {error}.") from None
    return str(configs["project_config"]["project"]), choice.write if choice.deployed else None
