"""`assetsite token create | list | revoke`."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from access.models import AuditEntry, Membership, Perimeter, Role, Token

COMMAND_LINE = "command line"
LONGEST_LIFE_IN_DAYS = 36_500


class Command(BaseCommand):
    help = "Makes, lists and revokes the tokens that programs use. `create` prints the token and nothing else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="{create,list,revoke}")
        create = actions.add_parser("create", help="print a new token, making user and perimeter where missing")
        create.add_argument("--user", required=True, metavar="NAME")
        create.add_argument("--perimeter", required=True, metavar="P")
        create.add_argument("--role", required=True, choices=Role.values)
        create.add_argument(
            "--branch",
            action="append",
            default=[],
            metavar="PATTERN",
            help="a branch that it may write to, such as 'feature/*'; may be repeated; all if left out",
        )
        create.add_argument("--expires-in", type=int, metavar="DAYS", help="after which it is no good any more")
        create.add_argument("--name", default="", help="what it is for")
        listing = actions.add_parser("list", help="list the tokens, without their secrets")
        listing.add_argument("--user", metavar="NAME")
        listing.add_argument("--perimeter", metavar="P")
        revoke = actions.add_parser("revoke", help="make a token useless from now on")
        revoke.add_argument("prefix", help="the first characters of the token, as `list` shows them")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {"create": self.create, "list": self.list, "revoke": self.revoke}
        actions[action](**options)

    def create(
        self, *, user: str, perimeter: str, role: str, branch: list[str], expires_in: int | None, name: str, **rest: Any
    ) -> None:
        try:
            with transaction.atomic():
                secret = issue(user, perimeter, Role(role), branch, expires_in, name)
        except ValidationError as exc:
            raise CommandError(" ".join(exc.messages)) from exc
        self.stdout.write(secret)

    def list(self, *, user: str | None, perimeter: str | None, **rest: Any) -> None:
        tokens = Token.objects.select_related("user", "perimeter")
        if user:
            tokens = tokens.filter(user__username=user)
        if perimeter:
            tokens = tokens.filter(perimeter__name=perimeter)
        for token in tokens:
            self.stdout.write(describe(token))

    def revoke(self, *, prefix: str, **rest: Any) -> None:
        # The whole token works too: it begins with its prefix
        matching = [token for token in Token.objects.select_related("perimeter") if _named_by(token, prefix)]
        if not matching:
            raise CommandError(f"No token begins with {prefix!r}; `token list` shows them.")
        if len(matching) > 1:
            found = ", ".join(token.prefix for token in matching)
            raise CommandError(f"{len(matching)} tokens begin with {prefix!r}: {found}. Give more characters.")
        (token,) = matching
        with transaction.atomic():
            token.revoke()
            AuditEntry.objects.record(
                COMMAND_LINE, action="token.revoke", perimeter=token.perimeter, target=token.prefix
            )
        self.stdout.write(f"Revoked {token}")


def issue(
    username: str, perimeter_name: str, role: Role, branches: list[str], expires_in: int | None, name: str
) -> str:
    """The secret of a new token, whose user, perimeter and membership are made where missing."""
    if expires_in is not None and not 0 < expires_in <= LONGEST_LIFE_IN_DAYS:
        raise ValidationError(f"--expires-in is a number of days from 1 to {LONGEST_LIFE_IN_DAYS}.")
    perimeter, _ = Perimeter.objects.get_or_create(name=perimeter_name)
    user = _user_called(username)
    _at_least(user, perimeter, role)
    token, secret = Token.objects.issue(
        user=user,
        perimeter=perimeter,
        role=role,
        name=name,
        branch_patterns=branches,
        expires_at=timezone.now() + timedelta(days=expires_in) if expires_in else None,
        created_by=COMMAND_LINE,
    )
    AuditEntry.objects.record(
        COMMAND_LINE,
        action="token.create",
        perimeter=perimeter,
        target=token.prefix,
        detail={"user": username, "role": role.value, "branches": branches},
    )
    return secret


def describe(token: Token) -> str:
    """One line about a token: what it opens, and whether it still does."""
    branches = ",".join(token.branch_patterns) or "all branches"
    used = f"used {token.last_used_at:%Y-%m-%d}" if token.last_used_at else "never used"
    used += f" from {token.last_used_from}" if token.last_used_from else ""
    facts = [token.prefix, token.user.get_username(), token.perimeter.name, token.role, branches, token.state, used]
    return "\t".join([*facts, token.name]).rstrip()


def _user_called(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        user = User(username=username)
        user.set_unusable_password()
        user.full_clean(exclude=["password"])
        user.save()
    return user


def _at_least(user: User, perimeter: Perimeter, role: Role) -> None:
    """A token is worth no more than its user's membership, so that one is made, or raised, but never lowered."""
    membership, created = Membership.objects.get_or_create(user=user, perimeter=perimeter, defaults={"role": role})
    if not created and not Role(membership.role).covers(role):
        membership.role = role
        membership.save(update_fields=["role"])


def _named_by(token: Token, text: str) -> bool:
    return bool(text) and (token.prefix.startswith(text) or text.startswith(token.prefix))
