"""The one table of the bare views. It has no migration: `migrate --run-syncdb` makes it."""

from django.db import models


class Row(models.Model):
    name = models.CharField(max_length=128)
    at = models.DateTimeField()
