"""The webhooks of a perimeter, and the form that makes one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from access.errors import BadRequest, Conflict
from access.identity import Viewer, viewer_of
from access.models import Perimeter
from catalog.addresses import webhooks_url
from catalog.pagekit.frame import perimeter_frame
from telling.found import webhooks_of
from telling.lag import WARNING, lag
from telling.pages.shown import EMPTY, Form, ShownWebhook, typed
from telling.pages.webhook import page_of
from telling.webhooks import make, may_manage


@require_http_methods(["GET", "HEAD", "POST"])
def webhooks_page(request: HttpRequest, perimeter: str) -> HttpResponse:
    viewer = viewer_of(request)
    scope = may_manage(viewer, perimeter)
    if request.method != "POST":
        return _page(request, viewer, scope)
    wish = typed(request)
    try:
        made = make(viewer, scope, wish)
    except (BadRequest, Conflict) as refused:
        form = Form(wish, refused.message, str(refused.detail.get("field", "")))
        return _page(request, viewer, scope, form, status=422)
    return page_of(request, viewer, made.webhook, secret=made.secret, status=201)


def _page(
    request: HttpRequest, viewer: Viewer, scope: Perimeter, form: Form = EMPTY, status: int = 200
) -> HttpResponse:
    context = {
        **perimeter_frame(request, scope.name),
        "json_url": "",
        "perimeter": scope.name,
        "webhooks": [ShownWebhook.of(webhook) for webhook in webhooks_of(viewer, scope)],
        "form": form,
        "here": webhooks_url(scope.name),
        "late": WARNING if lag(timezone.now()).is_late else "",
    }
    return render(request, "telling/webhooks.html", context, status=status)
