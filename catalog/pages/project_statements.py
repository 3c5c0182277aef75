"""The lists of projects and branches as SQL, for the pages of home, a perimeter and a project.

What was refreshed last on a branch is one look into an index; so a list costs as many looks as there are branches.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from access.models import Perimeter
from access.statements import Rows, moment_of
from catalog.models import Branch, Highlight, Project
from catalog.pagekit.statements import AFTER_MAIN, MAIN_FIRST

_LAST_REFRESH = """(
    SELECT asset.refreshed_at FROM catalog_asset AS asset
    WHERE asset.branch_id = branch.id AND asset.deleted_at IS NULL AND asset.refreshed_at IS NOT NULL
    ORDER BY asset.refreshed_at DESC NULLS LAST LIMIT 1
)"""


def freshest_projects(perimeters: Iterable[Perimeter], most: int) -> list[Any]:
    """The projects that were refreshed last, each with its `refreshed_at`; `total`: how many there are."""
    by_key = {perimeter.pk: perimeter for perimeter in perimeters}
    found: list[Any] = _freshest_projects.all(perimeters=list(by_key), most=most)
    for project in found:
        project.perimeter, project.refreshed_at = by_key[project.perimeter_id], moment_of(project.refreshed_at)
    return found


_freshest_projects = Rows(
    Project,
    f"""
    SELECT {{columns}}, (
        SELECT {_LAST_REFRESH} AS last_refresh FROM catalog_branch AS branch
        WHERE branch.project_id = project.id ORDER BY last_refresh DESC NULLS LAST LIMIT 1
    ) AS refreshed_at, COUNT(*) OVER () AS total
    FROM catalog_project AS project WHERE project.perimeter_id {{any perimeters}}
    ORDER BY refreshed_at DESC NULLS LAST, project.name LIMIT %(most)s
    """,  # noqa: S608 (constants)
    also=["refreshed_at", "total"],
)


def first_branches(projects: Sequence[Project], most: int) -> list[Any]:
    """The first few branches of each project, main first, each with its `refreshed_at`; `total`: of its project."""
    return _of_projects(_first_branches.all(projects=[row.pk for row in projects], most=most), projects)


_first_branches = Rows(
    Branch,
    f"""
    SELECT {{columns}}, {_LAST_REFRESH}, ranked.total
    FROM (
        SELECT id, row_number() OVER (PARTITION BY project_id ORDER BY {MAIN_FIRST}) AS place,
            COUNT(*) OVER (PARTITION BY project_id) AS total
        FROM catalog_branch WHERE project_id {{any projects}}
    ) AS ranked
    JOIN catalog_branch AS branch ON branch.id = ranked.id
    WHERE ranked.place <= %(most)s ORDER BY branch.project_id, ranked.place
    """,  # noqa: S608 (constants)
    also=["refreshed_at", "total"],
)


def freshest_branches(project: Project, most: int) -> list[Any]:
    """The branches of a project, main first, then those refreshed last, with their deploys; `total`: how many."""
    return _of_projects(_freshest_branches.all(project=project.pk, most=most), [project])


_freshest_branches = Rows(
    Branch,
    f"""
    SELECT {{columns}}, {_LAST_REFRESH} AS refreshed_at, COUNT(*) OVER () AS total
    FROM (
        SELECT *, {AFTER_MAIN} AS after_main FROM catalog_branch WHERE project_id = %(project)s
    ) AS branch
    LEFT JOIN catalog_specversion AS spec ON spec.id = branch.spec_id
    ORDER BY branch.after_main, refreshed_at DESC NULLS LAST, branch.id DESC LIMIT %(most)s
    """,  # noqa: S608 (constants)
    related=["spec"],
    without=["spec__document"],
    also=["refreshed_at", "total"],
)


def highlights_of(projects: Sequence[Project]) -> list[Highlight]:
    """The newest highlight of each project, without images."""
    keys = [key for project in projects if (key := project.newest_highlight_id)]
    found = _highlights.all(highlights=keys) if keys else []
    _of_projects([highlight.branch for highlight in found], projects)
    return found


_highlights = Rows(
    Highlight,
    """
    SELECT {columns} FROM catalog_highlight AS highlight
    JOIN catalog_component AS component ON component.id = highlight.component_id
    JOIN catalog_branch AS branch ON branch.id = highlight.branch_id
    WHERE highlight.id {any highlights}
    """,
    related=["component", "branch"],
    without=["image"],
)


def _of_projects(branches: list[Any], projects: Sequence[Project]) -> list[Any]:
    """The branches, which know their projects then without a query."""
    by_key = {project.pk: project for project in projects}
    for branch in branches:
        branch.project = by_key[branch.project_id]
        branch.refreshed_at = moment_of(getattr(branch, "refreshed_at", None))
    return branches
