"""The text of a page about an answer: question, counts, menus, filters, cycles, legend."""

from dataclasses import dataclass
from typing import Any

from catalog.pagekit.query import Link, PageQuery
from catalog.shown.times import exact
from lineage.answers import Answer, Question
from lineage.drawing import ICONS, WORDS, Picture, title_of
from lineage.graph import Cycle, Kind
from lineage.scope import Scope
from obproject.roles import INPUT

DIRECTIONS = {"both": "both ways", "up": "upstream", "down": "downstream"}
DEPTHS = (1, 2, 3, 5, 10, 50)
MOST_CYCLES = 5
QUESTIONS = {
    Question.AROUND: "around",
    Question.IMPACT: "downstream of",
    Question.PATHS: "on the ways from",
    Question.EXACT: "that made",
    Question.BRANCH: "on",
}
EXACT = {"up": "that went into", "down": "that were made of", "both": "before and after"}


@dataclass(frozen=True)
class Menu:
    """One parameter of a question: its present value, and links to the others."""

    name: str
    label: str
    options: list[Link]


def around_what(answer: Answer) -> str:
    """The words between the count of nodes and the focus: `around`, `downstream of`, …"""
    return EXACT[answer.direction] if answer.question == Question.EXACT else QUESTIONS[answer.question]


def counted(answer: Answer) -> str:
    shown, found = len(answer.graph), answer.found
    if answer.found_at_least and found >= shown:
        return f"{shown:,} of at least {found:,} nodes"
    return f"{shown:,} of {found:,} nodes" if found > shown else f"{shown:,} {'node' if shown == 1 else 'nodes'}"


def sentences(answer: Answer) -> list[str]:
    """Sentences about the cycles, and about what is only presumed; or that there is no path, if there is none."""
    if answer.question == Question.PATHS and not answer.graph.number_of_edges():
        return ["There is no way from the one to the other."]
    cycles = answer.cycles
    said = [*_presumed(answer), *(_cycle_sentence(answer, cycle) for cycle in cycles[:MOST_CYCLES])]
    return [*said, f"And {len(cycles) - MOST_CYCLES} more cycles."] if len(cycles) > MOST_CYCLES else said


def _presumed(answer: Answer) -> list[str]:
    """Of which runs the inputs are not known by task."""
    runs = sorted({answer.node(link.source).name for link in answer.links if link.by == "run"})
    if not runs:
        return []
    which = runs[0] if len(runs) == 1 else f"{len(runs)} runs"
    return [f"Which tasks of {which} could use what others had read is not known, so all that was read before counts."]


def _cycle_sentence(answer: Answer, cycle: Cycle) -> str:
    nodes = [answer.node(name) for name in cycle.nodes]
    begin = next((place for place, node in enumerate(nodes) if not node.kind.is_asset), 0)
    first, *others = [title_of(node) for node in nodes[begin:] + nodes[:begin]]
    through = f" through {', then '.join(others)}" if others else ""
    knot = f"; {cycle.size} nodes feed one another there" if cycle.size > len(nodes) else ""
    return f"{first} feeds itself{through}{knot}."


def menus(answer: Answer, scope: Scope, query: PageQuery) -> list[Menu]:
    fresh = PageQuery(query.path, _without(query, "held", "open"))
    found = []
    if answer.question in (Question.AROUND, Question.EXACT):
        options = [
            _option(label, fresh.url(direction=name), name == answer.direction) for name, label in DIRECTIONS.items()
        ]
        found.append(Menu("direction", DIRECTIONS[answer.direction], options))
        depths = sorted({*DEPTHS, answer.depth or 0} - {0})
        options = [_option(_depth(depth), fresh.url(depth=depth), depth == answer.depth) for depth in depths]
        found.append(Menu("depth", _depth(answer.depth or 0), options))
    return found


def _depth(depth: int) -> str:
    return f"depth {depth}"


def _option(label: str, url: str, current: bool) -> Link:
    return {"label": label, "url": url, "current": current}


def _without(query: PageQuery, *names: str) -> Any:
    params = query.params.copy()
    for name in names:
        params.pop(name, None)
    return params


def filters_to_add(answer: Answer, scope: Scope, query: PageQuery) -> list[Link]:
    """The kinds and branches of the nodes, each as a filter to add."""
    kinds = {node.kind for node in answer.nodes} - {Kind.HIDDEN, Kind.GROUP}
    found = [
        {"label": f"only {WORDS[kind]}", "url": query.with_filter("kind", kind.value), "note": "kind"}
        for kind in Kind
        if kind in kinds and kind.value not in scope.kinds
    ]
    branches = {node.branch: node.branch_name or node.branch for node in answer.nodes if node.branch}
    if len(branches) > 1 or scope.branches:
        found += [
            {"label": f"only {name}", "url": query.with_filter("branch", key), "note": "branch"}
            for key, name in sorted(branches.items())
            if key not in scope.branches
        ]
    roles = {role for link in answer.links for role in link.roles}
    if roles - {INPUT}:
        found += [
            {"label": f"only {role}", "url": query.with_filter("role", role), "note": "role"}
            for role in sorted(roles - scope.roles)
        ]
    return found


def chips(answer: Answer, scope: Scope, query: PageQuery) -> list[Link]:
    """The filters in force, each with a link that removes it."""
    opened = len(query.params.getlist("open"))
    found = []
    if "to" in query.params and answer.question == Question.PATHS:
        found.append(_chip("to", _title(answer, query.params.get("to", "")), query.url(view="impact", to=None)))
    if "focus" in query.params:
        whole = PageQuery(query.path, _without(query, "focus", "view", "to", "open", "direction", "depth"))
        found.append(_chip("node", _title(answer, answer.focus[0]), whole.url()))
    found += [_chip("kind", kind, query.without_filter("kind", kind)) for kind in sorted(scope.kinds)]
    found += [_chip("branch", key, query.without_filter("branch", key)) for key in sorted(scope.branches)]
    found += [_chip("role", role, query.without_filter("role", role)) for role in sorted(scope.roles)]
    if scope.as_of:
        found.append(_chip("as of", exact(scope.as_of), query.url(as_of=None)))
    if opened:
        found.append(_chip("opened", str(opened), PageQuery(query.path, _without(query, "open", "held")).url()))
    if "limit" in query.params:
        found.append(_chip("at most", f"{scope.budget:,}", query.url(limit=None)))
    return found


def _title(answer: Answer, node: str) -> str:
    return title_of(answer.node(node)) if node in answer.graph else node


def _chip(label: str, value: str, remove_url: str) -> Link:
    return {"label": label, "value": value, "remove_url": remove_url}


@dataclass(frozen=True)
class Sign:
    """A kind of node (its icon), of link (the look of its line) or of version, and what it means."""

    label: str
    icon: str = ""
    line: str = ""
    version: str = ""


def legend(picture: Picture) -> list[Sign]:
    """The legend of the drawing: its kinds of nodes and links, each once."""
    found = [Sign(WORDS[kind], icon=ICONS[kind]) for kind in picture.kinds]
    found += [Sign("produces, consumes", line="plain")] if picture.links else []
    found += [Sign("read as baseline", line="baseline")] if picture.has_baselines else []
    found += [Sign("read, not the newest", version=link.link.version) for link in picture.outdated[:1]]
    found += [Sign("promoted to", line="promotes")] if picture.has_promotions else []
    return found + ([Sign("back into what it came from", line="back")] if picture.has_back else [])
