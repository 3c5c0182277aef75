"""Highlights of runs as tiles: the newest of each flow on the overview, all of a branch on a page of their own."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from catalog.addresses import component_url, highlight_url
from catalog.limits import UNSTORABLE
from catalog.models import Branch, Highlight
from catalog.pagekit.code_examples import HIGHLIGHT_EXAMPLE
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pagekit.uses import EntityLink
from catalog.pages.statements import newest_highlights
from catalog.reading import Place, find_branch
from catalog.unchanged import FRAME_OF_BRANCH, HIGHLIGHTS_OF_BRANCH
from catalog.wire.highlight_shapes import highlight_shape
from catalog.wire.rendering import json_answer
from obproject.charts import Chart

ROWS = 24
MOST_FLOWS = 100
FIGURES = 4
LOOKS = {"important": "warn", "error": "bad", "new": "good"}


@dataclass(frozen=True)
class Tile:
    """A highlight as pages show it."""

    highlight: Highlight

    @property
    def url(self) -> str:
        return highlight_url(self.highlight)

    @property
    def title(self) -> str:
        return self.highlight.title or self.highlight.component.name

    @property
    def who(self) -> EntityLink:
        component = self.highlight.component
        return EntityLink(component.kind, component.name, self._component_url)

    @property
    def _component_url(self) -> str:
        """The component's page on this branch; empty if it belongs to another project."""
        branch, component = self.highlight.branch, self.highlight.component
        at_home = component.project_name == branch.project.name
        return component_url(branch, component.kind, component.name) if at_home else ""

    @property
    def labels(self) -> list[tuple[str, str]]:
        """Pairs of a word and the look of its badge."""
        words = self.highlight.content["labels"]
        return [(word[:1].upper() + word[1:], LOOKS.get(word.lower(), "")) for word in words if word.strip()]

    @property
    def lines(self) -> list[str]:
        return [line for line in self.highlight.content["synopsis"] if line.strip()]

    @property
    def columns(self) -> list[dict[str, str]]:
        return self._body_of("columns", [])

    @property
    def figures(self) -> list[dict[str, str]]:
        """The first columns, for places with one line only."""
        return self.columns[:FIGURES]

    @property
    def chart(self) -> Chart | None:
        chart = self._body_of("chart", None)
        return Chart.of(chart) if chart else None

    @property
    def has_image(self) -> bool:
        return self.highlight.content["highlight_type"] == "image"

    @property
    def image_url(self) -> str:
        """The address of the image; empty if there is none, or it is not stored."""
        return f"{self.url}/image" if self.highlight.image_type else ""

    @property
    def image_alt(self) -> str:
        return str(self._body_of("image", {}).get("alt", ""))

    @property
    def shape(self) -> dict[str, Any]:
        return highlight_shape(self.highlight)

    def _body_of(self, highlight_type: str, otherwise: Any) -> Any:
        content = self.highlight.content
        return content["highlight_body"] if content["highlight_type"] == highlight_type else otherwise


def newest_tiles(branch: Branch, most: int) -> list[Tile]:
    """The newest of each flow, newest first; of a branch that the viewer was found to see."""
    return [Tile(row) for row in newest_highlights(branch, most)]


def find_highlight(viewer: Viewer, place: Place, uid: str) -> Highlight:
    viewer.require(place.perimeter)
    known = Highlight.objects.visible_to(viewer).at_place(place).select_related("branch__spec")
    found = None if UNSTORABLE.search(uid) else known.at_hand().filter(uid=uid).first()
    if found is None:
        branch = find_branch(viewer, place)
        raise NotFound(f"There is no highlight '{uid}' on {place.project}/{branch.name}.", highlight=uid)
    return found


@at_place
@unless_shown(FRAME_OF_BRANCH | HIGHLIGHTS_OF_BRANCH)
def highlights_page(request: HttpRequest, place: Place, twin: bool, branch: Branch | None) -> HttpResponse:
    """All of a branch, newest first, or (`flow`) those of one flow."""
    viewer, query = viewer_of(request), PageQuery.of(request)
    branch = branch or find_branch(viewer, place)
    found = Highlight.objects.visible_to(viewer).filter(branch=branch)
    if flow := query.params.get("flow", ""):
        found = found.none() if UNSTORABLE.search(flow) else found.filter(component__name=flow)
    tiles = [Tile(row) for row in _earlier(found, query.number("before")).at_hand().newest_first()[: ROWS + 1]]
    older = query.url(before=tiles[ROWS - 1].highlight.pk) if len(tiles) > ROWS else None
    if twin:
        return json_answer({"highlights": [tile.shape for tile in tiles[:ROWS]], "older": older})
    context = {
        **branch_frame(request, branch, "overview"),
        "branch": branch,
        "tiles": tiles[:ROWS],
        "flows": _flows(newest_tiles(branch, MOST_FLOWS), query),
        "newest_url": query.url(before=None) if query.number("before") else None,
        "older_url": older,
        "example": HIGHLIGHT_EXAMPLE,
    }
    return render(request, "catalog/highlights.html", context)


def _earlier(found: Any, before: int | None) -> Any:
    """Those that come after the one of this key, newest first."""
    last = found.filter(pk=before).values_list("at", flat=True).first() if before is not None else None
    return found if last is None else found.filter(Q(at__lt=last) | Q(at=last, pk__lt=before))


def _flows(newest: list[Tile], query: PageQuery) -> list[dict[str, Any]]:
    """Links to the highlights of each flow, as choice_links shows them; none if there is only one."""
    names = sorted({tile.highlight.component.name for tile in newest})
    asked = query.params.get("flow", "")
    every = {"label": "All flows", "url": query.url(flow=None, before=None), "current": not asked}
    of_each = [{"label": name, "url": query.url(flow=name, before=None), "current": name == asked} for name in names]
    return [every, *of_each] if len(names) > 1 or asked else []


@at_place
def highlight_image(request: HttpRequest, place: Place, uid: str) -> HttpResponse:
    """The image. It never changes, and `nosniff` keeps browsers from taking it for anything else."""
    highlight = find_highlight(viewer_of(request), place, uid)
    if highlight.image is None:
        raise NotFound("This highlight has no image.", highlight=uid)
    response = HttpResponse(bytes(highlight.image), content_type=highlight.image_type)
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
