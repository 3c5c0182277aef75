"""Who makes and reads: components, and their runs."""

from django.db import models
from django.db.models import Q

from access.models import Perimeter
from access.visibility import VisibleQuerySet
from catalog import querysets
from catalog.marks import Marked
from catalog.states import RunState
from obproject.sessions import is_session_id


class Component(Marked):
    """A flow, a deployment, a person or a CI job: what the entities of producers and consumers roll up into."""

    PERIMETER = "perimeter"

    class Kind(models.TextChoices):
        FLOW = "flow", "flow"
        DEPLOYMENT = "deployment", "deployment"
        PERSON = "person", "person"
        CI = "ci", "CI"
        OTHER = "other", "other"

    perimeter = models.ForeignKey(Perimeter, on_delete=models.PROTECT, related_name="+", db_index=False)
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

    # of neither key an index of its own: `one_run_per_name` and `runs_of_component` begin with them
    perimeter = models.ForeignKey(Perimeter, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=512, help_text="Flow/run, or the id of a session.")
    component = models.ForeignKey(Component, null=True, on_delete=models.PROTECT, related_name="runs", db_index=False)
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
