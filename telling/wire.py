"""Webhooks and their deliveries as JSON. A secret is in no shape but that of what was made just now."""

import json
from typing import Any

from catalog.models import Delivery, DeliveryTry, Webhook
from catalog.wire.shapes import time_shape
from telling.payload import body_of, shown_headers
from telling.sending import Answer

Json = dict[str, Any]


def webhook_shape(webhook: Webhook) -> Json:
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "name": webhook.name,
        "kinds": webhook.kinds,
        "project": webhook.project,
        "branch": webhook.branch,
        "filters": webhook.filters,
        "on": webhook.is_on,
        "off_at": time_shape(webhook.off_at),
        "off_why": webhook.off_why,
        "failing_since": time_shape(webhook.failing_since),
        "created_at": time_shape(webhook.created_at),
        "created_by": webhook.created_by,
    }


def delivery_shape(delivery: Delivery) -> Json:
    message = delivery.message
    return {
        "id": delivery.pk,
        "message_id": message.uid,
        "type": message.kind,
        "at": time_shape(message.at),
        "state": delivery.state,
        "tries": delivery.tries,
        "next_at": time_shape(delivery.next_at) if delivery.done_at is None else None,
        "done_at": time_shape(delivery.done_at),
        "body": json.loads(body_of(message)),
        "log": [try_shape(one) for one in delivery.log.all()],
    }


def try_shape(one: DeliveryTry) -> Json:
    return {
        "at": time_shape(one.at),
        "by": one.by,
        "seconds": one.seconds,
        "status": one.status,
        "answer": one.answer,
        "error": one.error,
        "sentence": sentence_of(one),
        "request_headers": shown_headers(one.delivery.message, one.at),
    }


def sentence_of(one: DeliveryTry) -> str:
    return Answer(one.status, one.answer, one.error).sentence
