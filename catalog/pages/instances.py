"""The table of an asset's instances: filtered, newest first, in pages of equal cost at any depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from access.identity import Viewer
from catalog.addresses import instance_url
from catalog.filters import PRODUCER, SAME_AS, TAG, Filter, FiltersAsked
from catalog.metrics import Metric, number_of
from catalog.models import Asset, Instance
from catalog.pagekit.query import Link, PageQuery
from catalog.pagekit.uses import EntityLink
from catalog.querysets import InstanceQuerySet
from catalog.windows import Part, newer, older
from obproject.filter_keys import written_tag

ROWS = 20


@dataclass(frozen=True)
class InstanceRow:
    """`values` are those of the columns; `same_as` is the first version with the same content, if that is earlier."""

    instance: Instance
    url: str
    aliases: list[str]
    values: list[Metric]
    same_as: str = ""

    @property
    def tags(self) -> list[Link]:
        return [{"key": key, "value": value, "url": ""} for key, value in self.instance.tags.items()]

    @property
    def unusual(self) -> dict[str, str]:
        """What is unusual of it: by the names of metrics, in words."""
        row = getattr(self.instance, "unusual", None)
        return row.reasons if row else {}

    @property
    def producer(self) -> EntityLink:
        return EntityLink.of(self.instance.producer_kind, self.instance.producer_id)


@dataclass(frozen=True)
class InstancePage:
    """`newer`, `older`: addresses of the pages around this one, None at the ends.

    `looked_through`: the numbers among which `rows` are all that match, if there are others; `further` leads on there.
    """

    rows: list[Instance]
    newer: str | None = None
    older: str | None = None
    looked_through: Part | None = None
    further: str | None = None

    @property
    def context(self) -> dict[str, Any]:
        """What the fragment of a table needs to lead on."""
        said = looked_through(self.looked_through, len(self.rows)) if self.looked_through else ""
        return {
            "newer_url": self.newer,
            "older_url": self.older,
            "looked_through": said,
            "further_url": self.further,
        }


def looked_through(numbers: Part, found: int) -> str:
    """What a page says that has not looked through all versions."""
    which = f"{found} of them {'matches' if found == 1 else 'match'}" if found else "none of them matches"
    return f"Looked through v{numbers.lowest:,} to v{numbers.highest:,}: {which}."


def instances_on_page(viewer: Viewer, asset: Asset, query: PageQuery, *, bulk: bool = False) -> InstancePage:
    """`bulk`: with blobs."""
    asked = query.filters().in_any_state()
    matching = Instance.objects.visible_to(viewer).of(asset).matching(asked)
    matching = matching.select_related("component", "deprecation", "unusual")
    return paged_by_number(matching if bulk else matching.defer("blobs"), asset, asked, query)


def paged_by_number(
    found: InstanceQuerySet, asset: Asset, asked: FiltersAsked, query: PageQuery, size: int = ROWS
) -> InstancePage:
    """A page of the table, by number and not by offset: deep in the history it costs no more than the first."""
    after, before = query.number("after"), query.number("before")
    if after is not None:
        looked = newer(found, asset, asked, size, after)
        rows, more = looked.rows[:size][::-1], len(looked.rows) > size
        further = query.url(before=None, after=looked.part.highest) if looked.part else None
        back = _older(query, rows) if rows or not looked.part else query.url(after=None, before=after + 1)
        return InstancePage(rows, _newer(query, rows) if more else further, back, looked.part, further)
    looked = older(found, asset, asked, size, before)
    rows, more = looked.rows[:size], len(looked.rows) > size
    at_the_start = before is None or before > asset.last_number
    further = query.url(after=None, before=looked.part.lowest) if looked.part else None
    back = None if at_the_start else _newer(query, rows)
    return InstancePage(rows, back, _older(query, rows) if more else further, looked.part, further)


def instance_rows(
    asset: Asset, rows: list[Instance], columns: list[str], first_equal: Mapping[int, str]
) -> list[InstanceRow]:
    """The rows of the table, with the metrics named by `columns`; `first_equal` as `first_with_content_of` answers."""
    names: dict[str, list[str]] = {}
    for name, uid in sorted(asset.alias_index.items()):
        names.setdefault(uid, []).append(name)
    return [
        InstanceRow(
            row,
            instance_url(asset, row),
            names.get(row.uid, []),
            _values(asset, row, columns),
            first_equal.get(row.pk, ""),
        )
        for row in rows
    ]


def _values(asset: Asset, instance: Instance, columns: list[str]) -> list[Metric]:
    return [asset.metrics.metric(name, number_of(instance.annotations.get(name))) for name in columns]


def suggested_by(rows: list[Instance], first_equal: Mapping[int, str] | None = None) -> Iterator[tuple[Filter, str]]:
    """Filters to add, from the tags, the producing flows and the equal contents of the rows."""
    yield from ((SAME_AS, ref) for ref in (first_equal or {}).values())
    for row in rows:
        yield from ((TAG, written_tag(key, value)) for key, value in row.tags.items())
        yield PRODUCER, row.component.name


def _newer(query: PageQuery, rows: list[Instance]) -> str:
    return query.url(before=None, after=rows[0].number if rows else None)


def _older(query: PageQuery, rows: list[Instance]) -> str | None:
    return query.url(after=None, before=rows[-1].number) if rows else None
