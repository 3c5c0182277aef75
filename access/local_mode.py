"""Local mode's one user and its perimeters, kept for a few seconds in the memory of each process.

Nothing of the kind is kept in team mode: what was taken from somebody there is refused by the next request.
"""

import getpass
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.signals import post_delete, post_migrate, post_save

from access.models import Membership, Perimeter, Role
from access.statements import Rows

KEPT_FOR = 3.0
"""Seconds after which one process sees what another one has changed."""

Value = TypeVar("Value")

MEMBERSHIP_OF = Rows(
    Membership,
    """
    SELECT {columns} FROM access_membership AS membership
    JOIN auth_user AS "user" ON "user".id = membership.user_id
    JOIN access_perimeter AS perimeter ON perimeter.id = membership.perimeter_id
    WHERE "user".username = %(username)s AND perimeter.name = %(perimeter)s
    """,
    related=["user"],
)


class Kept(Generic[Value]):
    """What `read` answers, asked again when it is old, and after a change in this process."""

    def __init__(self, read: Callable[[], Value]) -> None:
        self._read = read
        self._changes = 0
        self._kept: tuple[float, Value] | None = None

    def get(self) -> Value:
        kept = self._kept
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        changes, within = self._changes, connection.in_atomic_block
        value = self._read()
        if not within and changes == self._changes:  # else it may be of a moment that never was
            self._kept = time.monotonic() + KEPT_FOR, value
        return value

    def forget(self) -> None:
        self._changes += 1
        self._kept = None


def _read_user() -> User:
    """The one user, made on first use with its membership of the default perimeter.

    Its rights are those of being on this machine: they are given to the object, not kept in the row, so that the
    same database served in team mode has no powerful account that nobody has set up.
    """
    name = local_user_name()
    membership = MEMBERSHIP_OF.one(username=name, perimeter=settings.LOCAL_PERIMETER)
    user = membership.user if membership else _make_user(name)
    user.is_active = user.is_staff = user.is_superuser = True
    return user


def _read_perimeters() -> list[Perimeter]:
    return list(Perimeter.objects.all())


_user, _perimeters = Kept(_read_user), Kept(_read_perimeters)


def local_user() -> User:
    """One query, or none for a while."""
    return _user.get()


def local_perimeters() -> list[Perimeter]:
    """All that there are; one query, or none for a while."""
    return _perimeters.get()


def local_user_name() -> str:
    """The name of who runs the server; `local` where the system does not tell."""
    try:
        return getpass.getuser()[:150]
    except (KeyError, OSError):  # no such user, as in some containers
        return "local"


def _make_user(name: str) -> User:
    with transaction.atomic():
        perimeter, _ = Perimeter.objects.get_or_create(name=settings.LOCAL_PERIMETER)
        user, _ = User.objects.get_or_create(username=name, defaults={"password": make_password(None)})
        Membership.objects.get_or_create(user=user, perimeter=perimeter, defaults={"role": Role.ADMIN})
    return user


def watch_changes() -> None:
    """Have what is kept forgotten when this process changes it, at once and when others see it."""
    for model in (User, Perimeter, Membership):
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=model)
    post_migrate.connect(_changed)


def _changed(**kwargs: Any) -> None:
    _forget()
    transaction.on_commit(_forget)


def _forget() -> None:
    _user.forget()
    _perimeters.forget()
