"""Charts as files: all their numbers as CSV and JSON, and the drawing."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from catalog.addresses import asset_url
from catalog.metrics import BETTER
from catalog.models import Asset
from catalog.pagekit.drawings import drawing_alone
from catalog.pages.charts.lines import Charted
from catalog.plotting import Plot
from catalog.plotting.texts import named
from catalog.series import Span, Version
from catalog.shown.cells import CSV, csv_of
from catalog.states import State
from catalog.wire.shapes import time_shape

MOST_ROWS = 20_000
"""So many versions of an asset are in one file; what is older has an address of its own."""
WIDTH, LEFT, RIGHT = 960, 64, 24
LETTERS = 150
"""So many letters are in a line of the drawing."""
Json = dict[str, Any]


def csv_file(charted: Sequence[Charted], names: Sequence[str]) -> HttpResponse:
    """A row for each version, oldest first; `note` says why it lacks a number. What the series waits for has a row."""
    heads = ("branch", "asset", "version", "at", "state", "aliases", *names, "note")
    rows = [row for one in charted for row in _rows(one, names)]
    response = HttpResponse(csv_of([heads, *rows]), CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="{charted[0].asset.kind}-metrics.csv"'
    return response


def _rows(one: Charted, names: Sequence[str]) -> Iterator[list[str | float | None]]:
    place = [one.asset.branch.name, f"{one.asset.kind}/{one.asset.asset_id}"]
    if one.name and one.left_out.size:  # of the asset itself they are a file of their own
        yield [
            *place,
            _refs(one.left_out),
            "",
            "",
            "",
            *[None] * len(names),
            f"left out: at most {MOST_ROWS:,} are here",
        ]
    for span in one.series.not_yet:
        yield [*place, _refs(span), "", "", "", *[None] * len(names), "not in the series yet"]
    for version, values in _versions(one):
        aliases = " ".join(one.aliases.get(version.number, ()))
        told = [*place, f"v{version.number}", time_shape(version.at) or "", version.state, aliases]
        yield [*told, *(values[name] for name in names), "; ".join(_notes(one, version, values))]


def _notes(one: Charted, version: Version, values: Mapping[str, float | None]) -> Iterator[str]:
    if version.state != State.READY:
        yield version.state
        return
    for name, value in values.items():
        if value is None:
            yield f"{name}: {one.why_not(name, version.number)}"


def _versions(one: Charted) -> Iterator[tuple[Version, dict[str, float | None]]]:
    for place, version in enumerate(one.series.versions):
        yield version, {metric.name: metric.values[place] for metric in one.series.metrics}


def shape_of(charted: Sequence[Charted], names: Sequence[str]) -> Json:
    """The numbers as JSON: of the asset itself, and of the one beside it."""
    own, *others = (_shape(one, names) for one in charted)
    return {**own, "with": others[0] if others else None}


def _shape(one: Charted, names: Sequence[str]) -> Json:
    asset, series = one.asset, one.series
    return {
        "branch": asset.branch.name,
        "kind": asset.kind,
        "asset_id": asset.asset_id,
        "url": asset_url(asset),
        "span": _span(series.span) if series.span.size else None,
        "versions": [
            {"ref": f"v{one.number}", "at": time_shape(one.at), "state": one.state} for one in series.versions
        ],
        "metrics": [_metric(asset, metric.name, metric.values, one) for metric in series.metrics],
        "aliases": {name: f"v{number}" for number, its in sorted(one.aliases.items()) for name in its},
        "not_yet": [_span(span) for span in series.not_yet],
        "left_out": _span(one.left_out) if one.left_out.size else None,
    }


def _metric(asset: Asset, name: str, values: Sequence[float | None], one: Charted) -> Json:
    numbers = [version.number for version in one.series.versions if version.state == State.READY]
    lacking = {version.number for version, value in zip(one.series.versions, values, strict=True) if value is None}
    return {
        "name": name,
        "unit": asset.metrics.unit(name) or None,
        "better": BETTER.get(asset.metrics.wanted(name) or ""),
        "is_declared": asset.metrics.is_declared(name),
        "values": list(values),
        "without": {f"v{number}": one.why_not(name, number) for number in numbers if number in lacking},
    }


def _span(span: Span) -> Json:
    return {"first": f"v{span.first}", "last": f"v{span.last}"}


def _refs(span: Span) -> str:
    return f"v{span.first} to v{span.last}" if span.first < span.last else f"v{span.first}"


@dataclass(frozen=True)
class Frame:
    """Where a plot stands in the file, and where its sentences begin."""

    plot: Plot
    y: int
    height: int
    words: list[tuple[int, str]]
    x: int = LEFT
    width: int = WIDTH - LEFT - RIGHT


def svg_file(
    plots: Sequence[Plot], title: str, about: Mapping[str, str], sentences: Sequence[str], base_url: str
) -> HttpResponse:
    """The drawing as a file of its own. `about`: what is said of each metric, by its name."""
    frames, y = [], 44
    for plot in plots:
        frame = _frame(plot, y, f"{plot.name}: {about[plot.name]}.")
        frames.append(frame)
        y = frame.words[-1][0] + 12 if frame.words else frame.y + frame.height + (16 if plot.is_small else 44)
    lines = [named(line) for sentence in sentences for line in _wrapped(sentence)]
    context = {
        "title": named(title),
        "frames": frames,
        "lines": [(y + 14 + 16 * place, line) for place, line in enumerate(lines)],
        "width": WIDTH,
        "height": y + 16 * len(lines) + 16,
        "base_url": base_url,
    }
    return drawing_alone("catalog/_metrics_drawing.html", "plots.css", context)


def _frame(plot: Plot, y: int, about: str) -> Frame:
    top, height, below = (32, 64, 16) if plot.is_small else (36, 224, 52)
    start = y + top + height + below
    lines = [named(line) for line in _wrapped(" ".join([about, *plot.words]))]
    return Frame(plot, y + top, height, [(start + 16 * place, line) for place, line in enumerate(lines)])


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, LETTERS)
