"""What the migrations up to 0017 make of an empty database, at once: a new catalogue begins here.

One that has some of them already goes on with the others, which stay for that; tests/catalog/test_old_catalogues.py
holds the two ways to one schema.
"""

import catalog.models
from django.conf import settings
from django.db import migrations, models
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Lower

from catalog.indexes import FallingIndex

IN_ASSET = "(jsonb_set(('{\"' || asset_id::text || '\":{}}')::jsonb, ARRAY[asset_id::text], %s)) jsonb_path_ops"
BY_MEMBER = f"""
    CREATE INDEX instances_by_member
    ON catalog_instance USING gin ({IN_ASSET % 'tags'}, {IN_ASSET % 'annotations'})
"""


def add_by_member(apps, schema_editor):
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(BY_MEMBER)


class NeverBegunField(models.CharField):
    """A unique text without the second index that Django gives PostgreSQL, as its `varchar`, to find what begins so."""

    def db_type(self, connection):
        known = super().db_type(connection)
        return known.replace('varchar', 'character varying') if connection.vendor == 'postgresql' else known

    def deconstruct(self):
        name, _, args, options = super().deconstruct()
        return name, 'django.db.models.CharField', args, options


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('catalog', '0001_initial'),
        ('catalog', '0002_promotions'),
        ('catalog', '0003_ids_of_clients'),
        ('catalog', '0004_highlights'),
        ('catalog', '0005_reconciling'),
        ('catalog', '0006_runs_and_roles'),
        ('catalog', '0007_derivation'),
        ('catalog', '0008_asset_ids_in_nfc'),
        ('catalog', '0009_name_starts'),
        ('catalog', '0010_datastore_cards'),
        ('catalog', '0011_deletions_by_id'),
        ('catalog', '0012_branch_keys'),
        ('catalog', '0013_lists_in_order'),
        ('catalog', '0014_instances_by_index'),
        ('catalog', '0015_marks'),
        ('catalog', '0016_declared_metrics'),
        ('catalog', '0017_series'),
    ]

    dependencies = [
        ('access', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', NeverBegunField(help_text='Of caller, method, path and key.', max_length=64, unique=True)),
                ('body_digest', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField()),
                ('answer', models.TextField()),
                ('created_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='Component',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project_name', models.CharField(help_text="By name: a consumer's project need not be in the catalogue.", max_length=128)),
                ('kind', models.CharField(choices=[('flow', 'flow'), ('deployment', 'deployment'), ('person', 'person'), ('ci', 'CI'), ('other', 'other')], max_length=16)),
                ('name', models.CharField(max_length=512)),
                ('perimeter', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='access.perimeter')),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('perimeter', 'project_name', 'kind', 'name'), name='one_component_per_name'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=128)),
                ('title', models.CharField(blank=True, help_text='As the newest spec of any branch says.', max_length=255)),
                ('created_at', models.DateTimeField()),
                ('perimeter', models.ForeignKey(on_delete=models.PROTECT, related_name='projects', to='access.perimeter')),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('perimeter', 'name'), name='one_project_per_name'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Branch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('git_name', models.CharField(blank=True, help_text='Empty until a client names it.', max_length=255)),
                ('created_at', models.DateTimeField()),
                ('data_count', models.PositiveIntegerField(default=0)),
                ('models_count', models.PositiveIntegerField(default=0)),
                ('project', models.ForeignKey(on_delete=models.PROTECT, related_name='branches', to='catalog.project')),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'verbose_name_plural': 'branches',
                'indexes': [
                    models.Index(fields=['project', 'changed'], name='branch_changes'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('project', 'key'), name='one_branch_per_key'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Asset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('data', 'data'), ('models', 'models')], max_length=8)),
                ('asset_id', models.CharField(max_length=128)),
                ('definition_uid', NeverBegunField(default=catalog.models.new_definition_id, editable=False, max_length=32, unique=True)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.CharField(max_length=255)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('deleted_by', models.CharField(blank=True, max_length=255)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('description', models.TextField(blank=True)),
                ('icon', models.CharField(blank=True, max_length=64)),
                ('readme', models.TextField(blank=True)),
                ('source', models.CharField(blank=True, help_text='The file that declares it, within its project.', max_length=512)),
                ('asset_kind', models.CharField(blank=True, help_text='How the reference is resolved: artifact, s3, …', max_length=128)),
                ('declared_properties', models.JSONField(blank=True, default=dict)),
                ('declared_tags', models.JSONField(blank=True, default=dict)),
                ('declared_blobs', models.JSONField(blank=True, default=list)),
                ('config_hash', models.CharField(blank=True, max_length=128)),
                ('declared_at', models.DateTimeField(null=True)),
                ('declared_by_kind', models.CharField(blank=True, max_length=64)),
                ('declared_by_id', models.CharField(blank=True, max_length=512)),
                ('properties', models.JSONField(blank=True, default=dict, help_text='Effective: declared, with overrides on top.')),
                ('alias_index', models.JSONField(blank=True, default=dict, help_text='Alias name to the id that it points to.')),
                ('last_number', models.PositiveIntegerField(default=0)),
                ('ready_count', models.PositiveIntegerField(default=0)),
                ('refreshed_at', models.DateTimeField(null=True)),
                ('consumer_count', models.PositiveIntegerField(default=0)),
                ('branch', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='assets', to='catalog.branch')),
                ('deletion_uid', models.CharField(blank=True, help_text='The id that a client gave to the deletion.', max_length=32)),
                ('newest_at', models.DateTimeField(help_text='When `newest` was made.', null=True)),
                ('ready_number', models.PositiveIntegerField(help_text='Of `newest_ready`.', null=True)),
                ('failed_at', models.DateTimeField(help_text='When `newest` was made, if it failed.', null=True)),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
                ('declared_metrics', models.JSONField(blank=True, default=list, help_text='Objects in the order that counts: name, better, headline, noise, unit.')),
                ('not_compared', models.JSONField(blank=True, default=list, help_text='Names that comparisons leave out.')),
                ('series_packed', models.PositiveIntegerField(default=0, help_text='Beyond this number no block is.')),
                ('series_whole', models.PositiveIntegerField(default=0, help_text='Up to this number all blocks of its series are kept.')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['branch', 'kind', 'asset_id'], name='asset_by_id'),
                    models.Index(condition=models.Q(('deletion_uid', ''), _negated=True), fields=['deletion_uid'], name='deletions_by_id'),
                    FallingIndex(models.F('branch'), models.OrderBy(models.F('refreshed_at'), descending=True, nulls_last=True), models.F('asset_id'), models.F('kind'), models.F('id'), condition=models.Q(('deleted_at', None)), name='assets_by_refreshed'),
                    FallingIndex(models.F('branch'), models.OrderBy(Lower(Coalesce(models.Func('name', template="NULLIF(%(expressions)s, '')"), 'asset_id'))), models.F('asset_id'), models.F('kind'), models.F('id'), condition=models.Q(('deleted_at', None)), name='assets_by_name'),
                    FallingIndex(models.F('branch'), models.OrderBy(models.F('consumer_count'), descending=True), models.F('asset_id'), models.F('kind'), models.F('id'), condition=models.Q(('deleted_at', None)), name='assets_by_consumers'),
                    FallingIndex(models.F('branch'), models.OrderBy(models.F('ready_number'), descending=True, nulls_last=True), models.F('asset_id'), models.F('kind'), models.F('id'), condition=models.Q(('deleted_at', None)), name='assets_by_version'),
                    models.Index(condition=models.Q(('deleted_at', None), ('failed_at__isnull', False)), fields=['branch', '-failed_at'], name='assets_that_failed'),
                    models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['branch', '-deleted_at'], name='deleted_assets'),
                    models.Index(fields=['branch', 'changed'], name='asset_changes'),
                    models.Index(condition=models.Q(('deleted_at', None), ('last_number__gte', CombinedExpression(models.F('series_whole'), '+', models.Value(256)))), fields=['id'], name='assets_to_pack'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('branch', 'kind', 'asset_id'), name='one_live_asset_per_id'),
                    models.CheckConstraint(condition=models.Q(('kind__in', ['data', 'models'])), name='asset_kind_is_data_or_models'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BranchName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('git_name', models.CharField(max_length=255)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('branch', models.ForeignKey(on_delete=models.PROTECT, related_name='names', to='catalog.branch')),
            ],
        ),
        migrations.CreateModel(
            name='DefinitionRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('declared', models.JSONField(help_text='Everything declared, by the names of the fields of the asset.')),
                ('config_hash', models.CharField(blank=True, max_length=128)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('entity_kind', models.CharField(max_length=64)),
                ('entity_id', models.CharField(max_length=512)),
                ('asset', models.ForeignKey(on_delete=models.PROTECT, related_name='revisions', to='catalog.asset')),
            ],
        ),
        migrations.CreateModel(
            name='Instance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', NeverBegunField(default=catalog.models.new_instance_id, editable=False, max_length=32, unique=True)),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('pending', 'pending'), ('ready', 'ready'), ('failed', 'failed')], max_length=8)),
                ('state_reason', models.CharField(blank=True, max_length=512)),
                ('asset_kind', models.CharField(max_length=128)),
                ('description', models.TextField(blank=True)),
                ('annotations', models.JSONField(default=dict)),
                ('tags', models.JSONField(default=dict)),
                ('blobs', models.JSONField(default=list)),
                ('producer_kind', models.CharField(max_length=64)),
                ('producer_id', models.CharField(max_length=512)),
                ('run', models.CharField(blank=True, help_text='Flow/run of a producing task, or a session.', max_length=512)),
                ('attempt', models.PositiveIntegerField(null=True)),
                ('datastore_type', models.CharField(blank=True, max_length=16)),
                ('datastore_root', models.CharField(blank=True, max_length=1024)),
                ('created_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
                ('actor', models.CharField(max_length=255)),
                ('asset', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='instances', to='catalog.asset')),
                ('component', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='produced', to='catalog.component')),
                ('promoted_from', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='promotions', to='catalog.instance')),
                ('digest', models.CharField(help_text='Content address of what it refers to.', max_length=128, null=True)),
                ('foreach_path', models.CharField(help_text='The foreaches that the task is in, as Metaflow writes them; empty: in none; null: not told.', max_length=512, null=True)),
                ('iteration', models.PositiveIntegerField(help_text='Of a step that leads back to itself.', null=True)),
                ('datastore_cards', models.CharField(help_text="Root of the task's cards, where it can't be told from that of its files.", max_length=1024, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['producer_id'], name='instances_by_producer'),
                    models.Index(fields=['run'], name='instances_by_run'),
                    models.Index(fields=['asset', 'state', '-created_at', '-number'], name='instances_by_state'),
                    models.Index(condition=models.Q(('digest__isnull', False)), fields=['asset', 'digest'], name='instances_by_digest'),
                    models.Index(fields=['component', 'asset', 'number'], name='instances_by_component'),
                    models.Index(fields=['asset', 'created_at', 'number'], name='instances_in_time'),
                    models.Index(condition=models.Q(('actor', 'reconcile')), fields=['asset', 'created_at', 'number'], name='backfilled_instances'),
                    models.Index(condition=models.Q(('promoted_from__isnull', False)), fields=['promoted_from'], name='instances_copied'),
                    models.Index(condition=models.Q(('state', 'pending')), fields=['id'], name='pending_instances'),
                    models.Index(condition=models.Q(('state', 'failed')), fields=['settled_at'], name='failed_instances'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('asset', 'number'), name='one_instance_per_number'),
                    models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='numbers_start_at_one'),
                    models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'ready', 'failed'])), name='state_is_known'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Edge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('direction', models.CharField(choices=[('produces', 'produces'), ('consumes', 'consumes'), ('promoted', 'made what was promoted to here')], max_length=8)),
                ('write_branch', models.CharField(blank=True, max_length=255)),
                ('write_branch_name', models.CharField(blank=True, max_length=255)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=1)),
                ('last_entity_kind', models.CharField(max_length=64)),
                ('last_entity_id', models.CharField(max_length=512)),
                ('asset', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='edges', to='catalog.asset')),
                ('component', models.ForeignKey(on_delete=models.PROTECT, related_name='edges', to='catalog.component')),
                ('last_instance', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='+', to='catalog.instance')),
                ('role', models.CharField(help_text='Null: an input, or no reading.', max_length=32, null=True)),
                ('branch', models.ForeignKey(db_index=False, help_text='That of the asset.', on_delete=models.PROTECT, related_name='+', to='catalog.branch')),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(condition=models.Q(('direction', 'consumes')), fields=['branch', '-last_at'], name='consumers_in_time'),
                    models.Index(fields=['branch', 'changed'], name='edge_changes'),
                ],
                'constraints': [
                    models.UniqueConstraint(models.F('asset'), models.F('component'), models.F('direction'), models.F('write_branch'), Coalesce('role', models.Value('')), name='one_edge_per_role'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Consumption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(help_text='As the consumer asked: latest, v12, @production, …', max_length=256)),
                ('entity_kind', models.CharField(max_length=64)),
                ('entity_id', models.CharField(max_length=512)),
                ('run', models.CharField(blank=True, help_text='Flow/run of a task, or a session.', max_length=512)),
                ('write_branch', models.CharField(blank=True, help_text="Key of the consumer's own branch, if known.", max_length=255)),
                ('write_branch_name', models.CharField(blank=True, max_length=255)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('asset', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='consumptions', to='catalog.asset')),
                ('component', models.ForeignKey(on_delete=models.PROTECT, related_name='consumed', to='catalog.component')),
                ('instance', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='consumptions', to='catalog.instance')),
                ('uid', models.CharField(editable=False, max_length=32, null=True)),
                ('attempt', models.PositiveIntegerField(null=True)),
                ('failed', models.BooleanField(help_text='Whether it was read by an attempt that failed.', null=True)),
                ('foreach_path', models.CharField(help_text='The foreaches that the task is in, as Metaflow writes them; empty: in none; null: not told.', max_length=512, null=True)),
                ('iteration', models.PositiveIntegerField(null=True)),
                ('role', models.CharField(help_text='Null: an input.', max_length=32, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['asset', '-id'], name='consumptions_of_asset'),
                    models.Index(fields=['instance', '-id'], name='consumptions_of_instance'),
                    models.Index(fields=['run'], name='consumptions_by_run'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('uid',), name='one_consumption_per_id'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=128)),
                ('updated_at', models.DateTimeField()),
                ('entity_kind', models.CharField(max_length=64)),
                ('entity_id', models.CharField(max_length=512)),
                ('asset', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='aliases', to='catalog.asset')),
                ('instance', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='aliases', to='catalog.instance')),
                ('branch', models.ForeignKey(db_index=False, help_text='That of the asset.', on_delete=models.PROTECT, related_name='+', to='catalog.branch')),
            ],
            options={
                'verbose_name_plural': 'aliases',
                'indexes': [
                    models.Index(fields=['branch', '-updated_at'], name='aliases_in_time'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('asset', 'name'), name='one_alias_per_name'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PropertyEdit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('old_value', models.JSONField(null=True)),
                ('new_value', models.JSONField(null=True)),
                ('declared_value', models.JSONField(null=True)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('asset', models.ForeignKey(on_delete=models.PROTECT, related_name='property_edits', to='catalog.asset')),
                ('user', models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('branch', models.ForeignKey(db_index=False, help_text='That of the asset.', on_delete=models.PROTECT, related_name='+', to='catalog.branch')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['branch', '-id'], name='edits_in_time'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PropertyOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('value', models.TextField(blank=True)),
                ('declared_value', models.JSONField(help_text='What was declared when the override was made; empty: nothing.', null=True)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('asset', models.ForeignKey(on_delete=models.PROTECT, related_name='overrides', to='catalog.asset')),
                ('branch', models.ForeignKey(db_index=False, help_text='That of the asset.', on_delete=models.PROTECT, related_name='+', to='catalog.branch')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['branch', '-at'], name='overrides_in_time'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('asset', 'key'), name='one_override_per_property'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SpecVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version_id', models.CharField(blank=True, max_length=1024)),
                ('document', models.TextField(blank=True, help_text='The posted spec as JSON, to the letter. Empty: deleted.')),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('branch', models.ForeignKey(on_delete=models.PROTECT, related_name='specs', to='catalog.branch')),
            ],
            options={
                'verbose_name': 'deploy',
                'indexes': [
                    models.Index(fields=['branch', '-id'], name='spec_history'),
                ],
            },
        ),
        migrations.CreateModel(
            name='StateChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'pending'), ('ready', 'ready'), ('failed', 'failed')], max_length=8)),
                ('reason', models.CharField(blank=True, max_length=512)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('instance', models.ForeignKey(on_delete=models.PROTECT, related_name='state_changes', to='catalog.instance')),
                ('digest', models.CharField(max_length=128, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AliasMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=128)),
                ('from_uid', models.CharField(blank=True, max_length=32)),
                ('to_uid', models.CharField(blank=True, max_length=32)),
                ('at', models.DateTimeField()),
                ('entity_kind', models.CharField(max_length=64)),
                ('entity_id', models.CharField(max_length=512)),
                ('actor', models.CharField(max_length=255)),
                ('asset', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='alias_moves', to='catalog.asset')),
                ('uid', models.CharField(editable=False, max_length=32, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['asset', '-id'], name='alias_timeline'),
                    models.Index(fields=['asset', 'name', '-id'], name='alias_history'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('uid',), name='one_alias_move_per_id'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=1)),
                ('source', models.ForeignKey(help_text='Null: unknown ones.', null=True, on_delete=models.PROTECT, related_name='promotions_out', to='catalog.asset')),
                ('target', models.ForeignKey(on_delete=models.PROTECT, related_name='promotions_in', to='catalog.asset')),
                ('last_instance', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='catalog.instance')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('source', 'target'), name='one_promotion_per_pair'),
                    models.UniqueConstraint(condition=models.Q(('source', None)), fields=('target',), name='one_promotion_from_unknown_sources'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Highlight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(default=catalog.models.new_highlight_id, editable=False, max_length=32, unique=True)),
                ('entity_kind', models.CharField(max_length=64)),
                ('entity_id', models.CharField(max_length=512)),
                ('run', models.CharField(blank=True, help_text='Flow/run of a task.', max_length=512)),
                ('attempt', models.PositiveIntegerField(null=True)),
                ('datastore_type', models.CharField(blank=True, max_length=16)),
                ('datastore_root', models.CharField(blank=True, max_length=1024)),
                ('title', models.CharField(blank=True, max_length=255)),
                ('content', models.JSONField(default=dict, help_text='Labels, lines, columns and chart.')),
                ('image', models.BinaryField(null=True)),
                ('image_type', models.CharField(blank=True, max_length=32)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=255)),
                ('is_newest', models.BooleanField(help_text='Of its component on this branch.')),
                ('branch', models.ForeignKey(on_delete=models.PROTECT, related_name='highlights', to='catalog.branch')),
                ('component', models.ForeignKey(on_delete=models.PROTECT, related_name='highlights', to='catalog.component')),
                ('datastore_cards', models.CharField(help_text="Root of the task's cards, where it can't be told from that of its files.", max_length=1024, null=True)),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(condition=models.Q(('is_newest', True)), fields=['branch', '-at'], name='newest_highlights'),
                    models.Index(fields=['branch', '-at', '-id'], name='highlights_of_branch'),
                    models.Index(fields=['branch', 'changed'], name='highlight_changes'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('is_newest', True)), fields=('branch', 'component'), name='one_newest_highlight'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64, unique=True)),
                ('holder', models.CharField(blank=True, max_length=255)),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='MetadataSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(help_text='A folder, or the address of a metadata service.', max_length=1024, unique=True)),
                ('trouble', models.TextField(blank=True)),
                ('read_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('actor', models.CharField(help_text='Who or what started it.', max_length=255)),
                ('rebuild', models.BooleanField(default=False, help_text='Everything was read from the beginning.')),
                ('complete', models.BooleanField(default=False, help_text='Everything was read; else the next pass goes on.')),
                ('runs', models.PositiveIntegerField(default=0)),
                ('made', models.PositiveIntegerField(default=0, help_text='Writes that were backfilled.')),
                ('settled', models.PositiveIntegerField(default=0)),
                ('stuck', models.PositiveIntegerField(default=0, help_text='Writes that could not be backfilled.')),
                ('told', models.TextField(blank=True, help_text='What people should know about it.')),
                ('instances_from', models.BigIntegerField(default=0, help_text='No instance with a smaller key is pending, or has named a datastore that is not known.')),
            ],
        ),
        migrations.CreateModel(
            name='SourceFlow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('read_until', models.FloatField(default=0, help_text='All runs that began before were read.')),
                ('listed', models.FloatField(default=0, help_text='When the list of runs had last changed as it was read.')),
                ('source', models.ForeignKey(on_delete=models.CASCADE, related_name='flows', to='catalog.metadatasource')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('source', 'name'), name='one_row_per_flow_of_a_source'),
                ],
            },
        ),
        migrations.CreateModel(
            name='OpenRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('began', models.FloatField()),
                ('read_until', models.FloatField(default=0, help_text='What changed before was read.')),
                ('closed', models.BooleanField(default=False)),
                ('flow', models.ForeignKey(on_delete=models.CASCADE, related_name='open_runs', to='catalog.sourceflow')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('flow', 'name'), name='one_row_per_open_run'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MissedWrite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(help_text='The id that the task gave it.', max_length=255)),
                ('task', models.CharField(max_length=1024)),
                ('attempt', models.PositiveIntegerField(null=True)),
                ('operation', models.CharField(blank=True, max_length=16)),
                ('address', models.CharField(blank=True, help_text='perimeter/project/branch/kind/asset', max_length=600)),
                ('at', models.DateTimeField(help_text='When the catalogue did it, or else when the task asked for it.')),
                ('number', models.PositiveIntegerField(help_text='The number that the instance had.', null=True)),
                ('answered', models.BooleanField(default=False, help_text='The catalogue had done it once.')),
                ('entry', models.TextField(help_text='As the task kept it.')),
                ('error', models.TextField(blank=True)),
                ('found_at', models.DateTimeField()),
                ('source', models.ForeignKey(on_delete=models.CASCADE, related_name='missed', to='catalog.metadatasource')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['at', 'id'], name='missed_writes_in_time'),
                    models.Index(fields=['address', 'number'], name='missed_numbers'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('source', 'uid'), name='one_row_per_missed_write'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Flow/run, or the id of a session.', max_length=512)),
                ('branch', models.CharField(blank=True, help_text='Key of the branch that it writes to, if known.', max_length=255)),
                ('first_at', models.DateTimeField(help_text='Of its first write.')),
                ('reported_at', models.DateTimeField(null=True)),
                ('user', models.CharField(blank=True, max_length=255)),
                ('started_at', models.DateTimeField(null=True)),
                ('metaflow_version', models.CharField(blank=True, max_length=128)),
                ('python_version', models.CharField(blank=True, max_length=128)),
                ('repository', models.CharField(blank=True, max_length=512)),
                ('commit', models.CharField(blank=True, max_length=128)),
                ('dirty', models.BooleanField(help_text='Whether there were changes that the commit does not have.', null=True)),
                ('git_branch', models.CharField(blank=True, max_length=255)),
                ('parameters', models.JSONField(null=True)),
                ('configs', models.JSONField(null=True)),
                ('left_out', models.JSONField(help_text='Names of parameters and configs that are never told.', null=True)),
                ('tags', models.JSONField(null=True)),
                ('graph', models.JSONField(help_text='The steps that follow each step.', null=True)),
                ('origin', models.CharField(blank=True, help_text='The run that it resumes.', max_length=512)),
                ('read_at', models.DateTimeField(help_text="When Metaflow's metadata of it was last read.", null=True)),
                ('state', models.CharField(blank=True, choices=[('', 'not told'), ('running', 'running'), ('succeeded', 'succeeded'), ('failed', 'failed')], max_length=9)),
                ('finished_at', models.DateTimeField(null=True)),
                ('clones_read_at', models.DateTimeField(help_text='When its tasks were known to be its own or cloned.', null=True)),
                ('component', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='runs', to='catalog.component')),
                ('perimeter', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='access.perimeter')),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['component', 'branch', '-first_at'], name='runs_of_component'),
                    models.Index(condition=models.Q(('origin', ''), _negated=True), fields=['origin'], name='resumed_runs'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('perimeter', 'name'), name='one_run_per_name'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ClonedTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task', models.CharField(help_text='Its step and name.', max_length=512)),
                ('origin', models.CharField(help_text='Flow, run, step and name of the original.', max_length=512)),
                ('run', models.ForeignKey(on_delete=models.CASCADE, related_name='cloned_tasks', to='catalog.run')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('run', 'task'), name='one_original_per_task'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Derivation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=0, help_text='0: older than 0.4, the first that says so.')),
                ('target', models.PositiveIntegerField(default=0, help_text='The version that the recount under way leads to.')),
                ('last_asset', models.BigIntegerField(default=0, help_text='The key of the asset that was recounted last.')),
                ('assets', models.PositiveIntegerField(default=0, help_text='Assets that have been recounted.')),
                ('total', models.PositiveIntegerField(default=0, help_text='Assets there were when the recount began.')),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_derivation'),
                ],
            },
        ),
        migrations.CreateModel(
            name='NameStart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('project', 'project'), ('branch', 'branch'), ('asset', 'asset'), ('flow', 'flow'), ('deployment', 'deployment'), ('person', 'person')], max_length=10)),
                ('rank', models.PositiveSmallIntegerField(help_text='The lower, the earlier it is shown; see `name_starts.rank_of`.')),
                ('key', models.BinaryField(help_text='The folded name from here on, as UTF-8.')),
                ('target', models.BigIntegerField(help_text='The key of the row that has the name: of its kind.')),
                ('perimeter', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.PROTECT, related_name='+', to='access.perimeter')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['perimeter', 'kind', 'rank', 'key', '-target'], name='names_in_order'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('kind', 'target', 'key'), name='one_row_per_name_start'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BranchKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('shared', models.BooleanField(default=False, help_text='Another branch would be called so too, so the key alone leads to neither.')),
                ('branch', models.ForeignKey(on_delete=models.PROTECT, related_name='further_keys', to='catalog.branch')),
                ('project', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='catalog.project')),
                ('changed', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('project', 'key'), name='one_branch_per_further_key'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SeriesBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='From 0.')),
                ('first_number', models.PositiveIntegerField(help_text='Of a version in it; null: it has none.', null=True)),
                ('last_number', models.PositiveIntegerField(null=True)),
                ('first_at', models.BigIntegerField(help_text='When the earliest was made, in microseconds since 1970.', null=True)),
                ('last_at', models.BigIntegerField(null=True)),
                ('versions', models.PositiveIntegerField()),
                ('failed', models.PositiveIntegerField()),
                ('pending', models.PositiveIntegerField()),
                ('times', models.BinaryField(help_text='Of each number, in microseconds since 1970.')),
                ('states', models.BinaryField(help_text='Of each number, a letter; a space: there is no such version.')),
                ('names', models.JSONField(help_text='The metrics that are kept, and how many versions have measured each.')),
                ('left_out', models.PositiveIntegerField(help_text='How many more metrics there are.')),
                ('asset', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='series_blocks', to='catalog.asset')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('asset', 'number'), name='one_series_block_per_number'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MetricBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('low', models.FloatField()),
                ('low_number', models.PositiveIntegerField(help_text='The first version that has it.')),
                ('high', models.FloatField()),
                ('high_number', models.PositiveIntegerField()),
                ('measured', models.PositiveIntegerField()),
                ('packed', models.BinaryField(help_text='The value of each number as a float of 64 bits; NaN: not measured.')),
                ('block', models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name='metrics', to='catalog.seriesblock')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('block', 'name'), name='one_metric_block_per_name'),
                ],
            },
        ),
        migrations.AddField(
            model_name='project',
            name='newest_highlight',
            field=models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='catalog.highlight'),
        ),
        migrations.AddField(
            model_name='branch',
            name='spec',
            field=models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='catalog.specversion'),
        ),
        migrations.AddField(
            model_name='asset',
            name='newest',
            field=models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='+', to='catalog.instance'),
        ),
        migrations.AddField(
            model_name='asset',
            name='newest_ready',
            field=models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='catalog.instance'),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['branch', '-newest'], name='assets_by_newest'),
        ),
        migrations.RunPython(add_by_member, migrations.RunPython.noop),
    ]
