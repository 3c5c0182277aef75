"""Requests that wait for approvals: asking, looking, withdrawing. Approving is for people, on the page of a request."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from access.errors import Forbidden, NotFound
from catalog import limits, recording
from catalog.addresses import request_path
from catalog.api import schemas
from catalog.api.continuation import after_id, page_size, token_for
from catalog.apikit.view import CatalogView
from catalog.approvals import Standing, with_approvals
from catalog.models import Asset, Instance, PromotionRequest
from catalog.recording.approving import ask, ask_for_promotion, withdraw
from catalog.wire.bodies import RequestBody
from catalog.wire.rendering import Answer
from catalog.wire.request_shapes import request_shape

Json = dict[str, Any]


class RequestView(CatalogView):
    def requests(self) -> Any:
        """Those of the address, also of assets that were deleted there."""
        place, known = self.place(), PromotionRequest.objects.visible_to(self.viewer)
        here = {"branch__key": place.key, "kind": self.kwargs["kind"], "asset_id": self.kwargs["asset_id"]}
        project = {"branch__project__name": place.project, "branch__project__perimeter__name": place.perimeter}
        self.viewer.require(place.perimeter)
        return with_approvals(known.filter(**here, **project))

    def request_asked(self) -> PromotionRequest:
        found: PromotionRequest | None = self.requests().filter(pk=self.kwargs["request_id"]).first()
        if found is None:
            raise NotFound(f"The asset '{self.kwargs['asset_id']}' has no request {self.kwargs['request_id']}.")
        return found

    def shape(self, request: PromotionRequest) -> Json:
        return {"request": request_shape(Standing(self.requests().get(pk=request.pk)), self.base)}


class RequestList(RequestView):
    @extend_schema(
        operation_id="list_requests",
        summary="The requests for approvals of an asset, newest first",
        parameters=schemas.PAGING,
        responses=schemas.RequestListAnswer,
    )
    def get(self, request: Request, **address: str) -> Answer:
        size, found = page_size(request, limits.LIST_PAGE, limits.LIST_PAGE_MOST), self.requests().order_by("-pk")
        if last := after_id(request):
            found = found.filter(pk__lt=last)
        rows = list(found[: size + 1])
        token = token_for(str(rows[size - 1].pk)) if len(rows) > size else None
        shapes = [request_shape(Standing(row), self.base) for row in rows[:size]]
        return Answer({"requests": shapes, "continuation": token})

    @extend_schema(
        operation_id="ask_for_approval",
        summary="Ask that an alias be moved, or an instance promoted into the branch, once people approve",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=RequestBody,
        responses={201: schemas.RequestAnswer},
    )
    def post(self, request: Request, **address: str) -> Answer:
        at = self.to_write(self.place())
        body = self.checked(RequestBody).validated_data
        return self.once(lambda: (201, self.shape(self._asked(at, body))))

    def _asked(self, at: recording.BranchAddress, body: Json) -> PromotionRequest:
        uid, comment, name = body["instance_id"], body.get("comment") or "", body.get("alias")
        if name is None:
            source = Instance.objects.visible_to(self.viewer).filter(uid=uid).first()
            if source is None:
                raise NotFound(f"There is no instance '{uid}'.", instance=uid)
            to = recording.AssetAddress(at, self.kwargs["kind"], self.kwargs["asset_id"])
            return ask_for_promotion(viewer=self.viewer, at=to, source=source, comment=comment)
        asset: Asset = self.asset()
        expected = body.get("expected_instance_id", recording.ANY)
        return ask(viewer=self.viewer, asset=asset, name=name, target_uid=uid, expected=expected, comment=comment)


class RequestDetail(RequestView):
    @extend_schema(operation_id="read_request", summary="How a request stands", responses=schemas.RequestAnswer)
    def get(self, request: Request, **address: str) -> Answer:
        return Answer({"request": request_shape(Standing(self.request_asked()), self.base)})

    @extend_schema(
        operation_id="withdraw_request",
        summary="Withdraw a request of one's own",
        responses=schemas.RequestAnswer,
    )
    def delete(self, request: Request, **address: str) -> Answer:
        self.may_write(self.place())
        return Answer(self.shape(withdraw(viewer=self.viewer, request=self.request_asked())))


class RequestApprovals(RequestView):
    @extend_schema(
        operation_id="approve_request",
        summary="Refused: people approve and reject, on the page of a request",
        request=None,
        responses={403: OpenApiResponse(description="Always; `detail.url` is the page.")},
    )
    def post(self, request: Request, **address: str) -> Answer:
        page = f"{self.base}{request_path(self.request_asked())}"
        raise Forbidden(f"Requests are approved and rejected by people who are signed in, on {page}.", url=page)
