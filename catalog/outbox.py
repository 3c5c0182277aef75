"""The outbox: what somebody may want to be told of is written down with the change that it tells of.

A write says `tell(…)` in its transaction. A row of `Message` is made only where a webhook or a subscription of the
project asks for this kind of event (`Project.heard`), so that nobody pays who tells nobody. Who gets it is found later
(`telling/`), and so is whether they may.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access.statements import inserting, values_of
from catalog.models import Asset, Branch, Message, Project
from catalog.states import EventKind

Json = dict[str, Any]
OLD_AFTER = timedelta(hours=1)
"""What happened longer ago is kept, and told to nobody: reconciling and rebuilding bring it from the past."""
TOO_OLD = "It had happened more than an hour before the catalogue came to know of it."


def is_heard(project: Project, kind: EventKind) -> bool:
    """Whether somebody may want to be told of this kind of event in a project, as its row said when it was read."""
    return kind.value in project.heard.split()


def tell(
    kind: EventKind,
    branch: Branch,
    body: Json,
    *,
    asset: Asset | None = None,
    instance_uid: str = "",
    at: datetime | None = None,
) -> None:
    """Write the message of an event, within the transaction of the change, if somebody may want it.

    `branch` comes with its project. `at`: when it happened; None: now.
    """
    if not is_heard(branch.project, kind):
        return
    now = timezone.now()
    at = at or now
    message = Message(
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
    inserting(Message).run(**values_of(message))
