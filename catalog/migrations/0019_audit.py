"""The audit page reads each kind of event by an index in time. None of these tables is a large one."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0018_gates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="aliasmove",
            index=models.Index(fields=["-at", "-id"], name="moves_by_time"),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["-at", "-id"], name="approvals_by_time"),
        ),
        migrations.AddIndex(
            model_name="branchname",
            index=models.Index(fields=["-at", "-id"], name="names_by_time"),
        ),
        migrations.AddIndex(
            model_name="definitionrevision",
            index=models.Index(fields=["-at", "-id"], name="definitions_by_time"),
        ),
        migrations.AddIndex(
            model_name="deletion",
            index=models.Index(fields=["-at", "-id"], name="deletions_by_time"),
        ),
        migrations.AddIndex(
            model_name="deprecation",
            index=models.Index(fields=["-at", "-id"], name="deprecations_by_time"),
        ),
        migrations.AddIndex(
            model_name="gaterevision",
            index=models.Index(fields=["-at", "-id"], name="gates_by_time"),
        ),
        migrations.AddIndex(
            model_name="gateverdict",
            index=models.Index(
                condition=models.Q(("outcome", "refused")), fields=["-at", "-id"], name="refusals_by_time"
            ),
        ),
        migrations.AddIndex(
            model_name="gateverdict",
            index=models.Index(condition=models.Q(("alias", "")), fields=["-at", "-id"], name="promotions_by_time"),
        ),
        migrations.AddIndex(
            model_name="promotionrequest",
            index=models.Index(fields=["-at", "-id"], name="requests_by_time"),
        ),
        migrations.AddIndex(
            model_name="promotionrequest",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)), fields=["-closed_at", "-id"], name="requests_by_end"
            ),
        ),
        migrations.AddIndex(
            model_name="propertyedit",
            index=models.Index(fields=["-at", "-id"], name="edits_by_time"),
        ),
        migrations.AddIndex(
            model_name="specversion",
            index=models.Index(fields=["-at", "-id"], name="deploys_by_time"),
        ),
    ]
