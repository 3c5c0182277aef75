"""Where assets are: projects, and their branches with names, keys and deploys."""

from django.db import models

from access.models import Perimeter
from access.visibility import VisibleQuerySet
from catalog import querysets
from catalog.marks import Marked, MarkedQuerySet
from obproject.branches import branch_key


class Project(Marked):
    PERIMETER = "perimeter"
    NOT_MARKED = frozenset({"newest_highlight", "heard"})

    perimeter = models.ForeignKey(Perimeter, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=128)
    title = models.CharField(max_length=255, blank=True, help_text="As the newest spec of any branch says.")
    created_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, blank=True, help_text="As the newest deploy of main says; empty: UTC.")
    # derived
    heard = models.TextField(blank=True, help_text="The kinds of events that somebody wants to be told of, as words.")
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

    class Meta:
        # the audit page
        indexes = [models.Index(fields=["-at", "-id"], name="names_by_time")]


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
        indexes = [
            # the branch's versions, newest first: deploy history
            models.Index(fields=["branch", "-id"], name="spec_history"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="deploys_by_time"),
        ]

    def __str__(self) -> str:
        return self.version_id or "deleted"
