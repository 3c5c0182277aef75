"""The assets: found by many filters, and edited where people set properties."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse

from access.admin import PerimeterRows
from access.identity import viewer_of
from access.models import Role
from catalog import limits, recording
from catalog.addresses import asset_url
from catalog.admin.filters import (
    BranchFilter,
    DeclaredFilter,
    DeletedFilter,
    EditedFilter,
    PerimeterFilter,
    ProjectFilter,
)
from catalog.admin.history import Deploy, Edit, History
from catalog.admin.properties import OverrideInline, may_edit, properties_of
from catalog.admin.text import metric_line, shown, when
from catalog.models import Asset
from catalog.states import State


@admin.register(Asset)
class AssetAdmin(PerimeterRows):
    needed = Role.EDITOR
    change_form_template = "admin/catalog/asset/change_form.html"
    list_display = ["asset_id", "name", "kind", "project", "branch_name", "newest_ref", "refreshed", "declared"]
    list_filter = [PerimeterFilter, ProjectFilter, BranchFilter, "kind", DeclaredFilter, EditedFilter, DeletedFilter]
    list_per_page = 50
    search_fields = ["asset_id", "name", "description"]
    search_help_text = "Searches id, name and description."
    ordering = [F("refreshed_at").desc(nulls_last=True), "-pk"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    inlines = [OverrideInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.select_related("branch__project__perimeter", "newest")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # assets come from deploys and registrations

    def has_change_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return may_edit(request, obj) if obj else self.may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Asset | None = None) -> Any:
        return [(None, {"fields": []})]  # the template shows what is declared; only the overrides are a form

    def get_inlines(self, request: HttpRequest, obj: Asset | None) -> list[Any]:
        return [OverrideInline] if obj and may_edit(request, obj) else []

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """`?override=key` fills the empty row with a declared property."""
        options = super().get_formset_kwargs(request, obj, inline, prefix)
        key = request.GET.get("override", "")
        if request.method == "GET" and key in obj.declared_properties:
            value = shown(obj.declared_properties[key], limits.ANNOTATION_BYTES)
            options["initial"] = [{"key": key, "value": value}]
        return options

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:
        """Nothing: only its properties are edited, and what deploys and runs have written meanwhile must stay."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)  # only sorts out what is new, changed and gone
        viewer = viewer_of(request)
        who: dict[str, Any] = {"user": viewer.account, "actor": viewer.actor, "asset": form.instance}
        for row in formset.deleted_objects:
            recording.clear_override(**who, key=row.key)
        for row in [*(row for row, _ in formset.changed_objects), *formset.new_objects]:
            recording.override_property(**who, key=row.key, value=row.value)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        asset = context["original"]
        context |= {
            "title": asset.title,
            "subtitle": None,
            "declaration": {
                "description": shown(asset.description),
                "readme": shown(asset.readme),
                "metrics": shown("\n".join(map(metric_line, asset.declared_metrics))),
                "not_compared": shown("\n".join(asset.not_compared)),
                "blobs": shown("\n".join(shown(blob) for blob in asset.declared_blobs)),
            },
            "properties": properties_of(asset),
            "history": {
                "edits": History.of(asset.property_edits, Edit.of),
                "deploys": History.of(asset.revisions, Deploy.of),
            },
        }
        return super().render_change_form(request, context, *args, **options)

    def view_on_site(self, obj: Asset) -> str | None:
        return None if obj.deleted_at else asset_url(obj)

    @admin.display(ordering="branch__project__name")
    def project(self, asset: Asset) -> str:
        return str(asset.branch.project)

    @admin.display(description="branch", ordering="branch__key")
    def branch_name(self, asset: Asset) -> str:
        return asset.branch.name

    @admin.display(description="newest")
    def newest_ref(self, asset: Asset) -> str:
        newest = asset.newest
        if newest is None:
            return "-"
        return newest.ref if newest.state == State.READY else f"{newest.ref}, {newest.state}"

    @admin.display(description="refreshed", ordering="refreshed_at")
    def refreshed(self, asset: Asset) -> str:
        return when(asset.refreshed_at)

    @admin.display(description="declared", ordering="declared_at")
    def declared(self, asset: Asset) -> str:
        return when(asset.declared_at)
