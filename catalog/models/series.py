"""Metrics of many versions, in blocks."""

from django.db import models

from access.visibility import VisibleQuerySet
from catalog.limits import KEY_LENGTH
from catalog.models.assets import Asset


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
    deprecated = models.PositiveIntegerField(default=0)
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
