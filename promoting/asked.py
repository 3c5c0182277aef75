"""A request for approvals as pages show it: what is asked for, how it stands, and what the viewer may do about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from access.identity import Viewer
from catalog.addresses import request_url
from catalog.approvals import ROLE, Standing, is_asked_by, told
from catalog.models import Instance
from catalog.states import DEFINITION, RequestState

LOOKS = {
    RequestState.OPEN: ("asked", "pending"),
    RequestState.DONE: ("good", "ready"),
    RequestState.REJECTED: ("bad", "failed"),
    RequestState.WITHDRAWN: ("", "remove"),
    RequestState.OUTDATED: ("warn", "warning"),
}
"""The colour and the icon of a state, whose word stands beside them."""
WAITS, OF_YOU = "waits for approval", "asked of you"


@dataclass(frozen=True)
class AskedFor:
    """A request, for one viewer. `refs` has the versions behind ids."""

    standing: Standing
    viewer: Viewer
    refs: Mapping[str, str]

    @property
    def request(self) -> Any:
        return self.standing.request

    @property
    def url(self) -> str:
        return request_url(self.request)

    @property
    def ref(self) -> str:
        return str(self.request.instance.ref)

    @property
    def before(self) -> str:
        """Where the alias was when it was asked for; empty: nowhere."""
        uid = self.request.expected_uid
        return self.refs.get(uid, DEFINITION) if uid else ""

    @property
    def source(self) -> str:
        """The branch that a version comes from which is to be promoted."""
        return "" if self.request.alias else str(self.request.instance.asset.branch.name)

    @cached_property
    def why_not(self) -> str:
        return self.standing.why_not(self.viewer)

    @property
    def may_decide(self) -> bool:
        return not self.why_not

    @property
    def has_approved(self) -> bool:
        return self.standing.has_approved(self.viewer.person)

    @property
    def may_approve(self) -> bool:
        """Also who has approved, where the move was refused: it may pass by now."""
        return self.may_decide and (not self.has_approved or not self.standing.missing)

    @property
    def may_withdraw(self) -> bool:
        account = self.viewer.account
        return self.standing.is_open and account is not None and is_asked_by(self.request, account)

    @property
    def moves_at_once(self) -> bool:
        """Whether the viewer's approval is the last one that is needed."""
        return self.standing.missing <= (0 if self.has_approved else 1)

    @property
    def colour(self) -> str:
        return LOOKS[self.standing.state][0]

    @property
    def icon(self) -> str:
        return LOOKS[self.standing.state][1]

    @property
    def word(self) -> str:
        if not self.standing.is_open:
            return str(self.standing.state.label)
        return OF_YOU if self.may_decide and not self.has_approved else WAITS

    @property
    def counted(self) -> str:
        return f"{len(self.standing.given)} of {self.standing.needed}"

    @property
    def approvers(self) -> str:
        return told(self.standing.approvers)

    @property
    def may_because(self) -> str:
        """Why the viewer may decide, as a sentence."""
        name = self.viewer.user.get_username()
        role = self.viewer.role_in(self.request.branch.project.perimeter)
        by_name = name in self.standing.approvers
        who = "are named as an approver" if by_name or role is None else f"are {told([f'{ROLE}{role}'])}"
        return f"You may: you {who}, didn't ask for it and didn't register {self.ref}."


def asked_for(standings: Iterable[Standing], viewer: Viewer) -> list[AskedFor]:
    """Requests with the versions that they name: one query for those."""
    rows = list(standings)
    uids = {row.request.expected_uid for row in rows} - {""}
    perimeters = {row.request.branch.project.perimeter for row in rows}
    refs: dict[str, str] = {}
    for perimeter in perimeters if uids else ():
        found = Instance.objects.of(perimeter).filter(uid__in=uids).values_list("uid", "number")
        refs |= {uid: f"v{number}" for uid, number in found}
    return [AskedFor(row, viewer, refs) for row in rows]
