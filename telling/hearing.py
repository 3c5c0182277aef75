"""Which kinds of events somebody wants to be told of, as each project keeps it (`Project.heard`)."""

from django.db import transaction

from access.models import Perimeter
from catalog import outbox

TOLD = outbox.TELLABLE


@transaction.atomic
def keep_heard(perimeter: Perimeter) -> None:
    """Keep it of all projects of a perimeter; call it whenever a webhook or a subscription there has changed."""
    outbox.keep_heard(perimeter.pk)
