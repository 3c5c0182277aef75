"""Which kinds of events somebody wants to be told of, as each project keeps it (`Project.heard`)."""

from django.db import transaction

<<<<<<< HEAD
from access.models import Perimeter
from catalog import outbox
=======
from catalog.models import Project, Subscription, Webhook
from catalog.states import EventKind
>>>>>>> 00c2eb7 (The API of webhooks: made, changed, switched, tested, replayed by admins of a perimeter; each act in the audit log)

TOLD = outbox.TELLABLE


<<<<<<< HEAD
@transaction.atomic
def keep_heard(perimeter: Perimeter) -> None:
    """Keep it of all projects of a perimeter; call it whenever a webhook or a subscription there has changed."""
    outbox.keep_heard(perimeter.pk)
=======
def keep_heard(perimeter: int) -> None:
    """Keep it of all projects of a perimeter; call it whenever a webhook or a subscription there has changed."""
    with transaction.atomic():
        projects = list(Project.objects.filter(perimeter=perimeter).select_for_update(no_key=True).order_by("pk"))
        webhooks = list(Webhook.objects.filter(perimeter=perimeter, off_at=None, deleted_at=None))
        watched = list(Subscription.objects.filter(perimeter=perimeter).values_list("branch__project", "kinds"))
        for project in projects:
            asked = [one.kinds for one in webhooks if one.project in ("", project.name)]
            asked += [kinds for pk, kinds in watched if pk == project.pk]
            heard = " ".join(_all_of(asked))
            if heard != project.heard:
                Project.objects.filter(pk=project.pk).update(heard=heard)


def _all_of(asked: Iterable[list[str]]) -> list[str]:
    wanted = [kinds or TOLD for kinds in asked]
    return [kind for kind in TOLD if any(kind in kinds for kinds in wanted)]
>>>>>>> 00c2eb7 (The API of webhooks: made, changed, switched, tested, replayed by admins of a perimeter; each act in the audit log)
