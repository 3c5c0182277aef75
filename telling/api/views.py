"""Webhooks of a perimeter: for its admins."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.errors import BadRequest
from access.models import Perimeter
from catalog.apikit.view import CatalogView
from catalog.models import DeliveryTry, Webhook
from catalog.wire.rendering import Answer
from telling import webhooks
from telling.api import schemas
from telling.found import deliveries_of, find_delivery, find_webhook, webhooks_of
from telling.webhooks import Made, Wish, may_manage
from telling.wire import delivery_shape, try_shape, webhook_shape

Json = dict[str, Any]
ROWS = 50


class WebhookView(CatalogView):
    def scope(self) -> Perimeter:
        return may_manage(self.viewer, self.kwargs["perimeter"])

    def webhook(self) -> Webhook:
        return find_webhook(self.viewer, self.scope(), self.kwargs["webhook_id"])

    def made(self, made: Made) -> Json:
        return {**webhook_shape(made.webhook), "secret": made.secret}

    def tried(self, one: DeliveryTry | None) -> Answer:
        if one is None:
            return Answer({"delivered": None, "result": None})
        return Answer({"delivered": one.status in range(200, 300), "result": try_shape(one)})


class WebhookList(WebhookView):
    @extend_schema(
        operation_id="list_webhooks", summary="The webhooks of a perimeter", responses=schemas.WebhookListAnswer
    )
    def get(self, request: Request, **address: str) -> Answer:
        found = webhooks_of(self.viewer, self.scope())
        return Answer({"webhooks": [webhook_shape(webhook) for webhook in found]})

    @extend_schema(
        operation_id="make_webhook",
        summary="Make a webhook; its secret is in the answer, and nowhere else",
        request=schemas.WebhookBody,
        responses={201: schemas.MadeWebhookAnswer},
    )
    def post(self, request: Request, **address: str) -> Answer:
        scope = self.scope()
        said = self.checked(schemas.WebhookBody).validated_data
        return Answer(self.made(webhooks.make(self.viewer, scope, Wish(**_columns(said)))), 201)


def _columns(said: Json) -> Json:
    known = {name: said[name] for name in ("url", *webhooks.LENGTHS) if name in said}
    return known | ({"kinds": tuple(said["kinds"])} if "kinds" in said else {})


class WebhookDetail(WebhookView):
    @extend_schema(operation_id="read_webhook", summary="One webhook", responses=schemas.WebhookAnswer)
    def get(self, request: Request, **address: str) -> Answer:
        return Answer(webhook_shape(self.webhook()))

    @extend_schema(
        operation_id="change_webhook",
        summary="Change a webhook, or switch it on or off",
        request=schemas.WebhookChanges,
        responses=schemas.WebhookAnswer,
    )
    def patch(self, request: Request, **address: str) -> Answer:
        webhook = self.webhook()
        said = self.checked(schemas.WebhookChanges).validated_data
        webhooks.change(self.viewer, webhook, replace(Wish.of(webhook), **_columns(said)))
        if said.get("on") is True:
            webhooks.switch_on(self.viewer, webhook)
        if said.get("on") is False:
            webhooks.switch_off_by_hand(self.viewer, webhook)
        return Answer(webhook_shape(webhook))

    @extend_schema(operation_id="delete_webhook", summary="Delete a webhook", responses={204: None})
    def delete(self, request: Request, **address: str) -> Answer:
        webhooks.delete(self.viewer, self.webhook())
        return Answer(None, 204)


class WebhookSecret(WebhookView):
    @extend_schema(
        operation_id="renew_webhook_secret",
        summary="Give a webhook a new secret, by which messages are signed from now on",
        request=None,
        responses=schemas.MadeWebhookAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        return Answer(self.made(webhooks.renew_secret(self.viewer, self.webhook())))


class WebhookTest(WebhookView):
    @extend_schema(
        operation_id="test_webhook",
        summary="Send a test, and tell what was answered",
        request=None,
        responses=schemas.TriedAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        return self.tried(webhooks.send_test(self.viewer, self.webhook()))


class WebhookDeliveries(WebhookView):
    @extend_schema(
        operation_id="list_deliveries",
        summary="What was sent to a webhook, newest first, with each try",
        parameters=[schemas.BEFORE],
        responses=schemas.DeliveryListAnswer,
    )
    def get(self, request: Request, **address: str) -> Answer:
        before = request.query_params.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
            raise BadRequest("'before' is the id of a delivery.", field="before")
        rows = deliveries_of(self.viewer, self.webhook(), int(before) if before else None, ROWS + 1)
        older = rows[ROWS - 1].pk if len(rows) > ROWS else None
        return Answer({"deliveries": [delivery_shape(row) for row in rows[:ROWS]], "older": older})


class DeliveryReplay(WebhookView):
    @extend_schema(
        operation_id="replay_delivery",
        summary="Send a message once more, and tell what was answered",
        request=None,
        responses=schemas.TriedAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        delivery = find_delivery(self.viewer, self.webhook(), self.kwargs["delivery_id"])
        return self.tried(webhooks.replay(self.viewer, delivery))
