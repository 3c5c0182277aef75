import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

TAKEN = (
    "A perimeter is called 'feeds', where this version has addresses of its own. Rename it before you upgrade, with the "
    "version that you have: python manage.py shell -c \"from access.models import Perimeter; "
    "Perimeter.objects.filter(name='feeds').update(name='another-name')\""
)


def refuse_taken_name(apps, schema_editor):
    if apps.get_model("access", "Perimeter").objects.using(schema_editor.connection.alias).filter(name="feeds").exists():
        raise SystemExit(TAKEN)


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_token_use"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(refuse_taken_name, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name="FeedKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, help_text="What reads with it.", max_length=200)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "perimeter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="access.perimeter"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feed_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-created_at", "-pk"]},
        ),
    ]
