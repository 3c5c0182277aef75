"""Projects, branches and the specs that deploys posted: to be looked at only."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from access.admin import ReadOnlyRows
from access.models import Role
from catalog.addresses import branch_url, project_url
from catalog.admin.text import shown
from catalog.models import Branch, BranchKey, Project, SpecVersion

SHOWN_SPEC_LENGTH = 200_000


@admin.register(Project)
class ProjectAdmin(ReadOnlyRows):
    needed = Role.EDITOR
    list_display = ["name", "title", "perimeter", "created_at"]
    list_filter = [("perimeter", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["perimeter"]
    search_fields = ["name", "title"]
    ordering = ["perimeter__name", "name"]
    fields = ["perimeter", "name", "title", "created_at"]

    def view_on_site(self, obj: Project) -> str:
        return project_url(obj)


@admin.register(Branch)
class BranchAdmin(ReadOnlyRows):
    needed = Role.EDITOR
    list_display = ["name", "key", "project", "perimeter", "data_count", "models_count", "created_at"]
    list_filter = [("project__perimeter", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["project__perimeter"]
    search_fields = ["git_name", "key", "project__name"]
    ordering = ["-pk"]
    fields = ["perimeter", "project", "git_name", "key", "also", "data_count", "models_count", "created_at"]

    def view_on_site(self, obj: Branch) -> str:
        return branch_url(obj)

    @admin.display(description="further keys")
    def also(self, branch: Branch) -> str:
        """What other clients find it by, and what is left to nobody as another branch would be called so."""
        rows = BranchKey.objects.of(branch).order_by("key")
        return ", ".join(f"{row.key} (shared, so it leads to none)" if row.shared else row.key for row in rows) or "-"

    @admin.display(ordering="project__perimeter__name")
    def perimeter(self, branch: Branch) -> str:
        return str(branch.project.perimeter)


@admin.register(SpecVersion)
class SpecVersionAdmin(ReadOnlyRows):
    """The deploys: each one posts a version of its branch's spec."""

    needed = Role.EDITOR
    list_display = ["version", "project", "branch_name", "at", "actor"]
    list_filter = [("branch__project", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["branch__project__perimeter"]
    search_fields = ["version_id", "actor", "branch__git_name", "branch__key"]
    date_hierarchy = "at"
    ordering = ["-pk"]
    fields = ["version", "project", "branch_name", "at", "actor", "spec"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("document")  # as large as a project's READMEs

    @admin.display(description="version", ordering="version_id")
    def version(self, row: SpecVersion) -> str:
        return row.version_id or f"#{row.pk}"

    @admin.display(ordering="branch__project__name")
    def project(self, row: SpecVersion) -> str:
        return f"{row.branch.project.perimeter} / {row.branch.project}"

    @admin.display(description="branch", ordering="branch__key")
    def branch_name(self, row: SpecVersion) -> str:
        return row.branch.name

    @admin.display
    def spec(self, row: SpecVersion) -> str:
        if not row.document:
            return "The spec of the branch was deleted."
        return format_html("<pre>{}</pre>", shown(json.loads(row.document), SHOWN_SPEC_LENGTH))
