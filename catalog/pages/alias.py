"""An alias over time: who held it when, with a metric of each as steps; who held it on a day; and what its rules said
of each move, and of those that they refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.errors import BadRequest, NotFound
from access.identity import viewer_of
from catalog.addresses import aliases_url, asset_url, delete_alias_url, move_url, page_url
from catalog.models import AliasMove, Asset, GateVerdict, Instance
from catalog.pagekit.drawings import drawing_alone
from catalog.pagekit.editing import may_edit
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import at_place
from catalog.pagekit.query import Link, PageQuery
from catalog.pages.alias_history import Refused, history_of
from catalog.pages.chosen_metric import ChosenMetric
from catalog.pages.holds import (
    DEFINITION,
    MOST,
    Day,
    HeldOn,
    Moved,
    Told,
    held_on,
    holds_of,
    moves_before,
    refusals_among,
)
from catalog.plotting.held import Drawing
from catalog.plotting.texts import named
from catalog.reading import NAMES, Place, find_asset
from catalog.shown.cells import CSV, csv_of
from catalog.unchanged import ASSET, COARSE, FRAME_OF_ASSET, clock
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import entity_shape, time_shape
from obproject.branches import check_alias

OWN = ("metric", "on")
MOST_IN_FILE = 2000
"""How many moves a file has."""
HEADS = (
    "version",
    "from",
    "until",
    "seconds",
    "metric",
    "value",
    "note",
    "kind",
    "by",
    "outcome",
    "comment",
    "receipt",
)
FILES = {".svg": "SVG", ".csv": "CSV", ".json": "JSON"}


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET, and_more=True)
def alias_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, alias: str, form: str, asset: Asset | None
) -> HttpResponse:
    viewer = viewer_of(request)
    asset = asset or find_asset(viewer, place, kind, asset_id)
    alias, form = _alias_and_form(asset, alias, form)
    query = PageQuery(page_url(request).removesuffix(form), request.GET)
    moved = _moved(asset, alias, query, most=MOST_IN_FILE if form in (".csv", ".json") else MOST)
    refused = [] if form == ".svg" else refusals_among(asset, alias, moved)
    if not moved.moves and not refused:
        raise _never_had(asset, alias)
    unless_unchanged(request, [(one.pk, one.count) for one in refused])  # which change nothing of the asset itself
    seen = _seen(asset, alias, query, moved, refused)
    if form:
        return _file(request, seen, query, form)
    edits, first = may_edit(viewer, asset.branch), query.number("before") is None
    context = {
        **branch_frame(request, asset.branch, kind, asset),
        "asset": asset,
        "asset_url": asset_url(asset),
        "alias": alias,
        "aliases_url": aliases_url(asset),
        "held_now": seen.told[-1].hold if seen.told and first else None,
        "was_held": bool(seen.told),
        "deprecated": _deprecated(asset, alias),
        "drawing": seen.drawing,
        "rows": history_of(seen, seen.drawing.now, edits=edits),
        "actions": _actions(asset, alias, moved.moves[-1] if moved.moves else None) if edits and first else [],
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


def _deprecated(asset: Asset, alias: str) -> str:
    """Why the version that it leads to is deprecated; empty if it is not, without a query if none is."""
    if not asset.deprecated_count:
        return ""
    found = Instance.objects.of(asset).filter(uid=asset.alias_index.get(alias, ""))
    return found.values_list("deprecation__reason", flat=True).first() or ""


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
    refused: Sequence[Refused]
    drawing: Drawing

    @property
    def answer(self) -> str:
        """Who held it on the day that is asked about, as a sentence; empty if none is."""
        return _sentence(self.on, self.on_told, self.metric) if self.on else ""


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


def _moved(asset: Asset, alias: str, query: PageQuery, most: int) -> Moved:
    moved = moves_before(asset, alias, query.number("before"), most)
    if not moved.moves and query.number("before") is not None:
        raise NotFound(f"The alias '{alias}' has no moves before that one.", alias=alias)
    return moved


def _seen(asset: Asset, alias: str, query: PageQuery, moved: Moved, refused: Sequence[GateVerdict]) -> Seen:
    day = Day.of(query.params.get("on", ""))
    on = held_on(asset, alias, day)
    uids = moved.uids | (on.uids if on else set()) | {one.instance_uid for one in refused}
    rows = Instance.objects.of(asset).filter(uid__in=uids).only("uid", "number", "annotations", "state")
    instances = {row.uid: row for row in rows}
    metric = ChosenMetric.of(asset, query, instances.values())
    told = holds_of(asset, moved, instances, metric)
    on_told = holds_of(asset, Moved(on.moves), instances, metric) if on else []
    asked = (day.start, day.end) if day.start and day.end else None
    now = datetime.fromtimestamp(clock(COARSE) * COARSE, UTC)  # as the tag of the page knows it
    drawing = Drawing([one.hold for one in told], now, metric.name, metric.unit, alias, asked)
    wanted = [Refused.of(asset, one, instances) for one in refused]
    return Seen(asset, alias, metric, moved, told, day, on, on_told, wanted, drawing)


def _actions(asset: Asset, alias: str, last: AliasMove | None) -> list[Link]:
    """What may be done with it, for who may. `last`: None if it never led anywhere."""
    if last is None:
        return [{"label": "Set it…", "url": move_url(asset, alias)}]
    undo = "Undo the last move…" if last.to_uid else "Set it again…"
    return [
        {"label": "Move…", "url": move_url(asset, alias)},
        *([{"label": undo, "url": move_url(asset, alias, last.from_uid)}] if last.from_uid else []),
        *([{"label": "Delete…", "url": delete_alias_url(asset, alias)}] if last.to_uid else []),
    ]


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
        said = _verdict_cells(one.move.verdict)
        yield [hold.ref, *when, name, hold.value, note, one.move.entity_kind, one.move.entity_id, *said]
    for wanted in seen.refused:
        row, at = wanted.verdict, time_shape(wanted.verdict.at) or ""
        said = _verdict_cells(row)
        yield [wanted.ref, at, "", None, name, None, "not moved", row.entity_kind, row.entity_id, *said]


def _verdict_cells(verdict: GateVerdict | None) -> list[str]:
    if verdict is None:
        return ["", "", ""]
    return [verdict.outcome, verdict.comment, verdict.receipt]


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
        "refused": [_refused_shape(one) for one in seen.refused],
        "on": on,
        "older": older,
    }


def _hold_shape(one: Told, now: datetime | None) -> dict[str, Any]:
    """A hold as JSON; its end is told where it is known (`now`)."""
    hold, move = one.hold, one.move
    told: dict[str, Any] = {"ref": hold.ref or None, "instance_id": move.to_uid or None, "from": time_shape(hold.start)}
    if now is not None:
        told |= {"until": time_shape(hold.end), "seconds": hold.seconds(now) if hold.end else None}
        told |= {"verdict": _verdict_shape(move.verdict) if move.verdict else None}
    return {**told, "value": hold.value, "set_by": entity_shape(move.entity_kind, move.entity_id)}


def _refused_shape(wanted: Refused) -> dict[str, Any]:
    row = wanted.verdict
    told = {"ref": wanted.ref or None, "instance_id": row.instance_uid, "at": time_shape(row.at), "count": row.count}
    return {**told, "verdict": _verdict_shape(row), "set_by": entity_shape(row.entity_kind, row.entity_id)}


def _verdict_shape(verdict: GateVerdict) -> dict[str, Any]:
    """What the rules said then, and how it was meant."""
    return {
        "outcome": verdict.outcome,
        "comment": verdict.comment or None,
        "receipt": verdict.receipt or None,
        "gates": verdict.gates_id,
        "rules": verdict.rules,
    }


def _drawn(request: HttpRequest, seen: Seen) -> HttpResponse:
    title = f"@{seen.alias} of {seen.asset.title} over time"
    context = {
        "title": named(title),
        "drawing": seen.drawing,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "lines": [(place, line) for place, line in enumerate(seen.drawing.sentences)],
    }
    return drawing_alone("catalog/_held_drawing.html", "held.css", context)
