"""What happened lately, newest first: one bounded query for an asset or a branch, whatever the size of its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast

from access.identity import Viewer
from catalog.addresses import asset_url_by_id
from catalog.models import (
    Alias,
    AliasMove,
    Asset,
    Branch,
    Consumption,
    DefinitionRevision,
    Edge,
    Instance,
    PropertyEdit,
    SpecVersion,
)
from catalog.pagekit.uses import EntityLink
from catalog.states import Kind, State

ENTRIES = 20
ICONS = {"task": "flow", "deployment": "deployment", "user": "person", "ci": "ci"}
EMPTY, A_PERSON = Value(""), Value("user")


@dataclass(frozen=True)
class Happening:
    """One entry of a feed. `what`: registered, consumed, alias, declared, edited, deployed or deleted.

    `detail` is a state, the reference asked for, an alias, a property or a version of the code, as `what` asks;
    `elsewhere` is the branch of a consumer, or the id that an alias points to, empty for an alias that was removed;
    `home` is the branch whose feed it is.
    """

    what: str
    at: datetime
    who: EntityLink
    kind: str
    asset_id: str
    number: int | None
    detail: str
    elsewhere: str
    home: Branch

    @property
    def ref(self) -> str:
        return f"v{self.number}" if self.number else ""

    @property
    def asset_url(self) -> str:
        return asset_url_by_id(self.home, self.kind, self.asset_id)

    @property
    def other_branch(self) -> str:
        """The branch of a consumer, if it is not the one at hand."""
        at_home = self.what != "consumed" or self.home.is_called(self.elsewhere)
        return "" if at_home else self.elsewhere

    @property
    def url(self) -> str:
        return f"{self.asset_url}/{self.ref}" if self.ref else self.asset_url

    @property
    def is_ready(self) -> bool:
        """Of a registration, as `is_pending`."""
        return self.detail == State.READY

    @property
    def is_pending(self) -> bool:
        return self.detail == State.PENDING

    @property
    def icon(self) -> str:
        """A registration is drawn as what was made, all else as who did it."""
        if self.what == "registered":
            return "model" if self.kind == Kind.MODELS else "data"
        return "ci" if self.what in ("deployed", "declared") else ICONS.get(self.who.kind, "other")


def activity_of_asset(viewer: Viewer, asset: Asset) -> list[Happening]:
    """Of an asset that the viewer was found to see."""
    return _feed(
        [
            _registered(_newest(Instance.objects.visible_to(viewer).of(asset), "-number")),
            _consumed(_newest(Consumption.objects.visible_to(viewer).of(asset), "-id")),
            _moved(_newest(AliasMove.objects.of(asset), "-id"), asset),
            _declared(_newest(DefinitionRevision.objects.of(asset), "-id")),
            _edited(_newest(PropertyEdit.objects.of(asset), "-id")),
        ],
        asset.branch,
    )


def activity_of_branch(viewer: Viewer, branch: Branch) -> list[Happening]:
    """Of each asset its newest registration, of each consumer and alias the last use and move: what is kept at hand.

    Of a branch that the viewer was found to see; each part is read from the end of an index.
    """
    assets = Asset.objects.of(branch)
    last = assets.live().filter(newest__isnull=False).order_by("-newest").values("newest")[:ENTRIES]
    consuming = Edge.objects.on_branch(branch).filter(direction=Edge.Direction.CONSUMES)
    return _feed(
        [
            _registered(Instance.objects.visible_to(viewer).filter(pk__in=last)),
            _last_consumed(_newest(consuming, "-last_at")),
            _pointed(_newest(Alias.objects.on_branch(branch), "-updated_at")),
            _edited(_newest(PropertyEdit.objects.on_branch(branch), "-id")),
            _deployed(_newest(SpecVersion.objects.of(branch), "-id")),
            _deleted(_newest(assets.filter(deleted_at__isnull=False), "-deleted_at")),
        ],
        branch,
    )


def _newest(rows: QuerySet[Any], order: str) -> QuerySet[Any]:
    """The newest rows, as a set that can be a part of a union."""
    return rows.model._base_manager.filter(pk__in=rows.order_by(order).values("pk")[:ENTRIES])


def _feed(parts: list[QuerySet[Any, Any]], branch: Branch) -> list[Happening]:
    first, *others = parts
    entries = [
        Happening(what, at, EntityLink.of(who_kind, who), kind, asset_id, number, detail, elsewhere, branch)
        for what, at, who_kind, who, kind, asset_id, number, detail, elsewhere in first.union(*others, all=True)
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:ENTRIES]


def _entries(
    rows: QuerySet[Any],
    what: str,
    *,
    at: str = "at",
    who_kind: Any = F("entity_kind"),  # noqa: B008  (expressions are values)
    who: str = "entity_id",
    asset: str | None = "asset__",
    number: Any = None,
    detail: str = "",
    elsewhere: str = "",
) -> QuerySet[Any, Any]:
    """The columns of a `Happening`. Strings are names of columns, empty for none; `asset` is the way to the asset."""
    return rows.values_list(
        Value(what),
        F(at),
        _text(who_kind),
        _text(F(who)),
        _text(F(f"{asset}kind") if asset is not None else EMPTY),
        _text(F(f"{asset}asset_id") if asset is not None else EMPTY),
        Cast(number if number is not None else Value(None), IntegerField()),
        _text(F(detail) if detail else EMPTY),
        _text(F(elsewhere) if elsewhere else EMPTY),
    )


def _text(value: Any) -> Cast:
    """All parts of a union need the same types."""
    return Cast(value, TextField())


def _registered(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return _entries(
        rows,
        "registered",
        at="created_at",
        who_kind=F("producer_kind"),
        who="producer_id",
        number=F("number"),
        detail="state",
    )


def _consumed(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    number = F("instance__number")
    return _entries(rows, "consumed", number=number, detail="reference", elsewhere="write_branch_name")


def _last_consumed(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return _entries(
        rows,
        "consumed",
        at="last_at",
        who_kind=F("last_entity_kind"),
        who="last_entity_id",
        number=F("last_instance__number"),
        elsewhere="write_branch_name",
    )


def _moved(rows: QuerySet[Any], asset: Asset) -> QuerySet[Any, Any]:
    target = Instance.objects.of(asset).filter(uid=OuterRef("to_uid")).values("number")
    return _entries(rows, "alias", number=Subquery(target), detail="name", elsewhere="to_uid")


def _pointed(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    number = F("instance__number")
    return _entries(rows, "alias", at="updated_at", number=number, detail="name", elsewhere="asset__definition_uid")


def _declared(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return _entries(rows, "declared")


def _edited(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return _entries(rows, "edited", who_kind=A_PERSON, who="actor", detail="key")


def _deployed(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return _entries(rows, "deployed", who_kind=A_PERSON, who="actor", asset=None, detail="version_id")


def _deleted(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return _entries(rows, "deleted", at="deleted_at", who_kind=A_PERSON, who="deleted_by", asset="")
