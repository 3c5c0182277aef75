"""Movable names of instances, and how they moved."""

from django.db import models

from access.visibility import VisibleQuerySet
from catalog.models.assets import Asset
from catalog.models.columns import branch_of_asset, client_id
from catalog.models.gates import GateVerdict
from catalog.models.instances import Instance


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
    verdict = models.OneToOneField(
        GateVerdict,
        null=True,
        on_delete=models.PROTECT,
        related_name="move",
        help_text="What the gates said, with the comment; null: a plain move of an alias without gates.",
    )

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uid"], name="one_alias_move_per_id")]
        indexes = [
            # the timeline over all aliases of an asset, and of one
            models.Index(fields=["asset", "-id"], name="alias_timeline"),
            models.Index(fields=["asset", "name", "-id"], name="alias_history"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="moves_by_time"),
        ]
