"""What stands in a film-strip: a frame for each version, and the metric under it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.addresses import cards_url, instance_url
from catalog.metrics import line_through, sparkline
from catalog.models import Asset, Instance
from catalog.pages.chosen_metric import ChosenMetric
from catalog.wire.shapes import time_shape

WIDTH, STEP, HEIGHT, MARGIN = 288, 304, 48, 3
"""Pixels: of a card, from one to the next, of the line below them and at its edges; as static/film.css has them."""


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
    metric: ChosenMetric,
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
