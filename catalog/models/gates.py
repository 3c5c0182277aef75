"""What may be aliased or promoted where: the gates that were declared, and what they said."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from access.visibility import VisibleQuerySet
from catalog.models.places import Branch
from catalog.states import Kind, Outcome


class GateRevision(models.Model):
    """Event: gates were declared for an address, or removed (`gates` empty). The newest ones hold there.

    They belong to the address, and not to an asset: whoever deletes an asset and registers it anew meets them again.
    """

    PERIMETER = "branch__project__perimeter"

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="gate_revisions", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asset_id = models.CharField(max_length=128)
    gates = models.JSONField(help_text="As declared, by the name of the alias: require, warn, approvals, approvers.")
    source = models.CharField(max_length=512, blank=True, help_text="The file that declares them, within its project.")
    version_id = models.CharField(max_length=1024, blank=True, help_text="Of the deploy.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=255)
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        indexes = [
            # those that hold at an address, and those before
            models.Index(fields=["branch", "kind", "asset_id", "-id"], name="gates_of_address"),
            # the audit page
            models.Index(fields=["-at", "-id"], name="gates_by_time"),
        ]


class GateVerdict(models.Model):
    """Event: an alias was to be moved, or a version promoted into a branch, and this is what its gates said.

    There is one for each move that has gates, a comment, or a kind of its own, and for each refusal; of the same
    refusal once again only `count` and `at` change. What it is about is named by its address, as it may be refused
    before there is an asset.
    """

    PERIMETER = "branch__project__perimeter"

    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asset_id = models.CharField(max_length=128)
    alias = models.CharField(max_length=128, blank=True, help_text="Empty: a promotion into the branch.")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    instance_uid = models.CharField(max_length=32, help_text="What was to be moved to, or promoted.")
    from_uid = models.CharField(max_length=32, blank=True, help_text="Where the alias was; empty: nowhere.")
    gates = models.ForeignKey(GateRevision, null=True, on_delete=models.PROTECT, related_name="verdicts")
    rules = models.JSONField(default=list, help_text="Each rule with what it said.")
    comment = models.TextField(blank=True, help_text="Why, by whoever moved it; of an override the reason.")
    receipt = models.CharField(max_length=512, blank=True, help_text="By which a replay showed that it had been done.")
    copy = models.OneToOneField(
        "Instance", null=True, on_delete=models.PROTECT, related_name="verdict", help_text="What a promotion made."
    )
    at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    actor = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    entity_kind = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=512)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="outcome_is_known")]
        indexes = [
            # the history of an alias
            models.Index(fields=["branch", "kind", "asset_id", "alias", "-id"], name="verdicts_of_alias"),
            # what was refused last on a branch
            models.Index(fields=["branch", "-at"], condition=Q(outcome="refused"), name="refusals_in_time"),
            # the audit page, which tells moves by themselves
            models.Index(fields=["-at", "-id"], condition=Q(outcome="refused"), name="refusals_by_time"),
            models.Index(fields=["-at", "-id"], condition=Q(alias=""), name="promotions_by_time"),
        ]
