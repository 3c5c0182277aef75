"""Answers, filters and headers in the OpenAPI document. The JSON itself is made in `catalog/wire/`."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from catalog import filters, limits
from catalog.apikit.fields import Answer, integer, one_of, text, time
from catalog.filters import Filter
from catalog.gates.judgement import Says
from catalog.states import RUN_STATES, Freshness, Kind, Outcome, RequestState, RunKind, State
from catalog.wire.bodies import (
    Annotations,
    Anything,
    DatastoreBody,
    EntityRefBody,
    MetricBody,
    RegistrationBody,
    TagBody,
)


class AssetAnswer(Answer):
    id = text()
    kind = one_of([kind.singular for kind in Kind])
    name = text(help_text="Equal to the id; see display_name.")
    display_name = text()
    description = text()
    icon = text()
    properties = Annotations(help_text="Effective: as declared, with people's overrides on top.")
    metrics = MetricBody(many=True, help_text="As declared, in the order in which pages show them.")


class DataPropertiesAnswer(Answer):
    data_kind = text()
    annotations = Annotations()
    blobs = serializers.ListField(child=Anything())


class ModelPropertiesAnswer(Answer):
    model_kind = text()
    annotations = Annotations()
    blobs = serializers.ListField(child=Anything())


class RunNameAnswer(Answer):
    id = text(help_text="Flow/run, or the id of a session.")
    kind = one_of(RunKind.values)


class RunAnswer(RunNameAnswer):
    """What is null was not told. Parameters and configs that are long have `_omitted` in place of their value."""

    user = text(allow_null=True)
    started_at = time(allow_null=True)
    metaflow_version = text(allow_null=True)
    python_version = text(allow_null=True)
    repository = text(allow_null=True)
    commit = text(allow_null=True)
    dirty = serializers.BooleanField(allow_null=True, help_text="There were changes that the commit does not have.")
    git_branch = text(allow_null=True)
    parameters = Annotations(allow_null=True)
    configs = Annotations(allow_null=True)
    left_out = serializers.ListField(
        child=text(), allow_null=True, help_text="Names of parameters and configs that are never told."
    )
    origin = text(allow_null=True, help_text="Flow/run of the run that it resumes.")
    tags = serializers.ListField(child=text(), allow_null=True)
    state = one_of(RUN_STATES, allow_null=True, help_text="As Metaflow says.")
    finished_at = time(allow_null=True)


class ComponentAnswer(Answer):
    kind = text()
    name = text()


class OutcomeAnswer(Answer):
    """What a run made or read of one asset; `first_ref` and `last_ref` are null for a definition."""

    kind = one_of(Kind.values)
    asset = text()
    project = text()
    branch = text()
    role = text(allow_null=True, help_text="Of a reading; null: as an input.")
    count = integer(help_text="How often.")
    first_ref = text(allow_null=True, help_text="The lowest version of those.")
    last_ref = text(allow_null=True, help_text="The highest version of those.")
    url = serializers.URLField(help_text="The asset's page.")


class ListedRunAnswer(RunAnswer):
    first_at = time(help_text="Of its first write.")
    branch = text(help_text="The key of the branch that it writes to.")
    component = ComponentAnswer(allow_null=True)
    made = OutcomeAnswer(many=True, help_text="Without copies of what it made elsewhere.")
    read = OutcomeAnswer(many=True, help_text="Without what attempts that failed have read.")


class RunListAnswer(Answer):
    runs = ListedRunAnswer(many=True)
    continuation = text(allow_null=True)


class PositionAnswer(Answer):
    step = text()
    foreach = text(allow_null=True, help_text="As Metaflow writes it, 'loop:1,inner:0'; empty: in none.")
    iteration = integer(allow_null=True, help_text="Of a step that leads back to itself.")


class DeprecationAnswer(Answer):
    reason = text()
    at = time()
    by = text()


class InstanceAnswer(Answer):
    """Has `data_properties` or `model_properties`, by the kind of the asset."""

    id = text()
    asset = AssetAnswer()
    created_at = time()
    created_by = EntityRefBody()
    data_properties = DataPropertiesAnswer(required=False)
    model_properties = ModelPropertiesAnswer(required=False)
    tags = TagBody(many=True)
    number = integer(allow_null=True, help_text="Null for a definition.")
    ref = text(help_text="v12, or definition.")
    state = one_of(State.values)
    state_reason = text()
    settled_at = time(allow_null=True)
    deprecated = DeprecationAnswer(allow_null=True, help_text="Null: it is not deprecated.")
    description = text()
    attempt = integer(allow_null=True)
    run = RunNameAnswer(allow_null=True, help_text="The run or session that made it.")
    position = PositionAnswer(allow_null=True, help_text="Where in its run the task is that made it.")
    digest = text(allow_null=True, help_text="Content address; equal ones mean equal content.")
    same_as = text(
        required=False,
        allow_null=True,
        help_text="The first instance of the asset with the same digest, if before this. "
        "Not in answers to writes of an instance with a digest.",
    )
    datastore = DatastoreBody(allow_null=True)
    aliases = serializers.ListField(child=text())
    url = serializers.URLField(help_text="The instance's page.")


NOTES = "What of the body made no sense and was left out, in sentences."


RECEIPT = "The catalogue's word that it did this, where the client gave the write an id; for the journal of its task."


class RegistrationAnswer(InstanceAnswer):
    notes = serializers.ListField(child=text(), required=False, help_text=NOTES)
    receipt = text(required=False, help_text=f"Of a promotion. {RECEIPT}")


class EntryBody(RegistrationBody):
    """The body of one registration, and what its address says."""

    kind = one_of(Kind.values)
    asset = text(help_text="The id of the asset.")


class RegistrationsBody(Answer):
    registrations = EntryBody(many=True, help_text=f"At most {limits.REGISTRATIONS:,}.")


class RegistrationEntryAnswer(Answer):
    status = integer(help_text="As that of one registration: 201, or that of a refusal.")
    answer = Anything(help_text="As that to one registration: the instance, or the error.")


class RegistrationsAnswer(Answer):
    registrations = RegistrationEntryAnswer(many=True, help_text="In the order in which they were asked for.")


class ConsumptionAnswer(InstanceAnswer):
    consumed_at = time(required=False, help_text="When the consumption was recorded, if it was given an id.")
    notes = serializers.ListField(child=text(), required=False, help_text=NOTES)


class ReadInstanceAnswer(InstanceAnswer):
    run = RunAnswer(allow_null=True, help_text="The run or session that made it, with its facts.")


class FreshnessAnswer(Answer):
    state = one_of(Freshness.values, help_text="Whether the next version is late: by these times, at this moment.")
    due_at = time(allow_null=True, help_text="When the next version is expected.")
    late_at = time(allow_null=True, help_text="From when it is called late.")
    usual_seconds = integer(allow_null=True, help_text="From one version to the next, as a rule.")
    declared = Anything(help_text="As a deploy sends it; empty: nothing is declared.")


class NormalAnswer(Answer):
    since = time()
    reason = text()
    at = time()
    by = text()
    freshness = FreshnessAnswer()


class ItemAnswer(Answer):
    asset = AssetAnswer()
    latest_instance = InstanceAnswer(allow_null=True)
    tags = TagBody(many=True)
    freshness = FreshnessAnswer()
    url = serializers.URLField()


class AssetListAnswer(Answer):
    items = ItemAnswer(many=True)
    continuation = text(allow_null=True)


class EntityEntryAnswer(Answer):
    entity_ref = EntityRefBody()
    at = time()
    instance_id = text()
    component = ComponentAnswer()
    project = text()
    branch = text(help_text="The key of the branch that the entity writes to; empty where unknown.")


class ConsumerEntryAnswer(EntityEntryAnswer):
    role = text(allow_null=True, help_text="What it was read for; null: as an input.")


class RulingAnswer(Answer):
    """What one rule says; what there is nothing to say of is empty."""

    rule = text()
    says = one_of([says.value for says in Says])
    passes = serializers.BooleanField(help_text="False: it refuses.")
    has = text()
    needs = text()
    reference = text(help_text="What it was compared with.")
    short_by = text()
    reason = text()


class GateRevisionAnswer(Answer):
    """Which gates hold: those of the last deploy that spoke of any."""

    id = integer()
    at = time()
    source = text(help_text="The file that declares them.")  # type: ignore[assignment]
    version = text(help_text="Of the deploy.")
    actor = text()


class ApprovalsAnswer(Answer):
    given = integer()
    needed = integer()


class CheckAnswer(Answer):
    """What gates say of what is only asked about. A refusal has the same members in its detail."""

    alias = text(allow_null=True, help_text="Null: a promotion.")
    instance_id = text()
    passes = serializers.BooleanField()
    outcome = one_of(Outcome.values)
    rules = RulingAnswer(many=True)
    revision = GateRevisionAnswer(allow_null=True, help_text="Null: there are no gates for this.")
    approvals = ApprovalsAnswer()


class RefusedByRuleAnswer(Answer):
    rule = text()
    refused = integer(help_text="How many versions.")


class HolderAnswer(Answer):
    ref = text()
    passes = serializers.BooleanField()
    rules = RulingAnswer(many=True)


class LookBackAnswer(Answer):
    """What one gate would have done to the last versions."""

    gate = text(help_text="The name of an alias, `*` or `into branch`.")
    versions = integer(help_text="How many were looked at, at most 20.")
    refused = integer(help_text="How many of them.")
    by_rule = RefusedByRuleAnswer(many=True)
    left_out = serializers.ListField(child=text(), help_text="Rules that say nothing of another day.")
    approvals = integer(help_text="How many are asked for; they are left out, too.")
    holder = HolderAnswer(allow_null=True, help_text="What holds the alias now.")


class CheckedGatesAnswer(Answer):
    kind = one_of(Kind.values)
    id = text()
    source = text()  # type: ignore[assignment]
    differs = serializers.BooleanField(help_text="Whether a deploy would change what holds.")
    looked_back = serializers.BooleanField(help_text=f"At most for {limits.LOOKED_BACK} assets that are there.")
    gates = LookBackAnswer(many=True)


class GatesCheckAnswer(Answer):
    definitions = CheckedGatesAnswer(many=True)


class DeclaredGatesAnswer(Answer):
    declared = Anything(help_text="By the name of the alias, `*` or `into branch`.")
    revision = GateRevisionAnswer()


class SummaryAnswer(Answer):
    asset = AssetAnswer()
    gates = DeclaredGatesAnswer(allow_null=True, help_text="Those that hold at the address; null: none.")
    freshness = FreshnessAnswer()
    recent_instances = InstanceAnswer(many=True)
    continuation = text(allow_null=True)
    recently_produced_by = EntityEntryAnswer(many=True)
    recently_consumed_by = ConsumerEntryAnswer(many=True)


class ConfirmedAnswer(Answer):
    id = text()
    ref = text()
    state = text()
    asset = text()
    kind = text()
    project = text()
    branch = text()


class ConfirmationAnswer(Answer):
    confirmed = ConfirmedAnswer(many=True)
    notes = serializers.ListField(child=text(), required=False, help_text=NOTES)


class AliasMoveAnswer(Answer):
    alias_name = text()
    instance_id = text(help_text="Empty: the alias was deleted.")
    previous_instance_id = text(help_text="Empty: the alias was new.")
    updated_at = time()
    updated_by = EntityRefBody()
    outcome = one_of(Outcome.values, allow_null=True, help_text="Null: no gates were asked, and nobody said why.")
    comment = text(help_text="Why it was moved; or why rules were overridden.")


class OneAliasAnswer(Answer):
    name = text()
    instance_id = text()
    deprecated = DeprecationAnswer(allow_null=True, help_text="Of the instance; null: it is not deprecated.")
    updated_at = time()
    updated_by = EntityRefBody()
    recent_history = AliasMoveAnswer(many=True)


class AliasAnswer(Answer):
    alias = OneAliasAnswer()


class MovedAliasAnswer(AliasAnswer):
    receipt = text(required=False, help_text=RECEIPT)


class AliasListAnswer(Answer):
    aliases = OneAliasAnswer(many=True)


class AliasHistoryAnswer(Answer):
    entries = AliasMoveAnswer(many=True)
    continuation = text(allow_null=True)


class ApprovalAnswer(Answer):
    by = text(help_text="Who approved it.")
    at = time()
    comment = text()
    counts = serializers.BooleanField(help_text="False: who approved it may no longer do so.")
    reason = text(help_text="Why it does not count.")


class OneRequestAnswer(Answer):
    id = integer()
    state = one_of(RequestState.values)
    reason = text(help_text="Why it is closed, or was refused when it was approved.")
    alias = text(allow_null=True)
    into_branch = serializers.BooleanField()
    instance_id = text()
    ref = text()
    expected_instance_id = text(allow_null=True, help_text="Where the alias was; null: nowhere.")
    comment = text()
    asked_at = time()
    asked_by = text()
    approvals = ApprovalsAnswer()
    approvers = serializers.ListField(child=text(), help_text="role:admin, role:editor, or names of users.")
    approved_by = ApprovalAnswer(many=True)
    closed_at = time(allow_null=True)
    closed_by = text()
    url = serializers.URLField(help_text="Its page, where people approve and reject.")


class RequestAnswer(Answer):
    request = OneRequestAnswer()


class RequestListAnswer(Answer):
    requests = OneRequestAnswer(many=True)
    continuation = text(allow_null=True)


class SpecAnswer(Answer):
    """The posted spec with all its members; these two are always there."""

    data = serializers.ListField(child=Anything())  # type: ignore[assignment]
    models = serializers.ListField(child=Anything())


class PostedSpecAnswer(Answer):
    perimeter = text()
    project = text()
    branch = text(help_text="The canonical key.")
    branch_name = text(help_text="The git name that the branch is known by.")
    version_id = text()
    warning = text(required=False, help_text="The posted name is another one for the same key.")


class OverriddenAnswer(Answer):
    asset = text()
    key = text()
    declared = text(allow_null=True)
    previously_declared = text(allow_null=True)
    override = text()


class DeployAnswer(Answer):
    version_id = text()
    branch = text()
    branch_name = text()
    created = serializers.ListField(child=text())
    updated = serializers.ListField(child=text())
    unchanged = serializers.ListField(child=text())
    overridden = OverriddenAnswer(many=True)
    not_declared = serializers.ListField(child=text(), help_text="Declared by an earlier deploy, and kept.")
    gated = serializers.ListField(child=text(), help_text="Those whose gates are others now.")
    timezone = text(help_text="In which the days of the project begin.")
    url = serializers.URLField()


class HighlightContentAnswer(Answer):
    title = text()
    labels = serializers.ListField(child=text())
    synopsis = serializers.ListField(child=text(), help_text="Lines; **words** between asterisks stand out.")
    highlight_type = one_of(["columns", "image", "chart"])
    highlight_body = Anything(help_text="As sent; the src of an image is its address, empty if it was not kept.")


class HighlightAnswer(Answer):
    id = text()
    at = time()
    created_by = EntityRefBody()
    component = ComponentAnswer()
    run = text(help_text="Flow/run of a task.")
    attempt = integer(allow_null=True)
    content = HighlightContentAnswer()
    url = serializers.URLField(help_text="The highlight's page.")


class HighlightListAnswer(Answer):
    highlights = HighlightAnswer(many=True)


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key, caller, address and body again gets the first answer, and nothing is written twice.",
)


def write_id(letter: str) -> OpenApiParameter:
    """The parameter by which a client gives an id to a deletion."""
    says = "An id of the client's own for this deletion; sent again, it deletes nothing."
    return OpenApiParameter("id", {"type": "string", "pattern": f"^{letter}_[0-9a-f]{{20}}$"}, description=says)


PAGING = [
    OpenApiParameter("page_size", int, description="How many rows at most."),
    OpenApiParameter("continuation", str, description="The token of the page before."),
]


def parameter_of(row: Filter) -> OpenApiParameter:
    return OpenApiParameter(row.name, row.value_type, many=row.many, description=row.doc)


STATE = parameter_of(filters.STATE)
FILTERS = [parameter_of(row) for row in filters.FILTERS]
