"""An index of the ids that clients gave to deletions: few assets have one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('catalog', '0010_datastore_cards'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(
                condition=models.Q(('deletion_uid', ''), _negated=True),
                fields=['deletion_uid'],
                name='deletions_by_id',
            ),
        ),
    ]
