"""Perimeters, who is a member of them, the tokens that programs use, and the record of what was done."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from access.masking import FEED_KEY_START
from access.statements import Rows
from access.visibility import Sees, VisibleQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from access.identity import Viewer

# Every first segment of the site's own addresses; a perimeter of such a name could not be reached
RESERVED_NAMES = (
    "v1",
    "admin",
    "static",
    "healthz",
    "livez",
    "readyz",
    "sign-in",
    "sign-out",
    "styleguide",
    "docs",
    "me",
    "search",
    "media",
    "favicon.ico",
    "robots.txt",
    "security.txt",
    "feeds",
)
PERIMETER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

TOKEN_START = "as_"  # noqa: S105  (what every token begins with, so that leaked ones can be found)
SHOWN_LENGTH = len(TOKEN_START) + 8


def validate_perimeter_name(name: str) -> None:
    """Raise ValidationError unless `name` can be the first segment of an address of this site."""
    if not PERIMETER_NAME.fullmatch(name):
        raise ValidationError(
            "A perimeter's name is up to 64 lower-case letters, digits, '-' and '_', starting with a letter or digit."
        )
    if name in RESERVED_NAMES or [name] == settings.FORCE_SCRIPT_NAME.split("/")[1:2]:
        raise ValidationError(f"The site uses the name {name!r} itself; choose another one for the perimeter.")


def validate_branch_patterns(patterns: object) -> None:
    """Raise ValidationError unless `patterns` is a list of non-empty strings."""
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise ValidationError('Branch patterns are a list of non-empty strings, such as ["feature/*"].')


class Role(models.TextChoices):
    """What a member may do in a perimeter; each role may do what the ones before it may."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        return RANKS[self]

    def covers(self, needed: "Role") -> bool:
        """Whether who has this role may do what `needed` may."""
        return self.rank >= needed.rank


RANKS = {role: rank for rank, role in enumerate(Role)}


def role_constraint(name: str) -> models.CheckConstraint:
    """The database's own promise that a row's role is one of the three."""
    return models.CheckConstraint(condition=Q(role__in=Role.values), name=name)


class Perimeter(models.Model):
    """A walled part of the catalogue, with members of its own; the first segment of every page's address."""

    PERIMETER = ""

    name = models.CharField(max_length=64, unique=True, validators=[validate_perimeter_name])
    title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        validate_perimeter_name(self.name)  # also for rows that no form has seen
        super().save(*args, **kwargs)


class Membership(models.Model):
    """One person's role in one perimeter."""

    PERIMETER = "perimeter"

    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["perimeter__name", "user__username"]
        constraints = [
            models.UniqueConstraint(fields=["perimeter", "user"], name="one_membership_per_person"),
            role_constraint("membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.perimeter}"


@dataclass(frozen=True)
class Use:
    """A network that a token was used from, and since when."""

    network: str
    since: datetime


class TokenQuerySet(VisibleQuerySet["Token"]):
    def issue(self, *, user: "User", perimeter: Perimeter, role: Role, **fields: Any) -> "tuple[Token, str]":
        """A new token and its secret, which is not kept and can't be had again; ValidationError for bad fields."""
        secret = new_secret()
        token = self.model(user=user, perimeter=perimeter, role=role, **secret_fields(secret), **fields)
        token.full_clean()
        token.save()
        return token, secret

    def of_secret(self, secret: str) -> "Token | None":
        """The token of `secret` with its user, perimeter and the user's role there (`member_role`), by one query.

        The look-up compares digests in an index, so its timing tells nothing about the secrets of others.
        """
        return token_of.one(digest=digest_of(secret))


class Token(models.Model):
    """What a program shows instead of signing in: for one user, in one perimeter, with at most the role given here."""

    PERIMETER = "perimeter"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="tokens")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    name = models.CharField(max_length=200, blank=True, help_text="What the token is for.")
    prefix = models.CharField(max_length=16, editable=False, db_index=True, help_text="The first characters.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    branch_patterns = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_branch_patterns],
        help_text='Branches that it may write to, such as ["feature/*"]; all if empty.',
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=200, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, blank=True, editable=False, help_text="An IP address.")
    networks = models.JSONField(
        default=dict, editable=False, help_text="Where it was used from: since when, and whether the audit log has it."
    )
    networks_told_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [role_constraint("token_role_known")]

    secret = ""
    """Of a token that has just been made, for as long as the request takes; no column keeps it."""

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    @property
    def state(self) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expired(timezone.now()) else "valid"

    @property
    def uses(self) -> list[Use]:
        """The networks that it was used from, the newest first."""
        uses = [Use(network, datetime.fromisoformat(use["since"])) for network, use in self.networks.items()]
        return sorted(uses, key=lambda use: use.since, reverse=True)

    @property
    def is_valid(self) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.state == "valid"

    def may_write(self, branch_names: Iterable[str]) -> bool:
        """Whether a branch known by these names (as written, and its key) is one that the token may write to."""
        if not self.branch_patterns:
            return True
        return any(fnmatchcase(name, pattern) for name in branch_names for pattern in self.branch_patterns)

    def revoke(self) -> None:
        """Make the token useless from now on; the first revocation's time stays."""
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])


token_of = Rows(
    Token,
    """
    SELECT {columns}, membership.role FROM access_token AS token
    JOIN auth_user AS "user" ON "user".id = token.user_id
    JOIN access_perimeter AS perimeter ON perimeter.id = token.perimeter_id
    LEFT JOIN access_membership AS membership
    ON membership.user_id = token.user_id AND membership.perimeter_id = token.perimeter_id
    WHERE token.digest = %(digest)s
    """,
    related=["user", "perimeter"],
    also=["member_role"],
)
"""A token by its digest, with the role of its user in its perimeter; None for who is no member any more."""


def new_secret() -> str:
    """A secret of 256 random bits."""
    return TOKEN_START + secrets.token_hex(32)


def secret_fields(secret: str) -> dict[str, str]:
    """What is kept of a secret: its first characters to tell tokens apart, and a digest to find it by.

    A plain SHA-256 is enough, and quick: unlike a password, 256 random bits can't be guessed.
    """
    return {"prefix": secret[:SHOWN_LENGTH], "digest": digest_of(secret)}


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class FeedKeyQuerySet(VisibleQuerySet["FeedKey"]):
    def issue(self, *, user: "User", perimeter: Perimeter, name: str) -> "tuple[FeedKey, str]":
        """A new key and its secret, which is not kept; ValidationError for a bad name."""
        secret = f"{FEED_KEY_START}{secrets.token_hex(32)}"
        key = self.model(user=user, perimeter=perimeter, name=name, digest=digest_of(secret))
        key.full_clean()
        key.save()
        return key, secret

    def of_secret(self, secret: str) -> "FeedKey | None":
        """The key with its user, its perimeter, and whether the user `is_member` there."""
        members = Membership.objects.filter(user=models.OuterRef("user"), perimeter=models.OuterRef("perimeter"))
        known = self.filter(digest=digest_of(secret)).select_related("user", "perimeter")
        return known.annotate(is_member=models.Exists(members)).first()


class FeedKey(models.Model):
    """What a reader of feeds shows that can't sign in: it reads the feeds of one perimeter, as its user, and nothing
    else."""

    PERIMETER = "perimeter"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_keys")
    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200, blank=True, help_text="What reads with it.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = FeedKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name or f"key {self.pk}"


class AuditQuerySet(VisibleQuerySet["AuditEntry"]):
    def visible_to(self, viewer: Sees, role: Role | None = None) -> Self:
        """The same by name, as an entry outlives the rows; what was done in no perimeter is for superusers."""
        return self.filter(perimeter_name__in=viewer.perimeter_names(role))

    def record(
        self,
        actor: "Viewer | str",
        *,
        action: str,
        perimeter: Perimeter | str,
        target: str = "",
        detail: dict[str, Any] | None = None,
    ) -> "AuditEntry":
        """Write down that `actor` (a viewer, or a name such as "command line") did `action` to `target`."""
        who: dict[str, Any] = {"actor_name": actor} if isinstance(actor, str) else actor.as_audited()
        return self.create(
            **who,
            perimeter_name=str(perimeter),
            action=action,
            target=target,
            detail=detail or {},
        )

    def record_rarely(self, action: str, target: str, detail: dict[str, Any], *, within: timedelta, most: int) -> None:
        """Write down what a stranger did, who may do it as often as they like.

        `detail` has the `address`. Not if the same was done to the same from there `within` that time, and no more than
        `most` of the action in all.
        """
        since = timezone.now() - within
        told = self.filter(action=action, at__gte=since).values_list("target", "detail")[:most]
        known = {(target, detail.get("address")) for target, detail in told}
        if len(told) < most and (target, detail["address"]) not in known:
            self.record("nobody", action=action, perimeter="", target=target, detail=detail)

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log is append-only.")

    def delete(self) -> NoReturn:
        raise TypeError("The audit log is append-only.")


class AuditEntry(models.Model):
    """One thing that somebody did. Entries are only ever added; names are kept as text, so they outlive the rows."""

    PERIMETER = "perimeter_name"

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=200)
    token = models.ForeignKey(Token, null=True, on_delete=models.SET_NULL, related_name="+")
    perimeter_name = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    target = models.TextField(blank=True)
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest_first"),  # the admin's list
            models.Index(fields=["perimeter_name", "-at"], name="audit_of_perimeter"),  # the same, filtered
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target}".rstrip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The audit log is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log is append-only.")
