"""Requests that wait for approvals: how each stands now, who may decide it, and which of its approvals count.

A request is of the moment in which it was asked for. If its alias was moved since, its gates are others, or its version
is deprecated or deleted, it is outdated: that is found out whenever it is read, and kept by whoever next acts on it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth.models import User
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from access.identity import Viewer, is_by
from access.models import Membership, Role
from catalog.gates.declared import DEFAULT_APPROVERS, Gate, Gates
from catalog.models import Approval, Asset, GateRevision, Instance, PromotionRequest
from catalog.states import RequestState

MOST_ASKED = 200
"""Among how many of the newest open requests those are looked for that wait for somebody."""
MOST_COPIES = 20
"""How far back a copy of a copy is followed to who registered it."""
_COPIES = ("instance", "instance__promoted_from", "instance__promoted_from__promoted_from")
NOT_SHOWN = [
    *(f"{way}__{column}" for way in _COPIES for column in ("annotations", "blobs", "description", "tags")),
    *(f"instance__asset__{column}" for column in ("readme", "alias_index", "declared_blobs", "declared_properties")),
]
"""Columns that may be large, and that lists of requests do not look at."""
ROLE = "role:"
"""How an approver begins that is a role, and not the name of a user."""


def as_now(found: QuerySet[PromotionRequest]) -> QuerySet[Any]:
    """Requests with what `Standing` looks at, but for their approvals: one query, however many they are."""
    here: dict[str, Any] = {name: OuterRef(name) for name in ("branch", "kind", "asset_id")}
    live = Asset.objects.filter(**here, deleted_at=None)
    gates = GateRevision.objects.filter(**here).order_by("-pk")
    related = ("branch__project__perimeter", "gates", "user", "instance__asset__branch__project__perimeter")
    return found.select_related(*related, "instance__promoted_from__promoted_from").annotate(
        live_asset=Subquery(live.values("pk")[:1]),
        aliases_now=Subquery(live.values("alias_index")[:1]),
        gates_now=Subquery(gates.values("pk")[:1]),
    )


def with_approvals(found: QuerySet[PromotionRequest]) -> QuerySet[Any]:
    """The same with their approvals, and the role that each approver has now: two queries."""
    member = Membership.objects.filter(
        user=OuterRef("user"), perimeter=OuterRef("request__branch__project__perimeter")
    ).values("role")
    approvals = Approval.objects.select_related("user").annotate(member_role=Subquery(member[:1])).order_by("pk")
    return as_now(found).prefetch_related(Prefetch("approvals", approvals, to_attr="all_approvals"))


@dataclass(frozen=True)
class VoidApproval:
    """An approval that no longer counts, with the reason."""

    approval: Approval
    reason: str


@dataclass(frozen=True)
class Standing:
    """How a request stands now: one of `with_approvals`, or of `as_now` where its approvals are not asked for."""

    request: Any

    @cached_property
    def gate(self) -> Gate:
        """The gate by which it was asked for."""
        gates = Gates.of(self.request.gates.gates)
        gate = gates.for_alias(self.request.alias) if self.request.alias else gates.into_branch
        return gate or Gate()

    @property
    def needed(self) -> int:
        return self.gate.approvals

    @property
    def approvers(self) -> Sequence[str]:
        return self.gate.approvers or DEFAULT_APPROVERS

    @cached_property
    def outdated(self) -> str:
        """Why it is outdated, as a sentence; empty if it is not, or is closed."""
        return self._why_outdated() if self.request.state == RequestState.OPEN else ""

    @property
    def state(self) -> RequestState:
        return RequestState.OUTDATED if self.outdated else RequestState(self.request.state)

    @property
    def reason(self) -> str:
        return self.outdated or str(self.request.reason)

    @property
    def is_open(self) -> bool:
        return self.state == RequestState.OPEN

    @property
    def is_done(self) -> bool:
        return self.state == RequestState.DONE

    @property
    def given(self) -> list[Approval]:
        """The approvals that count."""
        return [approval for approval, reason in self._looked_through if not reason]

    @property
    def void(self) -> list[VoidApproval]:
        return [VoidApproval(approval, reason) for approval, reason in self._looked_through if reason]

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.given))

    @property
    def what(self) -> str:
        """What is asked for, in words: "@production"."""
        request = self.request
        return f"@{request.alias}" if request.alias else f"a promotion into {request.branch.name}"

    def why_not(self, viewer: Viewer) -> str:
        """Why `viewer` may neither approve nor reject it, as a sentence; empty if they may."""
        person, request = viewer.person, self.request
        if not self.is_open:
            return self.why_closed
        if person is None:
            return NO_PERSON if viewer.token else NO_PERSON_HERE
        if is_asked_by(request, person):
            return "You asked for it, so somebody else has to decide."
        if is_registered_by(request.instance, person):
            return f"You registered {request.instance.ref}, so somebody else has to decide."
        if not is_approver(person.get_username(), viewer.role_in(request.branch.project.perimeter), self.approvers):
            return f"It is decided by {told(self.approvers)}, and you are none of them."
        return ""

    @property
    def why_closed(self) -> str:
        """Why nothing more can be done about it, as a sentence."""
        return "" if self.is_open else f"The request is {self.state.label}{f': {self.reason}' if self.reason else '.'}"

    def has_approved(self, person: User | None) -> bool:
        return person is not None and any(approval.user_id == person.pk for approval in self.request.all_approvals)

    @cached_property
    def _looked_through(self) -> list[tuple[Approval, str]]:
        return [(approval, _why_void(approval, self)) for approval in self.request.all_approvals]

    def _why_outdated(self) -> str:
        request, instance = self.request, self.request.instance
        if request.alias and request.live_asset is None:
            return f"{request.asset_id} was deleted."
        if instance.asset.deleted_at is not None:
            return f"{instance.ref} of {instance.asset.asset_id} was deleted."
        if request.alias and (request.aliases_now or {}).get(request.alias, "") != request.expected_uid:
            return f"@{request.alias} was moved after it was asked for."
        if request.gates_now != request.gates_id:
            return "Its gates were changed after it was asked for."
        if instance.deprecation_id is not None:
            return f"{instance.ref} was deprecated."
        return ""


NO_PERSON = "A token can't approve or reject: people do, on the page of the request."
NO_PERSON_HERE = "In local mode everybody is the same user, so nobody can approve or reject."


def is_approver(username: str, role: Role | None, approvers: Iterable[str]) -> bool:
    """Whether who has this name and role is one of them. Who is no member any more is none."""
    if role is None:
        return False
    wanted = [one.removeprefix(ROLE) for one in approvers if one.startswith(ROLE)]
    return username in approvers or any(role.covers(Role(name)) for name in wanted if name in Role)


def is_asked_by(request: PromotionRequest, person: User) -> bool:
    """Whether they asked for it, or a token of theirs did."""
    return request.user_id == person.pk or is_by(person.get_username(), request.actor)


def is_registered_by(instance: Instance, person: User) -> bool:
    """Whether they, or a token of theirs, registered it, or what it is a copy of."""
    name = person.get_username()
    return any(
        is_by(name, one.actor) or (one.producer_kind, one.producer_id) == ("user", name) for one in _origins(instance)
    )


def _origins(instance: Instance) -> Iterator[Instance]:
    """The version, and those that it is a copy of."""
    one: Instance | None = instance
    for _ in range(MOST_COPIES):
        if one is None:
            return
        yield one
        one = one.promoted_from


def _why_void(approval: Any, standing: Standing) -> str:
    user = approval.user
    if user is None or not user.is_active:
        return "has no account any more"
    if is_asked_by(standing.request, user) or is_registered_by(standing.request.instance, user):
        return "may not approve what they asked for, or registered"
    role = Role.ADMIN if user.is_superuser else Role(approval.member_role) if approval.member_role else None
    if role is None:
        return "is no member any more"
    return "" if is_approver(user.get_username(), role, standing.approvers) else "may not approve any more"


def told(approvers: Iterable[str]) -> str:
    """The approvers as they are named in a sentence: "an admin or ann"."""
    names = [_article(one.removeprefix(ROLE)) if one.startswith(ROLE) else one for one in approvers]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _article(role: str) -> str:
    return f"{'an' if role[:1] in 'aeiou' else 'a'} {role}"


def approvals_given(request: PromotionRequest) -> int:
    """How many approvals of a request count now."""
    return len(Standing(with_approvals(PromotionRequest.objects.filter(pk=request.pk)).get()).given)


def asked_of(viewer: Viewer) -> list[Standing]:
    """The open requests that this person may approve and has not, newest first: one query; none where nobody is there
    in person."""
    if viewer.person is None or not viewer.grants:
        return []
    waiting = PromotionRequest.objects.visible_to(viewer).filter(state=RequestState.OPEN).order_by("-pk")
    rows = as_now(waiting.exclude(approvals__user=viewer.person)).defer(*NOT_SHOWN)[:MOST_ASKED]
    found = [Standing(row) for row in rows]
    return [standing for standing in found if not standing.why_not(viewer)]
