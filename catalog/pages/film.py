"""The film-strip of an asset: the cards of its versions beside each other, with a metric under each.

The page asks for the cards of the newest ready version alone, as the asset's page does. Which cards the others have is
asked by static/film.js when they come into view, at `{version}/cards.json`: a datastore may be slow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.errors import BadRequest
from access.identity import Viewer, viewer_of
from catalog import runs
from catalog.addresses import asset_url, compare_url
from catalog.models import Asset, Instance
from catalog.pagekit.cards import label_of, task_of
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import at_place
from catalog.pagekit.query import Link, PageQuery
from catalog.pages.chosen_metric import ChosenMetric
from catalog.pages.film_frames import Frame, frames_of, line_of
from catalog.pages.filmed import BULK, MOVES, PINNED, Asked, Filmed, Pins, filmed
from catalog.reading import Place, find_asset
from catalog.unchanged import ASSET, FRAME_OF_ASSET
from catalog.wire.rendering import json_answer

OWN = ("metric", "pin", "at", "only", "card")
"""What the page's query may hold, besides `before`."""
MOST_ALIASES = 6
"""How many aliases are offered as a choice of versions."""
MOST_CARDS = 12
CUT = f"Only the last {MOVES} moves of {{}} were looked through."


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET, and_more=True)
def film_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, twin: bool, asset: Asset | None
) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    asset = asset or find_asset(viewer, place, kind, asset_id)
    cards = runs.CardList() if twin else _cards_of_newest(asset)
    unless_unchanged(request, cards.missing, [card.key for card in cards])
    asked, pins = Asked.of(query), Pins.of(query)
    found = filmed(asset, asked)
    strip = _strip(viewer, asset, query, found.rows, pins)
    unclear = [*asked.unclear, *pins.unclear, *strip.missing]
    if twin:
        query.refuse_unknown(*OWN, takes=())
        if unclear:
            raise BadRequest(unclear[0])
        return json_answer({**strip.shape, **_around(query, found)})
    context = {
        **branch_frame(request, asset.branch, kind, asset),
        **_around(query, found),
        **_choices(asset, query, asked, cards),
        "asset": asset,
        "asset_url": asset_url(asset),
        "strip": strip,
        "line": line_of(strip.frames),
        "compare_url": compare_url(asset, pins.refs) if len(strip.pinned) == PINNED else "",
        "newest_url": query.url(before=None, at=None) if asked.before or asked.until else None,
        "notices": [*query.notices(*OWN, takes=()), *unclear, *([CUT.format(asked.only)] if found.cut else [])],
    }
    return render(request, "catalog/film.html", context)


@dataclass(frozen=True)
class Strip:
    """The frames of a page, and the pinned ones, which may be of another page. `missing` says which are not there."""

    frames: Sequence[Frame]
    pinned: Sequence[Frame]
    metric: ChosenMetric
    missing: Sequence[str]

    @property
    def shape(self) -> dict[str, Any]:
        metric = {"metric": self.metric.name or None, "unit": self.metric.unit, "metrics": self.metric.names}
        of_frames = {"versions": self.frames, "pinned": self.pinned}
        return metric | {name: [frame.shape for frame in frames] for name, frames in of_frames.items()}

    @property
    def gone(self) -> bool:
        """Whether the metric is measured in none of these versions."""
        return all(frame.value is None for frame in self.frames)


def _strip(viewer: Viewer, asset: Asset, query: PageQuery, rows: Sequence[Any], pins: Pins) -> Strip:
    here = {row.number: row for row in rows}
    if away := [number for number in pins.numbers if number not in here]:
        found = Instance.objects.of(asset).filter(number__in=away).defer(*BULK)
        here |= {row.number: row for row in found}
    same = Instance.objects.visible_to(viewer).first_with_content_of(here.values())
    metric = ChosenMetric.of(asset, query, here.values())
    urls = {row.ref: pins.url(query, row.ref) for row in here.values()}
    made = {frame.instance.ref: frame for frame in frames_of(asset, here.values(), metric, pins.refs, urls, same)}
    pinned = [made[ref] for ref in pins.refs if ref in made]
    missing = [f"{ref}, which is pinned, is not there." for ref in pins.refs if ref not in made]
    return Strip([made[row.ref] for row in rows], pinned, metric, missing)


def _cards_of_newest(asset: Asset) -> runs.CardList:
    """Those of the newest ready version, which tell what there is to choose from."""
    ready = asset.newest_ready
    return runs.cards_of(*task_of(asset, ready)) if ready else runs.CardList()


def _around(query: PageQuery, found: Filmed) -> dict[str, str | None]:
    ways = {"older": found.before_them, "newer": found.after_them}
    return {name: None if changes is None else query.url(**changes) for name, changes in ways.items()}


def _choices(asset: Asset, query: PageQuery, asked: Asked, cards: runs.CardList) -> dict[str, Any]:
    """What else the strip could show."""
    only = {"": "all", "day": "one a day"}
    only |= {f"@{name}": f"@{name}" for name in sorted(asset.alias_index)[:MOST_ALIASES]}
    only.setdefault(asked.only, asked.only)
    card = query.params.get("card", "")
    shown = next((one.title for one in cards if card in ("", one.title)), card)
    return {
        "only": [
            _link(label, query.url(before=None, at=None, only=text or None), text == asked.only)
            for text, label in only.items()
        ],
        "cards": [_link(label_of(one), query.url(card=one.title), one.title == shown) for one in cards][:MOST_CARDS],
        "card": card,
        "no_card": cards.missing,
        "kept_with_metric": _others(query, "metric"),
        "kept_with_at": _others(query, "at", "before"),
        "at": query.params.get("at", ""),
    }


def _link(label: str, url: str, current: bool) -> Link:
    return {"label": label, "url": url, "current": current}


def _others(query: PageQuery, *names: str) -> list[tuple[str, str]]:
    """The other parameters, as hidden fields of a form that sets these."""
    return [(name, value) for name, values in query.params.lists() if name not in names for value in values]
