"""The roles of readings in questions and answers: an input, which is stored as none, has a name here."""

from collections.abc import Collection

from django.db.models import Q

from obproject.roles import INPUT


def role_named(role: str | None) -> str:
    return role or INPUT


def in_roles(roles: Collection[str]) -> Q:
    """The condition for readings in one of these roles."""
    return Q(role__in=roles) | Q(role=None) if INPUT in roles else Q(role__in=roles)
