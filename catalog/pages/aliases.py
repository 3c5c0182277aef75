"""The history of an asset's aliases: which version each pointed to, since when, and by whom."""

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.identity import viewer_of
from catalog.addresses import alias_url, asset_url, requests_url
from catalog.models import AliasMove, Asset, Instance
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pagekit.uses import EntityLink
from catalog.pages.statements import aliases_of
from catalog.reading import Place, find_asset
from catalog.unchanged import ASSET, FRAME_OF_ASSET
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import move_shape, with_outcome

ROWS = 50


@dataclass(frozen=True)
class Move:
    """An `AliasMove` with the versions before and after: "v12", "definition", or empty for none."""

    move: AliasMove
    before: str
    after: str

    @property
    def who(self) -> EntityLink:
        return EntityLink.of(self.move.entity_kind, self.move.entity_id)


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET)
def aliases_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, twin: bool, asset: Asset | None
) -> HttpResponse:
    asset, query = asset or find_asset(viewer_of(request), place, kind, asset_id), PageQuery.of(request)
    moves = _moves(asset, query.number("before"))
    older = query.url(before=moves[ROWS - 1].pk) if len(moves) > ROWS else None
    if twin:
        return json_answer({"entries": [move_shape(move) for move in moves[:ROWS]], "older": older})
    aliases = aliases_of(asset)
    names = {*(alias.name for alias in aliases), *(move.name for move in moves)}
    context = {
        **branch_frame(request, asset.branch, kind, asset),
        "asset": asset,
        "asset_url": asset_url(asset),
        "requests_url": requests_url(asset),
        "aliases": aliases,
        "over_time": {name: alias_url(asset, name) for name in names},
        "moves": [_named(move) for move in moves[:ROWS]],
        "newest_url": query.url(before=None) if query.number("before") else None,
        "older_url": older,
    }
    return render(request, "catalog/aliases.html", context)


def _moves(asset: Asset, before: int | None) -> list[Any]:
    """The newest moves, one more than are shown."""
    numbers = {"from_number": _number(asset, "from_uid"), "to_number": _number(asset, "to_uid")}
    moves = with_outcome(asset.alias_moves.annotate(**numbers))
    found = moves if before is None else moves.filter(pk__lt=before)
    return list(found.order_by("-pk")[: ROWS + 1])


def _number(asset: Asset, column: str) -> Subquery:
    return Subquery(Instance.objects.of(asset).filter(uid=OuterRef(column)).values("number"))


def _named(move: Any) -> Move:
    return Move(move, _ref(move.from_uid, move.from_number), _ref(move.to_uid, move.to_number))


def _ref(uid: str, number: int | None) -> str:
    if not uid:
        return ""
    return f"v{number}" if number else "definition"
