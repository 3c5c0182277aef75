"""How long ago the catalogue was last brought up to date with Metaflow: for supervisors, and for telling lates."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from catalog.models import Reconciliation

LATE_AFTER_PASSES = 3
LATE_AFTER_SECONDS = 900.0


def lag_of_passes(now: datetime) -> dict[str, Any]:
    """Seconds since the last whole pass has ended, None if there was none, and a `warning` if that is too long ago.

    Empty if the site makes no passes.
    """
    if settings.RECONCILE_MINUTES <= 0:
        return {}
    last = Reconciliation.objects.filter(complete=True).order_by("pk").last()
    first = last or Reconciliation.objects.order_by("pk").first()
    seconds = (now - last.finished_at).total_seconds() if last and last.finished_at else None
    since = (now - (first.finished_at or first.started_at)).total_seconds() if first else 0.0
    told: dict[str, Any] = {"reconciled_seconds_ago": None if seconds is None else round(seconds)}
    if since > max(LATE_AFTER_SECONDS, LATE_AFTER_PASSES * settings.RECONCILE_MINUTES * 60):
        told["warning"] = "Reconciling is late; the log of the server, or its passes in the admin, say why."
    return told


def known_until(now: datetime) -> datetime:
    """Up to when it is known what has come: what tasks kept while the catalogue was away is known after the next pass.

    If there is none for too long, or if none are made, that is now.
    """
    if settings.RECONCILE_MINUTES <= 0:
        return now
    longest = max(LATE_AFTER_SECONDS, LATE_AFTER_PASSES * settings.RECONCILE_MINUTES * 60)
    last = Reconciliation.objects.filter(complete=True).order_by("pk").last()
    return max(last.started_at, now - timedelta(seconds=longest)) if last else now
