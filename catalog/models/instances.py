"""What was registered, what became of it, and who read it."""

from datetime import datetime
from operator import attrgetter

from django.conf import settings
from django.db import models
from django.db.models import Q

from access.visibility import VisibleQuerySet
from catalog import querysets
from catalog.limits import DIGEST_LENGTH, FOREACH_LENGTH
from catalog.models.assets import Asset
from catalog.models.columns import FOREACH_HELP, client_id, new_instance_id, untold_text
from catalog.models.runs import Component
from catalog.states import DEPRECATED, State
from obproject.roles import ROLE_LENGTH


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
    deprecation = models.ForeignKey(
        "Deprecation",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The event that holds; null: it is not deprecated, as what has failed never is.",
    )
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
            # the deprecated ones of an asset
            models.Index(
                fields=["asset", "number"], condition=Q(deprecation__isnull=False), name="deprecated_instances"
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
    def is_deprecated(self) -> bool:
        return self.deprecation_id is not None

    @property
    def look(self) -> str:
        """Its state, as pages that have no room for more show it."""
        return DEPRECATED if self.is_deprecated else self.state

    @property
    def is_copy(self) -> bool:
        """Whether it was promoted, from an instance that the catalogue has or does not know."""
        return self.promoted_from_id is not None or self.annotations.get(querysets.PROMOTED_FROM) not in (None, "")

    @property
    def place_in_time(self) -> tuple[datetime, int]:
        """What orders the instances of an asset; a number alone says in which order they arrived."""
        place: tuple[datetime, int] = attrgetter(*querysets.IN_TIME)(self)
        return place


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


class Deprecation(models.Model):
    """Event: an instance was deprecated, or no longer is (`undone`)."""

    PERIMETER = "instance__asset__branch__project__perimeter"
    SHOWN_WHILE = {"instance__asset__deleted_at": None}

    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="deprecations", db_index=False)
    undone = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    uid = client_id()
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uid"], name="one_deprecation_per_id")]
        indexes = [
            models.Index(fields=["instance", "-id"], name="deprecations_of_instance"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="deprecations_by_time"),
        ]
