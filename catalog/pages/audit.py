"""The audit page of a perimeter: who changed what, over the events that the catalogue keeps, and what `access` keeps.

Nothing is copied: each kind of event is asked for by one query, for no more rows than a page has, and the newest of all
are shown. What is registered and consumed is not among them. The entries of the audit log are for admins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.errors import BadRequest
from access.identity import VIA_TOKEN, Viewer, viewer_of
from access.models import TOKEN_START, Perimeter, Role
from catalog.addresses import AUDIT, page_url
from catalog.limits import UNSTORABLE
from catalog.models import Instance, Project
from catalog.pagekit.frame import perimeter_frame
from catalog.pagekit.query import PageQuery
from catalog.pages.audited import FOR_ADMINS, RANKS, SOURCES, Event
from catalog.pages.home import project_page
from catalog.shown.cells import CSV, csv_of
from catalog.wire.rendering import json_answer

OWN = ("what", "by", "project", "before")
ROWS = 50
ROWS_IN_FILE = 1000
FILES = {".csv": "CSV", ".json": "JSON"}
HEADS = ("at", "kind", "what", "subject", "detail", "comment", "by", "project", "branch", "address")
DEFINITION = "definition"


@dataclass(frozen=True)
class Position:
    """Where a page begins: after the event of this kind and key at this time."""

    at: datetime
    kind: str
    pk: int

    @classmethod
    def of(cls, text: str) -> "Position | None":
        if not text:
            return None
        try:
            at, kind, pk = text.split(",")
            return cls(datetime.fromisoformat(at).astimezone(UTC), kind, int(pk[:18]) + 0 * RANKS[kind])
        except (ValueError, KeyError, OverflowError):
            raise BadRequest("'before' is not one that this page gave out. Begin without it.", field="before") from None

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).isoformat().replace('+00:00', 'Z')},{self.kind},{self.pk}"

    def after(self, name: str, column: str) -> Q:
        """What of a kind comes after it, newest first; of equal times kinds have their order."""
        rank, own = RANKS[name], RANKS[self.kind]
        if rank > own:
            return Q(**{f"{column}__lte": self.at})
        later = Q(**{f"{column}__lt": self.at})
        return later | Q(**{column: self.at, "pk__lt": self.pk}) if rank == own else later


@dataclass(frozen=True)
class Asked:
    """The filters of a page."""

    what: str
    by: str
    project: str
    before: Position | None

    @classmethod
    def of(cls, query: PageQuery) -> "Asked":
        params = query.params
        what, by, project = (params.get(name, "").strip() for name in ("what", "by", "project"))
        if what and what not in SOURCES:
            raise BadRequest(f"There are no events '{what}'. There are: {', '.join(SOURCES)}.", field="what")
        return cls(what, by, project, Position.of(params.get("before", "")))


def events_of(viewer: Viewer, perimeter: Perimeter, asked: Asked, most: int) -> tuple[list[Event], Position | None]:
    """The newest events that are asked for, and where the next page begins: a query for each kind, and one for the
    versions that aliases were moved between."""
    found: list[Event] = []
    for name in _kinds(viewer, perimeter, asked):
        found += map(SOURCES[name].event, _rows(name, viewer, perimeter, asked)[: most + 1])
    found.sort(key=lambda event: event.place)
    found.sort(key=lambda event: event.at, reverse=True)
    shown = found[:most]
    last = shown[-1] if len(found) > most else None
    return _with_refs(perimeter, shown), Position(last.at, last.kind, last.pk) if last else None


def _kinds(viewer: Viewer, perimeter: Perimeter, asked: Asked) -> list[str]:
    """The kinds that can have what is asked for."""
    if any(UNSTORABLE.search(text) for text in (asked.by, asked.project)):
        return []
    may = viewer.may(perimeter, Role.ADMIN)
    names = [name for name in SOURCES if name not in FOR_ADMINS or may]
    return [name for name in names if asked.what in ("", name) and (SOURCES[name].project or not asked.project)]


def _rows(name: str, viewer: Viewer, perimeter: Perimeter, asked: Asked) -> QuerySet[Any]:
    source = SOURCES[name]
    within = perimeter.name if source.perimeter == "perimeter_name" else perimeter
    rows = source.rows(viewer).filter(**{source.perimeter: within})
    if asked.project:
        rows = rows.filter(**{source.project: asked.project})
    if asked.by:
        token = f"{asked.by}{VIA_TOKEN}{TOKEN_START}"
        rows = rows.filter(Q(**{source.actor: asked.by}) | Q(**{f"{source.actor}__startswith": token}))
    if asked.before:
        rows = rows.filter(asked.before.after(name, source.at))
    return rows.order_by(F(source.at).desc(), "-pk")


def _with_refs(perimeter: Perimeter, events: Sequence[Event]) -> list[Event]:
    """The events with the versions behind the ids that they name; what is no version is a definition."""
    uids = {uid for event in events for uid in event.uids if uid}
    if not uids:
        return list(events)
    known = Instance.objects.of(perimeter).filter(uid__in=uids).values_list("uid", "number")
    refs = dict.fromkeys(uids, DEFINITION) | {uid: f"v{number}" for uid, number in known}
    return [event.with_refs(refs) for event in events]


@require_safe
def audit_page(request: HttpRequest, perimeter: str, form: str, beside: bool) -> HttpResponseBase:
    """The newest events of a perimeter, or what is asked for of them.

    A project that is called `audit` keeps its address; the page is at one that no project can have (`beside`) as well.
    """
    viewer = viewer_of(request)
    scope = viewer.require(perimeter)
    if not beside and form in ("", ".json"):
        named_so = Project.objects.visible_to(viewer).filter(perimeter=scope, name=AUDIT + form)
        same = Project.objects.visible_to(viewer).filter(perimeter=scope, name=AUDIT)
        if (named_so | same).exists():
            return project_page(request, perimeter=perimeter, project=AUDIT, twin=form == ".json")
    query = PageQuery(page_url(request).removesuffix(form), request.GET)
    asked = Asked.of(query)
    events, after = events_of(viewer, scope, asked, ROWS_IN_FILE if form else ROWS)
    if form:
        query.refuse_unknown(*OWN, takes=())
        return _file(events, query.on(query.path + form).url(before=after) if after else None, form)
    context = {
        **perimeter_frame(request, perimeter),
        "json_url": query.on(query.path + ".json").url(),
        "perimeter": perimeter,
        "events": events,
        "asked": asked,
        "kinds": _choices(query, _kinds(viewer, scope, Asked("", "", "", None)), asked.what),
        "kept": [("what", asked.what)] if asked.what else [],
        "is_filtered": bool(asked.what or asked.by or asked.project),
        "clear_url": query.path,
        "notices": query.notices(*OWN, takes=()),
        "newest_url": query.url(before=None) if asked.before else None,
        "older_url": query.url(before=after) if after else None,
        "files": [{"label": label, "url": query.on(query.path + end).url(before=None)} for end, label in FILES.items()],
    }
    return render(request, "catalog/audit.html", context)


def _choices(query: PageQuery, names: Iterable[str], current: str) -> list[dict[str, Any]]:
    every = {"label": "Everything", "url": query.url(what=None, before=None), "current": not current}
    return [
        every,
        *(
            {"label": SOURCES[name].label, "url": query.url(what=name, before=None), "current": name == current}
            for name in names
        ),
    ]


def _file(events: list[Event], older: str | None, form: str) -> HttpResponse:
    if form == ".json":
        return json_answer({"events": [event.shape for event in events], "older": older})
    rows = [[str(cell or "") for cell in event.shape.values()] for event in events]
    response = HttpResponse(csv_of([HEADS, *rows]), CSV)
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    if older:
        response.headers["Link"] = f'<{older}>; rel="next"'
    return response
