"""Assets and their instances: listing, registering, reading, consuming, confirming. docs/wire.md is the contract."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.errors import NotFound, SiteError
from access.models import Perimeter, Role
from catalog import limits, recording
from catalog.addresses import asset_path, branch_path
from catalog.api import schemas
from catalog.api.continuation import PAGING, after_name, before_number, page_size, token_for
from catalog.api.registering import FOREIGN_SESSION, Asked, Registering
from catalog.apikit.view import CatalogView
from catalog.entities import Entity
from catalog.filters import STATE, FiltersAsked
from catalog.models import Asset, Consumption, Instance
from catalog.reading import Resolved, find_instance, first_with_content_of, run_of
from catalog.states import State
from catalog.unchanged import ASSET, ASSETS_OF_BRANCH, BRANCH, USES_OF_ASSET, unless_unchanged
from catalog.windows import older
from catalog.wire.bodies import (
    AssetDeletion,
    ConfirmationBody,
    ConsumptionBody,
    RegistrationBody,
    entity_of,
)
from catalog.wire.parsing import LenientJSONParser
from catalog.wire.rendering import Answer
from catalog.wire.rows import InstanceRow
from catalog.wire.shapes import (
    asset_shape,
    consumer_entry,
    freshness_shape,
    gates_shape,
    instance_shape,
    item_shape,
    producer_entry,
    run_shape,
    shape_at,
    time_shape,
    with_equal,
    with_notes,
)
from catalog.wire.statements import (
    assets_after,
    newest_consumptions,
    ready_before,
    these_assets,
    these_instances,
)

Json = dict[str, Any]


class AssetList(CatalogView):
    @extend_schema(
        operation_id="list_assets",
        summary="The assets of one kind on a branch, each with its latest instance",
        parameters=[*schemas.PAGING, *schemas.FILTERS],
        responses=schemas.AssetListAnswer,
    )
    @unless_unchanged(BRANCH | ASSETS_OF_BRANCH)
    def get(self, request: Request, perimeter: str, project: str, branch: str, kind: str) -> Answer:
        place, after = self.place(), after_name(request)
        scope = self.viewer.require(place.perimeter)
        size = page_size(request, limits.LIST_PAGE, limits.LIST_PAGE_MOST)
        filters = self.filters(*PAGING)
        if filters:
            assets = Asset.objects.visible_to(self.viewer).at_place(place).live()
            found = assets.filter(kind=kind, asset_id__gt=after).matching(filters).order_by("asset_id")
            rows = these_assets(found.values_list("pk", flat=True)[: size + 1])
        else:
            rows = assets_after(scope, place, kind, after, size + 1)
        if not rows:
            self.look_elsewhere(place)
        token = token_for(rows[size - 1].asset_id) if len(rows) > size else None
        shown = [instance for row in rows[:size] if (instance := row.shown(filters.states))]
        first = Instance.objects.visible_to(self.viewer).first_with_content_of(shown)
        listing = f"{self.base}{branch_path(place.perimeter, place.project, place.key)}/{kind}"
        items = [item_shape(row, f"{listing}/{row.asset_id}", filters.states, first) for row in rows[:size]]
        return Answer({"items": items, "continuation": token})


class AssetDetail(Registering):
    parser_classes = (LenientJSONParser,)

    @extend_schema(
        operation_id="summarise_asset",
        summary="An asset: its instances, newest first, and who produced and consumed them",
        parameters=[*schemas.PAGING, *schemas.FILTERS],
        responses=schemas.SummaryAnswer,
    )
    @unless_unchanged(ASSET | USES_OF_ASSET)
    def get(self, request: Request, perimeter: str, project: str, branch: str, kind: str, asset_id: str) -> Answer:
        asset, filters = self.asset(), self.filters(*PAGING)
        size = page_size(request, limits.SUMMARY_PAGE, limits.SUMMARY_PAGE_MOST)
        before = before_number(request)
        if filters:
            rows, further = self._found(asset, filters, before, size)
        else:
            rows, further = ready_before(asset, before, size + 1), None
        last = rows[size - 1].number if len(rows) > size else further
        token = token_for(str(last)) if last else None
        shown: list[InstanceRow | None] = [*rows[:size]]
        if asset.newest_id is None and asset.is_declared and self._answers(asset, filters):
            shown = [None]
        first = Instance.objects.of(asset).first_with_content_of(rows[:size])
        url, branch = f"{self.base}{asset_path(asset)}", asset.branch.key
        return Answer(
            {
                "asset": asset_shape(asset, asset.newest_ready),
                "gates": gates_shape(asset),
                "freshness": freshness_shape(asset),
                "recent_instances": [with_equal(shape_at(asset, row, url), row, first) for row in shown],
                "continuation": token,
                "recently_produced_by": [producer_entry(row, branch) for row in rows[:size][: limits.RECENT_ENTITIES]],
                "recently_consumed_by": [
                    consumer_entry(row, row.instance_uid or asset.definition_uid)
                    for row in newest_consumptions(asset, limits.RECENT_ENTITIES)
                ],
            }
        )

    def _found(
        self, asset: Asset, filters: FiltersAsked, before: int | None, size: int
    ) -> tuple[list[InstanceRow], int | None]:
        """The rows, one more if there are more, and the number below which there may be others if there are not."""
        found: Any = Instance.objects.of(asset).matching(filters).values_list("pk", flat=True)
        looked = older(found, asset, filters, size, before)
        return these_instances(looked.rows), looked.part.lowest if looked.part else None

    def _answers(self, definition: Asset, filters: FiltersAsked) -> bool:
        return Asset.objects.visible_to(self.viewer).filter(pk=definition.pk).matching(filters).exists()

    @extend_schema(
        operation_id="register",
        summary="Register an instance, and with the first one the asset",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=RegistrationBody,
        responses={201: schemas.RegistrationAnswer},
    )
    def patch(self, request: Request, perimeter: str, project: str, branch: str, kind: str, asset_id: str) -> Answer:
        asked = self.asked(self.place(), kind, asset_id, request.data)
        return self.once_by_id(lambda: (201, self.answer(asked, self.done(asked))), lambda: self._done_before(asked))

    def _done_before(self, asked: Asked) -> tuple[int, Json] | None:
        before = self.done_before(asked)
        return (201, before) if before else None

    @extend_schema(
        operation_id="delete_asset",
        summary="Delete an asset; it can be recovered for some days",
        parameters=[schemas.IDEMPOTENCY_KEY, schemas.write_id("d")],
        responses={204: None},
    )
    def delete(self, request: Request, perimeter: str, project: str, branch: str, kind: str, asset_id: str) -> Answer:
        self.may_write(self.place())
        uid = self.write_id(AssetDeletion)
        # an asset of the same name may have come since, so the repeat is looked for first
        return self.once_by_id(
            lambda: self._deleted_before(uid) or self._deleted(uid), lambda: self._deleted_before(uid)
        )

    def _deleted(self, uid: str) -> tuple[int, None]:
        recording.delete_asset(actor=self.viewer.actor, user=self.viewer.person, asset=self.asset(), uid=uid)
        return 204, None

    def _deleted_before(self, uid: str) -> tuple[int, None] | None:
        return (204, None) if recording.deletion_before(uid, self.ever_here()) else None


class InstanceDetail(CatalogView):
    parser_classes = (LenientJSONParser,)

    def found(self) -> Resolved:
        return find_instance(self.asset(), self.kwargs["reference"], self.filters(takes=(STATE,)).states)

    @extend_schema(
        operation_id="read_instance",
        summary="Read an instance without leaving a trace",
        parameters=[schemas.STATE],
        responses=schemas.ReadInstanceAnswer,
    )
    def get(self, request: Request, **address: str) -> Answer:
        return Answer(self._whole(self.found()))

    def _whole(self, found: Resolved) -> Json:
        """With all that is known of its run, and the first instance with the same content."""
        shape, instance = instance_shape(found, self.base), found.instance
        if instance is None:
            return shape
        first = first_with_content_of(instance)
        return with_equal(shape, instance, first) | {"run": run_shape(instance.run, run_of(found.asset, instance))}

    @extend_schema(
        operation_id="consume_instance",
        summary="Read an instance and be recorded as its consumer",
        parameters=[schemas.STATE, schemas.IDEMPOTENCY_KEY],
        request=ConsumptionBody,
        responses=schemas.ConsumptionAnswer,
    )
    def put(self, request: Request, **address: str) -> Answer:
        self.viewer.require(address["perimeter"])
        body: ConsumptionBody = self.checked(ConsumptionBody)
        uid = body.validated_data.get("id") or ""
        return self.once_by_id(
            lambda: (200, self._consumed(body, uid)),
            lambda: self._consumed_before(uid, body),
        )

    def _consumed(self, checked: ConsumptionBody, uid: str) -> Json:
        found, body, told = self.found(), checked.validated_data, checked.told
        consumer = body.get("consumer") or {}
        consumption = recording.consume(
            actor=self.viewer.actor,
            asset=found.asset,
            instance=found.instance,
            reference=body.get("reference") or self.kwargs["reference"],
            entity=checked.entity,
            role=body.get("role"),
            told=told,
            consumer_project=consumer.get("project", ""),
            write_branch=consumer.get("branch", ""),
            uid=uid,
            settles=bool(told.attempt) and self._may_settle_earlier(checked.entity, told.attempt),
        )
        foreign = [FOREIGN_SESSION] if told.session and not consumption.run else []
        return with_notes(self._answer(consumption), [*told.notes, *foreign])

    def _may_settle_earlier(self, entity: Entity, attempt: int | None) -> bool:
        """Whether who consumes may also fail what lower attempts of the task registered: viewers only read."""
        try:
            scope = self.viewer.require(self.kwargs["perimeter"], Role.EDITOR)
            self.may_settle(scope, recording.registered_by(scope, entity).filter(attempt__lt=attempt))
        except SiteError:
            return False
        return True

    def _consumed_before(self, uid: str, body: ConsumptionBody) -> tuple[int, Json] | None:
        asked = self.kwargs["reference"]
        consumption = recording.consumption_before(
            uid,
            self.ever_here(),
            body.entity,
            asked=asked,
            reference=body.validated_data.get("reference") or asked,
            role=body.validated_data.get("role"),
        )
        return (200, self._answer(consumption)) if consumption else None

    def _answer(self, consumption: Consumption) -> Json:
        """The same answer as for reading it; if the client named the consumption, with its time."""
        shape = instance_shape(Resolved(consumption.asset, consumption.instance), self.base)
        return shape | {"consumed_at": time_shape(consumption.at)} if consumption.uid else shape


class Confirmations(CatalogView):
    parser_classes = (LenientJSONParser,)

    @extend_schema(
        operation_id="confirm",
        summary="Settle what a task attempt registered as pending",
        request=ConfirmationBody,
        responses=schemas.ConfirmationAnswer,
    )
    def post(self, request: Request, perimeter: str) -> Answer:
        scope = self.viewer.require(perimeter)
        checked: ConfirmationBody = self.checked(ConfirmationBody)
        body = checked.validated_data
        entity, uids = entity_of(body), body.get("instances") or []
        registered = self._registered(scope, entity, uids)
        if body["state"] != State.FAILED or registered.exists():  # else it fails what it read, as a viewer may
            self.viewer.require(perimeter, Role.EDITOR)
        self.may_settle(scope, registered)
        digests, notes = checked.known_digests
        settled = recording.confirm(
            actor=self.viewer.actor,
            perimeter=scope,
            entity=entity,
            attempt=body.get("attempt"),
            state=body["state"],
            reason=body.get("reason", ""),
            uids=uids,
            digests=digests,
            run_goes_on=body.get("run_goes_on", False),
        )
        return Answer(with_notes({"confirmed": [self._line(instance) for instance in settled]}, notes))

    def _registered(self, scope: Perimeter, entity: Entity, uids: list[str]) -> QuerySet[Instance]:
        """The instances that the entity registered, or those with these ids; an unknown id is refused by name."""
        mine = recording.registered_by(scope, entity)
        if uids:
            known = set(mine.filter(uid__in=uids).values_list("uid", flat=True))
            if unknown := sorted(set(uids) - known):
                raise NotFound(f"{entity.id} registered no instance '{unknown[0]}'.", instance=unknown[0])
            mine = mine.filter(uid__in=uids)
        return mine

    def _line(self, instance: Instance) -> Json:
        asset = instance.asset
        return {
            "id": instance.uid,
            "ref": instance.ref,
            "state": instance.state,
            "asset": asset.asset_id,
            "kind": asset.kind,
            "project": asset.branch.project.name,
            "branch": asset.branch.key,
        }
