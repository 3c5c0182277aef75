"""Who has written to a branch, by the events on it: whether a claimed name may make it the caller's own."""

from django.db.models import QuerySet

from access.identity import is_by
from catalog.models import (
    AliasMove,
    Approval,
    Asset,
    Branch,
    DefinitionRevision,
    Deletion,
    Deprecation,
    GateRevision,
    GateVerdict,
    Highlight,
    Instance,
    NewNormal,
    PromotionRequest,
    PropertyEdit,
    SpecVersion,
    StateChange,
)

MOST_EVENTS = 10_000
"""So many events of a branch are looked at; one that has more may have other writers."""
EVENTS = (
    Instance,
    AliasMove,
    StateChange,
    DefinitionRevision,
    PropertyEdit,
    SpecVersion,
    Highlight,
    Deprecation,
    Deletion,
    NewNormal,
    GateRevision,
    GateVerdict,
    PromotionRequest,
    Approval,
)
"""What is written to a branch, each with its `actor`; assets are made besides."""


def is_only_by(username: str, branch: Branch) -> bool:
    """Whether every write to the branch was this person's, or that of a token of theirs."""
    assets = Asset.objects.of(branch)
    made = assets.values_list("created_by")
    events: list[QuerySet] = [model.objects.of(branch).values_list("actor") for model in EVENTS]
    actors = list(made.union(*events, all=True)[: MOST_EVENTS + 1])
    return len(actors) <= MOST_EVENTS and all(is_by(username, actor) for (actor,) in actors)
