"""The responses for one answer: the page, the part that htmx replaces, the small drawing in other pages, and files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from access.identity import Viewer, viewer_of
from catalog.addresses import page_url
from catalog.models import Asset, Branch
from catalog.pagekit.code_examples import EXAMPLES
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.query import Link, PageQuery
from catalog.wire.rendering import json_answer
from lineage.answers import Answer, Question, answer_shape
from lineage.drawing import HEADS, MOST_NODES, WIDEST, PageBranch, Picture, ago, cached_by_content, picture_of
from lineage.drawing.standalone import standalone
from lineage.drawing.style import symbols_of
from lineage.exports import EXPORTS, honesty_headers
from lineage.pages import words
from lineage.pages.find import Finding
from lineage.pages.opening import up_to, with_opened
from lineage.pages.routes import FORMS
from lineage.pages.table import table_of, table_url
from lineage.scope import Scope

PART, GLANCE = "lineage", "lineage-glance"
"""The ids of the elements that htmx replaces."""
MOST_PREVIOUS = 4
"""The number of earlier depths of an exact answer from which nodes keep their places."""
GLANCE_NODES = 60
"""The most nodes of the small drawing; the others are grouped."""
GLANCE_WIDEST = 868
"""The width of its frame beside a column."""

Ask = Callable[[Viewer, Scope], Answer]


@dataclass(frozen=True)
class Subject:
    """The subject of a page of lineage: a branch, a node, an asset or an instance."""

    branch: Branch
    title: str
    url: str
    """The subject's own page."""
    ask: Ask
    depth: int = 1
    direction: str = "both"
    kind: str = ""
    """The kind of the asset, for the tabs."""
    asset: Asset | None = None
    views: Sequence[Link] = ()
    finding: Finding = field(default_factory=Finding)


@dataclass(frozen=True)
class _Answered:
    """The answers for a subject: the plain one, and one more for each opened node."""

    subject: Subject
    query: PageQuery
    scope: Scope
    answers: list[Answer]
    is_glance: bool

    @property
    def last(self) -> Answer:
        return self.answers[-1]

    @property
    def asked(self) -> PageQuery:
        """The question without the page of the table."""
        params = self.query.params.copy()
        params.pop("page", None)
        return PageQuery(self.query.path, params)

    @property
    def opened(self) -> list[str]:
        return self.query.params.getlist("open")

    @property
    def page_branch(self) -> PageBranch:
        return PageBranch(self.subject.branch.project.name, self.subject.branch.key)

    @property
    def label(self) -> str:
        return f"Lineage of {self.subject.title}: {words.counted(self.last)}"

    def open_url(self, node: str) -> str:
        """The same page with one more node opened; of an exact answer, with a depth of one more."""
        params = self.asked.params.copy()
        if self.last.question == Question.EXACT and not node.startswith("g_"):
            params.appendlist("held", str(self.scope.depth))
            params["depth"] = str(min(abs(self.last.distance.get(node, 0)), self.scope.depth) + 1)
        else:
            params.appendlist("open", node)
        return PageQuery(self.query.path, params).url()

    def picture(self, now: datetime) -> Picture:
        return picture_of(
            self.answers,
            own=self.page_branch,
            now=now,
            open_url=self.open_url,
            opened=self.opened,
            most=GLANCE_NODES if self.is_glance else MOST_NODES,
            widest=GLANCE_WIDEST if self.is_glance else WIDEST,
        )


def lineage_response(request: HttpRequest, subject: Subject, suffix: str) -> HttpResponse:
    target = request.headers.get("HX-Target", "")
    found = _answer(request, subject, suffix, is_glance=target == GLANCE)
    if suffix:
        return _file(request, found, suffix)
    if target == GLANCE:
        response = render(request, "lineage/_glance.html", _glance(found))
    elif target == PART:
        response = render(request, "lineage/_lineage.html", _context(found))
    else:
        tab = subject.kind if subject.asset else "lineage"
        around = branch_frame(request, subject.branch, tab, subject.asset)
        response = render(request, "lineage/lineage.html", _context(found) | around)
    patch_vary_headers(response, ["HX-Target"])
    return response


def _answer(request: HttpRequest, subject: Subject, suffix: str, *, is_glance: bool) -> _Answered:
    query = PageQuery(page_url(request).removesuffix(suffix), request.GET)
    scope = Scope.of(query.params, depth=subject.depth, direction=subject.direction)
    viewer = viewer_of(request)
    base = subject.ask(viewer, scope)
    answers = with_opened(viewer, base, query.params.getlist("open"), scope)
    if base.question == Question.EXACT:
        answers = [*(up_to(base, depth) for depth in _previous_depths(query, scope)), *answers]
    return _Answered(subject, query, scope, answers, is_glance)


def _previous_depths(query: PageQuery, scope: Scope) -> list[int]:
    """The smaller depths that were drawn before; their nodes keep their places."""
    depths = [text for text in query.params.getlist("held") if text.isascii() and text.isdigit() and len(text) < 3]
    return sorted({int(text) for text in depths if int(text) < scope.depth})[-MOST_PREVIOUS:]


def _file(request: HttpRequest, found: _Answered, suffix: str) -> HttpResponse:
    if suffix == ".json":
        return json_answer(answer_shape(found.last))
    base_url = request.build_absolute_uri("/").rstrip("/")
    if suffix == ".svg":
        return standalone(found.picture(timezone.now()), found.label, base_url)
    export = EXPORTS[suffix.removeprefix(".")]
    text = export.write(found.last, base_url)
    return HttpResponse(text, export.content_type, headers=honesty_headers(found.last))


def _shared(found: _Answered) -> dict[str, Any]:
    """What the page and the small drawing ask for."""
    answer = found.last
    return {
        "answer": answer,
        "counted": words.counted(answer),
        "drawn": _drawn(found) if len(answer.graph) else "",
    }


def _glance(found: _Answered) -> dict[str, Any]:
    """The context of _glance.html."""
    return _shared(found) | {"full_url": found.asked.url(), "table_url": table_url(found.asked)}


def _context(found: _Answered) -> dict[str, Any]:
    """The context of _lineage.html."""
    subject, answer, scope, query = found.subject, found.last, found.scope, found.asked
    return _shared(found) | {
        "subject": subject,
        "around_what": words.around_what(answer),
        "title": "" if "focus" in query.params else subject.title,
        "sentences": words.sentences(answer),
        "menus": words.menus(answer, scope, query),
        "chips": words.chips(answer, scope, query),
        "add_options": words.filters_to_add(answer, scope, query),
        "kept_with_as_of": query.kept_with("as_of"),
        "as_of_value": scope.as_of.strftime("%Y-%m-%dT%H:%M") if scope.as_of else "",
        "files": [{"label": label, "url": query.on(query.path + suffix).url()} for suffix, label in FORMS.items()],
        "example": EXAMPLES["data"],
    }


def _drawn(found: _Answered) -> str:
    """The drawing and its table, cached until anything in them changes."""
    now = timezone.now()
    answer = found.last
    content = (
        [(answer.question, answer.nodes, answer.links, answer.focus, answer.more) for answer in found.answers],
        [ago(node.at, now) for node in answer.nodes],
        [ago(link.last_at, now) for link in answer.links],
        found.label,
        found.page_branch,
        found.query.url(),
        found.is_glance,
    )
    return cached_by_content("drawn", content, lambda: _drawn_anew(found, now))[1]


def _drawn_anew(found: _Answered, now: datetime) -> str:
    picture = found.picture(now)
    context = {
        "picture": picture,
        "symbols": symbols_of(picture.icons),
        "heads": HEADS,
        "label": found.label,
        "style": "",
        "base_url": "",
        "table": None if found.is_glance else table_of(found.last, found.query, found.subject.branch, now),
        "gathered": sum(len(members) for members in picture.members.values()),
        "legend": words.legend(picture),
    }
    return render_to_string("lineage/_drawn.html", context)
