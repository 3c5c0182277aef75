"""A person's own page: who they are here, the tokens that act in their name, and where those were used from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from access.addresses import address_of
from access.api import description_of
from access.errors import Forbidden, NotFound
from access.identity import Viewer, is_by, viewer_of
from access.models import AuditEntry, Token, Use

MOST_TOKENS = 200
NEWS_FOR = timedelta(days=30)
"""How long a page points to what is new: a token that somebody else made, a network that a token came from."""


@dataclass(frozen=True)
class OwnToken:
    """A token that acts in a person's name."""

    token: Token
    made_by: str
    """Who made it, if that was somebody else."""
    is_news: bool
    """Whether somebody else made it lately, and it still opens something."""
    networks: list[tuple[Use, bool]]
    """Where it was used from, the newest first, each with whether it is new and not the first."""

    @classmethod
    def of(cls, token: Token, person: User, now: datetime) -> "OwnToken":
        made_by = "" if is_by(person.get_username(), token.created_by) else token.created_by
        lately = now - NEWS_FOR
        uses = token.uses
        networks = [(use, use.since > lately and use != uses[-1]) for use in uses]
        return cls(token, made_by, bool(made_by) and token.is_valid and token.created_at > lately, networks)


@require_safe
def me(request: HttpRequest, *, twin: bool) -> HttpResponse:
    """Who one is here, and one's tokens: those that open something first."""
    person, viewer, now = person_of(request), viewer_of(request), timezone.now()
    tokens = sorted(tokens_of(person)[:MOST_TOKENS], key=lambda token: not token.is_valid)
    if twin:
        return JsonResponse({**description_of(viewer), "tokens": [shape_of(token) for token in tokens]})
    own = [OwnToken.of(token, person, now) for token in tokens]
    context = {
        "grants": sorted(viewer.grants.values(), key=lambda grant: grant.perimeter.name),
        "own": own,
        "news": [one for one in own if one.is_news],
        "most": MOST_TOKENS if len(own) == MOST_TOKENS else None,
        "local": settings.LOCAL_MODE,
        "json_url": reverse("me-json"),
    }
    return render(request, "access/me.html", context)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke a token of one's own, whoever made it."""
    token = tokens_of(person_of(request)).filter(pk=pk).first()
    if token is None:
        raise NotFound("You have no such token.")
    with transaction.atomic():
        token.revoke()
        _record_revocation(viewer_of(request), token, address_of(request))
    messages.success(request, f"The token {token} is revoked.")
    return HttpResponseRedirect(reverse("me"))


def person_of(request: HttpRequest) -> User:
    """The person who is signed in; a token of theirs is no person."""
    viewer = viewer_of(request)
    if viewer.token is not None or viewer.account is None:
        raise Forbidden("This page is for people: a token sees and revokes none of its owner's tokens.")
    return viewer.account


def tokens_of(person: User) -> QuerySet[Token]:
    """All that ever acted in a person's name, the newest first, and before those that were revoked."""
    tokens: Any = person.tokens  # named by `Token.user`
    found: QuerySet[Token] = tokens.select_related("perimeter")
    return found.order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")


def shape_of(token: Token) -> dict[str, Any]:
    facts = ("prefix", "name", "role", "state", "created_at", "created_by", "expires_at", "revoked_at")
    used = {name: getattr(token, name) for name in (*facts, "last_used_at", "last_used_from")}
    networks = [{"network": use.network, "since": use.since} for use in token.uses]
    return {**used, "perimeter": token.perimeter.name, "branches": token.branch_patterns, "networks": networks}


def _record_revocation(viewer: Viewer, token: Token, address: str) -> None:
    AuditEntry.objects.record(
        viewer, action="token.revoke", perimeter=token.perimeter, target=token.prefix, detail={"address": address}
    )
