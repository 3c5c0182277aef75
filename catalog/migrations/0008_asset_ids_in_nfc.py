"""Asset ids in Unicode's form NFC, in which addresses are looked up since 0.5."""

import unicodedata

from django.db import migrations


def into_nfc(apps, schema_editor):
    """Rename what was kept in another form; one whose new name a live asset has keeps the old one."""
    assets = apps.get_model("catalog", "Asset").objects.using(schema_editor.connection.alias)
    kept = assets.values_list("pk", "asset_id").iterator()
    other = [(pk, name) for pk, asset_id in kept if (name := unicodedata.normalize("NFC", asset_id)) != asset_id]
    for pk, name in other:
        asset = assets.get(pk=pk)
        beside = assets.filter(branch=asset.branch_id, kind=asset.kind, asset_id=name, deleted_at=None)
        if len(name) <= 128 and (asset.deleted_at or not beside.exists()):
            assets.filter(pk=pk).update(asset_id=name)


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0007_derivation"),
    ]

    operations = [
        migrations.RunPython(into_nfc, migrations.RunPython.noop, elidable=True),
    ]
