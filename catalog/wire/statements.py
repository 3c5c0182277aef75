"""The lists of the API as SQL. They answer rows of `rows.py`, in the order and the number that is asked for.

A list that is not filtered is one statement. Else the keys of its rows are found by a queryset, and the rows by them.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.db.models import DateTimeField, JSONField, Model

from access.models import Perimeter
from access.statements import Answer, Statement
from catalog.models import Asset, Component, Consumption, Deprecation, Instance
from catalog.reading import Place
from catalog.states import State
from catalog.wire.rows import AssetRow, ComponentRow, ConsumptionRow, DeprecationRow, InstanceRow

TIMES = {
    # as `time_shape` writes them: in UTC, with six digits of a second, which SQLite leaves out if they are zero
    "postgresql": """to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "sqlite": "substr(replace({column}, ' ', 'T') || '.000000', 1, 26) || 'Z'",
}
AMONG = {
    "postgresql": "= ANY (string_to_array(%(keys)s, ',')::bigint[])",
    "sqlite": "IN (SELECT value FROM json_each('[' || %(keys)s || ']'))",
}
"""Whether a key is one of many, which come as a text with commas."""


NO_NUMBER = 2**31
"""More than any number of an instance."""


class Listed(Statement):
    """A statement in which `{name}` are the columns of the row of this name, and `{among}` compares with keys."""

    def __init__(self, sql: str, *, by_key: bool = True) -> None:
        texts = {vendor: sql.format(among=AMONG[vendor], **_columns(vendor)) for vendor in TIMES}
        super().__init__(texts, by_key=by_key)

    def of(self, keys: Iterable[int]) -> list[Answer]:
        """The rows of these keys; none, without asking, for no keys."""
        written = ",".join(map(str, keys))
        return self.all(keys=written) if written else []


def assets_after(perimeter: Perimeter, place: Place, kind: str, name: str, most: int) -> list[AssetRow]:
    """The live assets of a kind on a branch, by name, after this name; with what is ready. The branch need not exist.

    `perimeter` is that of the place, as `Viewer.require` gave it.
    """
    at = {"perimeter": perimeter.pk, "project": place.project, "key": place.key, "kind": kind}
    return [_asset_row(values) for values in _assets_after.all(**at, name=name, most=most)]


def these_assets(keys: Iterable[int]) -> list[AssetRow]:
    """The assets with these keys, by name; with what is ready and with what is newest."""
    return [_asset_row(values) for values in _these_assets.of(keys)]


def ready_before(asset: Asset, number: int | None, most: int) -> list[InstanceRow]:
    """The ready instances of an asset that are not deprecated, newest first, below this number; with components."""
    found = _ready_before.all(asset=asset.pk, state=State.READY.value, number=number or NO_NUMBER, most=most)
    return [_instance_row(values) for values in found]


def these_instances(keys: Iterable[int]) -> list[InstanceRow]:
    """The instances of one asset with these keys, newest first; with their components and deprecations."""
    return [_instance_row(values) for values in _these_instances.of(keys)]


def newest_consumptions(asset: Asset, most: int) -> list[ConsumptionRow]:
    """The newest consumptions of an asset, of any of its instances and of its definition."""
    return [
        ConsumptionRow(*rest, instance_uid=uid, component=ComponentRow(kind, name, project))
        for uid, kind, name, project, *rest in _newest_consumptions.all(asset=asset.pk, most=most)
    ]


def _asset_row(values: Answer) -> AssetRow:
    mine, ready, newest = values[:OF_ASSET], values[OF_ASSET : OF_ASSET + OF_INSTANCE], values[OF_ASSET + OF_INSTANCE :]
    return AssetRow(*mine, newest_ready=_instance_or_none(ready), newest=_instance_or_none(newest))


def _instance_or_none(values: Answer) -> InstanceRow | None:
    return InstanceRow(*values) if values and values[0] is not None else None


def _instance_row(values: Answer) -> InstanceRow:
    component = values[OF_INSTANCE : OF_INSTANCE + OF_COMPONENT]
    deprecation = values[OF_INSTANCE + OF_COMPONENT :]
    said = DeprecationRow(*deprecation) if deprecation and deprecation[0] is not None else None
    return InstanceRow(*values[:OF_INSTANCE], component=ComponentRow(*component), deprecation=said)


def _columns(vendor: str) -> dict[str, str]:
    """The columns of each row, under the name that its table has in these statements."""
    return {
        table: ", ".join(_column(vendor, table, model, name) for name in _names_in(row))
        for table, (row, model) in ROWS.items()
    }


def _column(vendor: str, table: str, model: type[Model], name: str) -> str:
    kept: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    column = f"{table}.{kept.column}"
    match kept:
        case JSONField():
            return f"CAST({column} AS text)"
        case DateTimeField():
            return TIMES[vendor].replace("{column}", column)
    return column


def _names_in(row: type) -> list[str]:
    """What a row has in columns of its own."""
    return [column.name for column in fields(row) if not column.kw_only]


ROWS: dict[str, tuple[type, type[Model]]] = {
    "asset": (AssetRow, Asset),
    "ready": (InstanceRow, Instance),
    "newest": (InstanceRow, Instance),
    "instance": (InstanceRow, Instance),
    "component": (ComponentRow, Component),
    "deprecation": (DeprecationRow, Deprecation),
    "consumption": (ConsumptionRow, Consumption),
}
OF_ASSET, OF_INSTANCE, OF_COMPONENT = (len(_names_in(row)) for row in (AssetRow, InstanceRow, ComponentRow))

_assets_after = Listed(
    """
    SELECT {asset}, {ready} FROM catalog_asset AS asset
    LEFT JOIN catalog_instance AS ready ON ready.id = asset.newest_ready_id
    WHERE asset.branch_id = (
        SELECT branch.id FROM catalog_branch AS branch
        JOIN catalog_project AS project ON project.id = branch.project_id
        WHERE project.perimeter_id = %(perimeter)s AND project.name = %(project)s AND branch.key = %(key)s
    )
    AND asset.kind = %(kind)s AND asset.deleted_at IS NULL AND asset.asset_id > %(name)s
    ORDER BY asset.asset_id LIMIT %(most)s
    """
)
_these_assets = Listed(
    """
    SELECT {asset}, {ready}, {newest} FROM catalog_asset AS asset
    LEFT JOIN catalog_instance AS ready ON ready.id = asset.newest_ready_id
    LEFT JOIN catalog_instance AS newest ON newest.id = asset.newest_id
    WHERE asset.id {among} ORDER BY asset.asset_id
    """
)
_ready_before = Listed(
    """
    SELECT {instance}, {component} FROM catalog_instance AS instance
    JOIN catalog_component AS component ON component.id = instance.component_id
    WHERE instance.asset_id = %(asset)s AND instance.state = %(state)s AND instance.number < %(number)s
    AND instance.deprecation_id IS NULL
    ORDER BY instance.number DESC LIMIT %(most)s
    """,
    by_key=False,
)
_these_instances = Listed(
    """
    SELECT {instance}, {component}, {deprecation} FROM catalog_instance AS instance
    JOIN catalog_component AS component ON component.id = instance.component_id
    LEFT JOIN catalog_deprecation AS deprecation ON deprecation.id = instance.deprecation_id
    WHERE instance.id {among} ORDER BY instance.number DESC
    """
)
_newest_consumptions = Listed(
    """
    SELECT instance.uid, {component}, {consumption} FROM catalog_consumption AS consumption
    JOIN catalog_component AS component ON component.id = consumption.component_id
    LEFT JOIN catalog_instance AS instance ON instance.id = consumption.instance_id
    WHERE consumption.asset_id = %(asset)s ORDER BY consumption.id DESC LIMIT %(most)s
    """
)
