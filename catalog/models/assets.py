"""Definitions: what is declared of assets, and what people have edited."""

from functools import cached_property

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from access.visibility import VisibleQuerySet
from catalog import querysets
from catalog.asset_facts import AssetFacts
from catalog.declared_metrics import DeclaredMetrics
from catalog.indexes import FallingIndex
from catalog.marks import Marked
from catalog.models.columns import branch_of_asset, client_id, new_definition_id
from catalog.models.gates import GateRevision
from catalog.models.places import Branch
from catalog.states import Kind, Watch


def assets_in_order(sort: str, name: str) -> FallingIndex:
    """The index from which a list of a branch's live assets is read in one of its orders, with the keys of its rows."""
    columns = (F("branch"), querysets.asset_order(sort), *map(F, querysets.TIES), F("id"))
    return FallingIndex(*columns, condition=Q(deleted_at=None), name=name)


class Asset(AssetFacts, Marked):
    """A definition: what the instances are instances of. It may have none. Deleted ones stay as tombstones."""

    PERIMETER = "branch__project__perimeter"
    NOT_MARKED = frozenset({"to_look_at"})

    # of several keys no index of their own: `asset_by_id` and others begin with them
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="assets", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asset_id = models.CharField(max_length=128)
    definition_uid = models.CharField(max_length=32, unique=True, default=new_definition_id, editable=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.CharField(max_length=255, blank=True)
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
    declared_freshness = models.JSONField(
        default=dict, blank=True, help_text="As declared: every or cron, timezone, grace, except, at, off."
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
    deprecated_count = models.PositiveIntegerField(default=0, help_text="Of the ready ones; `latest` passes them over.")
    newest = models.ForeignKey("Instance", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    # never a deprecated one
    newest_ready = models.ForeignKey("Instance", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    newest_at = models.DateTimeField(null=True, help_text="When `newest` was made.")
    failed_at = models.DateTimeField(null=True, help_text="When `newest` was made, if it failed.")
    ready_number = models.PositiveIntegerField(null=True, help_text="Of `newest_ready`.")
    refreshed_at = models.DateTimeField(null=True)
    consumer_count = models.PositiveIntegerField(default=0)
    gates = models.ForeignKey(
        GateRevision,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The newest at its address; null: none were declared there, or none are left.",
    )
    watch = models.CharField(max_length=8, choices=Watch.choices, default=Watch.OFF)
    usual = models.PositiveIntegerField(null=True, help_text="Seconds from a version to the next, where it is watched.")
    due_at = models.DateTimeField(null=True, help_text="When the next version is expected.")
    late_at = models.DateTimeField(null=True, help_text="From when it is called late.")
    dormant_at = models.DateTimeField(null=True, help_text="From when there is no more news of its being late.")
    late_told_at = models.DateTimeField(null=True, help_text="When it was told that it is late; null: it was not.")
    normal_since = models.DateTimeField(null=True, help_text="What is older teaches nothing of what is usual.")
    to_look_at = models.BooleanField(
        default=True, help_text="Something came since it was looked at what is usual and unusual of it."
    )
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
            # what is due on a branch: the tags of its pages, and the list that begins with what is latest
            models.Index(
                fields=["branch", "due_at"],
                condition=Q(deleted_at=None, due_at__isnull=False),
                name="assets_by_due",
            ),
            # what is late on a branch
            models.Index(
                fields=["branch", "late_at", "dormant_at"],
                condition=Q(deleted_at=None, late_at__isnull=False),
                name="assets_by_lateness",
            ),
            # what becomes late, and nobody was told of yet
            models.Index(
                fields=["late_at", "dormant_at", "branch"],
                condition=Q(deleted_at=None, late_at__isnull=False, late_told_at=None),
                name="lates_to_tell",
            ),
            # what the background has to look at
            models.Index(fields=["id"], condition=Q(deleted_at=None, to_look_at=True), name="assets_to_look_at"),
            # those of which a block of the series can be packed
            models.Index(fields=["id"], condition=querysets.HAS_BLOCK_TO_PACK, name="assets_to_pack"),
        ]

    def __str__(self) -> str:
        return self.asset_id

    @cached_property
    def metrics(self) -> DeclaredMetrics:
        """What is declared of its metrics."""
        return DeclaredMetrics.of(self.declared_metrics)


class Cadence(models.Model):
    """How it is known when the next version should come, as the background learned it or read it in the declaration.

    Derived. What pages and writes ask all the time is in columns of the asset.
    """

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="cadence")
    told = models.JSONField(default=dict, help_text="The rule, and what it was learned from.")
    judged = models.JSONField(
        default=list, help_text="Numbers of the last versions of which it is known whether they are unusual."
    )
    cause = models.JSONField(default=dict, help_text="Why it is late, as was found when it was told.")
    learned_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()


class NewNormal(models.Model):
    """Event: a person said that an asset has changed its ways, and that what is older should be forgotten."""

    PERIMETER = "asset__branch__project__perimeter"
    SHOWN_WHILE = {"asset__deleted_at": None}

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="new_normals", db_index=False)
    since = models.DateTimeField(help_text="What is older teaches nothing.")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["asset", "-id"], name="new_normals_of_asset"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="new_normals_by_time"),
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

    class Meta:
        # the audit page
        indexes = [models.Index(fields=["-at", "-id"], name="definitions_by_time")]


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
            models.Index(fields=["branch", "-id"], name="edits_in_time"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="edits_by_time"),
        ]


class Deletion(models.Model):
    """Event: an asset was deleted, or recovered."""

    PERIMETER = "asset__branch__project__perimeter"

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="deletions", db_index=False)
    recovered = models.BooleanField(default=False)
    reason = models.TextField(blank=True, help_text="Of who deleted it although a gated alias held it.")
    uid = client_id()
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uid"], name="one_deletion_per_id")]
        indexes = [
            models.Index(fields=["asset", "-id"], name="deletions_of_asset"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="deletions_by_time"),
        ]
