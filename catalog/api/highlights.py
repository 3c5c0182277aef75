"""Highlights of runs: sent by tasks, and listed, the newest of each flow of a branch."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.models import Role
from catalog import recording
from catalog.api import schemas
from catalog.apikit.view import CatalogView
from catalog.models import Highlight
from catalog.reading import find_branch
from catalog.recording import BranchAddress
from catalog.unchanged import BRANCH, HIGHLIGHTS_OF_BRANCH, unless_unchanged
from catalog.wire.highlight_bodies import HighlightBody
from catalog.wire.highlight_shapes import highlight_shape
from catalog.wire.rendering import Answer

Json = dict[str, Any]
MOST = 100


class Highlights(CatalogView):
    @extend_schema(
        operation_id="list_highlights",
        summary="The newest highlight of each flow of a branch, newest first",
        responses=schemas.HighlightListAnswer,
    )
    @unless_unchanged(BRANCH | HIGHLIGHTS_OF_BRANCH)
    def get(self, request: Request, **address: str) -> Answer:
        branch = find_branch(self.viewer, self.place())
        newest = Highlight.objects.visible_to(self.viewer).newest_of_each(branch)[:MOST]
        return Answer({"highlights": [highlight_shape(row, self.base) for row in newest]})

    @extend_schema(
        operation_id="show_highlight",
        summary="Show what a run came to",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=HighlightBody,
        responses={201: schemas.HighlightAnswer},
    )
    def post(self, request: Request, **address: str) -> Answer:
        place = self.place()
        self.viewer.require(place.perimeter, Role.EDITOR)
        body: HighlightBody = self.checked(HighlightBody)
        self.check_body_agrees(place, request.data)
        git_name = body.validated_data.get("branch_name") or ""
        at = self.to_write(place, git_name)
        return self.once_by_id(lambda: (201, self._shown(at, body)), lambda: self._shown_before(at, body))

    def _shown(self, at: BranchAddress, body: HighlightBody) -> Json:
        highlight = recording.show_highlight(
            actor=self.viewer.actor,
            at=at,
            entity=body.entity,
            what=body.highlighted(),
            uid=body.validated_data.get("id") or "",
        )
        return highlight_shape(highlight, self.base)

    def _shown_before(self, at: BranchAddress, body: HighlightBody) -> tuple[int, Json] | None:
        highlight = recording.highlight_before(body.validated_data.get("id") or "", at, body.entity, body.highlighted())
        return (201, highlight_shape(highlight, self.base)) if highlight else None
