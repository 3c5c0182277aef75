"""Who sees which rows: every model says how its rows lead to their perimeter, and one method filters by it.

A read for somebody begins with `visible_to(viewer)`, or with `of(row)` for what belongs to a row that was found so.
"""

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from access.models import Perimeter, Role

Row = TypeVar("Row", bound=models.Model)


class Sees(Protocol):
    """For whom something is read: a `Viewer`, or a rule."""

    def perimeter_ids(self, role: "Role | None" = None) -> frozenset[int]: ...

    def perimeter_names(self, role: "Role | None" = None) -> list[str]: ...


@dataclass(frozen=True)
class AllOf:
    """All of one perimeter, and nothing else: what a rule sees that is judged the same, whoever asks."""

    perimeter: "Perimeter"

    def perimeter_ids(self, role: "Role | None" = None) -> frozenset[int]:
        return frozenset({self.perimeter.pk})

    def perimeter_names(self, role: "Role | None" = None) -> list[str]:
        return [self.perimeter.name]


class VisibleQuerySet(models.QuerySet[Row]):
    """The base of the queries of every model whose rows somebody reads. Its model declares

    `PERIMETER`: the way from a row to its perimeter, such as `asset__branch__project__perimeter`;
    `SHOWN_WHILE`: what must hold besides, if anything, such as `{"asset__deleted_at": None}`.
    """

    def visible_to(self, viewer: Sees, role: "Role | None" = None) -> Self:
        """The rows in perimeters that `viewer` may read, or has at least `role` in."""
        model: Any = self.model
        condition = getattr(model, "SHOWN_WHILE", {})
        return self.filter(**{f"{model.PERIMETER or 'pk'}__in": viewer.perimeter_ids(role)}, **condition)

    def of(self, row: models.Model) -> Self:
        """Those that belong to a row on their way to the perimeter, which the caller has found visible."""
        return self.filter(**{_way_to(type(row), self.model): row})


def perimeter_name_of(row: models.Model) -> str:
    """The name of the perimeter that a row is in."""
    model: Any = type(row)
    way: str = model.PERIMETER
    return str(reduce(getattr, way.split("__"), row) if way else row)


def _way_to(wanted: type[models.Model], model: type[models.Model]) -> str:
    """The beginning of the way from `model` to its perimeter that leads to `wanted`."""
    steps: list[str] = []
    found: Any = model
    for step in found.PERIMETER.split("__"):
        steps.append(step)
        found = found._meta.get_field(step).related_model
        if found is wanted:
            return "__".join(steps)
    raise TypeError(f"{model.__name__} does not belong to a {wanted.__name__}.")
