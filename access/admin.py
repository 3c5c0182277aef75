"""Perimeters, members, tokens, accounts and the audit log in Django's admin.

A perimeter's admins manage its members and tokens; superusers manage everything. What a person may not manage is not
there for them: every list and every look-up begins with the rows of their own perimeters.
"""

from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from access.addresses import address_of
from access.errors import BadRequest, NotFound
from access.identity import viewer_of
from access.models import AuditEntry, Membership, Perimeter, Role, Token, new_secret, secret_fields
from access.visibility import VisibleQuerySet, perimeter_name_of

TOKEN_CHOICES = ["perimeter", "user", "role", "name", "branch_patterns", "expires_at"]
TOKEN_FACTS = [
    *("prefix", "state", "created_at", "created_by", "last_used_at", "last_used_from", "used_from", "revoked_at")
]
SEARCH_WORDS = 20
# What the links of Django's filters and date hierarchies ask for; of numbers, those for which there are such dates
LOOKUPS = {
    "exact": None,
    "isnull": None,
    "year": range(1, 9999),
    "month": range(1, 13),
    "day": range(1, 32),
}


def perimeters_with(request: HttpRequest, role: Role) -> list[str]:
    """The names of the perimeters in which the person has at least `role`."""
    return viewer_of(request).perimeter_names(role)


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


class RobustPages(admin.ModelAdmin):
    """Django's pages, with an answer where they would fail: on what an address asks, on what two people do at once."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        _, separator, name = lookup.rpartition("__")
        known = not separator or (name in LOOKUPS and _is_among(value, LOOKUPS[name]))
        return known and super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Any], search_term: str) -> Any:
        if len(search_term.split()) > SEARCH_WORDS:
            raise BadRequest(f"A search takes at most {SEARCH_WORDS} words; this one has {len(search_term.split())}.")
        return super().get_search_results(request, rows, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        try:
            return super().changelist_view(request, extra_context)
        except (OverflowError, DataError) as error:
            raise BadRequest(
                "The address asks for a number or a time that no row can hold. Take that filter out of it."
            ) from error

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """Where somebody else was faster to add the same row, the form sees it the second time and says so."""
        try:
            return super().changeform_view(request, *args, **options)
        except IntegrityError:  # all that was done is rolled back
            return super().changeform_view(request, *args, **options)


def _is_among(value: str, numbers: range | None) -> bool:
    return numbers is None or (value.isascii() and value.isdecimal() and len(value) <= 4 and int(value) in numbers)


class PerimeterRows(RobustPages):
    """Rows that belong to a perimeter, for people with the role `needed` there."""

    needed = Role.ADMIN

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        assert isinstance(rows, VisibleQuerySet), f"nothing says in which perimeter a {self.opts.verbose_name} is"
        return rows.visible_to(viewer_of(request), self.needed)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise NotFound(f"There is no such {self.opts.verbose_name}, or you may not see it.")
        return found

    def may(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person has the role in the perimeter of `obj`; in any perimeter, for none."""
        if request.user.is_superuser:
            return True
        names = perimeters_with(request, self.needed)
        return perimeter_name_of(obj) in names if obj else bool(names)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """A perimeter is chosen among one's own, without Django's buttons to add and change perimeters on the side."""
        field: Any = super().formfield_for_dbfield(db_field, request, **options)
        if db_field.related_model is Perimeter:
            own = perimeters_with(request, self.needed)
            field.widget = field.widget.widget
            field.queryset = Perimeter.objects.visible_to(viewer_of(request), self.needed)
            field.initial = field.queryset.first() if len(own) == 1 else None
        return field


class ReadOnlyRows(PerimeterRows):
    """Rows that can be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AccountField(forms.ModelChoiceField):
    """An account, by its exact name: who manages a perimeter need not see all accounts of the site."""

    widget = forms.TextInput
    default_error_messages = {"invalid_choice": "There is no account named “%(value)s”."}

    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.all(), to_field_name="username", help_text="The name of the account.", **options)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.strip() if isinstance(value, str) else value)


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class MembershipForm(forms.ModelForm):
    """A person comes in by name; once in, only the role changes."""

    user = AccountField()

    class Meta:
        model = Membership
        fields = ["perimeter", "user", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["user"] = self.instance.user
            for name in self.fields.keys() & {"user", "perimeter"}:
                self.fields[name].disabled = True

    def clean(self) -> dict[str, Any] | None:
        """Also on the page of a perimeter, where Django leaves this to the database."""
        said = super().clean() or self.cleaned_data
        user, perimeter = said.get("user"), said.get("perimeter")
        of_both = perimeter and perimeter.pk and Membership.objects.of(perimeter).filter(user=user)
        if self.instance.pk is None and of_both and of_both.exists():
            self.add_error("user", f"{user} is a member of {perimeter} already.")
        return said


class TokenForm(forms.ModelForm):
    user = AccountField()
    branch_patterns = LinesField(
        required=False,
        max_length=4000,
        help_text="Branches that it may write to, such as feature/*, one a line; all if empty.",
    )

    class Meta:
        model = Token
        fields = TOKEN_CHOICES

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise ValidationError("This time is past, so the token would be of no use.")
        return expires_at

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or self.cleaned_data
        user, perimeter, role = (said.get(name) for name in ("user", "perimeter", "role"))
        if user and perimeter and role:
            self._check_membership(user, perimeter, Role(role))
        return said

    def _check_membership(self, user: User, perimeter: Perimeter, role: Role) -> None:
        member = Membership.objects.of(perimeter).filter(user=user).first()
        if member is None:
            self.add_error("user", f"{user} is no member of {perimeter}, so the token could do nothing there.")
        elif not Role(member.role).covers(role):
            self.add_error("role", f"{user} is {member.role} in {perimeter}, and a token can do no more than its user.")


class MembershipInline(admin.TabularInline):
    """The members of a perimeter, on its page."""

    model = Membership
    form = MembershipForm
    extra = 1
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")

    def may(self, request: HttpRequest, obj: Any = None) -> bool:
        """As on the page around it, whose perimeter `obj` is."""
        names = perimeters_with(request, Role.ADMIN)
        return bool(request.user.is_superuser) or (obj.name in names if obj else bool(names))

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = may


@admin.register(Perimeter)
class PerimeterAdmin(PerimeterRows):
    list_display = ["name", "title", "created_at"]
    search_fields = ["name", "title"]
    inlines = [MembershipInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Perimeter | None = None) -> list[str]:
        return ["name"] if obj else []  # it is in every address and every client's settings

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # everything in it is kept for ever

    def save_model(self, request: HttpRequest, obj: Perimeter, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.has_changed():
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
class MembershipAdmin(PerimeterRows):
    form = MembershipForm
    list_display = ["user", "perimeter", "role", "created_at"]
    list_filter = ["role", ("perimeter", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["perimeter", "user"]
    search_fields = ["user__username", "perimeter__name"]
    actions = None  # deleting one by one is what the audit log follows

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _record_membership(request, "membership.change" if change else "membership.create", obj)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        _record_membership(request, "membership.delete", obj)
        super().delete_model(request, obj)


@admin.register(Token)
class TokenAdmin(PerimeterRows):
    form = TokenForm
    list_display = ["prefix", "user", "perimeter", "role", "name", "state", "expires_at", "last_used_at"]
    list_filter = ["role", ("perimeter", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user", "perimeter"]
    search_fields = ["prefix", "name", "user__username"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)  # a token is revoked, never altered

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Used from")
    def used_from(self, token: Token) -> str:
        """The networks, the newest first."""
        return "\n".join(f"{use.network} since {use.since:%Y-%m-%d %H:%M} UTC" for use in token.uses) or "-"

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        return TOKEN_CHOICES + TOKEN_FACTS if obj else TOKEN_CHOICES

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        obj.secret = new_secret()
        for field, value in secret_fields(obj.secret).items():
            setattr(obj, field, value)
        obj.created_by = viewer_of(request).actor
        super().save_model(request, obj, form, change)
        detail = {"user": obj.user.get_username(), "role": obj.role, "branches": obj.branch_patterns}
        _record(request, "token.create", obj.perimeter, obj.prefix, detail)

    def response_add(self, request: HttpRequest, obj: Token, post_url_continue: str | None = None) -> HttpResponse:
        """The secret, shown in this very answer, which nobody keeps: a redirect would have to keep it on the way."""
        context = {**self.admin_site.each_context(request), "title": "Copy the token", "token": obj, "opts": self.opts}
        return TemplateResponse(request, "admin/access/token/made.html", context)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        for token in tokens.select_related("perimeter"):
            token.revoke()
            _record(request, "token.revoke", token.perimeter, token.prefix, {})
        messages.success(request, "The tokens are revoked.")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyRows):
    list_display = ["at", "actor_name", "action", "target", "perimeter_name"]
    list_filter = ["action", "perimeter_name"]
    search_fields = ["actor_name", "target"]
    date_hierarchy = "at"


admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(SuperusersOnly, RobustPages, UserAdmin):
    """Accounts. What they may do follows from memberships; Django's groups and permissions play no part here."""

    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_active", "is_superuser", "last_login", "date_joined"]}),
    ]
    readonly_fields = ("last_login", "date_joined")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # an account is closed (not active); its name stays taken for what it has done

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        _record(request, "account.create", "", obj.get_username(), {})
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Also called when a password is set."""
        _record(request, "account.change", "", obj.get_username(), {"changes": message})
        return super().log_change(request, obj, message)


@admin.register(AccessAttempt)
class FailedSignInsAdmin(SuperusersOnly, RobustPages):
    """Failures of the last day by name and address; who waits because of them is let in by deleting the row."""

    list_display = fields = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ["username", "ip_address"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for attempts in queryset:
            _record(request, "sign-in.unlock", "", attempts.username, {"of_address": attempts.ip_address})
        return super().log_deletions(request, queryset)


def _record_membership(request: HttpRequest, action: str, membership: Membership) -> None:
    _record(request, action, membership.perimeter, membership.user.get_username(), {"role": membership.role})


def _record(request: HttpRequest, action: str, perimeter: Perimeter | str, target: str, detail: dict[str, Any]) -> None:
    detail = {**detail, "address": address_of(request)}
    AuditEntry.objects.record(viewer_of(request), action=action, perimeter=perimeter, target=target, detail=detail)
