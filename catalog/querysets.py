"""The query vocabulary of the catalogue. A read for somebody begins as `access/visibility.py` says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, Self

from django.db.models import Case, F, Func, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from access.visibility import VisibleQuerySet
from catalog.filters import FiltersAsked
from catalog.marks import MarkedQuerySet
from catalog.states import DEFAULT_STATES, LOST, Kind, State
from obproject.branches import MAIN_BRANCHES
from obproject.evaluation_log import EVALUATION, EVALUATION_LOG

if TYPE_CHECKING:
    from access.models import Perimeter
    from catalog.models import Asset, Branch, Project

IN_TIME = ("created_at", "number")
"""What orders the instances of an asset, oldest first: when they were made, and of equal times how they arrived."""
PROMOTED_FROM = "promoted_from_instance"
"""The annotation by which a promotion names the id of its source."""
_SOURCE = f"annotations__{PROMOTED_FROM}"
_NAMES_SOURCE = Q(**{f"{_SOURCE}__isnull": False}) & ~Q(**{_SOURCE: ""}) & ~Q(**{_SOURCE: None})
COPIED = Q(promoted_from__isnull=False) | _NAMES_SOURCE
"""Of instances: promoted, from one that the catalogue has or does not know; as `Instance.is_copy`."""
LAST_REFRESHED_FIRST = F("refreshed_at").desc(nulls_last=True)
PENDING = Q(state=State.PENDING)
IS_LOST = Q(state=State.FAILED, state_reason__startswith=LOST)
"""Of instances: failed because nobody said how their task ended; that may be found out yet."""
RECONCILER = "reconcile"
"""The actor of rows that are backfilled from Metaflow."""
BACKFILLED = Q(actor=RECONCILER)
"""Of instances: recorded long after they were made, by `catalog/reconciling/`."""
BLOCK = 256
"""So many numbers of versions make a block of the series of an asset: the first one 1 to 256."""
HAS_BLOCK_TO_PACK = Q(deleted_at=None, last_number__gte=F("series_whole") + BLOCK)
"""Of assets: a block of their series has all its versions, and is not kept."""
MAIN_FIRST = Case(When(key__in=MAIN_BRANCHES, then=0), default=1, output_field=IntegerField())
ASSET_ORDERS: dict[str, Any] = {
    # without a value, so that it is the same text in a query and in its index
    "name": Lower(Coalesce(Func("name", template="NULLIF(%(expressions)s, '')"), "asset_id")),
    "refreshed": F("refreshed_at"),
    "consumers": F("consumer_count"),
    "version": F("ready_number"),
}
MAY_LACK = {"refreshed", "version"}
"""What an asset without a ready instance has not; it comes last either way."""
LATEST_FIRST = "-late"
"""What is late by most comes first; what is dormant, and where nothing is expected, comes last. It hangs on now, so no
index has all of it."""
TIES = ("asset_id", "kind")
"""What orders assets of equal rank."""


def asset_order(sort: str) -> Any:
    """By one of ASSET_ORDERS, with a `-` before it the other way round. The indexes of assets are in these orders."""
    name = sort.removeprefix("-")
    last = {"nulls_last": True} if name in MAY_LACK else {}
    return ASSET_ORDERS[name].desc(**last) if sort.startswith("-") else ASSET_ORDERS[name].asc(**last)


NOT_IN_LISTS = (
    *("readme", "declared_properties", "declared_blobs", "not_compared", "properties", "newest_ready__blobs"),
    *(f"newest__{name}" for name in ("annotations", "tags", "blobs", "description")),
)
"""What can be large and no list of assets shows."""


class ProjectQuerySet(MarkedQuerySet):
    def in_perimeter(self, name: str) -> Self:
        return self.filter(perimeter__name=name)

    def with_freshness(self) -> Self:
        """Adds `refreshed_at`: when any asset of the project was last refreshed; one look into an index a branch."""
        branches: Any = self.model._meta.get_field("branches").related_model
        fresh = branches.objects.filter(project=OuterRef("pk")).with_freshness().order_by(LAST_REFRESHED_FIRST)
        return self.annotate(refreshed_at=Subquery(fresh.values("refreshed_at")[:1]))

    def named_like(self, text: str) -> Self:
        """Those whose name or title has all the words of `text`."""
        found = self
        for word in text.split():
            found = found.filter(Q(name__icontains=word) | Q(title__icontains=word))
        return found

    def freshest_first(self) -> Self:
        """After `with_freshness`."""
        return self.order_by(LAST_REFRESHED_FIRST, "name")


class Address(Protocol):
    """Where a branch is, by names: a `catalog.reading.Place` or a `catalog.recording.BranchAddress`."""

    @property
    def perimeter(self) -> Perimeter | str: ...
    @property
    def project(self) -> str: ...
    @property
    def key(self) -> str: ...


class PlacedQuerySet(MarkedQuerySet):
    """Branches, and what is on them; `catalog/statements.py` writes the same for what every call of a flow needs."""

    def at_place(self, place: Address) -> Self:
        """The branch at an address, or what is on it."""
        branch = self.model.PERIMETER.removesuffix("project__perimeter")
        names = {"project__perimeter__name": str(place.perimeter), "project__name": place.project, "key": place.key}
        return self.filter(**{f"{branch}{way}": name for way, name in names.items()})


class BranchQuerySet(PlacedQuerySet):
    def with_freshness(self) -> Self:
        """Adds `refreshed_at`: when any asset of the branch was last refreshed; one look into an index."""
        assets: Any = self.model._meta.get_field("assets").related_model
        fresh = assets.objects.live().filter(branch=OuterRef("pk"), refreshed_at__isnull=False)
        return self.annotate(refreshed_at=Subquery(fresh.order_by(LAST_REFRESHED_FIRST).values("refreshed_at")[:1]))

    def of_project(self, project: Project) -> Self:
        return self.filter(project=project)

    def named_like(self, text: str) -> Self:
        found = self
        for word in text.split():
            found = found.filter(Q(key__icontains=word) | Q(git_name__icontains=word))
        return found

    def with_deploy(self) -> Self:
        """The newest deploy at hand, without its document."""
        return self.select_related("spec").defer("spec__document")

    def main_first(self) -> Self:
        """main and master, then the newest ones."""
        return self.order_by(MAIN_FIRST, "-id")

    def freshest_first(self) -> Self:
        """main and master, then those refreshed last; after `with_freshness`."""
        return self.order_by(MAIN_FIRST, LAST_REFRESHED_FIRST, "-id")


class ComponentQuerySet(MarkedQuerySet):
    def of_project(self, project: Project) -> Self:
        return self.filter(perimeter=project.perimeter_id, project_name=project.name)


class RunQuerySet(MarkedQuerySet):
    def of_component(self, component: int) -> Self:
        return self.filter(component=component)

    def newest_first(self) -> Self:
        return self.order_by("-first_at", "-pk")


class AssetQuerySet(PlacedQuerySet):
    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def at(self, place: Address, kind: str, asset_id: str) -> Self:
        """The live asset at an address."""
        return self.ever_at(place, kind, asset_id).live()

    def ever_at(self, place: Address, kind: str, asset_id: str) -> Self:
        """All assets that were ever at an address: the live one, and those deleted."""
        return self.at_place(place).filter(kind=kind, asset_id=asset_id)

    def on_branch(self, branch: Branch | QuerySet[Any, Any], kind: str | None = None) -> Self:
        """The live ones of a branch: of one that was found visible, or of the one that a query finds."""
        found = self.live().filter(branch=branch)
        return found.filter(kind=kind) if kind else found

    def on_other_branches(self, asset: Asset) -> Self:
        """Those of the same name in its project: on main first, then the one refreshed last."""
        same = self.filter(branch__project=asset.branch.project_id, kind=asset.kind, asset_id=asset.asset_id)
        main_first = Case(When(branch__key__in=MAIN_BRANCHES, then=0), default=1, output_field=IntegerField())
        return same.exclude(pk=asset.pk).order_by(main_first, LAST_REFRESHED_FIRST, "-id")

    def evaluation_logs(self) -> Self:
        """Those that are the evaluation log of their branch, by the rule of `obproject.evaluation_log`."""
        by_kind = Q(newest_ready=None) | Q(newest_ready__asset_kind__in=("", EVALUATION))
        return self.filter(by_kind, kind=Kind.DATA, asset_id=EVALUATION_LOG)

    def with_place(self) -> Self:
        """With the branch, the project and the perimeter that each is in."""
        return self.select_related("branch__project__perimeter")

    def with_latest(self) -> Self:
        return self.select_related("branch__project__perimeter", "newest_ready__component")

    def refreshed_after(self, time: datetime | None) -> Self:
        """Those refreshed later than `time` (None: ever), newest first."""
        found = self.exclude(newest_ready=None) if time is None else self.filter(refreshed_at__gt=time)
        return found.order_by(LAST_REFRESHED_FIRST)

    def rows_of(self, keys: Iterable[int] | QuerySet[Any, Any]) -> Self:
        """The rows of keys that a query found or finds: so that no more than these are joined."""
        return self.filter(pk__in=keys)

    def with_newest_instances(self) -> Self:
        """The newest ready one and the newest of any state, with who made them; of a branch that is at hand."""
        return self.select_related("newest_ready__component", "newest__component")

    def with_newest(self) -> Self:
        """Also the newest registration of any state, which may be pending or failed."""
        return self.with_latest().select_related("newest__component")

    def without_bulk(self) -> Self:
        """After `with_newest_instances`: leaves out what can be large and no list shows."""
        return self.defer(*NOT_IN_LISTS)

    def freshest_first(self) -> Self:
        return self.sorted_by("-refreshed")

    def sorted_by(self, sort: str) -> Self:
        """In one of ASSET_ORDERS, with a `-` before it the other way round, or LATEST_FIRST."""
        if sort == LATEST_FIRST:
            silent = Q(due_at=None) | Q(dormant_at__lte=timezone.now())
            expected = Case(When(~silent, then=F("due_at")))
            return self.order_by(expected.asc(nulls_last=True), LAST_REFRESHED_FIRST, *TIES)
        return self.order_by(asset_order(sort), *TIES)

    def matching(self, asked: FiltersAsked) -> Self:
        """Those that answer by their names and by what `Asset.shown` shows of them: an instance or the definition."""
        found = self.filter(asked.on_asset())
        if not asked.ask_what_is_shown:
            return found
        ready = Q(newest_ready__isnull=False) & asked.on_shown("newest_ready__")
        ready |= Q(newest_ready=None, declared_at__isnull=False, deprecated_count=0) & asked.on_definition()
        if not asked.states:
            return found.filter(ready)
        newest = Q(newest__state__in=asked.states, newest__deprecation=None)
        shown = newest & asked.on_shown("newest__")
        if State.READY not in asked.states:
            return found.filter(shown)
        if not asked.ask_what_is_in_it:
            ready |= Q(newest_ready=None, deprecated_count__gt=0)
        return found.filter(shown | (Q(newest=None) | ~newest) & ready)


class InstanceQuerySet(VisibleQuerySet[Any]):
    def newest_first(self) -> Self:
        """Those with the highest numbers first: as they arrived."""
        return self.order_by("-number")

    def latest_first(self) -> Self:
        """Those made last first. What arrived late, because the catalogue was away, is not the latest."""
        return self.order_by(*(f"-{column}" for column in IN_TIME))

    def in_states(self, states: tuple[str, ...]) -> Self:
        """Those in some states; if none are named, the ready ones that are not deprecated."""
        return self.filter(state__in=states) if states else self.filter(state__in=DEFAULT_STATES, deprecation=None)

    def last_of_each_state(self, most: int, states: tuple[str, ...] = ()) -> Self:
        """The last few in each of these states: an index finds them, which leads from one state to its latest."""
        if len(states) < 2:
            return self.in_states(states)
        found = Q()
        for state in states:
            found |= Q(pk__in=self.filter(state=state).latest_first().values("pk")[:most])
        return self.filter(found)

    def before(self, number: int | None) -> Self:
        return self if number is None else self.filter(number__lt=number)

    def after(self, number: int) -> Self:
        return self.filter(number__gt=number)

    def matching(self, asked: FiltersAsked) -> Self:
        states = asked.states or (DEFAULT_STATES if asked.ask_for_deprecated else ())
        return self.in_states(states).filter(asked.on_instance())

    def first_with_content_of(self, instances: Iterable[Any]) -> dict[int, str]:
        """The first instance of the same asset with the same digest, as a reference: by the key of each that has one
        before it.

        One query, or none if no digest is known. What has failed has no content.
        """
        known = [row for row in instances if row.digest and row.state != State.FAILED]
        if not known:
            return {}
        same = self.filter(asset__in={row.asset_id for row in known}, digest__in={row.digest for row in known})
        found = same.exclude(state=State.FAILED).order_by().values_list("asset", "digest").annotate(Min("number"))
        first = {(asset, digest): number for asset, digest, number in found}
        numbers = {row.pk: first.get((row.asset_id, row.digest), row.number) for row in known}
        return {row.pk: f"v{numbers[row.pk]}" for row in known if numbers[row.pk] < row.number}

    def with_content_of(self, instance: Any) -> Self:
        """The others of its asset with the same digest, the first one first; none that have failed."""
        same = self.filter(asset=instance.asset_id, digest=instance.digest) if instance.digest else self.none()
        return same.exclude(state=State.FAILED).exclude(pk=instance.pk).order_by("number")

    def latest_but(self, place: int, asset: Asset, states: tuple[str, ...] = ()) -> Any | None:
        """The instance that `latest-N` means, where N is `place`: among the ready ones, or those in `states`.

        None if there are not so many. Deprecated ones are passed over. An index that has all that is asked for is read
        up to the place: of the ready ones, whose number is known, from the end that is nearer.
        """
        mine, count = self.of(asset), asset.ready_count - asset.deprecated_count
        if asset.deprecated_count:
            mine = mine.filter(deprecation=None)
        found, skipped = mine.last_of_each_state(place + 1, states or DEFAULT_STATES).latest_first(), place
        if not states and place > count // 2:
            found, skipped = mine.in_states(DEFAULT_STATES).order_by(*IN_TIME), count - 1 - place
        if skipped < 0:
            return None
        number = Subquery(found.values("number")[skipped : skipped + 1])
        return next(iter(mine.select_related("component").filter(number=number)), None)


class ConsumptionQuerySet(VisibleQuerySet[Any]):
    def newest_first(self) -> Self:
        return self.select_related("component", "instance").order_by("-id")


class EdgeQuerySet(MarkedQuerySet):
    def newest_first(self) -> Self:
        return self.select_related("component").order_by("-last_at", "-id")


class HighlightQuerySet(PlacedQuerySet):
    def at_hand(self) -> Self:
        """With its component and its place, and without the image, which has an address of its own."""
        return self.select_related("component", "branch__project__perimeter").defer("image")

    def newest_of_each(self, branch: Branch) -> Self:
        """The newest of each component of a branch, newest first."""
        return self.filter(branch=branch, is_newest=True).at_hand().newest_first()

    def newest_first(self) -> Self:
        return self.order_by("-at", "-id")
