"""The arrows that only one of two branches has, drawn with what is around them: one graph of both branches."""

from collections.abc import Iterable, Mapping

from catalog.addresses import (
    asset_url_below,
    branch_lineage_url,
    branch_url,
    branch_url_by_names,
    component_url,
)
from catalog.models import Branch
from catalog.states import Kind as AssetKind
from comparing.arrows import READS, Arrow, Component, Place
from comparing.branches import BranchComparison
from comparing.pairs import Fate, Key, Pair
from lineage.answers import Answer, Question
from lineage.component_rows import KINDS
from lineage.drawing import PageBranch, Picture, picture_of
from lineage.graph import Kind, Link, Node, Relation, graph_of

MOST_ARROWS = 30
"""How many arrows that differ are drawn, and how many of those around them."""
MOST_NODES = 60
WIDEST = 1_150


def drawing_of(found: BranchComparison, widest: int = WIDEST) -> Picture | None:
    """The picture, with a sign on each arrow that differs; None if all arrows are on both branches."""
    differing = found.shown_arrows[:MOST_ARROWS]
    if not differing:
        return None
    components = {arrow.component for _, arrow in differing}
    around = found.arrows.around(components, MOST_ARROWS)
    shown = [*differing, *(("", arrow) for arrow in around)]
    nodes = _Nodes(found)
    links = [_link(change, arrow) for change, arrow in shown]
    graph = graph_of(nodes.of(arrow for _, arrow in shown), links)
    return picture_of(
        [Answer(Question.AROUND, graph, as_of=found.as_of, found=len(graph))],
        own=PageBranch("", ""),
        now=found.as_of,
        open_url=lambda node: branch_lineage_url(found.head),
        most=MOST_NODES,
        widest=widest,
    )


def _link(change: str, arrow: Arrow) -> Link:
    asset, component = _asset_id(arrow.place), _component_id(arrow.component)
    source, target = (asset, component) if arrow.direction == READS else (component, asset)
    relation = Relation.CONSUMES if arrow.direction == READS else Relation.PRODUCES
    roles = (arrow.role,) if arrow.role else ()
    return Link(source, target, relation, last_at=arrow.last_at, roles=roles, change=change)


def _asset_id(place: Place) -> str:
    return f"a_{'/'.join(place)}"


def _component_id(component: Component) -> str:
    return f"c_{'/'.join(component)}"


class _Nodes:
    """The nodes of both branches in one: what the head has is named as there, and the rest as on the base."""

    def __init__(self, found: BranchComparison) -> None:
        self.base, self.head = found.base, found.head
        self.pairs: Mapping[Key, Pair] = {pair.key: pair for pair in found.pairs}

    def of(self, arrows: Iterable[Arrow]) -> list[Node]:
        nodes: dict[str, Node] = {}
        for arrow in arrows:
            nodes.setdefault(_asset_id(arrow.place), self._asset(arrow))
            nodes.setdefault(_component_id(arrow.component), self._component(arrow.component))
        return list(nodes.values())

    def _component(self, component: Component) -> Node:
        kind, name = component
        shape = next((KINDS[known] for known in KINDS if known == kind), Kind.UNKNOWN)
        url = component_url(self.head, kind, name)
        return Node(_component_id(component), shape, name or "(no name)", url=url)

    def _asset(self, arrow: Arrow) -> Node:
        perimeter, project, kind, asset_id = arrow.place
        shape = Kind.MODEL if kind == AssetKind.MODELS else Kind.DATA
        own = (perimeter, project) == (self.head.project.perimeter.name, self.head.project.name)
        pair = self.pairs.get((kind, asset_id)) if own else None
        branch = self._branch_of(pair)
        below = branch_url(branch) if pair else branch_url_by_names(perimeter, project, arrow.branch)
        return Node(
            _asset_id(arrow.place),
            shape,
            arrow.title,
            key=asset_id,
            version=self._version(pair) or arrow.ref,
            url=asset_url_below(below, kind, asset_id),
        )

    def _branch_of(self, pair: Pair | None) -> Branch:
        return self.head if pair is None or pair.head is not None else self.base

    def _version(self, pair: Pair | None) -> str:
        """ "v14 → v2", "new v2", "v48 on main"."""
        if pair is None:
            return ""
        if pair.fate == Fate.NEW:
            return f"new {pair.head_ref}"
        if not pair.head_ref:
            return f"{pair.base_ref} on {self.base.name}" if pair.base_ref else ""
        if pair.fate == Fate.SAME or not pair.base_ref:
            return pair.head_ref
        return f"{pair.base_ref} → {pair.head_ref}"
