"""Perimeters, members, tokens and the audit log in Django's admin; for superusers only, as all of it grants power."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from access.identity import viewer_of
from access.models import AuditEntry, Membership, Perimeter, Token, new_secret, secret_fields

TOKEN_CHOICES = ["user", "perimeter", "role", "name", "branch_patterns", "expires_at"]
TOKEN_FACTS = ["prefix", "state", "created_at", "created_by", "last_used_at", "revoked_at"]


class SuperusersOnly:
    """Whoever may change these rows can give themselves anything, so Django's finer permissions don't apply."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


class MembershipInline(SuperusersOnly, admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ["user"]


@admin.register(Perimeter)
class PerimeterAdmin(SuperusersOnly, admin.ModelAdmin):
    list_display = ["name", "title", "created_at"]
    search_fields = ["name", "title"]
    inlines = [MembershipInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Perimeter | None = None) -> list[str]:
        return ["name"] if obj else []  # it is in every address and every client's settings

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # everything in it is kept for ever

    def save_model(self, request: HttpRequest, obj: Perimeter, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _record(request, "perimeter.change" if change else "perimeter.create", obj, obj.name, {"title": obj.title})

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for membership in formset.new_objects:
            _record_membership(request, "membership.create", membership)
        for membership, _fields in formset.changed_objects:
            _record_membership(request, "membership.change", membership)
        for membership in formset.deleted_objects:
            _record_membership(request, "membership.delete", membership)


@admin.register(Membership)
class MembershipAdmin(SuperusersOnly, admin.ModelAdmin):
    list_display = ["perimeter", "user", "role", "created_at"]
    list_filter = ["role", "perimeter"]
    list_select_related = ["perimeter", "user"]
    search_fields = ["user__username", "perimeter__name"]
    autocomplete_fields = ["user", "perimeter"]
    actions = None  # deleting one by one is what the audit log follows

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _record_membership(request, "membership.change" if change else "membership.create", obj)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        _record_membership(request, "membership.delete", obj)
        super().delete_model(request, obj)


@admin.register(Token)
class TokenAdmin(SuperusersOnly, admin.ModelAdmin):
    list_display = ["prefix", "user", "perimeter", "role", "name", "state", "expires_at", "last_used_at"]
    list_filter = ["role", "perimeter"]
    list_select_related = ["user", "perimeter"]
    search_fields = ["prefix", "name", "user__username"]
    autocomplete_fields = ["user", "perimeter"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)  # a token is revoked, never altered

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        return TOKEN_CHOICES + TOKEN_FACTS if obj else TOKEN_CHOICES

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        secret = new_secret()
        for field, value in secret_fields(secret).items():
            setattr(obj, field, value)
        obj.created_by = viewer_of(request).actor
        super().save_model(request, obj, form, change)
        detail = {"user": obj.user.get_username(), "role": obj.role, "branches": obj.branch_patterns}
        _record(request, "token.create", obj.perimeter, obj.prefix, detail)
        messages.warning(request, f"Copy the token now, it will not be shown again: {secret}")

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        for token in tokens.select_related("perimeter"):
            token.revoke()
            _record(request, "token.revoke", token.perimeter, token.prefix, {})
        messages.success(request, "The tokens are revoked.")


@admin.register(AuditEntry)
class AuditEntryAdmin(SuperusersOnly, admin.ModelAdmin):
    list_display = ["at", "actor_name", "action", "target", "perimeter_name"]
    list_filter = ["action", "perimeter_name"]
    search_fields = ["actor_name", "target"]
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _record_membership(request: HttpRequest, action: str, membership: Membership) -> None:
    _record(request, action, membership.perimeter, membership.user.get_username(), {"role": membership.role})


def _record(request: HttpRequest, action: str, perimeter: Perimeter, target: str, detail: dict[str, Any]) -> None:
    AuditEntry.objects.record(viewer_of(request), action=action, perimeter=perimeter, target=target, detail=detail)
