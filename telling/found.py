"""Webhooks and deliveries by their addresses, for those who administer the perimeter."""

from collections.abc import Sequence

from access.errors import NotFound
from access.identity import Viewer
from access.models import Perimeter, Role
from catalog.models import Delivery, Webhook


def webhooks_of(viewer: Viewer, perimeter: Perimeter) -> Sequence[Webhook]:
    """Those that are not deleted, as they were made."""
    known = Webhook.objects.visible_to(viewer, Role.ADMIN).select_related("perimeter")
    return list(known.filter(perimeter=perimeter, deleted_at=None).order_by("pk"))


def find_webhook(viewer: Viewer, perimeter: Perimeter, pk: int) -> Webhook:
    known = Webhook.objects.visible_to(viewer, Role.ADMIN).select_related("perimeter")
    found = known.filter(perimeter=perimeter, pk=pk, deleted_at=None).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(f"The perimeter {perimeter} has no webhook {pk}.", webhook=pk)
    return found


def deliveries_of(viewer: Viewer, webhook: Webhook, before: int | None, most: int) -> list[Delivery]:
    """The newest first, each with its tries."""
    known = Delivery.objects.visible_to(viewer, Role.ADMIN).filter(webhook=webhook)
    rows = known.filter(pk__lt=before) if before is not None else known
    found = list(rows.select_related("message").prefetch_related("log").order_by("-pk")[:most])
    for row in found:
        for one in row.log.all():
            one.delivery = row
    return found


def find_delivery(viewer: Viewer, webhook: Webhook, pk: int) -> Delivery:
    known = Delivery.objects.visible_to(viewer, Role.ADMIN).select_related("message", "webhook__perimeter")
    found = known.filter(webhook=webhook, pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(f"The webhook {webhook.pk} has no delivery {pk}.", delivery=pk)
    return found
