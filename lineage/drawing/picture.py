"""Make the picture that a template draws from an answer: grouping, sizes, layout and text."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import networkx as nx

from catalog.shown.names import printable
from lineage.answers import Answer, More
from lineage.drawing.arrows import is_baseline, is_outdated, sentence_of
from lineage.drawing.cache import cached_by_content
from lineage.drawing.grouping import MOST_NODES, Gathered, gathered
from lineage.drawing.shapes import UNDER_SIZE, Look, looks_of, size_of, title_of
from lineage.drawing.text import fitted
from lineage.drawing.versions import drawn_graph, whole_of
from lineage.graph import Kind, Link, Node, Relation, nodes_of
from lineage.layout import Box, Drawing, Lane, Route, lay_out

LANE_NAME_SIZE = 12
LEAST_TEXT = 10
"""The least size of text at which it is readable, in pixels on the screen."""
START = (48, 144)
LANE_SIDE = 8
"""The distance of lanes from the sides of the drawing."""
WIDEST = 1230
"""The width of a page's frame, in pixels, on a screen that has room for all of the page."""
HEADS = ("back", "promotes", "plain")
"""The names of the arrow heads: the first one that is also a class of a link is its own, or else the last."""
SIGNS = {"added": "+", "removed": "\N{MINUS SIGN}"}
"""What stands on an arrow that only one of two graphs has."""
HEADS_OF_CHANGES = (*SIGNS, *HEADS)
"""The same where two graphs are drawn as one."""
UNKNOWN_BRANCH = "branch not known"
SEVERAL = "several branches"
"""The lane of a group of nodes that are on more than one."""
OpenUrl = Callable[[str], str]


class PageBranch(NamedTuple):
    """The branch of the page that shows the drawing; its lane comes first."""

    project: str
    branch: str


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """One node. `place` is its number in reading order; links refer to their ends by it.

    `whole`: all that is known of it, in a sentence.
    """

    place: int
    node: Node
    look: Look
    whole: str
    box: Box
    outline: int
    """The number of its outline among those of the picture."""
    url: str
    is_focus: bool

    @property
    def classes(self) -> str:
        marks = [self.node.kind.value]
        marks += ["focus"] if self.is_focus else []
        marks += ["deleted"] if self.node.deleted else []
        marks += ["faulty"] if self.node.fault else []
        marks += ["late"] if self.node.late_since else []
        return " ".join(marks)

    @property
    def text_at(self) -> tuple[int, int]:
        """The baselines of the two lines of text, in pixels from the top of the box."""
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
    """One link. `source` and `target` are the places of its nodes, `sentence` says all that is known of it."""

    source: int
    target: int
    link: Link
    route: Route
    sentence: str
    is_outdated: bool
    """Whether the version that was read last is not the newest; it is written beside the line then."""

    @property
    def classes(self) -> str:
        marks = [self.link.relation.value]
        marks += ["baseline"] if is_baseline(self.link) else []
        marks += ["back"] if self.route.back else []
        marks += [self.link.change] if self.link.change else []
        return " ".join(marks)

    @property
    def sign(self) -> str:
        return SIGNS.get(self.link.change, "")


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """The links that look the same, of which the template says so once. `head` is the name of their arrow heads."""

    classes: str
    head: str
    links: list[DrawnLink]


@dataclass(frozen=True, slots=True)
class Badge:
    """ "+37": the number of neighbours of a node that are not drawn, on one side of it."""

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
    """A drawing, ready for its template, in whole pixels."""

    width: int
    height: int
    nodes: list[DrawnNode]
    outlines: list[str]
    """The data of the path of each outline."""
    links: list[DrawnLink]
    lanes: tuple[Lane, ...]
    band: tuple[int, int]
    """The left side and the width of the lanes."""
    badges: list[Badge]
    members: dict[str, tuple[str, ...]]
    """The ids of the nodes in each group."""

    @property
    def least_width(self) -> int:
        """The width at which the smallest text is just large enough."""
        return -(-self.width * LEAST_TEXT // UNDER_SIZE)

    @property
    def start(self) -> tuple[int, int]:
        """A point above and left of the focus, or else of the first node: a frame that begins there has it in sight.

        Across it is that of the narrowest drawing, as a wider one fits its frame; down it is between the two.
        """
        box = next((drawn.box for drawn in self.nodes if drawn.is_focus), self.nodes[0].box)
        across = box.x * LEAST_TEXT // UNDER_SIZE
        down = box.y * (LEAST_TEXT + UNDER_SIZE) // (2 * UNDER_SIZE)
        return max(across - START[0], 0), max(down - START[1], 0)

    @property
    def link_groups(self) -> list[LinkGroup]:
        groups: dict[str, list[DrawnLink]] = {}
        for drawn in self.links:
            groups.setdefault(drawn.classes, []).append(drawn)
        return [LinkGroup(classes, _head(classes), links) for classes, links in sorted(groups.items())]

    @property
    def icons(self) -> list[str]:
        """The names of the icons in it."""
        marks = ["branch"] if self.lanes else []
        marks += ["warning"] if any(drawn.node.fault for drawn in self.nodes) else []
        marks += ["late"] if any(drawn.node.late_since for drawn in self.nodes) else []
        return sorted({drawn.look.icon for drawn in self.nodes}.union(marks))

    @property
    def node_icons(self) -> list[tuple[str, int]]:
        """The icons of nodes, with their distance from the top."""
        return sorted({(drawn.look.icon, drawn.icon_y) for drawn in self.nodes})

    @property
    def cut_names(self) -> list[tuple[str, str]]:
        """The names that are cut, and the same in full."""
        names = [(drawn.look.name, printable(title_of(drawn.node))) for drawn in self.nodes]
        return list(dict.fromkeys((shown, name) for shown, name in names if shown != name))

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of nodes in the drawing, for the legend."""
        drawn = {drawn.node.kind for drawn in self.nodes}
        return [kind for kind in Kind if kind in drawn]

    @property
    def has_promotions(self) -> bool:
        return any(drawn.link.relation == Relation.PROMOTES for drawn in self.links)

    @property
    def has_baselines(self) -> bool:
        return any(is_baseline(drawn.link) for drawn in self.links)

    @property
    def outdated(self) -> list[DrawnLink]:
        return [drawn for drawn in self.links if drawn.is_outdated]

    @property
    def changed(self) -> list[DrawnLink]:
        """Those that only one of two graphs has."""
        return [drawn for drawn in self.links if drawn.link.change]

    @property
    def has_back(self) -> bool:
        return any(drawn.route.back for drawn in self.links)

    @property
    def has_deleted(self) -> bool:
        return any(drawn.node.deleted for drawn in self.nodes)


def _head(classes: str) -> str:
    return next(name for name in HEADS_OF_CHANGES if name in classes.split() or name == HEADS[-1])


def picture_of(
    answers: Sequence[Answer],
    *,
    own: PageBranch,
    now: datetime,
    open_url: OpenUrl,
    opened: Sequence[str] = (),
    most: int = MOST_NODES,
    widest: int = WIDEST,
) -> Picture:
    """The picture of the last of `answers`, each of which is the one before it with one more node opened.

    Nodes of the answer before keep their places. `open_url` returns the address that opens a node or a group; `opened`
    are those that are open. With more than `most` nodes, some are grouped; what would be wider than `widest` is drawn
    in rows.
    """
    drawing, previous_key = None, ""
    for answer in answers:
        shown, lane_of = _shown(answer, own, opened, most)
        drawing, previous_key = _laid_out(shown.graph, lane_of, own, widest, drawing, previous_key)
    assert drawing is not None  # there is one answer at least
    return _Painter(answers[-1], shown, drawing, now, open_url).picture()


def _shown(answer: Answer, own: PageBranch, opened: Sequence[str], most: int) -> tuple[Gathered, dict[Hashable, str]]:
    lane_of = lanes_of(answer.graph, own)
    shown = gathered(drawn_graph(answer), pinned={*answer.focus, *opened}, opened=opened, lane_of=lane_of, most=most)
    for group, members in shown.members.items():
        lanes = {lane_of[member] for member in members}
        lane_of[group] = lanes.pop() if len(lanes) == 1 else SEVERAL
    return shown, {name: lane_of[name] for name in shown.graph}


def lanes_of(graph: nx.DiGraph, own: PageBranch) -> dict[str, str]:
    """The lane of each node: its branch, behind its project if that is not the page's.

    A node with a project but no branch is in a lane for unknown branches; one with neither is in a neighbour's lane.
    """
    names = _branch_names(graph)
    lanes: dict[str, str] = {}
    alone = []
    for node in nodes_of(graph):
        if node.branch:
            branch = names[node.project, node.branch]
            lanes[node.id] = printable(branch if node.project == own.project else f"{node.project} / {branch}")
        elif node.project:
            lanes[node.id] = UNKNOWN_BRANCH if node.project == own.project else f"{node.project} / {UNKNOWN_BRANCH}"
        else:
            alone.append(node.id)
    own_lane = names.get((own.project, own.branch), own.branch)
    for name in alone:
        beside = [lanes[other] for other in (*graph.pred[name], *graph.succ[name]) if other in lanes]
        lanes[name] = min(beside, default=own_lane, key=lambda lane: (lane != own_lane, lane))
    return lanes


def _branch_names(graph: nx.DiGraph) -> dict[tuple[str, str], str]:
    """The name of each branch: its git name if any node has it, else its key."""
    names: dict[tuple[str, str], str] = {}
    for node in nodes_of(graph):
        place = node.project, node.branch
        if names.get(place, node.branch) == node.branch:
            names[place] = node.branch_name or node.branch
    return names


def _laid_out(
    graph: nx.DiGraph,
    lane_of: Mapping[Hashable, str],
    own: PageBranch,
    widest: int,
    previous: Drawing | None,
    previous_key: str,
) -> tuple[Drawing, str]:
    nodes = nodes_of(graph)
    sizes: dict[Hashable, tuple[int, int]] = {node.id: size_of(node) for node in nodes}
    own_lane = next((lane_of[node.id] for node in nodes if own == (node.project, node.branch)), "")
    several = len(set(lane_of.values())) > 1
    key, drawing = cached_by_content(
        "layout",
        (
            sorted(sizes.items()),
            sorted(graph.edges),
            sorted(lane_of.items()) if several else (),
            own_lane,
            widest,
            previous_key,
        ),
        lambda: lay_out(
            graph,
            sizes=sizes,
            lanes=lane_of if several else None,
            lane_order=[own_lane] if own_lane else [],
            previous=previous,
            widest=widest,
        ),
    )
    return drawing, key


class _Painter:
    """Draws nodes and links at the places of a layout."""

    def __init__(self, answer: Answer, shown: Gathered, drawing: Drawing, now: datetime, open_url: OpenUrl) -> None:
        self.answer, self.shown, self.drawing = answer, shown, drawing
        self.now, self.open_url = now, open_url
        self.looks = looks_of(nodes_of(shown.graph), now)
        self.outlines = list(dict.fromkeys(look.outline for look in self.looks.values()))
        self.place = {name: place for place, name in enumerate(drawing.order)}

    def picture(self) -> Picture:
        nodes = [self._node(str(name)) for name in self.drawing.order]
        left, right = self.drawing.band or (LANE_SIDE, self.drawing.width - LANE_SIDE)
        return Picture(
            width=self.drawing.width,
            height=self.drawing.height,
            nodes=nodes,
            outlines=self.outlines,
            links=self._links(),
            lanes=tuple(replace(lane, name=self._lane_name(lane)) for lane in self.drawing.lanes),
            band=(left, right - left),
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
            look=self.looks[name],
            whole=whole_of(node, self.answer),
            outline=self.outlines.index(self.looks[name].outline),
            box=self.drawing.boxes[name],
            url=self.open_url(name) if node.kind == Kind.GROUP else node.url,
            is_focus=name in self.answer.focus,
        )

    def _links(self) -> list[DrawnLink]:
        drawn = [self._link(str(source), str(target), route) for (source, target), route in self.drawing.routes.items()]
        return sorted(drawn, key=lambda link: (link.source, link.target))

    def _link(self, source: str, target: str, route: Route) -> DrawnLink:
        link = self.shown.graph.edges[source, target]["link"]
        ends = self._plain(source), self._plain(target)
        said = sentence_of(link, *ends, self.now)
        return DrawnLink(self.place[source], self.place[target], link, route, said, is_outdated(link, ends[0]))

    def _plain(self, name: str) -> Node:
        """A node with its own version, which it says itself."""
        return self.answer.node(name) if name in self.answer.graph else self.shown.graph.nodes[name]["node"]

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
    """The ids of all nodes in a picture, alone or in a group."""
    drawn = {node.node.id for node in picture.nodes} - picture.members.keys()
    return drawn.union(*picture.members.values())
