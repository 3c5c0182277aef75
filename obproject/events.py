"""Events of a project: one flow says that something happened, other flows start on it.

An event belongs to a project and a branch: its full name is ``prj.<project>.<branch key>.<name>``, so what happens on
one branch starts nothing on another. It travels through Argo Events by Metaflow's own ``ArgoEvent``;
:class:`obproject.project_trigger` makes a flow start on it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from metaflow.plugins.argo.argo_events import ArgoEvent, ArgoEventException

from obproject.branches import branch_key, check_branch, check_project
from obproject.errors import AssetError, InvalidInput
from obproject.notices import tell
from obproject.settings import events_are_optional
from obproject.task import spinning

_HOW_TO_CONFIGURE = (
    "Set METAFLOW_ARGO_EVENTS_WEBHOOK_URL to the address of the Argo Events webhook, in the environment or in "
    "Metaflow's configuration, or use safe_publish, which does nothing where there is none. "
    "With ASSETSITE_EVENTS=optional, publish does nothing there either."
)
# Argo names the parameters of a started workflow after its events, and puts the names into filter expressions.
_NAME = re.compile(r"[A-Za-z0-9_.@+-]+")


class EventNotPublished(AssetError, ArgoEventException):
    """An event could not be published; the message says why and what to do."""


def check_event_name(name: Any) -> str:
    """Return the name of an event that Argo can tell from others; otherwise raise InvalidInput."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} can't name an event: use letters, digits and _ . @ + -.")
    return name


def event_name(project: str, branch: str, name: str) -> str:
    """Return the full name of an event of a branch, given by its git name or its key."""
    return f"prj.{project}.{branch_key(branch)}.{name}"


class ProjectEvent:
    """An event of one project and branch.

    ``project`` and ``branch`` default to those that the running flow writes to, else to ``OB_PROJECT`` and
    ``OB_BRANCH``, else to Metaflow's own project and branch, of which ``prod`` counts as ``main`` and ``test.x`` as
    ``x``.
    """

    def __init__(self, name: str, project: str | None = None, branch: str | None = None) -> None:
        if not (project and branch):
            default_project, default_branch = _where_it_happens()
            project, branch = project or default_project, branch or default_branch
        try:
            self.project = check_project(project or "")
            self.branch = branch_key(check_branch(branch or ""))
        except ValueError as error:
            raise InvalidInput(
                f"The event {name!r} has no usable project and branch: {error}. "
                "Give project=... and branch=..., or set OB_PROJECT and OB_BRANCH."
            ) from None
        self.name = name
        self.event = event_name(self.project, self.branch, name)
        """The full name, as Argo Events sees it."""

    def publish(self, payload: Mapping[str, Any] | None = None, ignore_errors: bool = False) -> str | None:
        """Publish the event and return its id; None if the step is only tried out by ``spin``.

        The payload's values can set the parameters of the flows that start. Raises EventNotPublished, and InvalidInput
        for a name or payload that can't be sent; with ``ignore_errors`` it prints a line and returns None instead, and
        so it does where no webhook is configured, if ``ASSETSITE_EVENTS`` is ``optional``.
        """
        try:
            return self._send(payload)
        except AssetError as error:
            is_optional = isinstance(error, EventNotPublished) and not _webhook() and events_are_optional()
            if not (ignore_errors or is_optional):
                raise
            self._say_why_not(str(error))
            return None

    def safe_publish(self, payload: Mapping[str, Any] | None = None, ignore_errors: bool = True) -> str | None:
        """Publish the event from a flow that Argo Workflows runs; anywhere else, print a line and do nothing.

        Never raises, whatever ``ignore_errors`` says: it is there for code written for other clients.
        """
        if not os.environ.get("ARGO_WORKFLOW_TEMPLATE"):
            self._say_why_not("This run is not deployed on Argo Workflows.")
            return None
        try:
            return self._send(payload)
        except Exception as error:
            self._say_why_not(str(error))
            return None

    def _send(self, payload: Mapping[str, Any] | None) -> str | None:
        webhook = _webhook()
        check_event_name(self.name)
        values = self._valid_payload(payload)
        if spinning.holds_back():
            return None
        if not webhook:
            raise EventNotPublished(f"The event {self.event!r} can't be published: {_HOW_TO_CONFIGURE}")
        try:
            event = ArgoEvent(self.event, url=webhook)
            event_id: str = event.publish(payload=values, ignore_errors=False)
        except ArgoEventException as error:
            raise EventNotPublished(f"{error}. The webhook is {webhook}.") from error
        return event_id

    def _valid_payload(self, payload: Mapping[str, Any] | None) -> dict[str, Any]:
        if not isinstance(payload, Mapping | None):
            raise InvalidInput(f"The payload of event {self.event!r} is no dictionary.")
        if payload and "name" in payload:
            raise InvalidInput(
                f"The payload of event {self.event!r} has the key 'name', by which Argo tells events apart."
            )
        return dict(payload or {})

    def _say_why_not(self, reason: str) -> None:
        tell(f"event {self.event!r} was not published. {' '.join(reason.split())}")


def _webhook() -> str | None:
    from metaflow.metaflow_config import ARGO_EVENTS_WEBHOOK_URL

    return ARGO_EVENTS_WEBHOOK_URL or None


def _where_it_happens() -> tuple[str | None, str | None]:
    """Return the project and branch of the code that runs now, as far as they are known."""
    from metaflow import current

    # Imported here because it brings requests with it, which a flow that is only triggered by events does not need.
    from obproject.task import running

    if (flow := running.running_flow()) and (prj := getattr(flow, "prj", None)):
        return prj.project, prj.write_branch
    return (
        os.environ.get("OB_PROJECT") or current.get("project_name"),
        os.environ.get("OB_BRANCH") or _deployed_branch(current.get("branch_name") or ""),
    )


def _deployed_branch(metaflow_branch: str) -> str:
    """Return the branch that a branch of Metaflow's ``@project`` was deployed from; one that was not is its own."""
    kind, _, name = metaflow_branch.partition(".")
    if kind == "prod":
        return name or "main"
    return name if kind == "test" and name else metaflow_branch
