"""An alias over time: who held it when, with a metric of each as steps; and who held it on a day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.errors import BadRequest, NotFound
from access.identity import viewer_of
from catalog.addresses import aliases_url, asset_url, page_url
from catalog.models import Asset, Instance
from catalog.pagekit.drawings import drawing_alone
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pagekit.uses import EntityLink
from catalog.pages.chosen_metric import ChosenMetric
from catalog.pages.holds import DEFINITION, MOST, Day, HeldOn, Moved, Told, held_on, holds_of, moves_before
from catalog.plotting.held import Drawing
from catalog.plotting.texts import named
from catalog.reading import NAMES, Place, find_asset
from catalog.shown.cells import CSV, csv_of
from catalog.shown.times import duration
from catalog.unchanged import ASSET, COARSE, FRAME_OF_ASSET, clock
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import entity_shape, time_shape
from obproject.branches import check_alias

OWN = ("metric", "on")
MOST_IN_FILE = 2000
"""How many moves a file has."""
HEADS = ("version", "from", "until", "seconds", "metric", "value", "note", "kind", "by")
FILES = {".svg": "SVG", ".csv": "CSV", ".json": "JSON"}


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET)
def alias_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, alias: str, form: str, asset: Asset | None
) -> HttpResponse:
    asset = asset or find_asset(viewer_of(request), place, kind, asset_id)
    alias, form = _alias_and_form(asset, alias, form)
    query = PageQuery(page_url(request).removesuffix(form), request.GET)
    seen = _seen(asset, alias, query, most=MOST_IN_FILE if form in (".csv", ".json") else MOST)
    if form:
        return _file(request, seen, query, form)
    context = {
        **branch_frame(request, asset.branch, kind, asset),
        "asset": asset,
        "asset_url": asset_url(asset),
        "alias": alias,
        "aliases_url": aliases_url(asset),
        "held_now": seen.told[-1].hold if query.number("before") is None else None,
        "drawing": seen.drawing,
        "rows": [Row.of(one, seen.drawing.now) for one in reversed(seen.told)],
        "metric": seen.metric,
        "kept": _others(query, "metric"),
        "kept_with_on": _others(query, "on"),
        "on": query.params.get("on", ""),
        "answer": seen.answer,
        "notices": [*query.notices(*OWN, takes=()), *([seen.day.unclear] if seen.day.unclear else [])],
        "older_url": _older(query, seen),
        "newest_url": query.url(before=None) if query.number("before") else None,
        "files": [{"label": label, "url": query.on(query.path + end).url()} for end, label in FILES.items()],
    }
    return render(request, "catalog/alias.html", context)


@dataclass(frozen=True)
class Seen:
    """What the page shows, in whatever form."""

    asset: Asset
    alias: str
    metric: ChosenMetric
    moved: Moved
    told: Sequence[Told]
    day: Day
    on: HeldOn | None
    on_told: Sequence[Told]
    drawing: Drawing

    @property
    def answer(self) -> str:
        """Who held it on the day that is asked about, as a sentence; empty if none is."""
        return _sentence(self.on, self.on_told, self.metric) if self.on else ""


@dataclass(frozen=True)
class Row:
    """A hold in the table."""

    told: Told
    took: str

    @classmethod
    def of(cls, told: Told, now: datetime) -> "Row":
        return cls(told, duration(told.hold.seconds(now)))

    @property
    def who(self) -> EntityLink:
        return EntityLink.of(self.told.move.entity_kind, self.told.move.entity_id)


def _alias_and_form(asset: Asset, alias: str, form: str) -> tuple[str, str]:
    """An alias called `x.csv` precedes the file of `x`."""
    try:
        alias = check_alias(alias)
    except ValueError:
        raise _never_had(asset, alias) from None
    whole = alias + form
    if form and (whole in asset.alias_index or asset.alias_moves.filter(name=whole).exists()):
        return whole, ""
    return alias, form


def _seen(asset: Asset, alias: str, query: PageQuery, most: int) -> Seen:
    moved, day = moves_before(asset, alias, query.number("before"), most), Day.of(query.params.get("on", ""))
    if not moved.moves and query.number("before") is None:
        raise _never_had(asset, alias)
    if not moved.moves:
        raise NotFound(f"The alias '{alias}' has no moves before that one.", alias=alias)
    on = held_on(asset, alias, day)
    uids = moved.uids | (on.uids if on else set())
    rows = Instance.objects.of(asset).filter(uid__in=uids).only("uid", "number", "annotations", "state")
    instances = {row.uid: row for row in rows}
    metric = ChosenMetric.of(asset, query, instances.values())
    told = holds_of(asset, moved, instances, metric)
    on_told = holds_of(asset, Moved(on.moves), instances, metric) if on else []
    asked = (day.start, day.end) if day.start and day.end else None
    now = datetime.fromtimestamp(clock(COARSE) * COARSE, UTC)  # as the tag of the page knows it
    drawing = Drawing([one.hold for one in told], now, metric.name, metric.unit, alias, asked)
    return Seen(asset, alias, metric, moved, told, day, on, on_told, drawing)


def _never_had(asset: Asset, alias: str) -> NotFound:
    return NotFound(f"The {NAMES[asset.kind]} '{asset.asset_id}' has never had an alias '{alias}'.", alias=alias)


def _older(query: PageQuery, seen: Seen) -> str | None:
    return query.url(before=seen.moved.moves[0].pk) if seen.moved.older else None


def _others(query: PageQuery, *names: str) -> list[tuple[str, str]]:
    """The other parameters, as hidden fields of a form that sets these."""
    return [(name, value) for name, values in query.params.lists() if name not in names for value in values]


# ---- who held it on a day


def _sentence(on: HeldOn, told: Sequence[Told], metric: ChosenMetric) -> str:
    if on.is_to_come:
        return "That is still to come."
    if not told:
        at = f" It was first set on {_minute(on.first.at)}." if on.first else ""
        return f"Nobody yet.{at}"
    if len(told) == 1:
        return _one(on, told[0], metric)
    parts = [f"{one.hold.who} until {_clock(after.hold.start)}" for one, after in pairwise(told)]
    more = f"It moved more than {len(told)} times; the last: " if on.cut else ""
    return f"{more}{', '.join(parts)}, then {_measured(told[-1], metric)}."


def _one(on: HeldOn, one: Told, metric: ChosenMetric) -> str:
    since = f"since {_minute(one.hold.start)}, set by {named(one.move.entity_id)}"
    if not one.hold.ref:
        return f"Nobody: it was deleted on {_minute(one.hold.start)}, by {named(one.move.entity_id)}."
    if on.day.start is not None and one.hold.start > on.day.start:
        return (
            f"Nobody until {_clock(one.hold.start)}, then {_measured(one, metric)}, set by {named(one.move.entity_id)}."
        )
    how_long = "" if on.day.is_moment else " so far" if on.day.end and on.day.end > on.now else ", all day"
    return f"{_measured(one, metric)}{how_long}; {since}."


def _measured(one: Told, metric: ChosenMetric) -> str:
    if not metric.name or not one.hold.ref or one.hold.ref == DEFINITION:
        return f"the {DEFINITION}" if one.hold.ref == DEFINITION else one.hold.who
    return f"{one.hold.ref} ({named(metric.name)} {named(one.hold.text)})"


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


# ---- files


def _file(request: HttpRequest, seen: Seen, query: PageQuery, form: str) -> HttpResponse:
    query.refuse_unknown(*OWN, takes=())
    if seen.day.unclear:
        raise BadRequest(seen.day.unclear, field="on")
    if form == ".svg":
        return _drawn(request, seen)
    older = _older(query.on(query.path + form), seen)
    if form == ".csv":
        response = HttpResponse(csv_of([HEADS, *_cells(seen)]), CSV)
        response.headers["Content-Disposition"] = f'attachment; filename="{seen.asset.kind}-alias.csv"'
        if older:
            response.headers["Link"] = f'<{older}>; rel="next"'
        return response
    return json_answer(_shape(seen, older))


def _cells(seen: Seen) -> Iterator[list[str | float | None]]:
    """A row for each hold, the newest first."""
    now, name = seen.drawing.now, seen.metric.name
    for one in reversed(seen.told):
        hold = one.hold
        seconds = None if hold.end is None else hold.seconds(now)
        note = "" if hold.value is not None else hold.text if hold.ref else "deleted"
        when = [time_shape(hold.start) or "", time_shape(hold.end) or "", seconds]
        yield [hold.ref, *when, name, hold.value, note, one.move.entity_kind, one.move.entity_id]


def _shape(seen: Seen, older: str | None) -> dict[str, Any]:
    on = None
    if seen.on:
        on = {"asked": seen.day.text, "answer": seen.answer, "holds": [_hold_shape(one, None) for one in seen.on_told]}
    return {
        "alias": seen.alias,
        "metric": seen.metric.name or None,
        "unit": seen.metric.unit,
        "metrics": seen.metric.names,
        "holds": [_hold_shape(one, seen.drawing.now) for one in reversed(seen.told)],
        "on": on,
        "older": older,
    }


def _hold_shape(one: Told, now: datetime | None) -> dict[str, Any]:
    """A hold as JSON; its end is told where it is known (`now`)."""
    hold, move = one.hold, one.move
    told: dict[str, Any] = {"ref": hold.ref or None, "instance_id": move.to_uid or None, "from": time_shape(hold.start)}
    if now is not None:
        told |= {"until": time_shape(hold.end), "seconds": hold.seconds(now) if hold.end else None}
    return {**told, "value": hold.value, "set_by": entity_shape(move.entity_kind, move.entity_id)}


def _drawn(request: HttpRequest, seen: Seen) -> HttpResponse:
    title = f"@{seen.alias} of {seen.asset.title} over time"
    context = {
        "title": named(title),
        "drawing": seen.drawing,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "lines": [(place, line) for place, line in enumerate(seen.drawing.sentences)],
    }
    return drawing_alone("catalog/_held_drawing.html", "held.css", context)
