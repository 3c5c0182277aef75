"""Indexes go that a registration writes for nobody: others begin with the same key, or nothing is found by it."""

import django.db.models.deletion
from django.db import migrations, models

NEEDLESS = {
    ("asset", "newest_ready"): ("catalog.instance", "+", True),
    ("run", "perimeter"): ("access.perimeter", "+", False),
    ("run", "component"): ("catalog.component", "runs", True),
    ("component", "perimeter"): ("access.perimeter", "+", False),
}


def drop_needless(apps, schema_editor):
    """By what they index, as Django has made up their names."""
    connection = schema_editor.connection
    for name, field in NEEDLESS:
        model = apps.get_model("catalog", name)
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for index, it in found.items():
            if it["index"] and not it["unique"] and it["columns"] == [model._meta.get_field(field).column]:
                schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(index)}")


def key_of(to, related_name, null):
    return models.ForeignKey(
        to, null=null, on_delete=django.db.models.deletion.PROTECT, related_name=related_name, db_index=False
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0021_being_told")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(drop_needless, migrations.RunPython.noop)],
            [migrations.AlterField(*field, key_of(*its)) for field, its in NEEDLESS.items()],
        ),
    ]
