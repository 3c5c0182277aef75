"""That an asset has changed its ways: what is older teaches nothing of what is usual and unusual of it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from catalog import recording
from catalog.api import schemas
from catalog.apikit.view import CatalogView
from catalog.filter_values import time_of
from catalog.wire.bodies import NormalBody
from catalog.wire.rendering import Answer
from catalog.wire.shapes import normal_shape

Json = dict[str, Any]


class Normal(CatalogView):
    @extend_schema(
        operation_id="start_anew",
        summary="What is normal now: forget what is older, for freshness and for what is unusual",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=NormalBody,
        responses=schemas.NormalAnswer,
    )
    def put(self, request: Request, **address: str) -> Answer:
        self.may_write(self.place())
        body = self.checked(NormalBody).validated_data
        return self.once(lambda: (200, self._started_anew(body)))

    def _started_anew(self, body: Json) -> Json:
        asset = self.asset()
        event = recording.start_anew(
            actor=self.viewer.actor,
            user=self.viewer.person,
            asset=asset,
            since=time_of("since", body.get("since") or ""),
            reason=body.get("reason") or "",
        )
        return normal_shape(event, event.asset)
