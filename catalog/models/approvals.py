"""Promotions that wait for the approval of people."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from access.visibility import VisibleQuerySet
from catalog.models.gates import GateRevision, GateVerdict
from catalog.models.instances import Instance
from catalog.models.places import Branch
from catalog.states import Kind, RequestState


class PromotionRequest(models.Model):
    """Event: somebody asked that an alias be moved, or a version promoted into a branch, once others approve."""

    PERIMETER = "branch__project__perimeter"

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="requests", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asset_id = models.CharField(max_length=128)
    alias = models.CharField(max_length=128, blank=True, help_text="Empty: a promotion into the branch.")
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="requests")
    expected_uid = models.CharField(max_length=32, blank=True, help_text="Where the alias was when it was asked for.")
    gates = models.ForeignKey(GateRevision, on_delete=models.PROTECT, related_name="requests")
    comment = models.TextField(blank=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # what became of it
    state = models.CharField(max_length=9, choices=RequestState.choices, default=RequestState.OPEN)
    reason = models.TextField(blank=True, help_text="Why it is no longer open, or was refused when it was approved.")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=255, blank=True)
    verdict = models.OneToOneField(GateVerdict, null=True, on_delete=models.PROTECT, related_name="request")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="request_state_is_known"),
            models.UniqueConstraint(
                fields=["branch", "kind", "asset_id", "alias", "instance"],
                condition=Q(state="open"),
                name="one_open_request_each",
            ),
        ]
        indexes = [
            # those of an address, newest first
            models.Index(fields=["branch", "kind", "asset_id", "-id"], name="requests_of_address"),
            # those that wait on a branch
            models.Index(fields=["branch", "-id"], condition=Q(state="open"), name="open_requests"),
            # the audit page: what was asked for, and what became of it
            models.Index(fields=["-at", "-id"], name="requests_by_time"),
            models.Index(fields=["-closed_at", "-id"], condition=Q(closed_at__isnull=False), name="requests_by_end"),
        ]


class Approval(models.Model):
    """Event: a person approved a request. It counts while they may still give it."""

    PERIMETER = "request__branch__project__perimeter"

    request = models.ForeignKey(PromotionRequest, on_delete=models.PROTECT, related_name="approvals", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=255)
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "user"], name="one_approval_per_person")]
        # the audit page
        indexes = [models.Index(fields=["-at", "-id"], name="approvals_by_time")]
