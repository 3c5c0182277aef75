"""Which kinds of events somebody wants to be told of, as each project keeps it (`Project.heard`)."""

from collections.abc import Iterable

from django.db import transaction

from access.models import Perimeter
from catalog.models import Project, Subscription, Webhook
from catalog.states import EventKind

TOLD = tuple(kind.value for kind in EventKind if kind is not EventKind.TEST)


def keep_heard(perimeter: Perimeter) -> None:
    """Keep it of all projects of a perimeter; call it whenever a webhook or a subscription there has changed."""
    with transaction.atomic():
        projects = list(Project.objects.of(perimeter).select_for_update(no_key=True).order_by("pk"))
        webhooks = list(Webhook.objects.of(perimeter).filter(off_at=None, deleted_at=None))
        watched = list(Subscription.objects.of(perimeter).values_list("branch__project", "kinds"))
        for project in projects:
            asked = [one.kinds for one in webhooks if one.project in ("", project.name)]
            asked += [kinds for pk, kinds in watched if pk == project.pk]
            heard = " ".join(_all_of(asked))
            if heard != project.heard:
                Project.objects.filter(pk=project.pk).update(heard=heard)


def _all_of(asked: Iterable[list[str]]) -> list[str]:
    wanted = [kinds or TOLD for kinds in asked]
    return [kind for kind in TOLD if any(kind in kinds for kinds in wanted)]
