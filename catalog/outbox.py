"""The outbox: what somebody may want to be told of is written down with the change that it tells of.

A write keeps a message in its transaction. A row of `Message` is made only where a webhook or a subscription of the
project asks for this kind of event (`Project.heard`), so that nobody pays who tells nobody. Who gets it is found later
(`telling/`), and so is whether they may. What messages say is in `catalog/news.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access.models import Perimeter
from access.statements import inserting, values_of
from catalog.models import Asset, Branch, Message, Project, Subscription, Webhook
from catalog.states import EventKind

Json = dict[str, Any]
OLD_AFTER = timedelta(hours=1)
"""What happened longer ago is kept, and told to nobody: reconciling and rebuilding bring it from the past."""
TOO_OLD = "It had happened more than an hour before the catalogue came to know of it."
TELLABLE = tuple(kind.value for kind in EventKind if kind != EventKind.TEST)
"""What a project can be heard for, in the order in which it is written down."""


def is_heard(project: Project, kind: EventKind) -> bool:
    """Whether somebody may want to be told of this kind of event in a project, as its row said when it was read."""
    return bool(project.heard) and kind.value in project.heard.split()


def message(
    kind: EventKind,
    branch: Branch,
    body: Json,
    *,
    asset: Asset | None = None,
    instance_uid: str = "",
    at: datetime | None = None,
) -> Message:
    """The message of an event, to be kept within the transaction of the change. `at`: when it happened; None: now.

    `branch` comes with its project.
    """
    now = timezone.now()
    at = at or now
    return Message(
        kind=kind,
        perimeter_id=branch.project.perimeter_id,
        branch=branch,
        asset=asset,
        instance_uid=instance_uid,
        body=body,
        at=at,
        created_at=now,
        withheld=TOO_OLD if now - at > OLD_AFTER else "",
    )


def keep(messages: Sequence[Message]) -> None:
    """Write messages down, in this order; one statement on PostgreSQL."""
    if messages:
        inserting(Message).each([values_of(one) for one in messages])


def tell(kind: EventKind, branch: Branch, body: Json, **about: Any) -> None:
    """Write the message of an event, of what `message` takes, if somebody may want it."""
    if is_heard(branch.project, kind):
        keep([message(kind, branch, body, **about)])


# who listens


def keep_heard(perimeter: int) -> None:
    """Bring up to date what the projects of a perimeter are heard for, in the transaction that has changed a webhook
    or a subscription of it; one such at a time."""
    _in_turn(perimeter)
    projects = list(Project.objects.filter(perimeter=perimeter).order_by("pk").only("pk", "name", "heard"))
    right = heard_by_each(perimeter, projects)
    for project in projects:
        if project.heard != right[project.pk]:
            Project.objects.filter(pk=project.pk).update(heard=right[project.pk])


def heard_by_each(perimeter: int, projects: Iterable[Project]) -> dict[int, str]:
    """What somebody wants to be told of, in each of these projects of a perimeter: two queries."""
    webhooks = _webhooks(perimeter)
    wanted: dict[int, set[str]] = {}
    for project, kinds in Subscription.objects.filter(perimeter=perimeter).values_list("branch__project", "kinds"):
        wanted.setdefault(project, set()).update(_wanted(kinds))
    return {
        project.pk: _as_words(wanted.get(project.pk, set()).union(*_of_project(webhooks, project.name)))
        for project in projects
    }


def hear_anew(project: Project) -> None:
    """What a new project is heard for, which has no branch yet that somebody could have subscribed to: two queries.

    Whoever makes a webhook in the same moment does not see the project, or waits and then does."""
    _in_turn(project.perimeter_id)
    if heard := _as_words(set().union(*_of_project(_webhooks(project.perimeter_id), project.name))):
        project.heard = heard
        Project.objects.filter(pk=project.pk).update(heard=heard)


def _in_turn(perimeter: int) -> None:
    """Wait for the others that change who listens in a perimeter, or what there is to be heard; until the end of the
    transaction they wait for this one."""
    Perimeter.objects.select_for_update(no_key=True).get(pk=perimeter)


def _webhooks(perimeter: int) -> list[tuple[str, set[str]]]:
    """The project of each webhook that is on, or nothing for all, with the kinds that it wants."""
    on = Webhook.objects.filter(perimeter=perimeter, off_at=None, deleted_at=None)
    return [(name, _wanted(kinds)) for name, kinds in on.values_list("project", "kinds")]


def _of_project(webhooks: Iterable[tuple[str, set[str]]], project: str) -> list[set[str]]:
    return [kinds for name, kinds in webhooks if name in ("", project)]


def _wanted(kinds: list[str]) -> set[str]:
    return set(kinds or TELLABLE)


def _as_words(kinds: set[str]) -> str:
    return " ".join(kind for kind in TELLABLE if kind in kinds)
