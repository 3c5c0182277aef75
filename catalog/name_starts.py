"""The rows by which things are found by their names: kept with every write of a name, and recomputed by `recount`."""

import functools
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from catalog.folding import beginnings
from catalog.models import Asset, Branch, Component, NameStart, Project
from obproject.branches import MAIN_BRANCHES

Kind = NameStart.Kind
Values = tuple[str, int, int, int, bytes]
Named = Project | Branch | Asset | Component
AT_ONCE = 1_000
COMPONENTS = (Kind.FLOW.value, Kind.DEPLOYMENT.value, Kind.PERSON.value)
"""The kinds of components that have a page, and so are found."""
RANKS = dict.fromkeys(Kind.values, (0, 2)) | {Kind.ASSET.value: (0, 1, 2, 3)}
"""The ranks that rows of each kind have."""


COLUMNS = ("kind", "target", "perimeter_id", "rank", "key")
WHOLE_NAMES = 1
"""The last rank of those that begin with the beginning of a name."""


def rank_of(*, on_main: bool, is_later: bool) -> int:
    """Names that begin so come before those with a later word that does; in each, what is on main first."""
    return 2 * is_later + (not on_main)


def rows_of(kind: str, target: int, perimeter: int, names: list[str], *, on_main: bool = True) -> Iterator[Values]:
    """The values of `COLUMNS` of the rows by which one thing of these names is found."""
    for key, is_later in beginnings(names).items():
        rank = rank_of(on_main=on_main, is_later=is_later)
        yield kind, target, perimeter, rank, key


def add_names(row: Named) -> None:
    """Let something new be found; another writer may have done so."""
    insert(list(_right(row)))


def keep_names(row: Named) -> None:
    """Let something be found by its present names only; not at all if it was deleted."""
    drop_names(_kind_of(row), row.pk)
    add_names(row)


def drop_names(kind: str, target: int) -> None:
    NameStart.objects.filter(kind=kind, target=target).delete()


def repair_names() -> Iterator[str]:
    """Bring the rows of everything up to date; a line for each thing whose rows were wrong."""
    for model in (Project, Branch, Asset):
        yield from _repair(model.__name__.lower(), _loaded(model))
    for kind in COMPONENTS:
        yield from _repair(kind, Component.objects.filter(kind=kind))


def insert(rows: list[Values]) -> None:
    """Insert rows with the values of `COLUMNS`, but for those that are there. Plain SQL: a new asset waits for it."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_insertion(len(rows)), [value for row in rows for value in row])


@functools.lru_cache(maxsize=32)
def _insertion(rows: int) -> str:
    one = f"({', '.join(['%s'] * len(COLUMNS))})"
    return f"""
        INSERT INTO {NameStart._meta.db_table} ({", ".join(COLUMNS)}) VALUES {", ".join([one] * rows)}
        ON CONFLICT DO NOTHING
    """  # noqa: S608 (names of tables and columns, and no values)


def _right(row: Named) -> Iterator[Values]:
    match row:
        case Project():
            yield from rows_of(Kind.PROJECT, row.pk, row.perimeter_id, [row.name, row.title])
        case Branch():
            yield from rows_of(Kind.BRANCH, row.pk, row.project.perimeter_id, [row.name, row.key])
        case Asset() if row.deleted_at is None:
            branch = row.branch
            names, on_main = [row.asset_id, row.name], branch.key in MAIN_BRANCHES
            yield from rows_of(Kind.ASSET, row.pk, branch.project.perimeter_id, names, on_main=on_main)
        case Component() if row.kind in COMPONENTS:
            yield from rows_of(row.kind, row.pk, row.perimeter_id, [row.name])


def _kind_of(row: Named) -> str:
    return row.kind if isinstance(row, Component) else type(row).__name__.lower()


def _loaded(model: type[Model]) -> QuerySet[Any]:
    """With what `_right` reads, and without what can be large."""
    rows: Any = model._default_manager
    if model is Asset:
        columns = ("asset_id", "name", "deleted_at", "branch__key", "branch__project__perimeter")
        return rows.select_related("branch__project").only(*columns)
    return rows.select_related("project") if model is Branch else rows.all()


def _repair(kind: str, rows: QuerySet[Any]) -> Iterator[str]:
    """In batches; each wrong one is looked at again under its lock. What is beyond the last row belongs to nothing."""
    before = 0
    while batch := list(rows.filter(pk__gt=before).order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        right = {(target, key, rank) for row in batch for _, target, _, rank, key in _right(row)}
        kept = NameStart.objects.filter(kind=kind, target__gt=before, target__lte=last)
        found = {(target, bytes(key), rank) for target, key, rank in kept.values_list("target", "key", "rank")}
        for target in sorted({target for target, _, _ in right ^ found}):
            _put_right(kind, rows, target)
            yield f"Names of {kind} {target}"
        before = last
    NameStart.objects.filter(kind=kind, target__gt=before).delete()


def _put_right(kind: str, rows: QuerySet[Any], target: int) -> None:
    with transaction.atomic():
        drop_names(kind, target)
        for row in rows.select_for_update(of=("self",), no_key=True).filter(pk=target):
            add_names(row)
