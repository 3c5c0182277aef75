"""Who is asking, and what they may do. Every question about permission is answered by a `Viewer`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from rest_framework.request import Request

from access.errors import Forbidden, NotFound, Unauthorized
from access.local_mode import local_perimeters
from access.models import TOKEN_START, FeedKey, Membership, Perimeter, Role, Token

VIA_TOKEN = " via token "  # noqa: S105  (between the names of a person and a token)


class NotVisible(NotFound):
    """The perimeter is unknown, or the viewer may not know of it; the answer is the same for both."""


class NotAllowed(Forbidden):
    """The viewer may see it, but may not do this."""


@dataclass(frozen=True)
class Grant:
    """A role in a perimeter."""

    perimeter: Perimeter
    role: Role


@dataclass(frozen=True)
class Viewer:
    """Who makes a request: a person signed in, a token of a person, a reader of feeds with a key
    of a person, the one user of local mode, or nobody.

    What the viewer may do is read once and kept for the request: nothing for nobody and for inactive users, everything
    for a superuser and for the local user, the memberships of a person; a token reaches its own perimeter only,
    with its own role or the person's, whichever is less; a key of feeds as a viewer.
    """

    user: User | AnonymousUser
    token: Token | None = None
    local: bool = False
    feed_key: FeedKey | None = None

    @property
    def signed_in(self) -> bool:
        return self.user.is_authenticated and self.user.is_active

    @property
    def account(self) -> User | None:
        """The user to point at from a row; None for nobody."""
        return self.user if isinstance(self.user, User) else None

    @property
    def person(self) -> User | None:
        """Who is there in person, signed in on a page; None for a token, and for local mode, where all are one user.

        What has to be decided by people, such as an approval or an override, is decided by these.
        """
        return self.account if self.signed_in and not (self.token or self.local or self.feed_key) else None

    @property
    def actor(self) -> str:
        """How the audit log and the pages name who did something: "ada", or "ada via token as_1a2b3c4d…"."""
        name = self.user.get_username() or "nobody"
        return f"{name}{VIA_TOKEN}{self.token}" if self.token else name

    def as_audited(self) -> dict[str, Any]:
        """The fields of an audit entry that say who did it."""
        return {"actor": self.account, "actor_name": self.actor, "token": self.token}

    @property
    def may_administer(self) -> bool:
        """Whether the administration is open to this viewer: a person who may write somewhere."""
        if self.token or self.feed_key or not self.signed_in:
            return False
        return bool(self.user.is_superuser) or any(grant.role.covers(Role.EDITOR) for grant in self.grants.values())

    @property
    def branch_patterns(self) -> list[str]:
        """The patterns that limit which branches can be written; empty for no limit."""
        return self.token.branch_patterns if self.token else []

    @cached_property
    def grants(self) -> dict[str, Grant]:
        """What the viewer may do, by the perimeter's name: no query for a token, one for a person."""
        if not self.signed_in:
            return {}
        if self.token:
            return {grant.perimeter.name: grant for grant in _grants_of_token(self.token)}
        if self.feed_key:
            perimeter = self.feed_key.perimeter
            return {perimeter.name: Grant(perimeter, Role.VIEWER)} if is_member(self.feed_key) else {}
        if self.local:
            return {perimeter.name: Grant(perimeter, Role.ADMIN) for perimeter in local_perimeters()}
        if self.user.is_superuser:
            return {perimeter.name: Grant(perimeter, Role.ADMIN) for perimeter in Perimeter.objects.all()}
        memberships = Membership.objects.filter(user=self.account).select_related("perimeter")
        return {row.perimeter.name: Grant(row.perimeter, Role(row.role)) for row in memberships}

    def perimeter_ids(self, role: Role | None = None) -> frozenset[int]:
        """The keys of all perimeters that the viewer may read, or has at least `role` in; for `visible_to`."""
        return frozenset(grant.perimeter.pk for grant in self._grants_with(role))

    def perimeter_names(self, role: Role | None = None) -> list[str]:
        """Their names."""
        return [grant.perimeter.name for grant in self._grants_with(role)]

    def _grants_with(self, role: Role | None) -> list[Grant]:
        return [grant for grant in self.grants.values() if role is None or grant.role.covers(role)]

    def role_in(self, perimeter: Perimeter | str) -> Role | None:
        """The viewer's role in the perimeter; None if it is unknown or not visible."""
        grant = self.grants.get(_name_of(perimeter))
        return grant.role if grant else None

    def can_see(self, perimeter: Perimeter | str) -> bool:
        return self.role_in(perimeter) is not None

    def may(self, perimeter: Perimeter | str, role: Role, branch_names: Iterable[str] = ()) -> bool:
        """The same question as `require`, answered by a bool."""
        held = self.role_in(perimeter)
        return held is not None and held.covers(role) and self._may_write(list(branch_names))

    def require(
        self, perimeter: Perimeter | str, role: Role = Role.VIEWER, branch_names: Iterable[str] = ()
    ) -> Perimeter:
        """The perimeter, if the viewer has at least `role` there.

        `branch_names` are all names of the one branch about to be written (git name as written, key): a token limited
        to branch patterns passes if one of them matches. Without them only the role is asked, so reads and consumptions
        pass none, and every write must pass them. Raises Unauthorized for nobody, NotVisible, NotAllowed.
        """
        name, names = _name_of(perimeter), list(branch_names)
        if not self.signed_in:
            raise Unauthorized
        grant = self.grants.get(name)
        if grant is None:
            raise NotVisible(f"There is no perimeter {name!r}, or you may not see it.", perimeter=name)
        if not grant.role.covers(role):
            raise NotAllowed(
                f"This needs the role {role.value} in the perimeter {name}; you have {grant.role.value}.",
                perimeter=name,
                role=grant.role.value,
                needed=role.value,
            )
        if not self._may_write(names):
            raise NotAllowed(
                f"This token may write to branches matching {', '.join(self.branch_patterns)} only, not to {names[0]}.",
                branch=names[0],
                branches=self.branch_patterns,
            )
        return grant.perimeter

    def _may_write(self, branch_names: list[str]) -> bool:
        return not branch_names or self.token is None or self.token.may_write(branch_names)


NOBODY = Viewer(AnonymousUser())


def viewer_of(request: HttpRequest | Request) -> Viewer:
    """Who asks, found out once (see `ViewerMiddleware`); raises Unauthorized for a token that is no good."""
    holder: Any = request
    viewer: Viewer = holder.who_asks()
    return viewer


def is_by(username: str, actor: str) -> bool:
    """Whether the actor that a row names (see `Viewer.actor`) is this person, or a token of theirs."""
    return actor == username or actor.startswith(f"{username}{VIA_TOKEN}{TOKEN_START}")


def is_member(key: FeedKey) -> bool:
    """Whether the person of a key of feeds is a member still, as `FeedKey.objects.of_secret` has found."""
    return bool(getattr(key, "is_member", False))


def _grants_of_token(token: Token) -> list[Grant]:
    member_role = getattr(token, "member_role", None)  # annotated by `Token.objects.of_secret`
    if member_role is None:
        return []
    return [Grant(token.perimeter, min(Role(token.role), Role(member_role), key=lambda role: role.rank))]


def _name_of(perimeter: Perimeter | str) -> str:
    return perimeter if isinstance(perimeter, str) else perimeter.name
