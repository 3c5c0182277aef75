"""Pages of a list by number, in the query parameter `page`."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import QuerySet

from catalog.pagekit.query import PageQuery

AROUND = 2


@dataclass(frozen=True)
class Page:
    """One page of a list, the context of pager."""

    rows: list[Any]
    total: int
    number: int
    last: int
    size: int
    query: PageQuery

    @property
    def summary(self) -> str:
        first = (self.number - 1) * self.size + 1
        return f"{first:,}\N{EN DASH}{first + len(self.rows) - 1:,} of {self.total:,}"

    @property
    def previous_url(self) -> str | None:
        return self._url(self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        return self._url(self.number + 1) if self.number < self.last else None

    @property
    def links(self) -> list[dict[str, Any]]:
        """The first page, the last, and those around this one, with gaps between."""
        near = range(self.number - AROUND, self.number + AROUND + 1)
        numbers = [number for number in range(1, self.last + 1) if number in (1, self.last) or number in near]
        links: list[dict[str, Any]] = []
        for before, number in zip([0, *numbers], numbers, strict=False):
            if number > before + 1:
                links.append({"number": None, "url": None, "current": False, "gap": True})
            links.append({"number": number, "url": self._url(number), "current": number == self.number, "gap": False})
        return links

    @property
    def shape(self) -> dict[str, Any]:
        """The position of the page in its list, for a JSON twin."""
        return {"total": self.total, "page": self.number, "pages": self.last, "next": self.next_url}

    def _url(self, number: int) -> str:
        return self.query.url(page=number if number > 1 else None)


def first_page(rows: list[Any], total: int, query: PageQuery, size: int) -> Page:
    """The first page of a list of so many rows."""
    return Page(rows, total, 1, max(1, ceil(total / size)), size, query)


def page_of(
    found: QuerySet[Any],
    query: PageQuery,
    size: int,
    total: int | None = None,
    read: Callable[[int, int], list[Any]] | None = None,
) -> Page:
    """The page named by the query; beyond the end, the last one. `total`, if it is known, saves a query.

    `read` reads its rows, from a place in the list to another; else they are those of `found`.
    """
    count = found.count() if total is None else total
    last = max(1, ceil(count / size))
    number = max(1, min(query.number("page") or 1, last))
    start, stop = (number - 1) * size, number * size
    rows = read(start, stop) if read else list(found[start:stop])
    return Page(rows, count, number, last, size, query)
