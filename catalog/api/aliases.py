"""Aliases: reading, moving with an expectation, and their history."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from access.errors import BadRequest, Conflict, NotFound, SiteError
from catalog import limits, recording
from catalog.api import schemas
from catalog.api.continuation import after_id, page_size, token_for
from catalog.apikit.view import CatalogView
from catalog.entities import Entity
from catalog.models import Alias, AliasMove, Asset
from catalog.unchanged import ASSET, unless_unchanged
from catalog.wire.bodies import (
    AliasBody,
    AliasDeletion,
    entity_of,
)
from catalog.wire.rendering import Answer
from catalog.wire.shapes import alias_shape, move_shape, with_outcome
from obproject.branches import check_alias

Json = dict[str, Any]


def recent_moves(asset: Asset) -> QuerySet[AliasMove]:
    """The last moves of each alias of an asset, newest first."""
    place = Window(RowNumber(), partition_by="name", order_by="-id")
    return with_outcome(asset.alias_moves.annotate(place=place).filter(place__lte=limits.RECENT_MOVES).order_by("-id"))


def with_targets(aliases: QuerySet[Alias]) -> QuerySet[Alias]:
    """With what their shape needs of the instances that they point to."""
    long = (f"instance__{name}" for name in ("annotations", "tags", "blobs", "description"))
    return aliases.select_related("instance__deprecation").defer(*long)


class AliasList(CatalogView):
    @extend_schema(operation_id="list_aliases", summary="The aliases of an asset", responses=schemas.AliasListAnswer)
    @unless_unchanged(ASSET)
    def get(self, request: Request, **address: str) -> Answer:
        asset = self.asset()
        recent: dict[str, list[AliasMove]] = {name: [] for name in asset.alias_index}
        for move in recent_moves(asset).filter(name__in=recent):
            recent[move.name].append(move)
        aliases = with_targets(asset.aliases.filter(name__in=recent)).order_by("name")
        return Answer({"aliases": [alias_shape(alias, asset, recent[alias.name]) for alias in aliases]})


class AliasView(CatalogView):
    """Of one alias."""

    def alias_name(self) -> str:
        try:
            return check_alias(self.kwargs["alias"])
        except ValueError as error:
            raise BadRequest(str(error), alias=self.kwargs["alias"]) from None


class AliasDetail(AliasView):
    def answer(self, asset: Asset, alias: Alias) -> Json:
        return {"alias": alias_shape(alias, asset, recent_moves(asset).filter(name=alias.name))}

    @extend_schema(operation_id="read_alias", summary="Where an alias points", responses=schemas.AliasAnswer)
    @unless_unchanged(ASSET)
    def get(self, request: Request, **address: str) -> Answer:
        asset, name = self.asset(), self.alias_name()
        alias = with_targets(asset.aliases.filter(name=name)).first()
        if alias is None:
            raise NotFound(f"The asset '{asset.asset_id}' has no alias '{name}'.", alias=name)
        return Answer(self.answer(asset, alias))

    @extend_schema(
        operation_id="move_alias",
        summary="Set or move an alias, if wanted only from an expected place",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=AliasBody,
        responses=schemas.MovedAliasAnswer,
    )
    def put(self, request: Request, **address: str) -> Answer:
        name = self.alias_name()
        self.may_write(self.place())
        body = self.checked(AliasBody).validated_data
        uid, (asset, wish) = body.get("id") or "", self._looked_up(name, body)
        return self._guarded(
            name,
            lambda: self.once_by_id(
                lambda: (200, self._moved(asset or self.asset(), name, body, uid, wish)),
                lambda: self._moved_before(uid, name, body["instance_id"]),
            ),
        )

    def _looked_up(self, name: str, body: Json) -> tuple[Asset | None, recording.Wish]:
        """The asset, and what is wanted of it with what has to be looked up before anything is locked."""
        wish = recording.Wish(comment=body.get("comment") or "")
        try:
            asset = self.asset()
        except SiteError:  # whoever moves it finds out, or that it was done before
            return None, wish
        return asset, recording.with_card(wish, asset, name, body["instance_id"])

    def _moved_before(self, uid: str, name: str, target_uid: str) -> tuple[int, Json] | None:
        move = recording.move_before(uid, self.ever_here(), name, target_uid)
        if move is None:
            return None
        alias = with_targets(move.asset.aliases.filter(name=name)).first()
        if alias is None:
            raise Conflict(f"The alias '{name}' was moved under this id, and deleted since.", current=None)
        return 200, self.answer(alias.asset, alias) | {"receipt": recording.receipt_of_move(move)}

    def _moved(self, asset: Asset, name: str, body: Json, uid: str, wish: recording.Wish) -> Json:
        alias = recording.set_alias(
            actor=self.viewer.actor,
            asset=asset,
            name=name,
            target_uid=body["instance_id"],
            entity=entity_of(body),
            expected=body.get("expected_instance_id", recording.ANY),
            uid=uid,
            wish=wish,
        )
        asset = self.asset()
        moves = list(recent_moves(asset).filter(name=name))
        own = next((move for move in moves if uid and move.uid == uid), None)
        receipt = {"receipt": recording.receipt_of_move(own)} if own else {}
        return {"alias": alias_shape(alias, asset, moves), **receipt}

    @extend_schema(
        operation_id="delete_alias",
        summary="Delete an alias; its history stays",
        parameters=[
            OpenApiParameter("expected_instance_id", str, description="Only if it points there."),
            schemas.IDEMPOTENCY_KEY,
            schemas.write_id("a"),
        ],
        responses={204: None},
    )
    def delete(self, request: Request, **address: str) -> Answer:
        name = self.alias_name()
        self.may_write(self.place())
        uid = self.write_id(AliasDeletion)
        return self._guarded(
            name, lambda: self.once_by_id(lambda: self._deleted(name, uid), lambda: self._deleted_before(uid, name))
        )

    def _deleted_before(self, uid: str, name: str) -> tuple[int, None] | None:
        return (204, None) if recording.move_before(uid, self.ever_here(), name, "") else None

    def _deleted(self, name: str, uid: str) -> tuple[int, None]:
        recording.delete_alias(
            actor=self.viewer.actor,
            asset=self.asset(),
            name=name,
            entity=Entity("user", self.viewer.user.get_username()),
            expected=self.request.query_params.get("expected_instance_id", recording.ANY),
            uid=uid,
        )
        return 204, None

    def _guarded(self, name: str, write: Callable[[], Answer]) -> Answer:
        """Do a compare-and-set; a refusal reports the alias as it is."""
        try:
            return write()
        except recording.AliasMoved as conflict:
            asset = self.asset()
            alias = with_targets(asset.aliases.filter(name=name)).first()
            current = self.answer(asset, alias)["alias"] if alias else None
            raise Conflict(conflict.message, current=current) from None


class AliasHistory(CatalogView):
    @extend_schema(
        operation_id="alias_history",
        summary="Every move of every alias of an asset, newest first",
        parameters=schemas.PAGING,
        responses=schemas.AliasHistoryAnswer,
    )
    @unless_unchanged(ASSET)
    def get(self, request: Request, **address: str) -> Answer:
        asset, size = self.asset(), page_size(request, limits.LIST_PAGE, limits.LIST_PAGE_MOST)
        moves = with_outcome(asset.alias_moves.order_by("-id"))
        if last := after_id(request):
            moves = moves.filter(id__lt=last)
        rows = list(moves[: size + 1])
        token = token_for(str(rows[size - 1].pk)) if len(rows) > size else None
        return Answer({"entries": [move_shape(move) for move in rows[:size]], "continuation": token})
