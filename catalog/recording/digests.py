"""Digests that become known after their instances were settled."""

from collections.abc import Mapping

from django.db import transaction

from catalog.models import Asset, Instance, StateChange


def fill_digests(digests: Mapping[int, str]) -> int:
    """Give instances, by key, the digests that they lack, and their last changes of state with them; how many had none.

    One short transaction for each, so that nobody waits for anybody.
    """
    filled = 0
    for pk, digest in sorted(digests.items()):
        with transaction.atomic():
            if not Asset.objects.filter(instances=pk, instances__digest=None).mark():
                continue
            if Instance.objects.filter(pk=pk, digest=None).update(digest=digest):
                last = StateChange.objects.filter(instance=pk).order_by("-pk").values_list("pk", flat=True).first()
                StateChange.objects.filter(pk=last or 0, digest=None).update(digest=digest)
                filled += 1
    return filled
