"""Lineage by component and by instance. Invalid parameters are clamped or ignored, and the answer notes it."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.errors import BadRequest
from catalog.apikit.view import CatalogView
from catalog.filters import STATE, FiltersAsked
from catalog.models import Branch
from catalog.reading import find_branch, find_instance
from catalog.unchanged import ASSET, BRANCH, LINEAGE, unless_unchanged
from lineage import questions
from lineage.answers import answer_shape
from lineage.api.schemas import PARAMETERS, LineageAnswer, focus_parameter
from lineage.scope import Scope


class LineageView(CatalogView):
    depth = 2
    direction = "both"

    def scope(self) -> Scope:
        return Scope.of(self.request.GET, depth=self.depth, direction=self.direction)

    def branch(self) -> Branch:
        return find_branch(self.viewer, self.place())

    def named(self, parameter: str) -> str:
        """The id of the node that a parameter names."""
        text = self.request.GET.get(parameter, "")
        if not text:
            raise BadRequest(f"Say which node is meant: ?{parameter}=data/xkcd, or the id of a node.", field=parameter)
        return questions.focus_named(self.viewer, self.branch(), text)


class BranchLineage(LineageView):
    @extend_schema(
        operation_id="lineage_of_branch",
        summary="What a branch produces and consumes, and by whom; or what is around one node of it",
        parameters=[focus_parameter("focus", required=False), *PARAMETERS],
        responses=LineageAnswer,
    )
    @unless_unchanged(BRANCH | LINEAGE)
    def get(self, request: Request, **address: str) -> Response:
        if request.GET.get("focus"):
            return Response(answer_shape(questions.around(self.viewer, self.named("focus"), self.scope())))
        return Response(answer_shape(questions.across(self.viewer, self.branch(), self.scope())))


class Impact(LineageView):
    @extend_schema(
        operation_id="impact",
        summary="All that is downstream of a node, and how it is reached",
        parameters=[focus_parameter("focus"), *PARAMETERS],
        responses=LineageAnswer,
    )
    @unless_unchanged(BRANCH | LINEAGE)
    def get(self, request: Request, **address: str) -> Response:
        return Response(answer_shape(questions.impact(self.viewer, self.named("focus"), self.scope())))


class Paths(LineageView):
    @extend_schema(
        operation_id="lineage_paths",
        summary="All that lies on any way from one node to another",
        parameters=[focus_parameter("from"), focus_parameter("to"), *PARAMETERS],
        responses=LineageAnswer,
    )
    @unless_unchanged(BRANCH | LINEAGE)
    def get(self, request: Request, **address: str) -> Response:
        ends = self.named("from"), self.named("to")
        return Response(answer_shape(questions.paths(self.viewer, *ends, self.scope())))


class AssetLineage(LineageView):
    @extend_schema(
        operation_id="lineage_of_asset",
        summary="Who produces and consumes an asset, and what is around them",
        parameters=PARAMETERS,
        responses=LineageAnswer,
    )
    @unless_unchanged(ASSET | LINEAGE)
    def get(self, request: Request, **address: str) -> Response:
        return Response(answer_shape(questions.around(self.viewer, self.asset().definition_uid, self.scope())))


class InstanceLineage(LineageView):
    depth = 10
    direction = "up"

    @extend_schema(
        operation_id="lineage_of_instance",
        summary="What exactly went into an instance, and what was made of it",
        parameters=[
            OpenApiParameter("state", str, many=True, description="In which states `latest` looks. Default: ready."),
            *PARAMETERS,
        ],
        responses=LineageAnswer,
    )
    @unless_unchanged(ASSET | LINEAGE)
    def get(self, request: Request, **address: str) -> Response:
        found = find_instance(
            self.asset(), self.kwargs["reference"], FiltersAsked.of(request.query_params, (STATE,)).states
        )
        return Response(answer_shape(questions.exact(self.viewer, found, self.scope())))
