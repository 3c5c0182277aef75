"""Deletions are events of their own: those of the tombstones that there are. Their ids were kept on the assets."""

from django.db import migrations, models

# of two tombstones with one id, which no lock had forbidden, the first one has it
EVENTS = """
    INSERT INTO catalog_deletion (asset_id, recovered, reason, uid, at, actor, user_id)
    SELECT gone.id, false, '', CASE WHEN gone.deletion_uid <> '' AND NOT EXISTS (
        SELECT 1 FROM catalog_asset AS other
        WHERE other.deletion_uid <> '' AND other.deletion_uid = gone.deletion_uid AND other.id < gone.id
    ) THEN gone.deletion_uid END, gone.deleted_at, gone.deleted_by, NULL
    FROM catalog_asset AS gone WHERE gone.deleted_at IS NOT NULL ORDER BY gone.deleted_at, gone.id
"""
IDS = """
    UPDATE catalog_asset SET deletion_uid = COALESCE((
        SELECT uid FROM catalog_deletion AS event
        WHERE event.asset_id = catalog_asset.id AND NOT event.recovered ORDER BY event.id DESC LIMIT 1
    ), '') WHERE deleted_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ('catalog', '0019_audit'),
    ]

    operations = [
        migrations.RunSQL(EVENTS, IDS),
        migrations.RemoveIndex(model_name='asset', name='deletions_by_id'),
        migrations.RemoveField(model_name='asset', name='deletion_uid'),
    ]
