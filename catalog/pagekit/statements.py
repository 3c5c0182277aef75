"""The statements of what pages share, written as SQL."""

from typing import Any

from access.statements import Rows, Statement
from catalog.models import Asset, Edge, Instance
from catalog.states import Kind, Watch
from obproject.branches import MAIN_BRANCHES
from obproject.evaluation_log import EVALUATION, EVALUATION_LOG

LONGEST_MENU = 100
AFTER_MAIN = f"CASE WHEN key IN {MAIN_BRANCHES} THEN 0 ELSE 1 END"
MAIN_FIRST = f"{AFTER_MAIN}, id DESC"
_PROJECTS = f"""
    SELECT 'projects', row_number() OVER (ORDER BY name), id, name, '', 0
    FROM (
        SELECT id, name FROM catalog_project WHERE perimeter_id = %(perimeter)s ORDER BY name LIMIT {LONGEST_MENU + 1}
    ) AS project
"""  # noqa: S608 (constants)
_BRANCHES = f"""
    SELECT 'branches', row_number() OVER (ORDER BY {MAIN_FIRST}), id, key, git_name, CASE WHEN EXISTS (
        SELECT 1 FROM catalog_asset AS asset
        WHERE asset.branch_id = branch.id AND kind = %(kind)s AND asset_id = %(asset_id)s AND deleted_at IS NULL
    ) THEN 1 ELSE 0 END
    FROM (
        SELECT id, key, git_name FROM catalog_branch WHERE project_id = %(project)s
        ORDER BY {MAIN_FIRST} LIMIT {LONGEST_MENU + 1}
    ) AS branch
"""  # noqa: S608 (constants)
_LOG = f"""
    SELECT 'evaluations', 1, last_number, '', '', 0
    FROM catalog_asset AS asset LEFT JOIN catalog_instance AS ready ON ready.id = asset.newest_ready_id
    WHERE asset.branch_id = %(branch)s AND asset.kind = '{Kind.DATA}' AND asset.asset_id = '{EVALUATION_LOG}'
        AND asset.deleted_at IS NULL AND (ready.id IS NULL OR ready.asset_kind IN ('', '{EVALUATION}'))
"""  # noqa: S608 (constants)

projects_menu = Statement(_PROJECTS)
"""The first projects of a perimeter, by name, one more than a menu shows; in the columns of `menus`."""

menus = Statement(f"{_PROJECTS} UNION ALL {_BRANCHES} UNION ALL {_LOG}")
"""What the frame of a page on a branch shows: which menu, the place in it, key, name and git name, and of a branch
whether it has the asset (`kind`, `asset_id`).

The projects of the perimeter, by name, and the branches of the project, main first, then the newest, each one more than
a menu shows; and of the branch's evaluation log, if there is one, the number of entries in the place of a key.
"""


def edges_of(assets: list[Asset], most: int) -> list[Any]:
    """The edges of some assets, the last used first, with their components and the `last_number` of an instance."""
    return _edges_of.all(assets=[asset.pk for asset in assets], most=most) if assets else []


_edges_of = Rows(
    Edge,
    """
    SELECT {columns}, last.number FROM catalog_edge AS edge
    JOIN catalog_component AS component ON component.id = edge.component_id
    LEFT JOIN catalog_instance AS last ON last.id = edge.last_instance_id
    WHERE edge.asset_id {any assets} ORDER BY edge.last_at DESC, edge.id DESC LIMIT %(most)s
    """,
    related=["component"],
    also=["last_number"],
)


KNOWN = ("known_told", "known_cause", "known_unusual")
"""What lists of assets bring along, as JSON texts: of `Cadence` how it is known and why it is late; of `Unusual` the
reasons."""
WITH_KNOWN = f"""
    LEFT JOIN catalog_cadence AS cadence
        ON cadence.asset_id = asset.id AND asset.watch <> '{Watch.OFF.value}'
    LEFT JOIN catalog_unusual AS unusual ON unusual.instance_id = asset.newest_ready_id
"""
KNOWN_COLUMNS = "CAST(cadence.told AS text), CAST(cadence.cause AS text), CAST(unusual.reasons AS text)"
"""The same as SQL, of a row `asset`."""


def known_of(asset: Asset) -> tuple[Any, ...]:
    """The same of one asset that was found without it."""
    return _known_of.one(asset=asset.pk) or ()


_known_of = Statement(f"SELECT {KNOWN_COLUMNS} FROM catalog_asset AS asset {WITH_KNOWN} WHERE asset.id = %(asset)s")  # noqa: S608


def unusual_text(instance: Instance) -> str:
    """What is unusual of a version, as JSON."""
    found = _unusual_text.one(instance=instance.pk)
    return str(found[0]) if found else "{}"


_unusual_text = Statement(
    "SELECT CAST(unusual.reasons AS text) FROM catalog_unusual AS unusual WHERE unusual.instance_id = %(instance)s"
)
