"""How far Metaflow's metadata was read, and what was missed."""

from django.db import models


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
    receipt = models.CharField(max_length=512, blank=True, help_text="By which it had told so, of what gates judge.")
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
