"""What runs came to."""

from django.db import models
from django.db.models import Q

from catalog import querysets
from catalog.marks import Marked
from catalog.models.columns import new_highlight_id, untold_text
from catalog.models.places import Branch
from catalog.models.runs import Component


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
