"""What waits for the viewer's approval, for home and the overview of a branch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from access.identity import Viewer
from catalog.addresses import branch_url, request_url
from catalog.approvals import Standing, asked_of
from catalog.models import Branch

SHOWN = 5


@dataclass(frozen=True)
class Asked:
    """A request that waits for the viewer."""

    standing: Standing

    @property
    def request(self) -> Any:
        return self.standing.request

    @property
    def url(self) -> str:
        return request_url(self.request)

    @property
    def title(self) -> str:
        return str(self.request.instance.asset.title)

    @property
    def ref(self) -> str:
        return str(self.request.instance.ref)

    @property
    def branch(self) -> Branch:
        found: Branch = self.request.branch
        return found

    @property
    def branch_url(self) -> str:
        return branch_url(self.branch)


@dataclass(frozen=True)
class AskedOfYou:
    """The newest of them, and how many there are."""

    rows: Sequence[Asked] = ()
    count: int = 0

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def asked_of_you(viewer: Viewer, perimeter: str = "", branch: Branch | None = None) -> AskedOfYou:
    """All that waits for the viewer, or of it what is in a perimeter or on a branch: one query, none in local mode."""
    found = [
        one
        for one in asked_of(viewer)
        if perimeter in ("", one.request.branch.project.perimeter.name)
        and (branch is None or one.request.branch_id == branch.pk)
    ]
    return AskedOfYou([Asked(one) for one in found[:SHOWN]], len(found))
