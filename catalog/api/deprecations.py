"""Deprecating an instance, undoing that, and recovering a deleted asset."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.errors import BadRequest
from catalog import recording
from catalog.addresses import asset_path
from catalog.api import schemas
from catalog.apikit.view import CatalogView
from catalog.entities import Entity
from catalog.models import Asset, Instance
from catalog.reading import Resolved, find_instance, parsed_reference
from catalog.wire.bodies import DeprecationBody, DeprecationUndoing, RecoveryBody, entity_of
from catalog.wire.rendering import Answer
from catalog.wire.shapes import instance_shape, item_shape
from obproject.references import ReferenceKind

Json = dict[str, Any]


class InstanceDeprecation(CatalogView):
    def meant(self, asset: Asset) -> Instance:
        """The instance of the address, which has to mean the same one when the call is sent again."""
        text = self.kwargs["reference"]
        if parsed_reference(text).kind == ReferenceKind.LATEST:
            raise BadRequest(
                f"What '{text}' means changes when a version is deprecated, so it can't be deprecated as that. "
                "Write its number, such as v12, or its id.",
                instance=text,
            )
        instance = find_instance(asset, text).instance
        if instance is None:
            raise BadRequest("A definition can't be deprecated; a version can.", instance=text)
        return instance

    @extend_schema(
        operation_id="deprecate",
        summary="Deprecate an instance: `latest` passes it over",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=DeprecationBody,
        responses=schemas.InstanceAnswer,
    )
    def put(self, request: Request, **address: str) -> Answer:
        self.may_write(self.place())
        body = self.checked(DeprecationBody).validated_data
        uid = body.get("id") or ""
        return self.once_by_id(lambda: (200, self._deprecated(body, uid)), lambda: self._done_before(uid, body))

    def _deprecated(self, body: Json, uid: str) -> Json:
        asset = self.asset()
        instance = self.meant(asset)
        instance.deprecation = recording.deprecate(
            actor=self.viewer.actor,
            user=self.viewer.person,
            asset=asset,
            target_uid=instance.uid,
            reason=body["reason"],
            entity=self._entity(body),
            uid=uid,
        )
        return instance_shape(Resolved(asset, instance), self.base)

    def _done_before(self, uid: str, body: Json) -> tuple[int, Json] | None:
        event = recording.deprecation_before(uid, self.ever_here(), self.kwargs["reference"], body["reason"])
        if event is None:
            return None
        instance = event.instance  # as it is now: it may have been undone since
        return 200, instance_shape(Resolved(instance.asset, instance), self.base)

    def _entity(self, body: Json) -> Entity:
        return entity_of(body) if body.get("entity_ref") else Entity("user", self.viewer.user.get_username())

    @extend_schema(
        operation_id="undo_deprecation",
        summary="Let a deprecated instance count again",
        parameters=[schemas.IDEMPOTENCY_KEY, schemas.write_id("w")],
        responses={204: None},
    )
    def delete(self, request: Request, **address: str) -> Answer:
        self.may_write(self.place())
        uid = self.write_id(DeprecationUndoing)
        return self.once_by_id(lambda: self._undone(uid), lambda: self._undone_before(uid))

    def _undone(self, uid: str) -> tuple[int, None]:
        asset = self.asset()
        recording.undo_deprecation(
            actor=self.viewer.actor,
            user=self.viewer.person,
            asset=asset,
            target_uid=self.meant(asset).uid,
            entity=self._entity({}),
            uid=uid,
        )
        return 204, None

    def _undone_before(self, uid: str) -> tuple[int, None] | None:
        event = recording.deprecation_before(uid, self.ever_here(), self.kwargs["reference"], None)
        return (204, None) if event else None


class Recovery(CatalogView):
    @extend_schema(
        operation_id="recover_asset",
        summary="Recover the asset that was deleted last at this address",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=RecoveryBody,
        responses=schemas.ItemAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        self.may_write(self.place())
        uid = self.checked(RecoveryBody).validated_data.get("id") or ""
        return self.once_by_id(lambda: self._recovered(uid), lambda: self._recovered_before(uid))

    def _recovered(self, uid: str) -> tuple[int, Json]:
        here = self.ever_here()
        if not here.exists():
            self.asset()  # says what is missing
        recording.recover_asset(actor=self.viewer.actor, user=self.viewer.person, here=here, uid=uid)
        return 200, self._answer()

    def _recovered_before(self, uid: str) -> tuple[int, Json] | None:
        event = recording.deletion_before(uid, self.ever_here(), recovered=True)
        return (200, self._answer()) if event else None

    def _answer(self) -> Json:
        asset = self.asset()
        return item_shape(asset, f"{self.base}{asset_path(asset)}")
