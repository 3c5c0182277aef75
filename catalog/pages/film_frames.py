"""What stands in a film-strip: a frame for each version, and the metric under it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.addresses import cards_url, instance_url
from catalog.metrics import format_metric, line_through, metrics_of, number_of, sparkline
from catalog.models import Asset, Instance
from catalog.pagekit.query import PageQuery
from catalog.pages.trends import trends_of
from catalog.wire.shapes import time_shape

MOST_NAMES = 200
"""How many metrics are offered."""
LONGEST = 24
"""Of what is no number, so many characters are shown."""
WIDTH, STEP, HEIGHT, MARGIN = 288, 304, 48, 3
"""Pixels: of a card, from one to the next, of the line below them and at its edges; as static/film.css has them."""
DIRECTIONS = {"up": "higher is better", "down": "lower is better", None: ""}


@dataclass(frozen=True)
class UnderCards:
    """The metric that stands under the cards, and the names of those that could."""

    name: str
    names: Sequence[str]
    unit: str = ""
    wanted: str = ""

    @classmethod
    def of(cls, asset: Asset, query: PageQuery, rows: Iterable[Instance]) -> "UnderCards":
        seen = dict.fromkeys(trends_of([asset])[asset.pk].names)
        for row in rows:
            seen |= dict.fromkeys(metrics_of(row.annotations))
        declared = asset.metrics
        names = declared.in_order(list(seen))
        name = query.params.get("metric", "") or next(iter(declared.headline(names)), "")
        return cls(name, names[:MOST_NAMES], declared.unit(name), DIRECTIONS[declared.wanted(name)])

    def value_of(self, instance: Instance) -> tuple[float | None, str, str]:
        """Its value in a version; the same as text with its unit; what there is instead."""
        if not self.name:
            return None, "", ""
        said = instance.annotations.get(self.name)
        value = number_of(said)
        if value is not None:
            return value, f"{format_metric(value)} {self.unit}".strip(), ""
        return None, "", "not measured" if said is None else f"no number: {str(said)[:LONGEST]}"


@dataclass(frozen=True)
class Frame:
    """A version and its card. `instead` says what there is instead of a value, `why` that no card is asked for.

    `pin_url` pins it, or lets it go if it is pinned. `same_as`: the first version with the same content, if another.
    """

    instance: Instance
    url: str
    cards: str
    aliases: Sequence[str]
    value: float | None
    text: str
    instead: str
    pin_url: str
    is_pinned: bool
    same_as: str

    @property
    def why(self) -> str:
        row = self.instance
        if row.is_failed:
            return f"{row.ref} failed: {row.state_reason}" if row.state_reason else f"{row.ref} failed."
        if row.is_pending:
            return f"{row.ref} is not finished yet."
        return "" if row.producer_kind == "task" else f"{row.ref} was not made by a Metaflow task, so it has no card."

    @property
    def shape(self) -> dict[str, Any]:
        """The version as JSON."""
        row = self.instance
        found = {"ref": row.ref, "state": row.state, "created_at": time_shape(row.created_at), "url": self.url}
        measured = {"value": self.value, "pinned": self.is_pinned, "same_as": self.same_as or None}
        return found | measured | {"aliases": self.aliases, "cards": self.cards, "no_card": self.why or None}


def frames_of(
    asset: Asset,
    rows: Iterable[Instance],
    metric: UnderCards,
    pinned: Sequence[str],
    pin_urls: Mapping[str, str],
    first_equal: Mapping[int, str],
) -> list[Frame]:
    names: dict[str, list[str]] = {}
    for name, uid in sorted(asset.alias_index.items()):
        names.setdefault(uid, []).append(name)
    return [
        Frame(
            row,
            instance_url(asset, row),
            cards_url(asset, row),
            names.get(row.uid, []),
            *metric.value_of(row),
            pin_urls[row.ref],
            row.ref in pinned,
            first_equal.get(row.pk, ""),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Line:
    """The line through the values under the cards: its size, its path and the dots on it."""

    width: int
    height: int
    path: str
    dots: Sequence[tuple[int, int]]


def line_of(frames: Sequence[Frame]) -> Line | None:
    """None if there is nothing to draw."""
    points = sparkline([frame.value for frame in frames], (len(frames) - 1) * STEP + 2 * MARGIN, HEIGHT)
    moved = [point and (point[0] + WIDTH // 2 - MARGIN, point[1]) for point in points]
    if not any(moved):
        return None
    width = len(frames) * STEP - (STEP - WIDTH)
    return Line(width, HEIGHT, line_through(moved), [point for point in moved if point])
