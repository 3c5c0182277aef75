"""The query string of a page: links that change a part of it, and filters shown as chips."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, QueryDict

from access.errors import BadRequest
from catalog.addresses import page_url
from catalog.filters import FILTERS, STATE, TAG, TEXT, Filter, FiltersAsked, refusal_of_unknown, unknown_parameters
from catalog.limits import UNSTORABLE
from catalog.models import Asset
from catalog.states import State
from obproject.filter_keys import written_tag

Link = dict[str, Any]
MOST_OFFERED = 40
IN_QUERIES = "/=:,@"
"""What is written as it is in a query string."""
PLACES = ("page", "before", "after")
"""The parameters of the position in a list; links that change what is listed drop them."""

TRACKING = re.compile(r"(utm|mc|mtm|pk|hsa)_\w+|_ga|_gl|\w*clk?id|ref|ref_src|igshid|mkt_tok")
"""What other sites add to the links that lead here; no page means to be asked by it."""


@dataclass(frozen=True)
class PageQuery:
    """A page's address without its query string, and the parameters in that."""

    path: str
    params: QueryDict

    @classmethod
    def of(cls, request: HttpRequest, anchor: str = "") -> "PageQuery":
        return cls(page_url(request) + anchor, request.GET)

    def filters(self, takes: Sequence[Filter] = FILTERS) -> FiltersAsked:
        return FiltersAsked.of(self.params, takes)

    def notices(self, *own: str, takes: Sequence[Filter] = FILTERS) -> list[str]:
        """The notices about parameters that are neither filters nor the page's own nor a place in its list."""
        unknown = [f"'{name}'" for name in self._unknown(own, takes)]
        if len(unknown) > 1:
            return [f"This page knows no filters {', '.join(unknown[:-1])} and {unknown[-1]}; they are left out."]
        return [f"This page knows no filter {name}; it is left out." for name in unknown]

    def refuse_unknown(self, *own: str, takes: Sequence[Filter] = FILTERS) -> None:
        """Refuse unknown parameters, for JSON twins: programs read these."""
        if unknown := self._unknown(own, takes):
            raise refusal_of_unknown(unknown, takes, [*own, *PLACES])

    @property
    def search_text(self) -> str:
        """The text of the search box."""
        return " ".join(text for name in TEXT.names for text in self.params.getlist(name))

    def url(self, **changes: object) -> str:
        """This page with some parameters set, or removed (None)."""
        query = self.params.copy()
        for name, value in changes.items():
            if value is None:
                query.pop(name, None)
            else:
                query[name] = str(value)
        return self._with(query)

    def with_values(self, name: str, values: Iterable[str]) -> str:
        """This page with a parameter that may be given several times."""
        query = self.params.copy()
        query.setlist(name, list(values))
        return self._with(query)

    def with_filter(self, name: str, value: str) -> str:
        """The first page of this list with one more filter."""
        if name not in self.params:  # as a page of many rows has many links, each to a filter of its own
            before, after = self._around_one_more
            return f"{before}{quote(name, safe=IN_QUERIES)}={quote(value, safe=IN_QUERIES)}{after}"
        query = self._from_the_start()
        if value not in query.getlist(name):
            query.appendlist(name, value)
        return self._with(query)

    @cached_property
    def _around_one_more(self) -> tuple[str, str]:
        """What stands before and after one more parameter of the first page."""
        path, hash_sign, anchor = self.path.partition("#")
        text = self._from_the_start().urlencode(safe=IN_QUERIES)
        return f"{path}?{text}&" if text else f"{path}?", hash_sign + anchor

    def without_filter(self, name: str, value: str) -> str:
        query = self._from_the_start()
        query.setlist(name, [other for other in query.getlist(name) if other != value])
        return self._with(query)

    def without_filters(self) -> str:
        query = self._from_the_start()
        for row in FILTERS:
            for name in row.names:
                query.pop(name, None)
        return self._with(query)

    def chips(self) -> list[Link]:
        """The filters in force, for filter_sentence."""
        return [
            {"label": row.label, "value": text, "remove_url": self.without_filter(name, text)}
            for row in FILTERS
            for name in row.names
            for text in self.params.getlist(name)
            if text and row.parse(name, [text])
        ]

    def filters_to_add(self, suggested: Iterable[tuple[Filter, str]]) -> list[Link]:
        """Links that add a filter each: all states, then those that rows suggest, the most frequent first.

        No numbers stand beside them, as the rows are those of one page.
        """
        counts = Counter(suggested)
        states: list[tuple[Filter, str]] = [(STATE, state) for state in State.values]
        by_use = sorted(counts, key=lambda option: (-counts[option], option[0].label, option[1]))
        in_force = self.filters().values
        offered = [
            {"label": f"{row.label} {text}", "url": self.with_filter(row.name, text)}
            for row, text in [*states, *by_use]
            if not set(row.parse(row.name, [text])) <= set(in_force.get(row.name, ()))
        ]
        return offered[:MOST_OFFERED]

    def kept_with(self, *names: str) -> list[tuple[str, str]]:
        """The other parameters, as hidden fields of a form that sets these."""
        kept = self._from_the_start()
        for name in names:
            kept.pop(name, None)
        return [(other, value) for other, values in kept.lists() for value in values]

    def search(self) -> Link:
        """The context of a search box among the filters of a list."""
        return {"search_text": self.search_text, "kept": self.kept_with(*TEXT.names)}

    def number(self, name: str) -> int | None:
        """A whole number in the query, clamped to what a list can have; None if there is none."""
        text = self.params.get(name, "")
        if not text:
            return None
        if UNSTORABLE.search(text) or not (text.isascii() and text.isdigit()):
            raise BadRequest(f"'{name}' must be a whole number.", field=name)
        return min(int(text[:10]), 2**31 - 1)

    def on(self, path: str) -> "PageQuery":
        """The same query at another address."""
        return replace(self, path=path)

    def _unknown(self, own: Sequence[str], takes: Sequence[Filter]) -> list[str]:
        return [
            name for name in unknown_parameters(self.params, takes, [*own, *PLACES]) if not TRACKING.fullmatch(name)
        ]

    def _from_the_start(self) -> QueryDict:
        query = self.params.copy()
        for name in PLACES:
            query.pop(name, None)
        return query

    def _with(self, query: QueryDict) -> str:
        path, _, anchor = self.path.partition("#")
        text = query.urlencode(safe=IN_QUERIES)
        return path + (f"?{text}" if text else "") + (f"#{anchor}" if anchor else "")


def tags_of(asset: Asset) -> dict[str, str]:
    """The effective tags: those that are declared, with those of the newest ready instance over them."""
    return asset.tags_with(asset.newest_ready)


def tag_links(asset: Asset, listing: PageQuery) -> list[Link]:
    """The tags of an asset, each with the address of `listing` filtered by it."""
    return [
        {"key": key, "value": value, "url": listing.with_filter(TAG.name, written_tag(key, value))}
        for key, value in tags_of(asset).items()
    ]
