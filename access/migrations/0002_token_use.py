from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="last_used_from",
            field=models.CharField(blank=True, default="", editable=False, help_text="An IP address.", max_length=45),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="token",
            name="networks",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where it was used from: since when, and whether the audit log has it.",
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="networks_told_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
