from itertools import islice

import django.db.models.deletion
from django.db import migrations, models

from obproject.branches import branch_key

AT_ONCE = 1_000


def fill(apps, schema_editor):
    """Let branches whose key has lost letters of their names, or is longer than keys are now, be found by the new one."""
    Branch, BranchKey = (apps.get_model("catalog", name) for name in ("Branch", "BranchKey"))
    rows = Branch.objects.order_by("pk").values_list("pk", "project", "key", "git_name").iterator()
    keys = ((pk, project, key, branch_key(name or key)) for pk, project, key, name in rows)
    changed = (
        BranchKey(branch_id=pk, project_id=project, key=now, shared=False) for pk, project, key, now in keys if now != key
    )
    while some := list(islice(changed, AT_ONCE)):
        BranchKey.objects.bulk_create(some, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0011_deletions_by_id"),
    ]

    operations = [
        migrations.CreateModel(
            name="BranchKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                (
                    "shared",
                    models.BooleanField(
                        default=False,
                        help_text="Another branch would be called so too, so the key alone leads to neither.",
                    ),
                ),
                (
                    "branch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="further_keys", to="catalog.branch"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "key"), name="one_branch_per_further_key")
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
