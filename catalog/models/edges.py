"""What is derived for lineage and for finding things."""

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from access.models import Perimeter
from access.visibility import VisibleQuerySet
from catalog import querysets
from catalog.marks import Marked
from catalog.models.assets import Asset
from catalog.models.columns import branch_of_asset, untold_text
from catalog.models.instances import Instance
from catalog.models.runs import Component
from obproject.roles import ROLE_LENGTH


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
