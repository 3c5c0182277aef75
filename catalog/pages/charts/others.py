"""Other assets in the same chart: the same one on another branch, or another one of the project.

Each is looked for among what the reader may see; what is not there, and what they may not see, is named alike.
"""

from contextlib import suppress
from dataclasses import dataclass

from django.db.models import DateTimeField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable

from access.identity import Viewer
from catalog.models import Asset, Instance
from catalog.pages.charts.asked import Asked, End
from catalog.series import Span
from catalog.states import Kind
from obproject.branches import branch_key, check_asset_id, check_branch

SHOWN = 80


@dataclass(frozen=True)
class Sought:
    """What a text may mean: key of the branch, kind and id of the asset; the first that is found counts."""

    text: str
    places: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Other:
    """`text` is how the address names it, `name` how the page does; `span` are the versions of the time that is
    asked for."""

    text: str
    asset: Asset
    name: str
    span: Span


@dataclass(frozen=True)
class Beside:
    """The numbers that are asked for of the asset itself, and those beside it; `problems` says what is not there."""

    span: Span
    others: tuple[Other, ...]
    problems: tuple[str, ...] = ()


def beside(viewer: Viewer, asset: Asset, asked: Asked) -> Beside:
    """What is asked for of an asset, and which others. One query, or none."""
    sought = [_sought(text, asset) for text in dict.fromkeys(asked.others)]
    places = {place for one in sought for place in one.places}
    in_days = any(end and end.at for end in (asked.first, asked.last))
    wanted = Q(pk=asset.pk) if in_days else Q()
    for key, kind, asset_id in places:
        wanted |= Q(branch__key=key, kind=kind, asset_id=asset_id, branch__project=asset.branch.project)
    rows = _with_numbers(Asset.objects.visible_to(viewer).live().filter(wanted), asset, asked) if wanted else ()
    found = {(one.branch.key, one.kind, one.asset_id): one for one in rows}
    span = _span(asset, next((one for one in found.values() if one.pk == asset.pk), None), asked)
    others: list[Other] = []
    problems: list[str] = []
    for one in sought:
        mine = next((found[place] for place in one.places if place in found), None)
        if mine is None:
            problems.append(_lost(one.text))
        elif mine.pk == asset.pk:
            problems.append("An asset is not drawn beside itself.")
        else:
            mine.branch.project = asset.branch.project
            others.append(Other(one.text, mine, _name_of(mine, asset), _numbers_of(mine)))
    problems += [f"Two are drawn in one chart; {one.name} is left out." for one in others[1:]]
    return Beside(span, tuple(others[:1]), tuple(problems))


def _with_numbers(rows: QuerySet[Asset], asset: Asset, asked: Asked) -> QuerySet[Asset]:
    """Each with the first and the last number of the time that is asked for: of days, or as long as the versions of
    the asset itself go."""
    made = Instance.objects.filter(asset=OuterRef("pk")).order_by()
    if asked.first:
        made = made.filter(created_at__gte=_moment(asset, asked.first, "number"))
    if asked.last:
        last = _moment(asset, asked.last, "-number")
        made = made.filter(**{f"created_at__{'lt' if asked.last.at else 'lte'}": last})
    numbers = made.values("number")
    ends = {"first_asked": numbers.order_by("number")[:1], "last_asked": numbers.order_by("-number")[:1]}
    return rows.select_related("branch").defer("readme").annotate(**{name: Subquery(end) for name, end in ends.items()})


def _moment(asset: Asset, end: End, order: str) -> Combinable:
    """A moment, or that of the version of a number, or of the next one that there is."""
    if end.at:
        return Value(end.at, DateTimeField())
    of_asset = Instance.objects.of(asset).order_by(order)
    beyond = "gte" if order == "number" else "lte"
    return Subquery(of_asset.filter(**{f"number__{beyond}": end.number}).values("created_at")[:1])


def _numbers_of(row: Asset) -> Span:
    first, last = row.first_asked, row.last_asked  # type: ignore[attr-defined]
    return Span(first, last) if first else Span(1, 0)


def _span(asset: Asset, row: Asset | None, asked: Asked) -> Span:
    """The numbers of the asset itself that are asked for."""
    numbers = Span(1, asset.last_number)
    first, last = asked.first, asked.last
    if row and any(end and end.at for end in (first, last)):
        numbers = _numbers_of(row)
    if first and first.number is not None:
        numbers = numbers.within(Span(first.number, numbers.last))
    if last and last.number is not None:
        numbers = numbers.within(Span(numbers.first, last.number))
    return numbers


def _lost(text: str) -> str:
    return f"There is no '{text[:SHOWN]}' to draw beside it: name a branch of this project, or branch/kind/asset."


def _name_of(other: Asset, asset: Asset) -> str:
    """The branch, and the asset too if it is another one."""
    if (other.kind, other.asset_id) == (asset.kind, asset.asset_id):
        return other.branch.name
    return other.asset_id if other.branch_id == asset.branch_id else f"{other.branch.name}/{other.asset_id}"


def _sought(text: str, asset: Asset) -> Sought:
    branch, kind, asset_id = [*text.rsplit("/", 2), "", ""][:3] if text.count("/") > 1 else ("", "", "")
    places = []
    if kind in Kind.values and (key := _key(branch)):
        with suppress(ValueError):
            places.append((key, kind, check_asset_id(asset_id)))
    if key := _key(text):
        places.append((key, asset.kind, asset.asset_id))
    return Sought(text, tuple(places))


def _key(branch: str) -> str:
    """The key of a branch of that name; empty if none can be called so."""
    try:
        return branch_key(check_branch(branch))
    except ValueError:
        return ""
