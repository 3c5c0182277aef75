"""Lists of a branch are read from indexes in their orders; what only lay beside a longer index, or served no query, goes.

Edges, aliases and edits are told their branch, and assets what their newest instances say of their place in a list. Tables of instances and
consumptions lose indexes, and are neither read nor written.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Func, OrderBy, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Lower

from catalog.indexes import FallingIndex

COVERED = {
    # the model and its field: the relation and the model it leads to, null if it may be
    ("Alias", "asset"): ("asset", "aliases", False),
    ("AliasMove", "asset"): ("asset", "alias_moves", False),
    ("Asset", "branch"): ("branch", "assets", False),
    ("Asset", "newest"): ("instance", "+", True),
    ("Consumption", "asset"): ("asset", "consumptions", False),
    ("Consumption", "instance"): ("instance", "consumptions", True),
    ("Edge", "asset"): ("asset", "edges", False),
    ("Edge", "last_instance"): ("instance", "+", True),
    ("Instance", "asset"): ("asset", "instances", False),
}
"""Keys of other rows that another index begins with, or by which nothing is ever found."""
NEVER_BEGUN = [("Asset", "definition_uid"), ("IdempotencyKey", "digest"), ("Instance", "uid")]
"""Unique texts, for which Django gives PostgreSQL a second index: for finding what begins so."""


ON_BRANCH = ("Alias", "Edge", "PropertyEdit", "PropertyOverride")


def tell(apps, schema_editor):
    asset, instance = (apps.get_model("catalog", name) for name in ("Asset", "Instance"))
    branch = asset.objects.filter(pk=OuterRef("asset")).values("branch")
    for name in ON_BRANCH:
        apps.get_model("catalog", name).objects.update(branch=Subquery(branch))
    ready = instance.objects.filter(pk=OuterRef("newest_ready")).values("number")
    failed = instance.objects.filter(pk=OuterRef("newest"), state="failed").values("created_at")
    # at once: what is changed twice in a transaction can't be indexed in it, to PostgreSQL
    asset.objects.exclude(newest=None).update(ready_number=Subquery(ready), failed_at=Subquery(failed))


def drop_covered(apps, schema_editor):
    """By what they index, as Django has made up their names."""
    connection = schema_editor.connection
    for name, field_name in [*COVERED, *NEVER_BEGUN]:
        model = apps.get_model("catalog", name)
        column = model._meta.get_field(field_name).column
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for index, it in found.items():
            if it["index"] and not it["unique"] and it["columns"] == [column]:
                schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(index)}")


def key_of(to, related_name, null, **options):
    return models.ForeignKey(
        f"catalog.{to}",
        null=null,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        db_index=False,
        **options,
    )


def branch(null):
    return key_of("branch", "+", null, help_text="That of the asset.")


def in_order(by, name):
    columns = (F("branch"), by, F("asset_id"), F("kind"), F("id"))
    return migrations.AddIndex("asset", FallingIndex(*columns, condition=Q(deleted_at=None), name=name))


TITLE = Lower(Coalesce(Func("name", template="NULLIF(%(expressions)s, '')"), "asset_id"))


class Migration(migrations.Migration):
    dependencies = [("catalog", "0012_branch_keys")]

    operations = [
        *(migrations.AddField(model, "branch", branch(null=True)) for model in ON_BRANCH),
        migrations.AddField(
            "asset", "ready_number", models.PositiveIntegerField(null=True, help_text="Of `newest_ready`.")
        ),
        migrations.AddField(
            "asset", "failed_at", models.DateTimeField(null=True, help_text="When `newest` was made, if it failed.")
        ),
        migrations.RunPython(tell, migrations.RunPython.noop),
        *(migrations.AlterField(model, "branch", branch(null=False)) for model in ON_BRANCH),
        migrations.RemoveIndex("asset", "asset_freshness"),
        in_order(OrderBy(F("refreshed_at"), descending=True, nulls_last=True), "assets_by_refreshed"),
        in_order(OrderBy(TITLE), "assets_by_name"),
        in_order(OrderBy(F("consumer_count"), descending=True), "assets_by_consumers"),
        in_order(OrderBy(F("ready_number"), descending=True, nulls_last=True), "assets_by_version"),
        migrations.AddIndex(
            "asset",
            models.Index(fields=["branch", "-newest"], condition=Q(deleted_at=None), name="assets_by_newest"),
        ),
        migrations.AddIndex(
            "asset",
            models.Index(
                fields=["branch", "-failed_at"],
                condition=Q(deleted_at=None, failed_at__isnull=False),
                name="assets_that_failed",
            ),
        ),
        migrations.AddIndex(
            "asset",
            models.Index(
                fields=["branch", "-deleted_at"], condition=Q(deleted_at__isnull=False), name="deleted_assets"
            ),
        ),
        migrations.AddIndex(
            "edge",
            models.Index(fields=["branch", "-last_at"], condition=Q(direction="consumes"), name="consumers_in_time"),
        ),
        migrations.AddIndex("alias", models.Index(fields=["branch", "-updated_at"], name="aliases_in_time")),
        migrations.AddIndex("propertyedit", models.Index(fields=["branch", "-id"], name="edits_in_time")),
        migrations.AddIndex("propertyoverride", models.Index(fields=["branch", "-at"], name="overrides_in_time")),
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(drop_covered, migrations.RunPython.noop)],
            [migrations.AlterField(model, field, key_of(*its)) for (model, field), its in COVERED.items()],
        ),
    ]
