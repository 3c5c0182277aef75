"""The questions about lineage. Each function returns an answer that counts what it leaves out.

An answer by component costs six queries, and one for each level: the focus, the level after the last, the arrows
between the nodes reached, and three for names; one about paths has two ends, and that of a branch costs seven. An exact
one costs eight, and three for each two levels, as instances and the runs beside them are read together: the focus, the
level after the last, and four for names. Runs that were resumed cost more, see `RunRows.load`.
"""

import re
import unicodedata
from datetime import datetime
from itertools import chain

import networkx as nx
from django.db.models import Q
from django.utils import timezone

from access.errors import NotFound
from access.identity import Viewer
from catalog import limits
from catalog.models import Asset, Branch, Component, Edge
from catalog.reading import Resolved
from catalog.states import Kind as AssetKind
from lineage.answer_from_walk import answer_from
from lineage.answers import Answer, Question
from lineage.component_rows import ComponentNames, ComponentRows, asset_key, component_id, component_key
from lineage.graph import between
from lineage.instance_names import InstanceNames
from lineage.instance_rows import InstanceRows
from lineage.scope import Scope
from lineage.walk import WALK_MOST, Arrow, Key, Walk, walk
from obproject.roles import BASELINE


def around(viewer: Viewer, focus: str, scope: Scope) -> Answer:
    """By component: the nodes at most `scope.depth` arrows away from a node."""
    begin = key_of(viewer, focus, scope.as_of)
    walked = walk(ComponentRows(scope.as_of, scope.roles), begin, scope.direction, scope.depth)
    return answer_from(Question.AROUND, walked, ComponentNames(viewer, scope.as_of), scope)


def impact(viewer: Viewer, focus: str, scope: Scope) -> Answer:
    """By component: all nodes downstream of a node, at any distance, and how they are reached."""
    walked = _downstream(key_of(viewer, focus, scope.as_of), scope)
    return answer_from(Question.IMPACT, walked, ComponentNames(viewer, scope.as_of), scope)


def paths(viewer: Viewer, source: str, target: str, scope: Scope) -> Answer:
    """By component: all nodes on paths from one node to another; the two alone if there is no path."""
    begin, end = (key_of(viewer, focus, scope.as_of) for focus in (source, target))
    walked = _on_the_way(_downstream(begin, scope, end), end, to_baselines=BASELINE in scope.roles)
    return answer_from(Question.PATHS, walked, ComponentNames(viewer, scope.as_of), scope)


def across(viewer: Viewer, branch: Branch, scope: Scope) -> Answer:
    """By component: the assets of a branch, the components that write to it, and their neighbours elsewhere."""
    rows = ComponentRows(scope.as_of, scope.roles)
    ends = rows.ends_of_branch(branch, BRANCH_MOST + 1)
    walked = Walk(None, cut=len(ends) > BRANCH_MOST)
    assets = Asset.objects.visible_to(viewer).filter(branch=branch)
    if scope.as_of:
        assets = assets.filter(created_at__lte=scope.as_of)
    alone = [asset_key(pk) for pk in assets.order_by("-pk").values_list("pk", flat=True)[:BRANCH_MOST]]
    walked.distance = dict.fromkeys([*chain.from_iterable(ends), *alone], 0)
    shown = list(walked.distance)[: scope.budget]
    if scope.kinds or scope.branches:  # these filter named nodes, so any of them may be shown
        shown = list(walked.distance)[:WALK_MOST]
        walked.cut = walked.cut or len(shown) < len(walked.distance)
        walked.distance = dict.fromkeys(shown, 0)
    walked.arrows = {(arrow.source, arrow.target): arrow for arrow in rows.among(shown)}
    walked.beyond = set(ends)
    walked.cut = walked.cut or rows.cut
    return answer_from(Question.BRANCH, walked, ComponentNames(viewer, scope.as_of), scope)


def exact(viewer: Viewer, found: Resolved, scope: Scope) -> Answer:
    """By instance: exactly what an instance was made from (up), and what was made from it (down)."""
    rows = InstanceRows(scope.as_of, scope.roles)
    walked = walk(rows, rows.begin(found), scope.direction, scope.depth)
    names = InstanceNames(viewer, scope.as_of, rows)
    downwards = scope.depth if scope.direction != "up" else 0
    unread = {run for run in rows.unread(walked.distance, downwards) if run[0] in names.visible}
    return answer_from(Question.EXACT, walked, names, scope, unread=len(unread))


BRANCH_MOST = 100_000
"""The most arrows of a branch that are counted. Beyond that the answer says "at least"."""

WRITING = (Edge.Direction.PRODUCES, Edge.Direction.CONSUMES)
COMPONENT_ID = re.compile(r"c_(\d{1,18})\.(.*)", re.DOTALL)


def key_of(viewer: Viewer, focus: str, as_of: datetime | None = None) -> Key:
    """The key of the node with this id, if the viewer may see it and it existed at that time; raises `NotFound`."""
    if focus.startswith("d_"):
        known = Asset.objects.visible_to(viewer).filter(definition_uid=focus).values_list("pk", "created_at").first()
        if known and as_of and known[1] > as_of:
            raise NotFound(f"'{focus}' was not there yet at that time.", focus=focus)
        if known:
            return asset_key(known[0])
    elif match := COMPONENT_ID.fullmatch(focus):
        number, branch = int(match[1]), match[2]
        was_there = Q(edges__write_branch=branch, edges__first_at__lte=as_of or timezone.now())
        was_there &= Q(edges__direction__in=WRITING)
        if Component.objects.visible_to(viewer).filter(was_there, pk=number).exists():
            return component_key(number, branch)
    raise NotFound(f"There is nothing known as '{focus[:200]}' in the lineage.", focus=focus[:200])


def focus_named(viewer: Viewer, branch: Branch, text: str) -> str:
    """The id of the node that a parameter names: by its id, as `data/xkcd`, or as `flow/TrainFlow`."""
    if limits.UNSTORABLE.search(text):
        raise NotFound("Nothing has a name with a NUL or a lone surrogate.", focus=None)
    if text.startswith(("d_", "c_")):
        key_of(viewer, text)
        return text
    kind, _, name = text.partition("/")
    if kind in AssetKind.values and name:
        named = unicodedata.normalize("NFC", name)
        assets = Asset.objects.visible_to(viewer).filter(branch=branch, kind=kind, asset_id=named)
        uid = assets.order_by("-pk").values_list("definition_uid", flat=True).first()
        if uid:
            return str(uid)
    elif kind in Component.Kind.values and name:
        known = Component.objects.visible_to(viewer).of_project(branch.project).filter(kind=kind, name=name)
        pk = known.filter(edges__write_branch=branch.key).values_list("pk", flat=True).first()
        if pk:
            return component_id(pk, branch.key)
    raise NotFound(f"There is no '{text[:200]}' in the lineage of {branch.name}.", focus=text[:200])


def _downstream(begin: Key, scope: Scope, *beside: Key) -> Walk:
    """All that is downstream of a node; readings as a baseline are followed only if they are asked for."""
    rows = ComponentRows(scope.as_of, scope.roles)
    return walk(rows, begin, "down", None, to_baselines=BASELINE in scope.roles, beside=beside)


def _may_end(arrow: Arrow, end: Key, to_baselines: bool) -> bool:
    """Whether a reading as a baseline may be the last arrow of a path."""
    return to_baselines and arrow.target == end


def _on_the_way(walked: Walk, end: Key, *, to_baselines: bool) -> Walk:
    """The part of a walk that is on paths to `end`; the two ends alone if there is no path."""
    followed = [
        pair for pair, arrow in walked.arrows.items() if not arrow.is_baseline or _may_end(arrow, end, to_baselines)
    ]
    on_it = {walked.focus, end, *between(nx.DiGraph(followed), walked.focus, end)}
    part = Walk(walked.focus, via=walked.via, cut=walked.cut)
    part.distance = {key: far for key, far in walked.distance.items() if key in on_it}
    part.distance.setdefault(end, 0)
    part.arrows = {ends: arrow for ends, arrow in walked.arrows.items() if on_it.issuperset(ends)}
    return part
