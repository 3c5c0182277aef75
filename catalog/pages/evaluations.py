"""The evaluation log of a branch: what flows logged by `prj.evals.log`, as a table and over time."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.identity import Viewer, viewer_of
from catalog.addresses import asset_url, asset_url_by_id, evaluations_url, instance_url
from catalog.declared_metrics import DeclaredMetrics
from catalog.filters import TEXT
from catalog.metrics import metrics_of, number_of, with_unit
from catalog.models import Asset, Branch, Instance
from catalog.pagekit.code_examples import EVALUATION_EXAMPLE
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pagekit.uses import EntityLink
from catalog.pages.instances import InstancePage, paged_by_number, suggested_by
from catalog.pages.properties import shown
from catalog.querysets import InstanceQuerySet
from catalog.reading import Place, find_branch
from catalog.unchanged import ASSETS_OF_BRANCH, FRAME_OF_BRANCH
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import entity_shape, time_shape
from obproject.charts import Chart

ROWS = 50
NAMED = re.compile(r"(\S{1,128})[ /:@]v([1-9][0-9]{0,8})")
"""A value that names an instance: `churn_model v12`."""
WORDS, FIGURES = 4, 8
"""The most columns of text and of numbers that are shown."""


@dataclass(frozen=True)
class Column:
    name: str
    is_number: bool
    unit: str = ""


@dataclass(frozen=True)
class Cell:
    """What one entry says in a column, and where it leads; `text` is None if it says nothing."""

    column: Column
    text: str | None
    is_number: bool
    url: str


@dataclass(frozen=True)
class Evaluation:
    """One entry of the log."""

    instance: Instance
    url: str
    cells: list[Cell]

    @property
    def who(self) -> EntityLink:
        return EntityLink.of(self.instance.producer_kind, self.instance.producer_id)


@at_place
@unless_shown(FRAME_OF_BRANCH | ASSETS_OF_BRANCH)
def evaluations_page(request: HttpRequest, place: Place, twin: bool, branch: Branch | None) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    branch = branch or find_branch(viewer, place)
    logs = Asset.objects.visible_to(viewer).on_branch(branch).evaluation_logs().defer("readme")
    log = logs.select_related("branch__project__perimeter", "newest_ready").first()
    page = _page(viewer, log, query) if log else InstancePage([])
    if twin:
        query.refuse_unknown("chart")
        shapes = [_shape(log, row) for row in page.rows] if log else []
        return json_answer({"evaluations": shapes, "newer": page.newer, "older": page.older})
    context = {**branch_frame(request, branch, "evaluations"), "branch": branch}
    if log is None:
        return render(request, "catalog/no_evaluations.html", {**context, "example": EVALUATION_EXAMPLE})
    context |= {"log": log, "notices": query.notices("chart"), **_table(viewer, log, page, query)}
    return render(request, "catalog/evaluations.html", context)


def _page(viewer: Viewer, log: Asset, query: PageQuery) -> InstancePage:
    asked = query.filters().in_any_state()
    found = Instance.objects.visible_to(viewer).of(log).matching(asked.without(TEXT))
    said = _saying(found.select_related("component").defer("blobs"), asked.text)
    return paged_by_number(said, log, asked, query, ROWS)


def _saying(found: InstanceQuerySet, text: str) -> InstanceQuerySet:
    """The entries with all the words in their values or their producer."""
    found = found.alias(said=Cast("annotations", TextField()))
    for word in text.split():
        escaped = json.dumps(word)[1:-1]  # as a database may store it
        found = found.filter(Q(said__icontains=word) | Q(said__icontains=escaped) | Q(producer_id__icontains=word))
    return found


def _table(viewer: Viewer, log: Asset, page: InstancePage, query: PageQuery) -> dict[str, Any]:
    columns, more = columns_of(page.rows, log.metrics)
    named = instances_named(viewer, log, page.rows)
    numbers = [column.name for column in columns if column.is_number]
    asked = query.params.get("chart", "")
    filtered = bool(query.filters())
    charted = asked if asked in numbers else next(iter(numbers), "")
    return {
        "log_url": asset_url(log),
        "evaluations_url": evaluations_url(log.branch),
        "columns": columns,
        "more_columns": more,
        "rows": [_evaluation(log, row, columns, named) for row in page.rows],
        **page.context,
        "chart": chart_of(page.rows, charted),
        "charted": charted,
        "charts": [{"label": name, "url": query.url(chart=name), "current": name == charted} for name in numbers],
        "chips": query.chips(),
        "add_options": query.filters_to_add(suggested_by(page.rows)),
        "clear_url": query.without_filters(),
        **query.search(),
        "total": None if filtered else log.last_number,
        "noun": "evaluation" if not filtered and log.last_number == 1 else "evaluations",
    }


def columns_of(rows: list[Instance], declared: DeclaredMetrics) -> tuple[list[Column], int]:
    """The columns: text by name, then numbers, what is declared and those of quality first; and how many are left out.

    A column is one of numbers if any of its values is: what an entry says instead of a number is a gap in it.
    """
    said: set[str] = set()
    measured: set[str] = set()
    for row in rows:
        said |= {name for name, value in row.annotations.items() if value is not None}
        measured |= metrics_of(row.annotations).keys()
    words = sorted(name for name in said - measured if not name.startswith("_"))
    figures = declared.in_order(sorted(measured, key=lambda name: (declared.wanted(name) is None, name)))
    columns = [Column(name, False) for name in words[:WORDS]]
    columns += [Column(name, True, declared.unit(name)) for name in figures[:FIGURES]]
    return columns, len(words) + len(figures) - len(columns)


def chart_of(rows: list[Instance], name: str) -> Chart | None:
    """The chart of a number over the rows, oldest first, with gaps; None if fewer than two rows have it."""
    values = [number_of(row.annotations.get(name)) for row in reversed(rows)]
    gaps = values.count(None)
    if len(values) - gaps < 2:
        return None
    written = _way_to_write(rows[-1].created_at, rows[0].created_at)
    labels = [row.created_at.astimezone(UTC).strftime(written) for row in reversed(rows)]
    caption = f"Gaps: {gaps} of {len(values)} entries did not measure it." if gaps else ""
    series = [{"name": "", "values": values}]
    return Chart.of({"kind": "line", "x": labels, "series": series, "caption": caption})


def _way_to_write(first: datetime, last: datetime) -> str:
    """The format of times in a range, precise enough to tell them apart."""
    if last - first > timedelta(days=2):
        return "%Y-%m-%d"
    return "%H:%M" if last - first > timedelta(hours=1) else "%H:%M:%S"


def instances_named(viewer: Viewer, log: Asset, rows: list[Instance]) -> dict[str, str]:
    """The addresses of the instances on the log's branch that values name, by the value. One query, or none."""
    values = {value for row in rows for value in row.annotations.values() if isinstance(value, str)}
    named = {value: (match[1], int(match[2])) for value in values if (match := NAMED.fullmatch(value))}
    if not named:
        return {}
    ids, numbers = map(set, zip(*named.values(), strict=True))
    assets = Asset.objects.visible_to(viewer).on_branch(log.branch).filter(asset_id__in=ids)
    found = Instance.objects.visible_to(viewer).filter(asset__in=assets, number__in=numbers)
    columns = found.order_by("asset__kind").values_list("asset__asset_id", "number", "asset__kind")
    there = {(asset_id, number): kind for asset_id, number, kind in columns}  # of two kinds the model
    return {
        value: f"{asset_url_by_id(log.branch, there[one], one[0])}/v{one[1]}"
        for value, one in named.items()
        if one in there
    }


def _evaluation(log: Asset, row: Instance, columns: list[Column], named: dict[str, str]) -> Evaluation:
    cells = [_cell(column, row.annotations.get(column.name), named) for column in columns]
    return Evaluation(row, instance_url(log, row), cells)


def _cell(column: Column, value: Any, named: dict[str, str]) -> Cell:
    number = number_of(value) if column.is_number else None
    url = named.get(value, "") if isinstance(value, str) else ""
    return Cell(column, shown(value) if number is None else with_unit(number, column.unit), number is not None, url)


def _shape(log: Asset, row: Instance) -> dict[str, Any]:
    return {
        "id": row.uid,
        "ref": row.ref,
        "state": row.state,
        "at": time_shape(row.created_at),
        "created_by": entity_shape(row.producer_kind, row.producer_id),
        "values": row.annotations,
        "url": instance_url(log, row),
    }
