"""The properties of an asset: those in effect as a table, and those that people set as a form."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from access.identity import viewer_of
from access.models import Role
from catalog import limits
from catalog.admin.text import NOTHING, shown, stored
from catalog.models import Asset, PropertyOverride


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
