"""Indexes of instances for what filters and the background pass ask, in the place of two that had a row for each.

On PostgreSQL they are made and dropped while others read and write. What an interrupted try has left is made anew.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

INDEXES = [
    models.Index(fields=["component", "asset", "number"], name="instances_by_component"),
    models.Index(fields=["asset", "created_at", "number"], name="instances_in_time"),
    models.Index(
        fields=["asset", "created_at", "number"], condition=Q(actor="reconcile"), name="backfilled_instances"
    ),
    models.Index(fields=["promoted_from"], condition=Q(promoted_from__isnull=False), name="instances_copied"),
    models.Index(fields=["id"], condition=Q(state="pending"), name="pending_instances"),
    models.Index(fields=["settled_at"], condition=Q(state="failed"), name="failed_instances"),
]
REPLACED = ["component_id", "promoted_from_id"]
IN_ASSET = "(jsonb_set(('{\"' || asset_id::text || '\":{}}')::jsonb, ARRAY[asset_id::text], %s)) jsonb_path_ops"
BY_MEMBER = f"""
    CREATE INDEX CONCURRENTLY instances_by_member
    ON catalog_instance USING gin ({IN_ASSET % "tags"}, {IN_ASSET % "annotations"})
"""


class AddIndexMeanwhile(migrations.AddIndex):
    """Django's own for PostgreSQL would need its application of that name, and stop at what is half made."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        drop(schema_editor, self.index.name)
        schema_editor.add_index(to_state.apps.get_model(app_label, self.model_name), self.index, concurrently=True)


def drop(schema_editor, name):
    meanwhile = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP INDEX {meanwhile} IF EXISTS {schema_editor.quote_name(name)}")


def add_by_member(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        drop(schema_editor, "instances_by_member")
        schema_editor.execute(BY_MEMBER)


def drop_by_member(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        drop(schema_editor, "instances_by_member")


def drop_replaced(apps, schema_editor):
    """By what they index, as Django has made up their names."""
    connection, ours = schema_editor.connection, {index.name for index in INDEXES}
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "catalog_instance")
    for name, it in found.items():
        if it["index"] and not it["unique"] and it["columns"] in ([column] for column in REPLACED) and name not in ours:
            drop(schema_editor, name)


def key_of(to, related_name, **options):
    return models.ForeignKey(
        to, on_delete=django.db.models.deletion.PROTECT, related_name=related_name, db_index=False, **options
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0013_lists_in_order")]

    operations = [
        *(AddIndexMeanwhile("instance", index) for index in INDEXES),
        migrations.RunPython(add_by_member, drop_by_member),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("instance", "component", key_of("catalog.component", "produced")),
                migrations.AlterField("instance", "promoted_from", key_of("catalog.instance", "promotions", null=True)),
            ]
        ),
        migrations.RunPython(drop_replaced, migrations.RunPython.noop),
    ]
