"""Make an answer from a walk: choose the nodes to show, name them, and count those left out."""

from collections.abc import Collection, Iterable
from typing import Protocol

from django.utils import timezone

from catalog import derivation
from lineage.answers import Answer, LeftOut, More, Question, Reason
from lineage.graph import Kind, Link, Node, graph_of
from lineage.scope import Scope
from lineage.walk import Arrow, Key, Walk, neighbours


class Names(Protocol):
    def nodes(self, keys: Iterable[Key], arrows: Iterable[Arrow]) -> dict[Key, Node]:
        """The node of each key, with its name."""


def answer_from(question: Question, walked: Walk, names: Names, scope: Scope, unread: int = 0) -> Answer:
    """The answer from a walk, with at most `scope.budget` nodes, the nearest first.

    `unread` is the number of resumed runs of which it is not known what they took over.
    """
    passing, filtered = _filtered(walked, names, scope)
    shown = names.nodes(passing[: scope.budget], walked.arrows.values())
    ids = {key: node.id for key, node in shown.items()}
    is_far = question in (Question.AROUND, Question.EXACT)
    return Answer(
        question=question,
        graph=graph_of(shown.values(), _links(walked.arrows.values(), shown)),
        as_of=scope.as_of or timezone.now(),
        is_past=scope.as_of is not None,
        focus=(ids[walked.focus],) if walked.focus in ids else (),
        direction="down" if question in (Question.IMPACT, Question.PATHS) else scope.direction,
        depth=scope.depth if is_far else None,
        budget=scope.budget,
        found=len(walked.distance),
        found_at_least=walked.cut,
        left_out=tuple(_left_out(walked, shown, len(passing), len(filtered), unread)),
        notes=scope.notes,
        more=_more(walked, ids, filtered),
        distance={ids[key]: far for key, far in walked.distance.items() if key in ids and (far or key == walked.focus)},
        via={ids[key]: ids[before] for key, before in walked.via.items() if key in ids and before in ids},
        outdated="" if question == Question.EXACT else derivation.notice(),  # exact ones come from the events
    )


def _filtered(walked: Walk, names: Names, scope: Scope) -> tuple[list[Key], set[Key]]:
    """The keys that pass the filters of kind and branch, and the others. The focus and hidden nodes always pass."""
    keys = list(walked.distance)
    if not scope.kinds and not scope.branches:
        return keys, set()
    nodes = names.nodes(keys, walked.arrows.values())
    passing = [key for key in keys if key == walked.focus or _passes(nodes[key], scope)]
    return passing, set(keys).difference(passing)


def _passes(node: Node, scope: Scope) -> bool:
    of_kind = not scope.kinds or node.kind.value in scope.kinds
    on_branch = not scope.branches or node.branch in scope.branches
    return node.kind == Kind.HIDDEN or (of_kind and on_branch)


def _links(arrows: Iterable[Arrow], shown: dict[Key, Node]) -> Iterable[Link]:
    for arrow in arrows:
        source, target = shown.get(arrow.source), shown.get(arrow.target)
        if source is None or target is None:
            continue
        if Kind.HIDDEN in (source.kind, target.kind):
            yield Link(source.id, target.id, arrow.relation)
        else:
            yield link_of(arrow, source.id, target.id)


def link_of(arrow: Arrow, source: str, target: str) -> Link:
    """An arrow as a link between the nodes with these ids, which are not hidden."""
    return Link(
        source=source,
        target=target,
        relation=arrow.relation,
        first_at=arrow.first_at,
        last_at=arrow.last_at,
        count=arrow.count,
        version=arrow.version,
        roles=arrow.roles,
        by=arrow.by,
    )


def _left_out(walked: Walk, shown: dict[Key, Node], passing: int, filtered: int, unread: int) -> Iterable[LeftOut]:
    further = walked.further.difference(walked.distance)
    if further:  # only those one arrow further away are known
        yield LeftOut(Reason.DEPTH, len(further), at_least=True)
    if unread:
        yield LeftOut(Reason.RESUMED, unread)
    over = passing - len(shown)
    if over or (walked.cut and not further):
        yield LeftOut(Reason.BUDGET, max(over, 1), at_least=walked.cut)
    hidden = sum(node.kind == Kind.HIDDEN for node in shown.values())
    if hidden:
        yield LeftOut(Reason.HIDDEN, hidden)
    if filtered:
        yield LeftOut(Reason.FILTER, filtered)


def _more(walked: Walk, ids: dict[Key, str], filtered: Collection[Key]) -> dict[str, More]:
    """The numbers of neighbours that are not shown, for each shown node that has any."""
    ups, downs = neighbours([*walked.arrows, *walked.beyond])
    more = {}
    for key, name in ids.items():
        counts = [sum(end not in ids and end not in filtered for end in ends[key]) for ends in (ups, downs)]
        if any(counts):
            more[name] = More(*counts)
    return more
