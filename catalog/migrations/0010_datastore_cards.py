from django.db import migrations, models

ABOUT = "Root of the task's cards, where it can't be told from that of its files."


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0009_name_starts"),
    ]

    operations = [
        migrations.AddField(
            model_name=model,
            name="datastore_cards",
            field=models.CharField(help_text=ABOUT, max_length=1024, null=True),
        )
        for model in ("highlight", "instance")
    ]
