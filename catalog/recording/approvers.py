"""Who may approve what waits for approval, and how many have done so whose approval counts now."""

from collections.abc import Collection

from django.contrib.auth.models import User

from access.identity import VIA_TOKEN
from access.models import Membership, Perimeter, Role
from catalog.models import Instance, PromotionRequest

ROLE = "role:"


def may_approve(
    user: User | None, approvers: Collection[str], perimeter: Perimeter, request: PromotionRequest, version: Instance
) -> bool:
    """Whether a person may approve a request now: one of the approvers (none named: whoever may write), who neither
    asked for it nor registered the version."""
    if user is None or not user.is_active or user.pk == request.user_id:
        return False
    if user.get_username() in (_person(request.actor), _person(version.actor)):
        return False
    if user.is_superuser:
        role: Role | None = Role.ADMIN
    else:
        held = Membership.objects.filter(user=user, perimeter=perimeter).values_list("role", flat=True).first()
        role = Role(held) if held else None
    if role is None:
        return False
    if not approvers:
        return role.covers(Role.EDITOR)
    roles = [one.removeprefix(ROLE) for one in approvers if one.startswith(ROLE)]
    return user.get_username() in approvers or any(role.covers(Role(one)) for one in roles)


def _person(actor: str) -> str:
    """The person behind a name of the audit log."""
    return actor.partition(VIA_TOKEN)[0]


def counted(request: PromotionRequest, approvers: Collection[str], perimeter: Perimeter) -> int:
    """How many people have approved a request who may still do so."""
    given = request.approvals.select_related("user").order_by("id")
    return len(
        {
            approval.user_id
            for approval in given
            if may_approve(approval.user, approvers, perimeter, request, request.instance)
        }
    )
