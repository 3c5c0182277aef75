"""The first steps: what to do so that what flows make arrives here, and which of it has been done, as rows say it.

The page stands at an address of its own, for whoever adds a project, and in place of an empty list of projects. An open
page asks every few seconds whether a step more was done; each answer is a few small queries. Without `?project=` it
looks for a project that has come since it was opened, and goes on with that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from access.errors import BadRequest
from access.identity import Viewer, viewer_of
from access.models import Membership, Perimeter, Role, Token
from catalog.addresses import asset_url, branch_lineage_url, branch_url, first_steps_url, instance_url, project_url
from catalog.filter_values import time_of
from catalog.models import Asset, Branch, Component, Instance, Project
from catalog.pagekit.code_examples import settings_to_point_here
from catalog.pagekit.frame import perimeter_frame
from catalog.pagekit.query import PageQuery
from catalog.querysets import LAST_REFRESHED_FIRST
from catalog.shown.times import machine
from catalog.wire.rendering import json_answer
from obproject import first_steps

OWN = ("project", "since", "mark")
PART = "first-steps"
"""The element that an open page has replaced when a step more was done."""
NAMED = 5


@dataclass(frozen=True)
class Noticed:
    """What the catalogue knows of somebody's first steps."""

    token: Token | None = None
    """The one of theirs for this perimeter that was used last, in team mode."""
    project: Project | None = None
    branch: Branch | None = None
    """The project's branch on which something came last."""
    asset: Asset | None = None
    """What came last there: of the ready ones, as long as there are any."""

    @property
    def instance(self) -> Instance | None:
        return (self.asset.newest_ready or self.asset.newest) if self.asset else None

    @property
    def flow(self) -> str:
        """The flow that made it; empty for what was made elsewhere, as by a script."""
        component = self.instance.component if self.instance else None
        return component.name if component and component.kind == Component.Kind.FLOW else ""

    @property
    def has_called(self) -> bool:
        return self.project is not None or (self.token is not None and self.token.last_used_at is not None)

    @property
    def has_arrived(self) -> bool:
        return self.instance is not None and self.instance.is_ready

    @property
    def done(self) -> dict[str, bool]:
        """Of each step, in order, whether it is known to be done."""
        registered = self.instance is not None
        return {
            "client": self.has_called,
            "project": self.project is not None,
            "base": registered,
            "lines": registered,
            "run": self.has_arrived,
        }

    @property
    def mark(self) -> str:
        """What an open page has noticed, in a word."""
        instance = f"{self.instance.uid}-{self.instance.state}" if self.instance else ""
        known = (self.token and self.token.prefix, self.has_called, self.project and self.project.pk, instance)
        return ".".join(str(one or "") for one in known)


@dataclass(frozen=True)
class FirstSteps:
    """What the page shows."""

    perimeter: str
    """Empty for several, or none, in which the reader may not write."""
    noticed: Noticed = Noticed()
    project: str = ""
    """As the lines to copy have it."""
    asked: str = ""
    """As it stands in the field."""
    settings_code: str = ""
    makes_tokens: bool = False
    """Whether the reader makes the tokens of the perimeter."""
    poll_url: str = ""
    """Where an open page asks for more; empty when all is done."""
    watched: bool = False
    """Whether an open page has asked."""
    look_only: bool = False
    """Whether the reader may not write here."""
    members: Sequence[str] = ()
    """Some of those who may, then."""

    @property
    def url(self) -> str:
        return first_steps_url(self.perimeter)

    install_code = first_steps.INSTALL_CLIENT
    registering_code = first_steps.REGISTERING
    reading_code = first_steps.READING
    flow_code = first_steps.FIRST_FLOW
    running_code = f"{first_steps.DOCTOR}\n{first_steps.RUN_FLOW}"
    demo_code = first_steps.DEMO

    @property
    def problem(self) -> str:
        """What is wrong with the name in the field."""
        fits = not self.asked or first_steps.is_project_name(self.asked)
        return "" if fits else f"A project's name has {first_steps.PROJECT_NAME_RULE}, as Metaflow demands."

    @property
    def project_code(self) -> str:
        return first_steps.project_lines(self.project, self.perimeter)

    @property
    def base_code(self) -> str:
        return first_steps.BASE_CLASS.format(flow="TrainFlow")

    @property
    def make_token_url(self) -> str:
        """For who makes the tokens of the perimeter."""
        return reverse("admin:access_token_add") if self.makes_tokens else ""

    @cached_property
    def next_step(self) -> str:
        """The first that is not known to be done; empty if all are."""
        return next((step for step, done in self.noticed.done.items() if not done), "")

    @property
    def count_done(self) -> int:
        return sum(self.noticed.done.values())

    @property
    def project_url(self) -> str:
        return project_url(self.noticed.project) if self.noticed.project else ""

    @property
    def branch_url(self) -> str:
        return branch_url(self.noticed.branch) if self.noticed.branch else ""

    @property
    def lineage_url(self) -> str:
        return branch_lineage_url(self.noticed.branch) if self.noticed.branch else ""

    @property
    def instance_url(self) -> str:
        asset, instance = self.noticed.asset, self.noticed.instance
        return instance_url(asset, instance) if asset and instance else ""

    @property
    def asset_url(self) -> str:
        return asset_url(self.noticed.asset) if self.noticed.asset else ""

    @property
    def shape(self) -> dict[str, Any]:
        noticed = self.noticed
        instance, arrived = noticed.instance, None
        if noticed.asset and noticed.branch and instance:
            what = {"kind": noticed.asset.kind, "name": noticed.asset.asset_id, "branch": noticed.branch.name}
            arrived = {**what, "version": instance.ref, "state": instance.state, "url": self.instance_url}
        known = noticed.project.name if noticed.project else None
        return {"perimeter": self.perimeter, "project": known, "steps": noticed.done, "newest": arrived}


@require_safe
def first_steps_page(request: HttpRequest, perimeter: str, twin: bool) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    scope = viewer.require(perimeter)
    steps = _steps_of(request, viewer, scope)
    if twin:
        query.refuse_unknown(*OWN, takes=())
        if steps.problem:
            raise BadRequest(steps.problem, field="project")
        return json_answer(steps.shape)
    if request.headers.get("HX-Target") == PART:
        response = _part(request, steps)
    else:
        notices = query.notices(*OWN, takes=())
        context = {**perimeter_frame(request, perimeter), "perimeter": perimeter, "notices": notices, "steps": steps}
        response = render(request, "catalog/first_steps.html", context)
    patch_vary_headers(response, ["HX-Target"])
    return response


def steps_on_empty(request: HttpRequest, viewer: Viewer, perimeter: str) -> FirstSteps:
    """What stands in place of an empty list of projects: of a perimeter, or (`perimeter` empty) of all."""
    names = [perimeter] if perimeter else sorted(viewer.grants)
    writable = [name for name in names if viewer.may(name, Role.EDITOR)]
    if not writable:
        return _look_only(viewer, names)
    return _steps(request, viewer.require(writable[0]), Noticed(token=_token_of(viewer, writable[0])))


def steps_url_of(viewer: Viewer, branch: Branch) -> str:
    """The first steps of a branch's project; empty for who may not write there."""
    project = branch.project
    writes = viewer.may(project.perimeter, Role.EDITOR)
    return _with(first_steps_url(project.perimeter.name), project=project.name) if writes else ""


def _part(request: HttpRequest, steps: FirstSteps) -> HttpResponse:
    if request.GET.get("mark") == steps.noticed.mark:
        return HttpResponse(status=204)
    response = render(request, "catalog/_first_steps.html", {"steps": steps})
    if steps.noticed.project:  # so that the page is the same one when it is loaded again
        response.headers["HX-Replace-Url"] = _with(steps.url, project=steps.noticed.project.name)
    return response


def _steps_of(request: HttpRequest, viewer: Viewer, scope: Perimeter) -> FirstSteps:
    if not viewer.may(scope, Role.EDITOR):
        return _look_only(viewer, [scope.name])
    name, since = request.GET.get("project", "").strip(), time_of("since", request.GET.get("since", ""))
    projects = Project.objects.visible_to(viewer).filter(perimeter=scope).select_related("perimeter")
    project = None
    if first_steps.is_project_name(name):
        project = projects.filter(name=name).first()
    elif not name and since:
        project = projects.filter(created_at__gt=since).order_by("pk").first()
    branch = _branch_of(viewer, project) if project else None
    asset = _asset_of(branch) if branch else None
    return _steps(request, scope, Noticed(_token_of(viewer, scope.name), project, branch, asset))


def _steps(request: HttpRequest, scope: Perimeter, noticed: Noticed) -> FirstSteps:
    asked = noticed.project.name if noticed.project else request.GET.get("project", "").strip()
    fits = first_steps.is_project_name(asked)
    since = request.GET.get("since") or machine(timezone.now())
    looked_for = {"project": asked} if fits else {"since": since}
    return FirstSteps(
        perimeter=scope.name,
        noticed=noticed,
        project=asked if fits else first_steps.suggested_project(asked),
        asked=asked,
        settings_code=settings_to_point_here(request),
        makes_tokens=viewer_of(request).may(scope, Role.ADMIN),
        poll_url="" if noticed.has_arrived else _with(first_steps_url(scope.name), **looked_for, mark=noticed.mark),
        watched="mark" in request.GET,
    )


def _look_only(viewer: Viewer, perimeters: Sequence[str]) -> FirstSteps:
    """For who may write in none of these."""
    may = Membership.objects.visible_to(viewer).filter(perimeter__name__in=perimeters).exclude(role=Role.VIEWER)
    names = may.order_by("user__username").values_list("user__username", flat=True).distinct()[: NAMED + 1]
    perimeter = perimeters[0] if len(perimeters) == 1 else ""
    return FirstSteps(perimeter, look_only=True, members=tuple(names))


def _token_of(viewer: Viewer, perimeter: str) -> Token | None:
    """The person's own; local mode needs none."""
    if viewer.person is None:
        return None
    tokens = Token.objects.visible_to(viewer).filter(user=viewer.person, perimeter__name=perimeter, revoked_at=None)
    last = sorted(tokens.exclude(role=Role.VIEWER), key=lambda one: (one.last_used_at or one.created_at, one.pk))
    return next((token for token in reversed(last) if token.is_valid), None)


def _branch_of(viewer: Viewer, project: Project) -> Branch | None:
    branches = Branch.objects.visible_to(viewer).of_project(project).with_freshness()
    found = branches.order_by(LAST_REFRESHED_FIRST, "-id").first()
    if found:
        found.project = project
    return found


def _asset_of(branch: Any) -> Asset | None:
    """What came last on a branch with its `refreshed_at`."""
    assets = Asset.objects.on_branch(branch).with_newest_instances().without_bulk()
    if branch.refreshed_at:
        found = assets.filter(refreshed_at__isnull=False).freshest_first().first()
    else:
        found = assets.exclude(newest=None).order_by("-newest").first()
    if found:
        found.branch = branch
    return found


def _with(url: str, **query: str) -> str:
    return f"{url}?{urlencode(query)}"
