"""The filters beside the list of assets."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from access.admin import perimeters_with
from access.identity import viewer_of
from access.models import Role
from catalog.models import Branch, Project

FILTER_CHOICES = 200


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
        return rows.filter(pk__in=rows.filter(overrides__isnull=False).values("pk"))


class DeletedFilter(ChoiceFilter):
    """Deleted assets are shown only on request."""

    title, parameter_name, everything = "deletion", "deleted", "Not deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Deleted")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(deleted_at__isnull=self.value() is None)
