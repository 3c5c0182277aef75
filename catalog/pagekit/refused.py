"""What stands around the sentence of an error page: the frame of the deepest level of its address that is there and
may be seen, and, of a page that is not there, what is nearest to it.

All of it comes from what the viewer may see; so it is the same for what is missing and for what is hidden.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from access.errors import BadRequest, SiteError
from access.identity import Viewer, viewer_of
from catalog.addresses import (
    COMPONENT_SEGMENTS,
    asset_url,
    branch_url,
    deleted_url,
    highlights_url,
    perimeter_url,
    project_url,
)
from catalog.folding import folded
from catalog.limits import RECOVERABLE_DAYS, UNSTORABLE
from catalog.models import Asset, Branch, Component, Project
from catalog.pagekit.frame import LONGEST_MENU, branch_frame, perimeter_entries, perimeter_frame, project_frame
from catalog.pagekit.hits import (
    Hit,
    hit_of_asset,
    hit_of_branch,
    hit_of_component,
    hit_of_instance,
    hit_of_project,
)
from catalog.reading import Place
from catalog.states import Kind
from obproject.branches import MAIN_BRANCHES

Json = dict[str, Any]
Row = TypeVar("Row", bound=Model)
Named = TypeVar("Named")
AROUND = 100
"""How many names before and after the one asked for are compared with it, in the order of their index."""
MOST = 5
LEAST_ALIKE = 0.7
MOST_SEGMENTS = 6
"""How many segments the name of a branch is looked for in."""


def context_of(request: HttpRequest, status: int) -> Json:
    """The context of _error.html, but for its sentence."""
    is_page = request.headers.get("Sec-Fetch-Dest", "document") == "document"  # no image, no frame in another page
    match = request.resolver_match if is_page else None
    viewer = _viewer_of(request) if match else None
    if match is None or viewer is None or "perimeter" not in match.kwargs:
        return {}
    asked = {name: _as_kept(value) for name, value in (match.kwargs | _focus_of(request)).items()}
    found = _Found.of(viewer, asked)
    context = found.frame(request) | {"json_url": ""}
    return context | {"nearest": found.nearest(), "deleted": found.deleted()} if status == 404 else context


def _as_kept(value: object) -> str:
    """A part of an address as a name would be kept."""
    return unicodedata.normalize("NFC", UNSTORABLE.sub("", str(value)))


def _focus_of(request: HttpRequest) -> Json:
    """The node that a page of lineage was asked for, such as `flow/TrainFlow`, as an address would name it."""
    kind, _, name = request.GET.get("focus", "").partition("/")
    return {"kind": kind, "asset_id" if kind in Kind.values else "name": name} if name else {}


def _viewer_of(request: HttpRequest) -> Viewer | None:
    """Who asks, if somebody has signed in; what came first may have failed because nobody has."""
    if not hasattr(request, "viewer"):
        return None
    try:
        viewer = viewer_of(request)
        return viewer if viewer.signed_in else None
    except SiteError:
        return None


@dataclass(frozen=True)
class _Found:
    """The levels of an address that are there. `rest`: what of an address without a page follows its branch."""

    viewer: Viewer
    asked: dict[str, str]
    project: Project | None = None
    branch: Branch | None = None
    asset: Asset | None = None
    rest: str = ""

    @classmethod
    def of(cls, viewer: Viewer, asked: dict[str, str]) -> "_Found":
        known = Project.objects.visible_to(viewer).in_perimeter(asked["perimeter"]).select_related("perimeter")
        project = known.filter(name=asked["project"]).first() if "project" in asked else None
        if project is None:
            return cls(viewer, asked)
        branch, rest = _branch_of(viewer, project, asked)
        if branch is None:
            return cls(viewer, asked, project)
        branch.project = project
        return cls(viewer, asked, project, branch, _asset_of(viewer, branch, asked), rest)

    def frame(self, request: HttpRequest) -> Json:
        if self.branch:
            tab = self.asked.get("kind", "")
            frame = branch_frame(request, self.branch, tab if tab in Kind.values else "", self.asset)
            if self.asset:
                return frame | _back(asset_url(self.asset), self.asset.title)
            return frame | _back(branch_url(self.branch), f"Overview of {self.branch.name}")
        if self.project:
            return project_frame(request, self.project) | _back(project_url(self.project), "All its branches")
        perimeter = self.asked["perimeter"]
        if self.viewer.can_see(perimeter):
            return perimeter_frame(request, perimeter) | _back(perimeter_url(perimeter), "All its projects")
        return {"switch_perimeters": perimeter_entries(self.viewer, "")}

    def nearest(self) -> list[Hit]:
        asked, branch = self.asked, self.branch
        if branch is None:
            return self._nearest_branches(self.project) if self.project else self._nearest_projects()
        if self.asset:
            return _versions_near(self.asset, asked.get("reference", ""))
        if asked.get("kind") in Kind.values:
            return self._nearest_assets(branch, asked.get("asset_id", ""), [asked["kind"]])
        if asked.get("kind") in COMPONENT_SEGMENTS:
            return self._nearest_components(branch, asked["kind"], asked["name"])
        if "uid" in asked:
            return [Hit(highlights_url(branch), "All highlights", "All highlights", "run")]
        return self._nearest_assets(branch, self.rest, Kind.values)

    def deleted(self) -> Json | None:
        """When and by whom the asset of the address was deleted, and where it can be recovered; None if it was not."""
        kind, asset_id = self.asked.get("kind"), self.asked.get("asset_id")
        if self.branch is None or self.asset or kind not in Kind.values or not asset_id:
            return None
        ever = Asset.objects.visible_to(self.viewer).filter(branch=self.branch, kind=kind, asset_id=asset_id)
        since = timezone.now() - timedelta(days=RECOVERABLE_DAYS)
        found = ever.filter(deleted_at__gt=since).order_by("-deleted_at").values("deleted_at", "deleted_by").first()
        return found and found | {"url": deleted_url(self.branch)}

    def _nearest_projects(self) -> list[Hit]:
        asked = self.asked
        if not self.viewer.can_see(asked["perimeter"]):
            names = _nearest(asked["perimeter"], self.viewer.grants, lambda name: [name])
            return [Hit(perimeter_url(name), name, name, "group") for name in names]
        rows = Project.objects.visible_to(self.viewer).in_perimeter(asked["perimeter"]).select_related("perimeter")
        known = _neighbours(rows, "name", asked.get("project", ""))
        return [hit_of_project(row) for row in _nearest(asked.get("project", ""), known, lambda row: [row.name])]

    def _nearest_branches(self, project: Project) -> list[Hit]:
        asked = self.asked.get("branch") or self.asked.get("rest", "")
        rows = Branch.objects.visible_to(self.viewer).of_project(project).select_related("project__perimeter")
        near = _nearest(asked, _neighbours(rows, "key", _key_of(asked)), lambda row: [row.key, row.git_name])
        return [hit_of_branch(row) for row in near or rows.main_first()[:1]]

    def _nearest_assets(self, branch: Branch, asked: str, kinds: Iterable[str]) -> list[Hit]:
        """Those of this very id, of either kind and on other branches, then those of similar names."""
        if not asked:
            return []
        rows = Asset.objects.visible_to(self.viewer).live().select_related("branch__project__perimeter")
        rows = rows.defer("readme", "properties", "declared_properties")
        branches = Branch.objects.visible_to(self.viewer).of_project(branch.project).main_first()
        same = list(rows.filter(branch__in=branches.values("pk")[:LONGEST_MENU], asset_id=asked))
        same.sort(key=lambda row: (row.branch_id != branch.pk, row.kind not in kinds, _main_first(row.branch)))
        here = [
            row
            for kind in kinds
            for row in _neighbours(rows.filter(branch=branch, kind=kind), "asset_id", asked)
            if row not in same
        ]
        near = _nearest(asked, here, lambda row: [row.asset_id, row.name])
        return [hit_of_asset(row) for row in [*same, *near][:MOST]]

    def _nearest_components(self, branch: Branch, kind: str, asked: str) -> list[Hit]:
        rows = Component.objects.visible_to(self.viewer).of_project(branch.project)
        known = _neighbours(rows.filter(kind=kind), "name", asked)
        return [hit_of_component(row, branch) for row in _nearest(asked, known, lambda row: [row.name])]


def _branch_of(viewer: Viewer, project: Project, asked: dict[str, str]) -> tuple[Branch | None, str]:
    """The branch of an address, and what follows it. Where no page is, any of the first segments may be its name."""
    segments = asked.get("rest", "").strip("/").split("/")
    names = [asked["branch"]] if "branch" in asked else ["/".join(segments[:end]) for end in range(1, MOST_SEGMENTS)]
    keys = [_key_of(name) for name in names]
    rows = Branch.objects.visible_to(viewer).of_project(project).with_deploy().filter(key__in=keys)
    known = {row.key: row for row in rows}
    for place in reversed(range(len(keys))):
        if keys[place] in known:
            rest = "" if "branch" in asked else "/".join(segments[place + 1 :])
            return known[keys[place]], rest.rpartition("/")[2]
    return None, ""


def _key_of(name: str) -> str:
    """The key of a branch; empty for what can be the name of none."""
    try:
        return Place.of("", "any", name).key
    except BadRequest:
        return ""


def _asset_of(viewer: Viewer, branch: Branch, asked: dict[str, str]) -> Asset | None:
    if asked.get("kind") not in Kind.values or "asset_id" not in asked:
        return None
    rows = Asset.objects.visible_to(viewer).on_branch(branch, asked["kind"]).select_related("newest", "newest_ready")
    asset = rows.defer("readme").filter(asset_id=asked["asset_id"]).first()
    if asset:
        asset.branch = branch
    return asset


def _versions_near(asset: Asset, reference: str) -> list[Hit]:
    """Aliases of similar names, then the newest ready instance, and the newest of all."""
    asked = reference.removeprefix("@")
    aliases = _nearest(asked, asset.alias_index, lambda name: [name]) if asked != reference else []
    hits = [Hit(f"{asset_url(asset)}/@{name}", f"@{name}", f"@{name}", "version") for name in aliases]
    newest = dict.fromkeys(filter(None, (asset.newest_ready, asset.newest)))
    return [*hits, *(hit_of_instance(asset, row) for row in newest)][:MOST]


def _neighbours(rows: QuerySet[Row], column: str, name: str) -> list[Row]:
    """The rows around a name in the order of the column, by which an index has them."""
    after = rows.filter(**{f"{column}__gte": name}).order_by(column)[:AROUND]
    before = rows.filter(**{f"{column}__lt": name}).order_by(f"-{column}")[:AROUND]
    return [*after, *before]


def _nearest(asked: str, rows: Iterable[Named], names_of: Callable[[Named], list[str]]) -> list[Named]:
    """The few rows that have a name like the one asked for, the most alike first."""
    wanted = folded(asked)
    if not wanted:
        return []
    alike = [(max(_likeness(wanted, folded(name)) for name in names_of(row)), row) for row in rows]
    found = sorted((pair for pair in alike if pair[0] >= LEAST_ALIKE), key=lambda pair: -pair[0])
    return [row for _, row in found[:MOST]]


def _likeness(wanted: str, name: str) -> float:
    """From 0 to 1: how much of two names is the same; a name that begins as wanted is always near."""
    if name.startswith(wanted):
        return 1 - (len(name) - len(wanted)) / 1_000
    matcher = SequenceMatcher(None, wanted, name, autojunk=False)
    if matcher.real_quick_ratio() < LEAST_ALIKE or matcher.quick_ratio() < LEAST_ALIKE:
        return 0.0
    return matcher.ratio()


def _main_first(branch: Branch) -> tuple[bool, int]:
    return branch.key not in MAIN_BRANCHES, -branch.pk


def _back(url: str, label: str) -> Json:
    return {"back_url": url, "back_label": label}
