"""What the catalogue keeps for itself: answers given once, leases, of which version what is derived is."""

from django.db import models
from django.db.models import Q


class IdempotencyKey(models.Model):
    """The answer that was given to a request with an `Idempotency-Key`; kept seven days."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of caller, method, path and key.")
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    created_at = models.DateTimeField(db_index=True)


class Lease(models.Model):
    """Who alone may do something, until when."""

    name = models.CharField(max_length=64, unique=True)
    holder = models.CharField(max_length=255, blank=True)
    until = models.DateTimeField()


class Derivation(models.Model):
    """Of which version the derived columns are, and how far the recount has come that brings them up to another."""

    version = models.PositiveIntegerField(default=0, help_text="0: older than 0.4, the first that says so.")
    target = models.PositiveIntegerField(default=0, help_text="The version that the recount under way leads to.")
    last_asset = models.BigIntegerField(default=0, help_text="The key of the asset that was recounted last.")
    assets = models.PositiveIntegerField(default=0, help_text="Assets that have been recounted.")
    total = models.PositiveIntegerField(default=0, help_text="Assets there were when the recount began.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_derivation")]
