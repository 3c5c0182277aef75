"""What the catalogue keeps; docs/data-model.md says what is an event, what is derived, and what keeps which promise."""

import secrets
from datetime import datetime
from functools import cached_property
from operator import attrgetter

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from access.models import Perimeter
from access.visibility import VisibleQuerySet
from catalog import querysets
from catalog.asset_facts import AssetFacts
from catalog.declared_metrics import DeclaredMetrics
from catalog.indexes import FallingIndex
from catalog.limits import DIGEST_LENGTH, FOREACH_LENGTH, KEY_LENGTH
from catalog.marks import Marked, MarkedQuerySet
from catalog.states import Kind, RunState, State
from obproject.branches import branch_key
from obproject.roles import ROLE_LENGTH
from obproject.sessions import is_session_id

FOREACH_HELP = "The foreaches that the task is in, as Metaflow writes them; empty: in none; null: not told."


def new_instance_id() -> str:
    return f"i_{secrets.token_hex(10)}"


def new_definition_id() -> str:
    return f"d_{secrets.token_hex(10)}"


def new_highlight_id() -> str:
    return f"h_{secrets.token_hex(10)}"


def client_id() -> "models.CharField[str | None, str | None]":
    """The column of the id that a client gave to its write; null if it gave none, as no two ids are the same."""
    return models.CharField(max_length=32, null=True, editable=False)


def untold_text(length: int, about: str = "") -> "models.CharField[str | None, str | None]":
    """A column of text for what not every client tells; null if it was not told, as for all rows of older versions."""
    return models.CharField(max_length=length, null=True, help_text=about)


class Project(Marked):
    PERIMETER = "perimeter"
    NOT_MARKED = frozenset({"newest_highlight"})

    perimeter = models.ForeignKey(Perimeter, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=128)
    title = models.CharField(max_length=255, blank=True, help_text="As the newest spec of any branch says.")
    created_at = models.DateTimeField()
    # derived
    newest_highlight = models.ForeignKey("Highlight", null=True, on_delete=models.PROTECT, related_name="+")

    objects = querysets.ProjectQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["perimeter", "name"], name="one_project_per_name")]

    def __str__(self) -> str:
        return self.name


class Branch(Marked):
    """A namespace of assets. Its key is what the wire and addresses say; `git_name` is how people wrote it."""

    PERIMETER = "project__perimeter"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="branches")
    key = models.CharField(max_length=255)
    git_name = models.CharField(max_length=255, blank=True, help_text="Empty until a client names it.")
    created_at = models.DateTimeField()
    # derived
    spec = models.ForeignKey("SpecVersion", null=True, on_delete=models.PROTECT, related_name="+")
    data_count = models.PositiveIntegerField(default=0)
    models_count = models.PositiveIntegerField(default=0)

    objects = querysets.BranchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "branches"
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="one_branch_per_key")]
        indexes = [
            # what has changed last among the branches of a project
            models.Index(fields=["project", "changed"], name="branch_changes")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """How people know the branch: its git name, or its key while nobody has named it."""
        return self.git_name or self.key

    def is_called(self, name: str) -> bool:
        """Whether a name or a key is that of this branch, without asking for its further keys."""
        return branch_key(name) in (self.key, branch_key(self.name))


class BranchName(models.Model):
    """Event: a branch was given the git name that it is shown by."""

    PERIMETER = "branch__project__perimeter"

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="names")
    git_name = models.CharField(max_length=255)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    objects = VisibleQuerySet.as_manager()


class BranchKey(Marked):
    """A further key of a branch: what other clients, or other versions of this one, make of its name.

    No event: it follows from the names of branches, and from which of them came first.
    """

    PERIMETER = "branch__project__perimeter"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="further_keys")
    shared = models.BooleanField(
        default=False, help_text="Another branch would be called so too, so the key alone leads to neither."
    )

    objects = MarkedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="one_branch_per_further_key")]

    def __str__(self) -> str:
        return self.key


class SpecVersion(models.Model):
    """Event: a flowproject spec was posted, or deleted (`document` empty)."""

    PERIMETER = "branch__project__perimeter"

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="specs")
    version_id = models.CharField(max_length=1024, blank=True)
    document = models.TextField(blank=True, help_text="The posted spec as JSON, to the letter. Empty: deleted.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = "deploy"
        # the branch's versions, newest first: deploy history
        indexes = [models.Index(fields=["branch", "-id"], name="spec_history")]

    def __str__(self) -> str:
        return self.version_id or "deleted"


class Component(Marked):
    """A flow, a deployment, a person or a CI job: what the entities of producers and consumers roll up into."""

    PERIMETER = "perimeter"

    class Kind(models.TextChoices):
        FLOW = "flow", "flow"
        DEPLOYMENT = "deployment", "deployment"
        PERSON = "person", "person"
        CI = "ci", "CI"
        OTHER = "other", "other"

    perimeter = models.ForeignKey(Perimeter, on_delete=models.PROTECT, related_name="+")
    project_name = models.CharField(
        max_length=128, help_text="By name: a consumer's project need not be in the catalogue."
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=512)

    objects = querysets.ComponentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["perimeter", "project_name", "kind", "name"], name="one_component_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class Run(Marked):
    """Event: what a Metaflow run is, as its first report says it; or a session, which takes the place of a run.

    One row for each that made or read something, or that another one resumed. Empty and null mean "not told".
    """

    PERIMETER = "perimeter"
    NOT_MARKED = frozenset({"read_at"})

    perimeter = models.ForeignKey(Perimeter, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=512, help_text="Flow/run, or the id of a session.")
    component = models.ForeignKey(Component, null=True, on_delete=models.PROTECT, related_name="runs")
    branch = models.CharField(max_length=255, blank=True, help_text="Key of the branch that it writes to, if known.")
    first_at = models.DateTimeField(help_text="Of its first write.")
    # as reported
    reported_at = models.DateTimeField(null=True)
    user = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True)
    metaflow_version = models.CharField(max_length=128, blank=True)
    python_version = models.CharField(max_length=128, blank=True)
    repository = models.CharField(max_length=512, blank=True)
    commit = models.CharField(max_length=128, blank=True)
    dirty = models.BooleanField(null=True, help_text="Whether there were changes that the commit does not have.")
    git_branch = models.CharField(max_length=255, blank=True)
    parameters = models.JSONField(null=True)
    configs = models.JSONField(null=True)
    left_out = models.JSONField(null=True, help_text="Names of parameters and configs that are never told.")
    tags = models.JSONField(null=True)
    graph = models.JSONField(null=True, help_text="The steps that follow each step.")
    origin = models.CharField(max_length=512, blank=True, help_text="The run that it resumes.")
    # as Metaflow says
    read_at = models.DateTimeField(null=True, help_text="When Metaflow's metadata of it was last read.")
    state = models.CharField(max_length=9, choices=RunState.choices, blank=True)
    finished_at = models.DateTimeField(null=True)
    clones_read_at = models.DateTimeField(null=True, help_text="When its tasks were known to be its own or cloned.")

    objects = querysets.RunQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["perimeter", "name"], name="one_run_per_name")]
        indexes = [
            # the runs of a flow on a branch, newest first
            models.Index(fields=["component", "branch", "-first_at"], name="runs_of_component"),
            # the runs that resume one
            models.Index(fields=["origin"], condition=~Q(origin=""), name="resumed_runs"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_session(self) -> bool:
        return is_session_id(self.name)


class ClonedTask(models.Model):
    """What Metaflow says of a resumed run: a task that it took over from another run instead of running it."""

    PERIMETER = "run__perimeter"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="cloned_tasks")
    task = models.CharField(max_length=512, help_text="Its step and name.")
    origin = models.CharField(max_length=512, help_text="Flow, run, step and name of the original.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "task"], name="one_original_per_task")]


def assets_in_order(sort: str, name: str) -> FallingIndex:
    """The index from which a list of a branch's live assets is read in one of its orders, with the keys of its rows."""
    columns = (F("branch"), querysets.asset_order(sort), *map(F, querysets.TIES), F("id"))
    return FallingIndex(*columns, condition=Q(deleted_at=None), name=name)


class Asset(AssetFacts, Marked):
    """A definition: what the instances are instances of. It may have none. Deleted ones stay as tombstones."""

    PERIMETER = "branch__project__perimeter"

    # of several keys no index of their own: `asset_by_id` and others begin with them
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="assets", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asset_id = models.CharField(max_length=128)
    definition_uid = models.CharField(max_length=32, unique=True, default=new_definition_id, editable=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.CharField(max_length=255, blank=True)
    deletion_uid = models.CharField(max_length=32, blank=True, help_text="The id that a client gave to the deletion.")
    # as declared
    name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    icon = models.CharField(max_length=64, blank=True)
    readme = models.TextField(blank=True)
    source = models.CharField(max_length=512, blank=True, help_text="The file that declares it, within its project.")
    asset_kind = models.CharField(
        max_length=128, blank=True, help_text="How the reference is resolved: artifact, s3, …"
    )
    declared_properties = models.JSONField(default=dict, blank=True)
    declared_tags = models.JSONField(default=dict, blank=True)
    declared_blobs = models.JSONField(default=list, blank=True)
    declared_metrics = models.JSONField(
        default=list, blank=True, help_text="Objects in the order that counts: name, better, headline, noise, unit."
    )
    not_compared = models.JSONField(default=list, blank=True, help_text="Names that comparisons leave out.")
    config_hash = models.CharField(max_length=128, blank=True)
    declared_at = models.DateTimeField(null=True)
    declared_by_kind = models.CharField(max_length=64, blank=True)
    declared_by_id = models.CharField(max_length=512, blank=True)
    # derived
    properties = models.JSONField(default=dict, blank=True, help_text="Effective: declared, with overrides on top.")
    alias_index = models.JSONField(default=dict, blank=True, help_text="Alias name to the id that it points to.")
    last_number = models.PositiveIntegerField(default=0)
    ready_count = models.PositiveIntegerField(default=0)
    newest = models.ForeignKey("Instance", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    newest_ready = models.ForeignKey("Instance", null=True, on_delete=models.PROTECT, related_name="+")
    newest_at = models.DateTimeField(null=True, help_text="When `newest` was made.")
    failed_at = models.DateTimeField(null=True, help_text="When `newest` was made, if it failed.")
    ready_number = models.PositiveIntegerField(null=True, help_text="Of `newest_ready`.")
    refreshed_at = models.DateTimeField(null=True)
    consumer_count = models.PositiveIntegerField(default=0)
    series_whole = models.PositiveIntegerField(
        default=0, help_text="Up to this number all blocks of its series are kept."
    )
    series_packed = models.PositiveIntegerField(default=0, help_text="Beyond this number no block is.")

    objects = querysets.AssetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["branch", "kind", "asset_id"], condition=Q(deleted_at=None), name="one_live_asset_per_id"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="asset_kind_is_data_or_models"),
        ]
        indexes = [
            # tombstones of an id, for the spec's lists and the audit
            models.Index(fields=["branch", "kind", "asset_id"], name="asset_by_id"),
            # the orders of lists; the first also says when a branch was last refreshed, and what since
            assets_in_order("-refreshed", "assets_by_refreshed"),
            assets_in_order("name", "assets_by_name"),
            assets_in_order("-consumers", "assets_by_consumers"),
            assets_in_order("-version", "assets_by_version"),
            # what was registered last on a branch
            models.Index(fields=["branch", "-newest"], condition=Q(deleted_at=None), name="assets_by_newest"),
            # what failed last on a branch
            models.Index(
                fields=["branch", "-failed_at"],
                condition=Q(deleted_at=None, failed_at__isnull=False),
                name="assets_that_failed",
            ),
            # what was deleted last on a branch
            models.Index(
                fields=["branch", "-deleted_at"], condition=Q(deleted_at__isnull=False), name="deleted_assets"
            ),
            # what has changed last on a branch
            models.Index(fields=["branch", "changed"], name="asset_changes"),
            # the deletion that a client repeats
            models.Index(fields=["deletion_uid"], condition=~Q(deletion_uid=""), name="deletions_by_id"),
            # those of which a block of the series can be packed
            models.Index(fields=["id"], condition=querysets.HAS_BLOCK_TO_PACK, name="assets_to_pack"),
        ]

    def __str__(self) -> str:
        return self.asset_id

    @cached_property
    def metrics(self) -> DeclaredMetrics:
        """What is declared of its metrics."""
        return DeclaredMetrics.of(self.declared_metrics)


class Instance(models.Model):
    """Event: one registration, numbered within its asset. Only its state ever changes, and never its content."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="instances", db_index=False)
    uid = models.CharField(max_length=32, unique=True, default=new_instance_id, editable=False)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices)
    state_reason = models.CharField(max_length=512, blank=True)
    asset_kind = models.CharField(max_length=128)
    description = models.TextField(blank=True)
    annotations = models.JSONField(default=dict)
    tags = models.JSONField(default=dict)
    blobs = models.JSONField(default=list)
    producer_kind = models.CharField(max_length=64)
    producer_id = models.CharField(max_length=512)
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="produced", db_index=False)
    run = models.CharField(max_length=512, blank=True, help_text="Flow/run of a producing task, or a session.")
    promoted_from = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="promotions", db_index=False
    )
    attempt = models.PositiveIntegerField(null=True)
    foreach_path = untold_text(FOREACH_LENGTH, FOREACH_HELP)
    iteration = models.PositiveIntegerField(null=True, help_text="Of a step that leads back to itself.")
    digest = untold_text(DIGEST_LENGTH, "Content address of what it refers to.")
    datastore_type = models.CharField(max_length=16, blank=True)
    datastore_root = models.CharField(max_length=1024, blank=True)
    datastore_cards = untold_text(1024, "Root of the task's cards, where it can't be told from that of its files.")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    actor = models.CharField(max_length=255)

    objects = querysets.InstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "number"], name="one_instance_per_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="numbers_start_at_one"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="state_is_known"),
        ]
        indexes = [
            # latest, latest-N and the asset's pointers
            models.Index(fields=["asset", "state", "-created_at", "-number"], name="instances_by_state"),
            # confirmation and supersession of a task's registrations; filter by producer
            models.Index(fields=["producer_id"], name="instances_by_producer"),
            # what a run made
            models.Index(fields=["run"], name="instances_by_run"),
            # the instances of an asset with the same content
            models.Index(fields=["asset", "digest"], condition=Q(digest__isnull=False), name="instances_by_digest"),
            # those that a component made, of an asset or of all
            models.Index(fields=["component", "asset", "number"], name="instances_by_component"),
            # filter by time
            models.Index(fields=["asset", "created_at", "number"], name="instances_in_time"),
            # … and those whose numbers tell nothing of their time
            models.Index(
                fields=["asset", "created_at", "number"], condition=querysets.BACKFILLED, name="backfilled_instances"
            ),
            # the copies of an instance
            models.Index(fields=["promoted_from"], condition=Q(promoted_from__isnull=False), name="instances_copied"),
            # what reconciling settles
            models.Index(fields=["id"], condition=querysets.PENDING, name="pending_instances"),
            models.Index(fields=["settled_at"], condition=Q(state=State.FAILED), name="failed_instances"),
        ]  # PostgreSQL has one more, by tags and annotations: see catalog.json_lookups.InAsset

    def __str__(self) -> str:
        return f"{self.asset_id} {self.ref}"

    @property
    def ref(self) -> str:
        return f"v{self.number}"

    @property
    def is_pending(self) -> bool:
        return self.state == State.PENDING

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY

    @property
    def is_failed(self) -> bool:
        return self.state == State.FAILED

    @property
    def is_copy(self) -> bool:
        """Whether it was promoted, from an instance that the catalogue has or does not know."""
        return self.promoted_from_id is not None or self.annotations.get(querysets.PROMOTED_FROM) not in (None, "")

    @property
    def place_in_time(self) -> tuple[datetime, int]:
        """What orders the instances of an asset; a number alone says in which order they arrived."""
        place: tuple[datetime, int] = attrgetter(*querysets.IN_TIME)(self)
        return place


class SeriesBlock(models.Model):
    """Derived: a block of successive numbers of an asset, as its series have it (`catalog/series/`).

    Such rows are made and deleted, and never changed. Of a deleted asset there are none.
    """

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="series_blocks", db_index=False)
    number = models.PositiveIntegerField(help_text="From 0.")
    first_number = models.PositiveIntegerField(null=True, help_text="Of a version in it; null: it has none.")
    last_number = models.PositiveIntegerField(null=True)
    first_at = models.BigIntegerField(null=True, help_text="When the earliest was made, in microseconds since 1970.")
    last_at = models.BigIntegerField(null=True)
    versions = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    pending = models.PositiveIntegerField()
    times = models.BinaryField(help_text="Of each number, in microseconds since 1970.")
    states = models.BinaryField(help_text="Of each number, a letter; a space: there is no such version.")
    names = models.JSONField(help_text="The metrics that are kept, and how many versions have measured each.")
    left_out = models.PositiveIntegerField(help_text="How many more metrics there are.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "number"], name="one_series_block_per_number")]


class MetricBlock(models.Model):
    """Derived: the values of one metric in a block."""

    PERIMETER = "block__asset__branch__project__perimeter"
    SHOWN_WHILE = {"block__asset__deleted_at": None}

    block = models.ForeignKey(SeriesBlock, on_delete=models.CASCADE, related_name="metrics", db_index=False)
    name = models.CharField(max_length=KEY_LENGTH)
    low = models.FloatField()
    low_number = models.PositiveIntegerField(help_text="The first version that has it.")
    high = models.FloatField()
    high_number = models.PositiveIntegerField()
    measured = models.PositiveIntegerField()
    packed = models.BinaryField(help_text="The value of each number as a float of 64 bits; NaN: not measured.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["block", "name"], name="one_metric_block_per_name")]


class StateChange(models.Model):
    """Event: an instance was settled."""

    PERIMETER = "instance__asset__branch__project__perimeter"
    SHOWN_WHILE = {"instance__asset__deleted_at": None}

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="state_changes")
    state = models.CharField(max_length=8, choices=State.choices)
    reason = models.CharField(max_length=512, blank=True)
    digest = untold_text(DIGEST_LENGTH)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    objects = VisibleQuerySet.as_manager()


class Consumption(models.Model):
    """Event: an entity consumed an instance, or the definition of an asset that has none."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="consumptions", db_index=False)
    instance = models.ForeignKey(
        Instance, null=True, on_delete=models.PROTECT, related_name="consumptions", db_index=False
    )
    reference = models.CharField(max_length=256, help_text="As the consumer asked: latest, v12, @production, …")
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="consumed")
    run = models.CharField(max_length=512, blank=True, help_text="Flow/run of a task, or a session.")
    role = untold_text(ROLE_LENGTH, "Null: an input.")
    attempt = models.PositiveIntegerField(null=True)
    foreach_path = untold_text(FOREACH_LENGTH, FOREACH_HELP)
    iteration = models.PositiveIntegerField(null=True)
    failed = models.BooleanField(null=True, help_text="Whether it was read by an attempt that failed.")
    write_branch = models.CharField(max_length=255, blank=True, help_text="Key of the consumer's own branch, if known.")
    write_branch_name = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    uid = client_id()

    objects = querysets.ConsumptionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uid"], name="one_consumption_per_id")]
        indexes = [
            # newest consumers of an asset
            models.Index(fields=["asset", "-id"], name="consumptions_of_asset"),
            # newest consumers of an instance
            models.Index(fields=["instance", "-id"], name="consumptions_of_instance"),
            # what a run consumed
            models.Index(fields=["run"], name="consumptions_by_run"),
        ]


def branch_of_asset() -> "models.ForeignKey[Branch, Branch]":
    """The column of the branch that a row's asset is on, for what lists the newest rows of a branch."""
    return models.ForeignKey(
        Branch, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="That of the asset."
    )


class Edge(Marked):
    """Derived: a component produces or consumes an asset, from one write branch and in one role; how often and when.

    Events of failed attempts are not counted; the times and the last event are theirs only while there are no others.
    """

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    class Direction(models.TextChoices):
        PRODUCES = "produces", "produces"
        CONSUMES = "consumes", "consumes"
        PROMOTED = "promoted", "made what was promoted to here"

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="edges", db_index=False)
    branch = branch_of_asset()
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="edges")
    direction = models.CharField(max_length=8, choices=Direction.choices)
    write_branch = models.CharField(max_length=255, blank=True)
    write_branch_name = models.CharField(max_length=255, blank=True)
    role = untold_text(ROLE_LENGTH, "Null: an input, or no reading.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    last_entity_kind = models.CharField(max_length=64)
    last_entity_id = models.CharField(max_length=512)
    last_instance = models.ForeignKey(Instance, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = querysets.EdgeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "asset", "component", "direction", "write_branch", Coalesce("role", Value("")), name="one_edge_per_role"
            )
        ]
        indexes = [
            # what has changed last on a branch
            models.Index(fields=["branch", "changed"], name="edge_changes"),
            # what was consumed last on a branch
            models.Index(fields=["branch", "-last_at"], condition=Q(direction="consumes"), name="consumers_in_time"),
        ]


class Promotion(models.Model):
    """Derived: instances of one asset were made as copies of another's, or of unknown ones; how often and when."""

    PERIMETER = "target__branch__project__perimeter"
    SHOWN_WHILE = {"target__deleted_at": None}

    source = models.ForeignKey(
        Asset, null=True, on_delete=models.PROTECT, related_name="promotions_out", help_text="Null: unknown ones."
    )
    target = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="promotions_in")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    last_instance = models.ForeignKey(Instance, null=True, on_delete=models.PROTECT, related_name="+")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target"], name="one_promotion_per_pair"),
            models.UniqueConstraint(
                fields=["target"], condition=Q(source=None), name="one_promotion_from_unknown_sources"
            ),
        ]


class Alias(models.Model):
    """The present place of a movable name; `instance` empty means the definition."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="aliases", db_index=False)
    branch = branch_of_asset()
    name = models.CharField(max_length=128)
    instance = models.ForeignKey(Instance, null=True, on_delete=models.PROTECT, related_name="aliases")
    updated_at = models.DateTimeField()
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint(fields=["asset", "name"], name="one_alias_per_name")]
        indexes = [
            # what was moved last on a branch
            models.Index(fields=["branch", "-updated_at"], name="aliases_in_time")
        ]

    def __str__(self) -> str:
        return f"@{self.name}"


class AliasMove(models.Model):
    """Event: an alias was set, moved or deleted. Empty ids: it did not exist before, or not after."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="alias_moves", db_index=False)
    name = models.CharField(max_length=128)
    from_uid = models.CharField(max_length=32, blank=True)
    to_uid = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)
    actor = models.CharField(max_length=255)
    uid = client_id()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uid"], name="one_alias_move_per_id")]
        indexes = [
            # the timeline over all aliases of an asset, and of one
            models.Index(fields=["asset", "-id"], name="alias_timeline"),
            models.Index(fields=["asset", "name", "-id"], name="alias_history"),
        ]


class DefinitionRevision(models.Model):
    """Event: a deploy declared an asset anew."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="revisions")
    declared = models.JSONField(help_text="Everything declared, by the names of the fields of the asset.")
    config_hash = models.CharField(max_length=128, blank=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)

    objects = VisibleQuerySet.as_manager()


class PropertyOverride(models.Model):
    """The present value that a person gave to a property; it wins over what deploys declare."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="overrides")
    branch = branch_of_asset()
    key = models.CharField(max_length=255)
    value = models.TextField(blank=True)
    declared_value = models.JSONField(
        null=True, help_text="What was declared when the override was made; empty: nothing."
    )
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "key"], name="one_override_per_property")]
        indexes = [
            # what was overridden last on a branch
            models.Index(fields=["branch", "-at"], name="overrides_in_time")
        ]

    @property
    def declared_has_changed(self) -> bool:
        """Whether a deploy has changed the declared value beneath this override."""
        return self.asset.declared_properties.get(self.key) != self.declared_value


class PropertyEdit(models.Model):
    """Event: a person overrode a property, or gave it back to the declaration (`new_value` empty)."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="property_edits")
    branch = branch_of_asset()
    key = models.CharField(max_length=255)
    old_value = models.JSONField(null=True)
    new_value = models.JSONField(null=True)
    declared_value = models.JSONField(null=True)
    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=255)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        indexes = [
            # what was edited last on a branch
            models.Index(fields=["branch", "-id"], name="edits_in_time")
        ]


class IdempotencyKey(models.Model):
    """The answer that was given to a request with an `Idempotency-Key`; kept seven days."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of caller, method, path and key.")
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    created_at = models.DateTimeField(db_index=True)


class Highlight(Marked):
    """Event: a task showed what its run came to."""

    PERIMETER = "branch__project__perimeter"

    uid = models.CharField(max_length=32, unique=True, default=new_highlight_id, editable=False)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="highlights")
    component = models.ForeignKey(Component, on_delete=models.PROTECT, related_name="highlights")
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)
    run = models.CharField(max_length=512, blank=True, help_text="Flow/run of a task.")
    attempt = models.PositiveIntegerField(null=True)
    datastore_type = models.CharField(max_length=16, blank=True)
    datastore_root = models.CharField(max_length=1024, blank=True)
    datastore_cards = untold_text(1024, "Root of the task's cards, where it can't be told from that of its files.")
    title = models.CharField(max_length=255, blank=True)
    content = models.JSONField(default=dict, help_text="Labels, lines, columns and chart.")
    image = models.BinaryField(null=True)
    image_type = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    # derived
    is_newest = models.BooleanField(help_text="Of its component on this branch.")

    objects = querysets.HighlightQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["branch", "component"], condition=Q(is_newest=True), name="one_newest_highlight"
            )
        ]
        indexes = [
            # the newest of each component of a branch
            models.Index(fields=["branch", "-at"], condition=Q(is_newest=True), name="newest_highlights"),
            # all of a branch, newest first
            models.Index(fields=["branch", "-at", "-id"], name="highlights_of_branch"),
            # what has changed last among them
            models.Index(fields=["branch", "changed"], name="highlight_changes"),
        ]

    def __str__(self) -> str:
        return self.title or self.uid


class NameStart(models.Model):
    """Derived: something is found by what begins so. One row for each beginning of its names (`catalog/folding.py`)."""

    PERIMETER = "perimeter"

    class Kind(models.TextChoices):
        PROJECT = "project", "project"
        BRANCH = "branch", "branch"
        ASSET = "asset", "asset"
        FLOW = "flow", "flow"
        DEPLOYMENT = "deployment", "deployment"
        PERSON = "person", "person"

    # no constraint in the database: a row that leads nowhere harms nobody, and each new asset would wait for it
    perimeter = models.ForeignKey(
        Perimeter, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    rank = models.PositiveSmallIntegerField(help_text="The lower, the earlier it is shown; see `name_starts.rank_of`.")
    key = models.BinaryField(help_text="The folded name from here on, as UTF-8.")
    target = models.BigIntegerField(help_text="The key of the row that has the name: of its kind.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            # how the rows of one thing are found
            models.UniqueConstraint(fields=["kind", "target", "key"], name="one_row_per_name_start")
        ]
        indexes = [
            # what begins so in a perimeter; of equal names the newest first
            models.Index(fields=["perimeter", "kind", "rank", "key", "-target"], name="names_in_order")
        ]


class MetadataSource(models.Model):
    """A place where Metaflow keeps its metadata, and what was wrong when it was last read."""

    place = models.CharField(max_length=1024, unique=True, help_text="A folder, or the address of a metadata service.")
    trouble = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.place


class SourceFlow(models.Model):
    """How far the runs of a flow have been read. Times are in seconds, as Metaflow and file systems count them."""

    source = models.ForeignKey(MetadataSource, on_delete=models.CASCADE, related_name="flows")
    name = models.CharField(max_length=255)
    read_until = models.FloatField(default=0, help_text="All runs that began before were read.")
    listed = models.FloatField(default=0, help_text="When the list of runs had last changed as it was read.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="one_row_per_flow_of_a_source")]


class OpenRun(models.Model):
    """A run that may still change, or that began so lately that it is listed once more."""

    flow = models.ForeignKey(SourceFlow, on_delete=models.CASCADE, related_name="open_runs")
    name = models.CharField(max_length=255)
    began = models.FloatField()
    read_until = models.FloatField(default=0, help_text="What changed before was read.")
    closed = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flow", "name"], name="one_row_per_open_run")]


class MissedWrite(models.Model):
    """A write that a task kept in its metadata and the catalogue has not: to be backfilled, or the reason why not."""

    source = models.ForeignKey(MetadataSource, on_delete=models.CASCADE, related_name="missed")
    uid = models.CharField(max_length=255, help_text="The id that the task gave it.")
    task = models.CharField(max_length=1024)
    attempt = models.PositiveIntegerField(null=True)
    operation = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=600, blank=True, help_text="perimeter/project/branch/kind/asset")
    at = models.DateTimeField(help_text="When the catalogue did it, or else when the task asked for it.")
    number = models.PositiveIntegerField(null=True, help_text="The number that the instance had.")
    answered = models.BooleanField(default=False, help_text="The catalogue had done it once.")
    entry = models.TextField(help_text="As the task kept it.")
    error = models.TextField(blank=True)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "uid"], name="one_row_per_missed_write")]
        indexes = [
            # in the order in which they are backfilled
            models.Index(fields=["at", "id"], name="missed_writes_in_time"),
            # the numbers that are spoken for
            models.Index(fields=["address", "number"], name="missed_numbers"),
        ]

    def __str__(self) -> str:
        return self.uid


class Reconciliation(models.Model):
    """One pass of bringing the catalogue up to date from Metaflow."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    actor = models.CharField(max_length=255, help_text="Who or what started it.")
    rebuild = models.BooleanField(default=False, help_text="Everything was read from the beginning.")
    complete = models.BooleanField(default=False, help_text="Everything was read; else the next pass goes on.")
    runs = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0, help_text="Writes that were backfilled.")
    settled = models.PositiveIntegerField(default=0)
    stuck = models.PositiveIntegerField(default=0, help_text="Writes that could not be backfilled.")
    told = models.TextField(blank=True, help_text="What people should know about it.")
    instances_from = models.BigIntegerField(
        default=0, help_text="No instance with a smaller key is pending, or has named a datastore that is not known."
    )


class Lease(models.Model):
    """Who alone may do something, until when."""

    name = models.CharField(max_length=64, unique=True)
    holder = models.CharField(max_length=255, blank=True)
    until = models.DateTimeField()


class Derivation(models.Model):
    """Of which version the derived columns are, and how far the recount has come that brings them up to another."""

    version = models.PositiveIntegerField(default=0, help_text="0: older than 0.4, the first that says so.")
    target = models.PositiveIntegerField(default=0, help_text="The version that the recount under way leads to.")
    last_asset = models.BigIntegerField(default=0, help_text="The key of the asset that was recounted last.")
    assets = models.PositiveIntegerField(default=0, help_text="Assets that have been recounted.")
    total = models.PositiveIntegerField(default=0, help_text="Assets there were when the recount began.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_derivation")]
