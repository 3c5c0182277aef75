"""Requests that wait for approvals, as JSON."""

from typing import Any

from catalog.addresses import request_path
from catalog.approvals import Standing
from catalog.wire.shapes import time_shape

Json = dict[str, Any]


def request_shape(standing: Standing, base: str) -> Json:
    """A request as it stands now. `base` is the scheme and host of the site."""
    request = standing.request
    void = {one.approval.pk: one.reason for one in standing.void}
    return {
        "id": request.pk,
        "state": standing.state.value,
        "reason": standing.reason,
        "alias": request.alias or None,
        "into_branch": not request.alias,
        "instance_id": request.instance.uid,
        "ref": request.instance.ref,
        "expected_instance_id": request.expected_uid or None,
        "comment": request.comment,
        "asked_at": time_shape(request.at),
        "asked_by": request.actor,
        "approvals": {"given": len(standing.given), "needed": standing.needed},
        "approvers": list(standing.approvers),
        "approved_by": [
            {
                "by": approval.actor,
                "at": time_shape(approval.at),
                "comment": approval.comment,
                "counts": approval.pk not in void,
                "reason": void.get(approval.pk, ""),
            }
            for approval in request.all_approvals
        ],
        "closed_at": time_shape(request.closed_at),
        "closed_by": request.closed_by,
        "url": f"{base}{request_path(request)}",
    }
