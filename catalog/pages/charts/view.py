"""The page of an asset's metrics, and its files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse

from access.errors import BadRequest
from access.identity import Viewer, viewer_of
from catalog.addresses import asset_metrics_url, asset_url
from catalog.metrics import with_unit
from catalog.models import Asset
from catalog.pagekit.code_examples import METRIC_EXAMPLE, METRICS_DECLARED
from catalog.pagekit.fragments import render_page_or_part
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import at_place
from catalog.pagekit.query import Link, PageQuery
from catalog.pages.charts import words
from catalog.pages.charts.asked import CHOICES, OWN, Asked, Chosen, chosen
from catalog.pages.charts.files import MOST_ROWS, csv_file, shape_of, svg_file
from catalog.pages.charts.lines import Charted, groups_of, plots_of
from catalog.pages.charts.others import Other, beside
from catalog.pages.charts.rows import Said, Spoken, TableRow, cells_of, spoken_of
from catalog.plotting import Plot
from catalog.reading import Place, find_asset
from catalog.series import BLOCK, Names, Reading, Series, Span, series_of
from catalog.unchanged import ASSET, FRAME_OF_ASSET
from catalog.wire.rendering import json_answer

PART = "metrics"
"""The id of the element that htmx replaces."""
POINTS, ALL_POINTS = 500, 1200
"""So many versions are drawn one by one in a chart, and in all charts of a page."""
FILES = {".svg": "SVG, the drawing", ".csv": "CSV, the numbers", ".json": "JSON"}


@dataclass(frozen=True)
class Seen:
    """What a page or a file is made of."""

    asset: Asset
    query: PageQuery
    asked: Asked
    names: Names
    chosen: Chosen
    others: tuple[Other, ...]
    charted: tuple[Charted, ...]
    spoken: Spoken
    problems: tuple[str, ...]

    @cached_property
    def plots(self) -> list[Plot]:
        return plots_of(self.charted, self.chosen.names, self.asked.scale, self.asked.in_time)

    @property
    def sentences(self) -> list[str]:
        """What is said below all charts."""
        waiting = [*words.not_yet(self.charted), *words.not_kept(self.charted)]
        told = [*words.other_units(self.charted), *waiting, words.left_out(self.names)]
        return [sentence for sentence in told if sentence]


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET, and_more=True)
def metrics_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, form: str, asset: Asset | None
) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    asset = asset or find_asset(viewer, place, kind, asset_id)
    asked = Asked.of(query.params)
    if form:
        query.refuse_unknown(*OWN, takes=())
    if not asked.others and asset.last_number <= BLOCK:
        unless_unchanged(request)
    seen = _seen(viewer, asset, query, asked, MOST_ROWS if form in (".csv", ".json") else 0)
    if form and seen.problems:
        raise BadRequest(" ".join(seen.problems))
    if not form:
        return _page(request, seen)
    return _file(request, seen, form)


def _seen(viewer: Viewer, asset: Asset, query: PageQuery, asked: Asked, most: int) -> Seen:
    """`most`: how many versions there may be one by one; 0: as many as charts can show."""
    placed = beside(viewer, asset, asked)
    reading = Reading(asset)
    names = reading.names()
    metrics = chosen(asked.metrics, names.names, asset.metrics.headline(names.names))
    points = most or _points(metrics.names)
    others, series = placed.others, {asset.pk: reading.series(metrics.names, _last_of(placed.span, most), points)}
    for other in others:
        series[other.asset.pk] = series_of(other.asset, metrics.names, _last_of(other.span, most), points)
    assets = [asset, *(other.asset for other in others)]
    spoken = spoken_of(viewer, series, assets)
    named = {asset.pk: "", **{other.asset.pk: other.name for other in others}}
    spans = {asset.pk: placed.span, **{other.asset.pk: other.span for other in others}}
    return Seen(
        asset,
        query,
        asked,
        names,
        metrics,
        others,
        tuple(
            _charted(one, series[one.pk], spans[one.pk], named[one.pk], query, asset, spoken, metrics.names)
            for one in assets
        ),
        spoken,
        (*asked.problems, *metrics.problems, *placed.problems),
    )


def _charted(
    one: Asset,
    series: Series,
    span: Span,
    name: str,
    query: PageQuery,
    own: Asset,
    spoken: Spoken,
    names: Sequence[str],
) -> Charted:
    aliases: dict[int, list[str]] = {}
    for alias, uid in sorted(one.alias_index.items()):
        if uid in spoken.numbers:
            aliases.setdefault(spoken.numbers[uid], []).append(alias)
    held = {number: tuple(its) for number, its in aliases.items()}
    why = {metric: spoken.why(one.pk, metric) for metric in names}
    return Charted(one, series, name, groups_of(query, one, own), held, why, span)


def _last_of(span: Span, most: int) -> Span:
    """The last numbers of a span, if there may be no more than so many (0: any)."""
    return Span(max(span.first, span.last - most + 1), span.last) if most else span


def _file(request: HttpRequest, seen: Seen, form: str) -> HttpResponse:
    names = seen.chosen.names
    if form == ".svg":
        title = f"Metrics of {seen.asset.title} on {seen.asset.branch.name}"
        base_url = request.build_absolute_uri("/").rstrip("/")
        beside = [f"The broken line with diamonds is {other.name}." for other in seen.others]
        sentences = [*beside, *_empty_words(seen), *seen.sentences]
        return svg_file(seen.plots, title, _about(seen), sentences, base_url)
    older = _older(seen)
    if form == ".csv":
        response = csv_file(seen.charted, names)
        if older:
            response.headers["Link"] = f'<{older}>; rel="next"'
        return response
    known = {"names": seen.names.names, "names_left_out": seen.names.left_out, "older": older}
    return json_answer({**shape_of(seen.charted, names), **known})


def _older(seen: Seen) -> str | None:
    """The address of what comes before, of a file that would be too long."""
    span = seen.charted[0].series.span
    begin = _first_asked(seen.asked)
    return seen.query.url(to=f"v{span.first - 1}") if span.size >= MOST_ROWS and span.first > begin else None


def _first_asked(asked: Asked) -> int:
    return asked.first.number or 1 if asked.first else 1


def _empty_words(seen: Seen) -> list[str]:
    return [] if seen.plots else ["No version of it has measured anything yet."]


def _page(request: HttpRequest, seen: Seen) -> HttpResponse:
    frame = branch_frame(request, seen.asset.branch, seen.asset.kind, seen.asset)
    context = _part(seen, frame["switch_branches"])
    around = {**frame, "asset": seen.asset, "asset_url": asset_url(seen.asset)}
    return render_page_or_part(request, "metrics", PART, context, lambda: around)


def _part(seen: Seen, branches: Sequence[Link]) -> dict[str, Any]:
    """The context of _metrics.html."""
    asset, query = seen.asset, seen.query
    assets = [one.asset for one in seen.charted]
    spans = {one.asset.pk: one.series for one in seen.charted}
    rows = [_row(said, seen) for said in seen.spoken.newest(assets, spans)]
    return {
        "metrics_url": asset_metrics_url(asset),
        "notices": [*query.notices(*OWN, takes=()), *seen.problems],
        "plots": seen.plots,
        "alone": _alone(seen),
        "about": _about(seen),
        "sentences": seen.sentences,
        "last_url": _last_url(seen),
        "last_count": _points(seen.chosen.names),
        "chips": _chips(seen),
        "add_options": _add_options(seen),
        "with_options": _with_options(seen, branches),
        "looks": _looks(seen),
        "files": [{"label": label, "url": query.on(query.path + form).url()} for form, label in FILES.items()],
        "ends": {name: query.params.get(name, "") for name in ("from", "to", "low", "high")},
        "kept": query.kept_with("from", "to", "low", "high"),
        "last_number": asset.last_number,
        "names": seen.chosen.names,
        "rows": rows,
        "of_all": sum(one.series.count for one in seen.charted),
        "code": METRIC_EXAMPLE,
        "declared_code": METRICS_DECLARED,
    }


def _about(seen: Seen) -> dict[str, str]:
    """What is said of each metric."""
    return {name: words.direction_of(seen.asset, name) for name in seen.chosen.names}


def _row(said: Said, seen: Seen) -> TableRow:
    one = next(one for one in seen.charted if one.asset.pk == said.asset)
    units = {name: seen.asset.metrics.unit(name) for name in seen.chosen.names}
    return TableRow(
        said.ref,
        f"{asset_url(one.asset)}/{said.ref}",
        one.name,
        said.at,
        said.look,
        one.aliases.get(said.number, ()),
        cells_of(said, seen.chosen.names, units),
    )


def _alone(seen: Seen) -> list[tuple[str, str, str]]:
    """Name, value and version of each metric, if none of them has been measured twice: a point is no line.

    Of a part that is asked for there is a chart in any case.
    """
    if seen.asked.first or seen.asked.last or any(one.series.is_sampled for one in seen.charted):
        return []
    found = [(name, one.name, known) for name in seen.chosen.names for one in seen.charted for known in one.known(name)]
    if len({name for name, _, _ in found}) < len(found):
        return []
    return [
        (name, with_unit(value, seen.asset.metrics.unit(name)), f"{whose} v{number}".strip())
        for name, whose, (number, value) in found
    ]


def _points(names: Sequence[str]) -> int:
    """How many versions the charts of some metrics can show one by one."""
    return min(POINTS, ALL_POINTS // max(1, len(names)))


def _last_url(seen: Seen) -> str:
    """The chart of the last versions one by one; empty where they are."""
    if not any(one.series.is_sampled for one in seen.charted):
        return ""
    first = seen.charted[0].series.span.last - _points(seen.chosen.names) + 1
    return seen.query.url(**{"from": f"v{max(1, first)}", "to": None})


def _chips(seen: Seen) -> list[Link]:
    """The metrics, if there is a choice, and the other asset."""
    names = list(seen.chosen.names)
    chips = [
        {
            "label": "",
            "value": name,
            "remove_url": seen.query.with_values("metric", [one for one in names if one != name])
            if len(names) > 1
            else "",
        }
        for name in names
    ]
    chips += [
        {"label": "with", "value": other.name, "remove_url": seen.query.with_values("with", [])}
        for other in seen.others
    ]
    return chips


def _add_options(seen: Seen) -> list[Link]:
    names = list(seen.chosen.names)
    return [
        {"label": name, "url": seen.query.with_values("metric", [*names, name])}
        for name in seen.names.names
        if name not in names
    ]


def _with_options(seen: Seen, branches: Sequence[Link]) -> list[Link]:
    """The other branches of the menu that have the asset."""
    holding = [one for one in branches if not one["note"] and not one["current"] and "/" in one["url"]]
    end = asset_url(seen.asset).removeprefix(f"{asset_url(seen.asset).rsplit('/', 2)[0]}")
    taken = {other.name for other in seen.others}
    return [
        {"label": one["label"], "url": seen.query.with_values("with", [one["label"]])}
        for one in holding
        if one["url"].endswith(end) and one["label"] not in taken
    ]


def _looks(seen: Seen) -> list[Link]:
    """Links to the same charts in another look."""
    asked, query = seen.asked, seen.query
    links = [
        {"label": f"by {word}", "url": query.url(along=_unless_first("along", word)), "current": asked.along == word}
        for word in CHOICES["along"]
    ]
    scale = asked.scale
    if scale.whole or any(plot.is_cut for plot in seen.plots):
        whole = query.url(range=None if scale.whole else "all")
        links.append({"label": "whole range", "url": whole, "current": scale.whole})
    if not scale.log:
        zero = query.url(zero=None if scale.zero else "yes")
        links.append({"label": "from zero", "url": zero, "current": scale.zero})
    log = query.url(scale=None if scale.log else "log", zero=None)
    links.append({"label": "log", "url": log, "current": scale.log})
    return links


def _unless_first(name: str, word: str) -> str | None:
    return None if word == CHOICES[name][0] else word
