"""Definitions in Django's admin: what deploys declared, what people set instead, and the history of both.

Only the properties of a live asset can be edited, through `catalog.recording`; all else is read-only, because it comes
from deploys and runs. Deleting is left to the API.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from access.admin import PerimeterRows, ReadOnlyRows, perimeters_with
from access.identity import viewer_of
from access.models import Role
from catalog import limits, recording
from catalog.models import (
    Asset,
    Branch,
    DefinitionRevision,
    Project,
    PropertyEdit,
    PropertyOverride,
    SpecVersion,
    State,
)
from catalog.pages.addresses import asset_url, branch_url, project_url
from catalog.templatetags.times import exact, machine, relative

HISTORY = 50
FILTER_CHOICES = 200
SHOWN_LENGTH = 2_000
SHOWN_SPEC_LENGTH = 200_000
NOTHING = object()


def shown(value: Any, most: int = SHOWN_LENGTH) -> str:
    """A JSON value as people read it: text as it is, anything else as JSON; cut where it is too long for a page."""
    if value is NOTHING:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    more = len(text) - most
    return f"{text[:most]}… and {more:,} more characters" if more > 0 else text


def stored(value: Any) -> str:
    """A value of an event, where null means that there was none."""
    return shown(NOTHING if value is None else value)


def when(at: datetime | None) -> str:
    """A time as on the site's pages."""
    return format_html('<time datetime="{}" title="{}">{}</time>', machine(at), exact(at), relative(at)) if at else "-"


# Lists


class ChoiceFilter(admin.SimpleListFilter):
    """A filter of few choices; what is not among them is passed over, such as a branch of another project."""

    everything = "All"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        raise NotImplementedError

    def narrow(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        raise NotImplementedError

    def value(self) -> str | None:
        asked = super().value()
        return asked if asked in dict(self.lookup_choices) else None

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return rows if chosen is None else self.narrow(rows, chosen)

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": self.everything}
        yield from others


class PerimeterFilter(ChoiceFilter):
    title = parameter_name = "perimeter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(perimeters_with(request, Role.EDITOR))]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def narrow(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return rows.filter(branch__project__perimeter__name=chosen)


class ProjectFilter(ChoiceFilter):
    """By `perimeter/project`, within the chosen perimeter if there is one."""

    title = parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = perimeters_with(request, Role.EDITOR)
        chosen = request.GET.get("perimeter")
        wanted = [chosen] if chosen in names else names
        projects = Project.objects.visible_to(viewer_of(request)).filter(perimeter__name__in=wanted)
        pairs = projects.order_by("perimeter__name", "name").values_list("perimeter__name", "name")[:FILTER_CHOICES]
        return [
            (f"{perimeter}/{name}", name if len(wanted) == 1 else f"{perimeter}/{name}") for perimeter, name in pairs
        ]

    def narrow(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        perimeter, _, name = chosen.partition("/")
        return rows.filter(branch__project__perimeter__name=perimeter, branch__project__name=name)


class BranchFilter(ChoiceFilter):
    """By the key, once a project is chosen."""

    title = parameter_name = "branch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        perimeter, _, project = request.GET.get("project", "").partition("/")
        branches = Branch.objects.visible_to(viewer_of(request)).filter(
            project__perimeter__name=perimeter, project__name=project
        )
        return [(branch.key, branch.name) for branch in branches.main_first()[:FILTER_CHOICES]]

    def narrow(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return rows.filter(branch__key=chosen)


class DeclaredFilter(ChoiceFilter):
    title, parameter_name = "declaration", "declared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Declared by a deploy"), ("no", "Only registered")]

    def narrow(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return rows.filter(declared_at__isnull=chosen == "no")


class EditedFilter(ChoiceFilter):
    title, parameter_name = "properties", "edited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Edited by people")]

    def narrow(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return rows.filter(pk__in=PropertyOverride.objects.values("asset"))


class DeletedFilter(ChoiceFilter):
    """Deleted assets are shown only on request."""

    title, parameter_name, everything = "deletion", "deleted", "Not deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Deleted")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(deleted_at__isnull=self.value() is None)


# Properties edited by people


class PropertyKeyField(forms.CharField):
    """The name of a property."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=limits.KEY_LENGTH, strip=False, **options)

    def validate(self, value: str) -> None:
        super().validate(value)
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
            raise ValidationError("A property's name can't hold control characters.")


class PropertyValueField(forms.CharField):
    """The text that a person gives to a property."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 40})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, strip=False, **options)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")  # as forms send every line's end

    def validate(self, value: str) -> None:
        super().validate(value)
        if limits.UNSTORABLE.search(value):
            raise ValidationError("A value can't hold NUL or half a character.")
        size = len(value.encode())
        if size > limits.ANNOTATION_BYTES:
            raise ValidationError(f"This has {size:,} bytes; a value has at most {limits.ANNOTATION_BYTES:,}.")


class OverrideForm(forms.ModelForm):
    """One override; the property that it is about stays, once it is made."""

    key = PropertyKeyField(label="Property")
    value = PropertyValueField()

    class Meta:
        model = PropertyOverride
        fields = ["key", "value"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].disabled = self.instance.pk is not None
        for name, label in (("key", "Property"), ("value", "Value")):
            self.fields[name].widget.attrs["aria-label"] = label

    def clean_key(self) -> str:
        key, asset = self.cleaned_data["key"], self.instance.asset
        if self.instance.pk:
            return key
        if key not in asset.declared_properties:
            key = key.strip()
        if not key:
            raise ValidationError("A property needs a name.")
        if asset.overrides.filter(key=key).exists():
            raise ValidationError(f"“{key}” has a value here already; change that.")
        return key

    @property
    def declared_now(self) -> str:
        return shown(self.instance.asset.declared_properties.get(self.instance.key, NOTHING))

    @property
    def declared_then(self) -> str:
        """What was declared when the override was made."""
        return stored(self.instance.declared_value)


class OverrideFormSet(forms.BaseInlineFormSet):
    """All overrides of an asset, and room for a new one."""

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.instance.asset = self.instance  # the forms look at its declaration, and need no query for it

    def get_unique_error_message(self, unique_check: Any) -> str:
        return "One property is named twice."

    def get_form_error(self) -> str:
        return "This property is named twice."


class OverrideInline(admin.TabularInline):
    model = PropertyOverride
    form, formset = OverrideForm, OverrideFormSet
    template = "admin/catalog/asset/_overrides.html"
    ordering = ["key"]
    extra = 1
    max_num = limits.ANNOTATIONS

    def may(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may_edit(request, obj)

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = may


def may_edit(request: HttpRequest, asset: Asset) -> bool:
    branch = asset.branch
    names = [branch.name, branch.key]
    return asset.deleted_at is None and viewer_of(request).may(branch.project.perimeter, Role.EDITOR, names)


# The page of an asset


@dataclass(frozen=True)
class Property:
    """A row of the table of properties."""

    key: str
    declared: str
    effective: str
    edited: bool

    @property
    def origin(self) -> str:
        if not self.edited:
            return "declared"
        return "overridden" if self.declared else "added"


def properties_of(asset: Asset) -> list[Property]:
    edited = dict(asset.overrides.values_list("key", "value"))
    declared = asset.declared_properties
    return [
        Property(key, shown(declared[key]) if key in declared else "", shown(value), key in edited)
        for key, value in sorted((declared | edited).items())
    ]


@dataclass(frozen=True)
class Edit:
    """A row of the history of edits."""

    at: datetime
    actor: str
    key: str
    old: str
    new: str
    declared: str
    given_back: bool

    @classmethod
    def of(cls, row: PropertyEdit) -> "Edit":
        old, new, declared = map(stored, (row.old_value, row.new_value, row.declared_value))
        return cls(row.at, row.actor, row.key, old, new, declared, row.new_value is None)


@dataclass(frozen=True)
class Deploy:
    """A row of the history of declarations."""

    at: datetime
    who: str
    config_hash: str
    names: str
    declared: str

    @classmethod
    def of(cls, row: DefinitionRevision) -> "Deploy":
        who = f"{row.actor}, {row.entity_kind} {row.entity_id}"
        return cls(row.at, who, row.config_hash, ", ".join(row.declared), shown(row.declared))


@dataclass(frozen=True)
class History:
    """The newest rows of a history, and how many older ones there are."""

    rows: list[Any]
    older: int

    @classmethod
    def of(cls, events: Any, present: Callable[[Any], Any]) -> "History":
        """From a related manager, by no more than two queries."""
        rows = [present(event) for event in events.order_by("-pk")[:HISTORY]]
        return cls(rows, events.count() - HISTORY if len(rows) == HISTORY else 0)


# What is registered


@admin.register(Asset)
class AssetAdmin(PerimeterRows):
    needed = Role.EDITOR
    perimeter_name = "branch.project.perimeter.name"
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
        return rows.visible_to(viewer_of(request)).select_related("branch__project__perimeter", "newest")

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
    perimeter_name = "project.perimeter.name"
    list_display = ["name", "key", "project", "perimeter", "data_count", "models_count", "created_at"]
    list_filter = [("project__perimeter", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["project__perimeter"]
    search_fields = ["git_name", "key", "project__name"]
    ordering = ["-pk"]
    fields = ["perimeter", "project", "git_name", "key", "data_count", "models_count", "created_at"]

    def view_on_site(self, obj: Branch) -> str:
        return branch_url(obj)

    @admin.display(ordering="project__perimeter__name")
    def perimeter(self, branch: Branch) -> str:
        return str(branch.project.perimeter)


@admin.register(SpecVersion)
class SpecVersionAdmin(ReadOnlyRows):
    """The deploys: each one posts a version of its branch's spec."""

    needed = Role.EDITOR
    perimeter_name = "branch.project.perimeter.name"
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
