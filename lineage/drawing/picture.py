"""From an answer to what a template draws: grouping, sizes, layout, and the words on it."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import networkx as nx

from lineage.answers import Answer, More
from lineage.drawing.cache import kept_by_content
from lineage.drawing.grouping import MOST_NODES, Gathered, gathered
from lineage.drawing.shapes import Look, look_of, size_of, title_of
from lineage.drawing.text import fitted, printable
from lineage.graph import Kind, Link, Node, Relation, nodes_of
from lineage.layout import Box, Drawing, Lane, Route, lay_out

LANE_NAME_SIZE = 12
UNKNOWN_BRANCH = "branch not known"
SEVERAL = "several branches"
"""The lane of a group of nodes that are on more than one."""
OpenUrl = Callable[[str], str]


class Home(NamedTuple):
    """The branch whose page it is: its lane comes first."""

    project: str
    branch: str


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """One node. `place` is its number in reading order, by which arrows name their ends."""

    place: int
    node: Node
    look: Look
    box: Box
    url: str
    is_focus: bool

    @property
    def classes(self) -> str:
        marks = [self.node.kind.value]
        marks += ["focus"] if self.is_focus else []
        marks += ["deleted"] if self.node.deleted else []
        marks += ["faulty"] if self.node.fault else []
        return " ".join(marks)

    @property
    def text_at(self) -> tuple[int, int]:
        """The heights of the two lines."""
        middle = self.box.height // 2
        return middle - 3, middle + 13

    @property
    def name_y(self) -> int:
        return self.text_at[0]

    @property
    def under_y(self) -> int:
        return self.text_at[1]

    @property
    def icon_y(self) -> int:
        return self.box.height // 2 - 8


@dataclass(frozen=True, slots=True)
class DrawnLink:
    """One arrow between the places of two nodes."""

    source: int
    target: int
    link: Link
    route: Route

    @property
    def classes(self) -> str:
        return f"{self.link.relation.value} back" if self.route.back else self.link.relation.value

    @property
    def head(self) -> str:
        """Which of the arrow heads."""
        return "back" if self.route.back else "promotes" if self.link.relation == Relation.PROMOTES else "plain"


@dataclass(frozen=True, slots=True)
class Badge:
    """ "+37": neighbours of a node that are not drawn, and where they are."""

    place: int
    x: int
    y: int
    width: int
    count: int
    whole: str
    url: str

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, ready for its template; all numbers are whole pixels."""

    width: int
    height: int
    nodes: list[DrawnNode]
    links: list[DrawnLink]
    lanes: tuple[Lane, ...]
    badges: list[Badge]
    members: dict[str, tuple[str, ...]]
    """The ids that each group stands for."""

    @property
    def kinds(self) -> list[Kind]:
        """Which kinds are drawn, for the legend."""
        drawn = {drawn.node.kind for drawn in self.nodes}
        return [kind for kind in Kind if kind in drawn]

    @property
    def has_promotions(self) -> bool:
        return any(drawn.link.relation == Relation.PROMOTES for drawn in self.links)

    @property
    def has_back(self) -> bool:
        return any(drawn.route.back for drawn in self.links)

    @property
    def has_deleted(self) -> bool:
        return any(drawn.node.deleted for drawn in self.nodes)


def picture_of(
    answers: Sequence[Answer],
    *,
    home: Home,
    now: datetime,
    open_url: OpenUrl,
    opened: Sequence[str] = (),
    most: int = MOST_NODES,
) -> Picture:
    """The picture of the last of `answers`, each of which is the one before it with one more node opened.

    What was drawn of the one before stays where it was. `open_url` makes the address that opens a node or a group;
    `opened` are those that are open. Beyond `most` nodes, some are gathered.
    """
    drawing, held_key = None, ""
    for answer in answers:
        shown, lane_of = _shown(answer, home, opened, most)
        drawing, held_key = _laid_out(shown.graph, lane_of, home, drawing, held_key)
    assert drawing is not None  # there is one answer at least
    return _Painter(answers[-1], shown, drawing, now, open_url).picture()


def _shown(answer: Answer, home: Home, opened: Sequence[str], most: int) -> tuple[Gathered, dict[Hashable, str]]:
    lane_of = lanes_of(answer.graph, home)
    shown = gathered(answer.graph, kept={*answer.focus, *opened}, opened=opened, lane_of=lane_of, most=most)
    for group, members in shown.members.items():
        lanes = {lane_of[member] for member in members}
        lane_of[group] = lanes.pop() if len(lanes) == 1 else SEVERAL
    return shown, {name: lane_of[name] for name in shown.graph}


def lanes_of(graph: nx.DiGraph, home: Home) -> dict[str, str]:
    """The lane of each node: its branch, another project's with that before it.

    Who is known, but not from which branch, has a lane for that; what is not known at all is beside a neighbour.
    """
    names = _branch_names(graph)
    lanes: dict[str, str] = {}
    alone = []
    for node in nodes_of(graph):
        if node.branch:
            branch = names[node.project, node.branch]
            lanes[node.id] = printable(branch if node.project == home.project else f"{node.project} / {branch}")
        elif node.project:
            lanes[node.id] = UNKNOWN_BRANCH if node.project == home.project else f"{node.project} / {UNKNOWN_BRANCH}"
        else:
            alone.append(node.id)
    at_home = names.get((home.project, home.branch), home.branch)
    for name in alone:
        beside = [lanes[other] for other in (*graph.pred[name], *graph.succ[name]) if other in lanes]
        lanes[name] = min(beside, default=at_home, key=lambda lane: (lane != at_home, lane))
    return lanes


def _branch_names(graph: nx.DiGraph) -> dict[tuple[str, str], str]:
    """What each branch is called: as people wrote it, if any node knows."""
    names: dict[tuple[str, str], str] = {}
    for node in nodes_of(graph):
        place = node.project, node.branch
        if names.get(place, node.branch) == node.branch:
            names[place] = node.branch_name or node.branch
    return names


def _laid_out(
    graph: nx.DiGraph, lane_of: Mapping[Hashable, str], home: Home, held: Drawing | None, held_key: str
) -> tuple[Drawing, str]:
    nodes = nodes_of(graph)
    sizes: dict[Hashable, tuple[int, int]] = {node.id: size_of(node) for node in nodes}
    at_home = next((lane_of[node.id] for node in nodes if home == (node.project, node.branch)), "")
    several = len(set(lane_of.values())) > 1
    key, drawing = kept_by_content(
        "layout",
        (sorted(sizes.items()), sorted(graph.edges), sorted(lane_of.items()) if several else (), at_home, held_key),
        lambda: lay_out(
            graph, sizes=sizes, lanes=lane_of if several else None, lane_order=[at_home] if at_home else [], held=held
        ),
    )
    return drawing, key


class _Painter:
    """Puts nodes and links to the places that a layout gave them."""

    def __init__(self, answer: Answer, shown: Gathered, drawing: Drawing, now: datetime, open_url: OpenUrl) -> None:
        self.answer, self.shown, self.drawing = answer, shown, drawing
        self.now, self.open_url = now, open_url
        self.place = {name: place for place, name in enumerate(drawing.order)}

    def picture(self) -> Picture:
        nodes = [self._node(str(name)) for name in self.drawing.order]
        return Picture(
            width=self.drawing.width,
            height=self.drawing.height,
            nodes=nodes,
            links=self._links(),
            lanes=tuple(replace(lane, name=self._lane_name(lane)) for lane in self.drawing.lanes),
            badges=[badge for drawn in nodes for badge in self._badges(drawn)],
            members=self.shown.members,
        )

    def _lane_name(self, lane: Lane) -> str:
        return fitted(lane.name, LANE_NAME_SIZE, max(self.drawing.width - 64, LANE_NAME_SIZE))

    def _node(self, name: str) -> DrawnNode:
        node: Node = self.shown.graph.nodes[name]["node"]
        return DrawnNode(
            place=self.place[name],
            node=node,
            look=look_of(node, self.now),
            box=self.drawing.boxes[name],
            url=self.open_url(name) if node.kind == Kind.GROUP else node.url,
            is_focus=name in self.answer.focus,
        )

    def _links(self) -> list[DrawnLink]:
        edges = self.shown.graph.edges
        drawn = [
            DrawnLink(self.place[source], self.place[target], edges[source, target]["link"], route)
            for (source, target), route in self.drawing.routes.items()
        ]
        return sorted(drawn, key=lambda link: (link.source, link.target))

    def _badges(self, drawn: DrawnNode) -> list[Badge]:
        more = self.answer.more.get(drawn.node.id, More())
        box = drawn.box
        found = []
        if more.up:
            found.append(self._badge(drawn, more.up, "upstream", lambda width: box.x - 6))
        if more.down:
            found.append(self._badge(drawn, more.down, "downstream", lambda width: box.right + 6 - width))
        return found

    def _badge(self, drawn: DrawnNode, count: int, where: str, x: Callable[[int], int]) -> Badge:
        width = 18 + 7 * len(str(count))
        return Badge(
            place=drawn.place,
            x=x(width),
            y=drawn.box.bottom - 9,
            width=width,
            count=count,
            whole=f"Show {count} more {where} of {printable(title_of(drawn.node))}",
            url=self.open_url(drawn.node.id),
        )


def with_members(picture: Picture) -> Collection[str]:
    """The ids of all nodes that a picture shows, by themselves or in a group."""
    drawn = {node.node.id for node in picture.nodes} - picture.members.keys()
    return drawn.union(*picture.members.values())
