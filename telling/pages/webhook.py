"""One webhook: what it gets, how it stands, its log; and the forms that change, try, switch and delete it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from access.errors import BadRequest, Conflict
from access.identity import Viewer, viewer_of
from catalog.addresses import webhook_url, webhooks_url
from catalog.models import DeliveryTry, Webhook
from catalog.pagekit.frame import perimeter_frame
from catalog.pagekit.query import PageQuery
from telling import webhooks
from telling.found import deliveries_of, find_delivery, find_webhook
from telling.pages.shown import Form, deliveries_shown, how_it_stands, typed, what_it_gets
from telling.webhooks import Wish, may_manage
from telling.wire import sentence_of

ROWS = 30


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_page(request: HttpRequest, perimeter: str, webhook_id: int) -> HttpResponse:
    viewer = viewer_of(request)
    webhook = find_webhook(viewer, may_manage(viewer, perimeter), webhook_id)
    if request.method != "POST":
        return page_of(request, viewer, webhook)
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise BadRequest("That form is not one of this page.", field="act")
    try:
        return act(request, viewer, webhook)
    except Conflict as refused:
        messages.error(request, refused.message)
        return _back(webhook)


def _back(webhook: Webhook) -> HttpResponse:
    return HttpResponseRedirect(webhook_url(webhook.perimeter.name, webhook.pk))


def _change(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    wish = typed(request)
    try:
        webhooks.change(viewer, webhook, wish)
    except BadRequest as refused:
        form = Form(wish, refused.message, str(refused.detail.get("field", "")))
        return page_of(request, viewer, webhook, form=form, status=422)
    messages.success(request, "It is changed.")
    return _back(webhook)


def _switch_on(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    waiting = webhooks.switch_on(viewer, webhook)
    goes_on = f" What waited is sent now: {waiting} message{'' if waiting == 1 else 's'}." if waiting else ""
    messages.success(request, f"It is on.{goes_on}")
    return _back(webhook)


def _switch_off(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    webhooks.switch_off_by_hand(viewer, webhook)
    messages.success(request, "It is off. What waits is kept until it is switched on.")
    return _back(webhook)


def _renew(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    made = webhooks.renew_secret(viewer, webhook)
    return page_of(request, viewer, webhook, secret=made.secret)


def _delete(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    webhooks.delete(viewer, webhook)
    messages.success(request, "The webhook is deleted.")
    return HttpResponseRedirect(webhooks_url(webhook.perimeter.name))


def _test(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    _say(request, "The test was taken.", webhooks.send_test(viewer, webhook))
    return _back(webhook)


def _replay(request: HttpRequest, viewer: Viewer, webhook: Webhook) -> HttpResponse:
    text = request.POST.get("delivery", "")
    pk = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
    tried = webhooks.replay(viewer, find_delivery(viewer, webhook, pk))
    if tried is None:
        messages.info(request, "It waits for its turn, and is sent within seconds once that has come.")
    else:
        _say(request, "It was taken.", tried)
    return _back(webhook)


def _say(request: HttpRequest, taken: str, tried: DeliveryTry) -> None:
    if tried.status in range(200, 300):
        messages.success(request, f"{taken} {sentence_of(tried)}")
    else:
        messages.error(request, f"It was not taken. {sentence_of(tried)}")


ACTS: dict[str, Callable[[HttpRequest, Viewer, Webhook], HttpResponse]] = {
    "change": _change,
    "on": _switch_on,
    "off": _switch_off,
    "secret": _renew,
    "delete": _delete,
    "test": _test,
    "replay": _replay,
}


def page_of(
    request: HttpRequest,
    viewer: Viewer,
    webhook: Webhook,
    *,
    form: Form | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    """`secret`: shown now, and never again."""
    here = webhook_url(webhook.perimeter.name, webhook.pk)
    query = PageQuery(here, request.GET)
    before = query.number("before")
    rows = deliveries_of(viewer, webhook, before, ROWS + 1)
    words, look = how_it_stands(webhook)
    context: dict[str, Any] = {
        **perimeter_frame(request, webhook.perimeter.name),
        "json_url": "",
        "webhook": webhook,
        "what": what_it_gets(webhook),
        "words": words,
        "look": look,
        "here": here,
        "all_url": webhooks_url(webhook.perimeter.name),
        "form": form or Form(Wish.of(webhook)),
        "secret": secret,
        "deliveries": deliveries_shown(rows[:ROWS]),
        "notices": query.notices("before", takes=()),
        "newest_url": query.url(before=None) if before is not None else None,
        "older_url": query.url(before=rows[ROWS - 1].pk) if len(rows) > ROWS else None,
    }
    response = render(request, "telling/webhook.html", context, status=status)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response
