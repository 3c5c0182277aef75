"""Stopping mail by the link in it, without signing in: a mail program posts there at once, a person presses a button.

Looking at the page stops nothing, as programs that look for harm in mail open its links.
"""

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from access.errors import NotFound
from telling.subscriptions import stop
from telling.unsubscribing import subscription_of


@csrf_exempt  # mail programs have no token; the address itself is signed, and does nothing else
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    try:
        row = subscription_of(token)
    except BadSignature:
        raise NotFound("This is no link of a mail of this site, or not all of it.") from None
    is_stopped = row is None
    if row is not None and request.method == "POST":
        stop(row)
        is_stopped = True
    return render(request, "telling/unsubscribe.html", {"is_stopped": is_stopped})
