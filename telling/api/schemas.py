"""Webhooks in the OpenAPI document: bodies, and answers, which are made in `telling/wire.py`."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from catalog.apikit.fields import Answer, integer, one_of, text, time
from catalog.outbox import TELLABLE
from catalog.states import DeliveryState, EventKind
from catalog.wire.bodies import Anything, Body, Choice, Flag
from catalog.wire.taken import Text
from telling.networks import LONGEST_URL
from telling.webhooks import LENGTHS


class WebhookBody(Body):
    url = Text(max_length=LONGEST_URL)
    name = Text(max_length=LENGTHS["name"], required=False, allow_blank=True)
    kinds = serializers.ListField(child=Choice(TELLABLE), required=False, help_text="Empty: all.")
    project = Text(max_length=LENGTHS["project"], required=False, allow_blank=True, help_text="Empty: all.")
    branch = Text(
        max_length=LENGTHS["branch"], required=False, allow_blank=True, help_text="Or a pattern, feature/*; empty: all."
    )
    filters = Text(
        max_length=LENGTHS["filters"], required=False, allow_blank=True, help_text="As lists take them: tag=env=prod."
    )


class WebhookChanges(WebhookBody):
    url = Text(max_length=LONGEST_URL, required=False)
    on = Flag(required=False, help_text="Switched on, it goes on with what waits.")


class WebhookAnswer(Answer):
    id = integer()
    url = text()
    name = text()
    kinds = serializers.ListField(child=one_of(TELLABLE), help_text="Empty: all.")
    project = text()
    branch = text()
    filters = text()
    on = serializers.BooleanField()
    off_at = time(allow_null=True)
    off_why = text()
    failing_since = time(allow_null=True, help_text="Since when nothing was delivered; null: the last was.")
    created_at = time()
    created_by = text()


class MadeWebhookAnswer(WebhookAnswer):
    secret = text(help_text="Whsec_ and base64; it is shown this once.")


class WebhookListAnswer(Answer):
    webhooks = WebhookAnswer(many=True)


class TryAnswer(Answer):
    at = time()
    by = text(help_text="Who asked for it; empty: the background.")
    seconds = serializers.FloatField(allow_null=True)
    status = integer(allow_null=True, help_text="Null: there was no answer, and `error` says why.")
    answer = text(help_text="The beginning of it.")
    error = text()
    sentence = text()
    request_headers = serializers.DictField(child=text(), help_text="Without the signature.")


class DeliveryAnswer(Answer):
    id = integer()
    message_id = text(help_text="The webhook-id of its requests.")
    type = one_of(EventKind)
    at = time(help_text="When it happened.")
    state = one_of(DeliveryState)
    tries = integer()
    next_at = time(allow_null=True, help_text="Not before; null: it is over.")
    done_at = time(allow_null=True)
    body = Anything()
    log = TryAnswer(many=True)


class DeliveryListAnswer(Answer):
    deliveries = DeliveryAnswer(many=True)
    older = integer(allow_null=True, help_text="`before` of the next page; null: there is none.")


class TriedAnswer(Answer):
    delivered = serializers.BooleanField(allow_null=True, help_text="Null: it waits for its turn, and is sent soon.")
    result = TryAnswer(allow_null=True)


BEFORE = OpenApiParameter("before", int, description="Those that are older than the delivery with this id.")
