"""The runs and sessions of a branch: what each was, what it made and what it read."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from catalog import limits
from catalog.api import schemas
from catalog.api.continuation import PAGING, after_run, page_size, token_for
from catalog.apikit.view import CatalogView
from catalog.run_outcomes import RunPlace, outcomes_of, runs_of_branch
from catalog.unchanged import BRANCH, RUNS, unless_unchanged
from catalog.wire.rendering import Answer
from catalog.wire.shapes import listed_run_shape

FLOW = OpenApiParameter("flow", str, description="Only the runs of this flow.")


class RunList(CatalogView):
    @extend_schema(
        operation_id="list_runs",
        summary="The runs and sessions that write to a branch, newest first, with what they made and read",
        parameters=[FLOW, *schemas.PAGING],
        responses=schemas.RunListAnswer,
    )
    @unless_unchanged(BRANCH | RUNS)
    def get(self, request: Request, **address: str) -> Answer:
        place = self.place()
        perimeter = self.viewer.require(place.perimeter)
        self.filters(FLOW.name, *PAGING, takes=())
        size = page_size(request, limits.SUMMARY_PAGE, limits.SUMMARY_PAGE_MOST)
        flow = request.query_params.get(FLOW.name, "")
        rows = runs_of_branch(
            self.viewer, perimeter, place.project, place.key, flow=flow, after=after_run(request), most=size + 1
        )
        if not rows:
            self.look_elsewhere(place)
        shown = rows[:size]
        outcomes = outcomes_of(self.viewer, perimeter.pk, [row.name for row in shown])
        runs = [listed_run_shape(row, outcomes[row.name], self.base) for row in shown]
        token = token_for(str(RunPlace.of(shown[-1]))) if len(rows) > size else None
        return Answer({"runs": runs, "continuation": token})
