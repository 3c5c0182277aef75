"""What needs somebody's attention, and what is unusual."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from access.models import Perimeter
from access.visibility import VisibleQuerySet
from catalog.marks import Marked, MarkedQuerySet
from catalog.models.assets import Asset
from catalog.models.instances import Instance
from catalog.models.places import Branch
from catalog.states import AttentionKind


class Unusual(models.Model):
    """What is unusual of a version, by those before it. Derived by the background, once for each version."""

    PERIMETER = "instance__asset__branch__project__perimeter"
    SHOWN_WHILE = {"instance__asset__deleted_at": None}

    instance = models.OneToOneField(Instance, on_delete=models.PROTECT, related_name="unusual")
    reasons = models.JSONField(help_text="By the names of metrics, in words.")
    rule = models.PositiveSmallIntegerField(help_text="The revision of the rule that said so.")
    at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()


class Attention(Marked):
    """Something that needs attention from a moment on. There is one row for each kind and subject.

    Kept by writes and by the background. Whoever dismisses it says why; it comes back when its facts change.
    """

    PERIMETER = "perimeter"

    kind = models.CharField(max_length=10, choices=AttentionKind.choices)
    subject = models.CharField(max_length=512, help_text="What it is about, such as `asset:12`.")
    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="+", db_index=False)
    branch = models.ForeignKey(Branch, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    asset = models.ForeignKey(Asset, null=True, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, help_text="From when it needs none any more; null: until it is over.")
    facts = models.JSONField(default=dict, help_text="What its sentence is made of.")
    fingerprint = models.CharField(max_length=32, help_text="Of the facts that matter: of others it comes back.")
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.CharField(max_length=255, blank=True)
    dismissed_why = models.TextField(blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = MarkedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_attention_per_subject"),
            models.CheckConstraint(condition=Q(kind__in=AttentionKind.values), name="attention_kind_is_known"),
        ]
        indexes = [
            models.Index(fields=["perimeter", "-since"], name="attention_of_perimeter"),
            models.Index(fields=["branch", "-since"], name="attention_of_branch"),
            # what has changed last on a branch
            models.Index(fields=["branch", "changed"], name="attention_changes"),
        ]
