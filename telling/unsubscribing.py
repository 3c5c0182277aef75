"""Stopping mail without signing in: a link says which subscription it ends, signed by the site's key."""

from django.core import signing
from django.urls import reverse

from catalog.models import Subscription
from catalog.news import whole

SALT = "telling.unsubscribing"


def unsubscribe_url(row: Subscription) -> str:
    """Where the mail of one subscription is stopped by whoever has the link; it is good for as long as the key is."""
    return whole(reverse("unsubscribe", args=[signing.dumps(row.pk, salt=SALT)]))


def subscription_of(token: str) -> Subscription | None:
    """The subscription that a link ends, if there still is one; raises `signing.BadSignature` for a link that is none.

    Keys are not given out again, so an old link ends nothing that was made later.
    """
    pk = signing.loads(token, salt=SALT)
    return Subscription.objects.filter(pk=pk).select_related("perimeter").first()
