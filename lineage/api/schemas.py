"""The lineage part of the OpenAPI document. The JSON itself is made in `lineage/answers.py`."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from catalog.apikit.fields import Answer, integer, one_of, text, time
from lineage.answers import Question, Reason
from lineage.graph import Kind, Relation
from lineage.scope import BUDGET, BUDGET_MOST, DEPTH_MOST, DIRECTIONS, KINDS


class LineageCounts(Answer):
    nodes = integer(help_text="Shown.")
    links = integer(help_text="Shown.")
    found = integer(help_text="Nodes that the question reaches, shown or not.")
    found_at_least = serializers.BooleanField(help_text="Nobody counted further.")


class LineageCut(Answer):
    reason = one_of(Reason)
    count = integer()
    at_least = serializers.BooleanField()
    sentence = text()


class MoreNeighbours(Answer):
    up = integer()
    down = integer()


class LineageRun(Answer):
    """What is known of a run or session; empty and null: not told."""

    name = text()
    user = text()
    started_at = time(allow_null=True)
    finished_at = time(allow_null=True)
    state = text()
    repository = text()
    commit = text()
    dirty = serializers.BooleanField(allow_null=True, help_text="Whether there were changes that the commit lacks.")
    git_branch = text()
    origin = text(help_text="The run that it resumes.")


class LineageNode(Answer):
    id = text(help_text="Can be the focus of the next question.")
    kind = one_of([kind for kind in Kind if kind != Kind.GROUP])
    name = text(help_text="Empty for what you may not see.")
    key = text(help_text="The id of an asset; the last entity of a component; what sets a part of a run apart.")
    perimeter = text()
    project = text()
    branch = text(help_text="Key of the asset's branch, or of the one that the component writes to; empty: unknown.")
    branch_name = text()
    version = text()
    state = text()
    at = time(allow_null=True)
    url = text(help_text="The path of its page; empty if it has none.")
    deleted = serializers.BooleanField()
    hidden = serializers.BooleanField()
    fault = text(help_text="What is wrong with the stored data; empty if nothing.")
    late_since = time(
        allow_null=True, help_text="When the next version was expected of an asset that is late now; null: it is not."
    )
    run = LineageRun(allow_null=True)
    digest = text(help_text="The content address of an instance, if it is known.")
    same_content = serializers.ListField(child=text(), help_text="The ids of the other nodes with this digest.")
    distance = integer(allow_null=True, help_text="Arrows to the focus; negative upstream.")
    via = text(allow_null=True, help_text="The node from which it was reached first.")
    more = MoreNeighbours(help_text="Neighbours that are not shown.")


class LineageLink(Answer):
    source = text()  # type: ignore[assignment]
    target = text()
    relation = one_of(Relation)
    first_at = time(allow_null=True)
    last_at = time(allow_null=True, help_text="Null with a null count: it has changed since the moment asked for.")
    count = integer(allow_null=True, help_text="Of events, without those of failed attempts.")
    in_cycle = serializers.BooleanField()
    version = text(help_text="What was read, made or promoted last; empty for a definition.")
    roles = serializers.ListField(child=text(), help_text="Of readings: input, baseline, evaluation, …")
    by = text(help_text="How all inputs of what a run made are known: task, run or session.")


class LineageCycle(Answer):
    nodes = serializers.ListField(child=text(), help_text="One way round.")
    size = integer(help_text="Nodes of the whole part that feeds itself.")


class LineageAnswer(Answer):
    """A graph, and whether it is all there is. Arrows run as content does: producer, asset, consumer."""

    question = one_of(Question)
    focus = serializers.ListField(child=text())
    direction = one_of(DIRECTIONS)
    depth = integer(allow_null=True)
    as_of = time(help_text="The moment that this is true of.")
    is_past = serializers.BooleanField(help_text="Whether that moment was asked for.")
    complete = serializers.BooleanField(help_text="Nothing is left out for depth, number or visibility.")
    counts = LineageCounts()
    left_out = LineageCut(many=True)
    notes = serializers.ListField(child=text(), help_text="What made no sense, and what it was taken for.")
    nodes = LineageNode(many=True)
    links = LineageLink(many=True)
    cycles = LineageCycle(many=True)
    islands = serializers.ListField(
        child=serializers.ListField(child=text()), help_text="The parts that hang together, the largest first."
    )


def focus_parameter(name: str, *, required: bool = True) -> OpenApiParameter:
    says = "The id of a node, or data/xkcd, models/m, flow/TrainFlow, deployment/app on this branch."
    return OpenApiParameter(name, str, required=required, description=says)


PARAMETERS = [
    OpenApiParameter("direction", str, enum=list(DIRECTIONS), description="up: producers; down: consumers."),
    OpenApiParameter("depth", int, description=f"How many arrows far, 0 to {DEPTH_MOST}."),
    OpenApiParameter("limit", int, description=f"How many nodes at most, 1 to {BUDGET_MOST}. Default: {BUDGET}."),
    OpenApiParameter("as_of", str, description="As it was at this time (ISO 8601, UTC) or at the end of this day."),
    OpenApiParameter("kind", str, many=True, enum=list(KINDS), description="Show these kinds only."),
    OpenApiParameter("role", str, many=True, description="Only readings in these roles; `input` is that of most."),
    OpenApiParameter("branch", str, many=True, description="Show what is on these branches only, by key."),
]
"""The parameters of every question. `branch` in the path is the branch of the question; in the query it is a filter."""
