"""Bringing the catalogue up to date from Metaflow: the passes, what they could not backfill, and where they read.

For superusers only: what tasks kept is not sorted by perimeters before it is backfilled.
"""

import time
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from access.admin import RobustPages, SuperusersOnly
from access.errors import NotFound
from access.identity import viewer_of
from catalog.admin.text import shown, when
from catalog.models import MetadataSource, MissedWrite, Reconciliation
from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.passes import reconcile
from catalog.reconciling.progress import line_about

SECONDS = 20.0
"""How long a pass may take that somebody waits for; the next one goes on."""


class LookedAtBySuperusers(SuperusersOnly, RobustPages):
    """Rows that nobody edits."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(Reconciliation)
class ReconciliationAdmin(LookedAtBySuperusers):
    """The passes, and the button for another one."""

    change_list_template = "admin/catalog/reconciliation/change_list.html"
    list_display = ["started", "actor", "runs_read", "backfilled", "settled", "not_backfilled", "seconds", "complete"]
    list_filter = ["complete", "rebuild"]
    show_facets = admin.ShowFacets.NEVER
    ordering = ["-pk"]
    fields = ["started_at", "finished_at", "actor", "rebuild", "complete", "runs", "made", "settled", "stuck", "lines"]

    def get_urls(self) -> list[URLPattern]:
        now = path("now/", self.admin_site.admin_view(require_POST(self.now)), name="catalog_reconciliation_now")
        return [now, *super().get_urls()]

    def now(self, request: HttpRequest) -> HttpResponse:
        """Bring the catalogue up to date, as far as that goes while somebody waits."""
        if not self.has_module_permission(request):
            raise NotFound("Only a superuser brings the catalogue up to date.")
        ends = time.monotonic() + SECONDS
        try:
            done = reconcile(
                actor=viewer_of(request).actor, say=lambda line: None, should_stop=lambda: time.monotonic() > ends
            )
        except (LeaseTaken, LeaseLost) as error:
            messages.warning(request, str(error))
        else:
            more = "" if done.complete else " It is not done yet: press the button again, or wait for the next pass."
            messages.success(request, f"{line_about(done)}.{more}")
        return redirect("admin:catalog_reconciliation_changelist")

    @admin.display(description="started", ordering="started_at")
    def started(self, row: Reconciliation) -> str:
        return when(row.started_at)

    @admin.display(description="runs read", ordering="runs")
    def runs_read(self, row: Reconciliation) -> int:
        return row.runs

    @admin.display(description="writes backfilled", ordering="made")
    def backfilled(self, row: Reconciliation) -> int:
        return row.made

    @admin.display(description="not backfilled", ordering="stuck")
    def not_backfilled(self, row: Reconciliation) -> int:
        return row.stuck

    @admin.display
    def seconds(self, row: Reconciliation) -> str:
        return f"{(row.finished_at - row.started_at).total_seconds():.1f}" if row.finished_at else "-"

    @admin.display(description="what it said")
    def lines(self, row: Reconciliation) -> str:
        return row.told or "-"


@admin.register(MissedWrite)
class MissedWriteAdmin(LookedAtBySuperusers):
    """Writes that wait for their tasks to end, and those that could not be backfilled, with the reason."""

    list_display = ["address", "operation", "reason", "kept"]
    list_filter = ["operation", ("source", admin.RelatedOnlyFieldListFilter)]
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    search_fields = ["uid", "task", "address", "error"]
    ordering = ["-at", "-pk"]
    fields = ["uid", "operation", "address", "task", "attempt", "source", "at", "found_at", "error", "as_kept"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("entry")  # as large as a registration

    @admin.display(description="why not yet", ordering="error")
    def reason(self, row: MissedWrite) -> str:
        return row.error or "Its task still runs."

    @admin.display(description="when", ordering="at")
    def kept(self, row: MissedWrite) -> str:
        return when(row.at)

    @admin.display(description="as kept")
    def as_kept(self, row: MissedWrite) -> str:
        return shown(row.entry)


@admin.register(MetadataSource)
class MetadataSourceAdmin(LookedAtBySuperusers):
    """Where Metaflow's metadata is read."""

    list_display = ["place", "read", "trouble"]
    search_fields = ["place"]
    ordering = ["place"]
    fields = ["place", "read_at", "trouble"]

    @admin.display(description="last read", ordering="read_at")
    def read(self, row: MetadataSource) -> str:
        return when(row.read_at)
