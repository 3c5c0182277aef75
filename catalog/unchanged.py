"""Whether an answer would still be the one that was given before: its tag, composed anew whenever it is asked for.

Nothing is kept for it but the marks of `catalog/marks.py`. A page or a list says which marks it depends on: those of a
branch, of an asset, or of everything. One statement tells the highest of each, before anything is read, so that what
changes meanwhile can only make an answer newer than its tag. The tag is made of them, and of all else that an answer
depends on: who asks and what they may, the address, the part of a page that is asked for, and the release of the site.

There is no tag, and so the answer is given whole, while a transaction that began before the newest change has not
ended (see `catalog/marks.py`), where nothing is found, and while the site is developed.
"""

import functools
import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.request import Request

from access.identity import Viewer
from access.statements import Statement
from catalog.marks import SETTLED_BELOW
from catalog.reading import Place, checked_asset_id
from catalog.states import Kind
from obproject.evaluation_log import EVALUATION_LOG

RESTARTED = {"postgresql": "pg_postmaster_start_time()::text", "sqlite": "''"}
"""What changes when PostgreSQL is brought back from a copy of its files, by the name that Django gives the database."""
ROOMS = ("access", "assetsite", "catalog", "lineage", "obproject", "static", "templates")
NUMBERED = re.compile("v([1-9][0-9]{0,8})")
COARSE = 600
"""Seconds for which a page without scripts may tell a time ago that has become longer. With scripts it goes on."""

ON_BRANCH = """
    FROM catalog_branch AS branch JOIN catalog_project AS project ON project.id = branch.project_id
    WHERE project.perimeter_id = %(perimeter)s AND project.name = %(project)s AND branch.key = %(key)s
"""
ON_ASSET = """
    FROM catalog_asset AS asset JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    JOIN catalog_project AS project ON project.id = branch.project_id
    WHERE project.perimeter_id = %(perimeter)s AND project.name = %(project)s AND branch.key = %(key)s
    AND asset.kind = %(kind)s AND asset.asset_id = %(asset_id)s AND asset.deleted_at IS NULL
"""


@dataclass(frozen=True)
class Marks:
    """The marks that an answer depends on, each as SQL; `found` is where they are looked for."""

    found: str
    marks: Sequence[str]

    def __or__(self, other: "Marks") -> "Marks":
        """Also those of another one, at the same place or everywhere."""
        return Marks(self.found or other.found, (*self.marks, *other.marks))

    @functools.cached_property
    def statement(self) -> Statement:
        columns = ", ".join(f"({mark})" for mark in self.marks)
        return Statement(
            {
                vendor: f"SELECT {columns}, {below}, {RESTARTED[vendor]} {self.found}"
                for vendor, below in SETTLED_BELOW.items()
            }
        )

    def now(self, **place: Any) -> tuple[Any, ...] | None:
        """The marks as they are; None if nothing is there, or some may still be followed by lower ones."""
        row = self.statement.one(**place)
        if row is None:
            return None
        *marks, below, restarted = row
        return None if any(mark is not None and mark >= below for mark in marks) else (*marks, restarted)


def _newest(table: str, where: str = "") -> str:
    return f"SELECT MAX(changed) FROM catalog_{table} {where}"  # noqa: S608 (names of tables and columns, no values)


def _everywhere(*tables: str) -> Marks:
    return Marks("", [_newest(table) for table in tables])


# What answers of the API depend on
BRANCH = Marks(ON_BRANCH, ["branch.changed"])
ASSETS_OF_BRANCH = Marks(ON_BRANCH, [_newest("asset", "WHERE branch_id = branch.id")])
HIGHLIGHTS_OF_BRANCH = Marks(ON_BRANCH, [_newest("highlight", "WHERE branch_id = branch.id")])
ASSET = Marks(ON_ASSET, ["branch.changed", "asset.changed"])
USES_OF_ASSET = Marks(ON_ASSET, [_newest("edge", "WHERE asset_id = asset.id")])
RUN_OF_INSTANCE = Marks(
    ON_ASSET,
    [
        "SELECT run.changed FROM catalog_run AS run JOIN catalog_instance AS instance ON instance.run = run.name"
        " WHERE run.perimeter_id = project.perimeter_id"
        " AND instance.asset_id = asset.id AND instance.number = %(number)s"
    ],
)
LINEAGE = _everywhere("asset", "edge", "run", "branch", "project")
RUNS = _everywhere("run", "asset", "edge")

USES_OF_BRANCH = Marks(ON_BRANCH, [_newest("edge", "WHERE branch_id = branch.id")])
KEYS_OF_BRANCH = Marks(ON_BRANCH, [_newest("branchkey", "WHERE branch_id = branch.id")])

# What pages depend on, with the menus and tabs around them
_FRAME = [
    _newest("branch", "WHERE project_id = project.id"),
    _newest("project", "WHERE perimeter_id = project.perimeter_id"),
    _newest(
        "asset",
        "WHERE branch_id = branch.id AND deleted_at IS NULL"
        f" AND kind = '{Kind.DATA.value}' AND asset_id = '{EVALUATION_LOG}'",
    ),
]
FRAME_OF_BRANCH, FRAME_OF_ASSET = Marks(ON_BRANCH, _FRAME), Marks(ON_ASSET, _FRAME)
HOME = _everywhere("project", "branch", "asset", "highlight")
SEARCH = _everywhere("project", "branch", "asset", "component")


def place_of(viewer: Viewer, place: Place, address: Mapping[str, Any]) -> dict[str, Any]:
    """The values by which marks are found at an address, for those who may see what is there."""
    values = {"perimeter": viewer.require(place.perimeter).pk, "project": place.project, "key": place.key}
    if "asset_id" in address:
        numbered = NUMBERED.fullmatch(address.get("reference", ""))
        number = int(numbered[1]) if numbered else None
        values |= {"kind": address["kind"], "asset_id": checked_asset_id(address["asset_id"]), "number": number}
    return values


def tag_of(request: HttpRequest | Request, viewer: Viewer, *parts: Any) -> str:
    """The tag of an answer, made of what everybody's depends on and of `parts`, each told apart by its `repr`."""
    headers = request.headers
    asked = (request.build_absolute_uri(), headers.get("HX-Target"), headers.get("Accept"))
    may = sorted((name, grant.role.value) for name, grant in viewer.grants.items())
    token = viewer.token.pk if viewer.token else None
    who = (viewer.user.pk, viewer.user.get_username(), viewer.user.is_superuser, viewer.local, token, may)
    text = repr((release(), settings.METAFLOW_UI_URL, settings.STATIC_URL, asked, who, parts))
    # weak: a proxy that compresses may send the same answer in other bytes
    return f'W/"{hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()}"'


def is_known(request: HttpRequest | Request, tag: str) -> bool:
    """Whether who asks has the answer of this tag. `*` is nobody's: whoever sends it has none to show."""
    known = request.headers.get("If-None-Match", "")
    return bool(known) and tag.removeprefix("W/") in {one.removeprefix("W/") for one in parse_etags(known)}


def not_modified(tag: str) -> HttpResponseNotModified:
    return HttpResponseNotModified(headers={"ETag": tag})


def tagged(tag: str, response: HttpResponseBase) -> HttpResponseBase:
    """The response with its tag, if it is what was asked for, and no redirect."""
    if response.status_code == 200:
        response.headers["ETag"] = tag
    return response


def clock(seconds: int) -> int:
    """A number that changes every so many seconds."""
    return int(time.time()) // seconds


@functools.cache
def release() -> str:
    """What this site is made of: its code, templates and static files, and the versions of the packages it asks for."""
    found = hashlib.blake2b(digest_size=16)
    requirements = settings.BASE_DIR / "requirements.txt"
    files = [path for room in ROOMS for path in (settings.BASE_DIR / room).rglob("*") if _counts(path)]
    for path in sorted([*files, *([requirements] if requirements.exists() else [])]):
        found.update(f"\0{path.relative_to(settings.BASE_DIR)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc"


View = Callable[..., HttpResponseBase]


def unless_unchanged(depends: Marks) -> Callable[[View], View]:
    """Answer a call of the API with 304 where the client has the answer; for the `get` of a `CatalogView`."""

    def decorate(get: View) -> View:
        @functools.wraps(get)
        def answer(view: Any, request: Request, **address: Any) -> HttpResponseBase:
            values = place_of(view.viewer, view.place(), address) if depends.found else {}
            marks = None if settings.DEBUG else depends.now(**values)
            if marks is None:
                return get(view, request, **address)
            tag = tag_of(request, view.viewer, marks)
            return not_modified(tag) if is_known(request, tag) else tagged(tag, get(view, request, **address))

        answer.depends_on = depends  # type: ignore[attr-defined]
        return answer

    return decorate
