"""Whether an answer would still be the one that was given before: its tag, composed anew whenever it is asked for.

Nothing is kept for it but the marks of `catalog/marks.py`. A page or a list says which marks it depends on: those of a
branch, of an asset, or of everything. One statement tells the highest of each, before anything is read, so that what
changes meanwhile can only make an answer newer than its tag. The tag is made of them, and of all else that an answer
depends on: who asks and what they may, the address, the part of a page that is asked for, and the release of the site.

What becomes due or late does so without a write. Of the moments at which that happens to what an answer shows, the same
statement tells the last one that has passed: as long as the marks are the same, nothing else can have come with time.

There is no tag, and so the answer is given whole, while a transaction that began before the newest change has not
ended (see `catalog/marks.py`), where nothing is found, and while the site is developed.
"""

import functools
import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import parse_etags
from rest_framework.request import Request

from access.identity import Viewer
from access.models import Perimeter
from access.statements import Rows, Statement
from catalog.marks import SETTLED_BELOW
from catalog.models import Asset, Branch
from catalog.reading import Place, checked_asset_id
from catalog.statements import ASSETS, BRANCH_AT_PLACE, LIVE_AT_PLACE, WHOLE, WHOLE_ASSETS
from catalog.states import AttentionKind, Kind
from obproject.evaluation_log import EVALUATION_LOG

RESTARTED = {"postgresql": "pg_postmaster_start_time()::text", "sqlite": "''"}
"""What changes when PostgreSQL is brought back from a copy of its files, by the name that Django gives the database."""
ROOMS = (
    "access",
    "assetsite",
    "catalog",
    "comparing",
    "lineage",
    "obproject",
    "promoting",
    "static",
    "telling",
    "templates",
)
PACKAGE = re.compile(r"[\w.-]+")
"""What a requirement begins with."""
NUMBERED = re.compile("v([1-9][0-9]{0,8})")
COARSE = 600
"""Seconds for which a page without scripts may tell a time ago that has become longer. With scripts it goes on."""


@dataclass(frozen=True)
class Found:
    """Where marks are looked for, as SQL; for a page also the row that it is of, which the same statement answers."""

    sql: str
    model: type[Model] | None = None
    related: Sequence[str] = ()
    without: Sequence[str] = ()


EVERYWHERE = Found("")
ON_BRANCH = Found(f"FROM {BRANCH_AT_PLACE}")
THE_BRANCH = Found(ON_BRANCH.sql, Branch, ("project", "spec"), ("spec__document",))
BRANCH_AND_SPEC = Found(ON_BRANCH.sql, Branch, ("project", "spec"))
ON_ASSET = Found(f"FROM {ASSETS} {LIVE_AT_PLACE}")
THE_ASSET = Found(f"FROM {WHOLE_ASSETS} {LIVE_AT_PLACE}", Asset, WHOLE)


@dataclass(frozen=True)
class Marks:
    """The marks that an answer depends on, each as SQL; and what else it does, which is what comes with time."""

    found: Found
    marks: Sequence[str]
    passed: Sequence[str] = ()

    def __or__(self, other: "Marks") -> "Marks":
        """Also those of another one, at the same place or everywhere."""
        found = self.found if self.found.sql else other.found
        return Marks(found, (*self.marks, *other.marks), (*self.passed, *other.passed))

    def now(self, **place: Any) -> tuple[Any, tuple[Any, ...] | None]:
        """The row that a page is of, and the marks as they are.

        None if nothing is there; no marks if some may still be followed by lower ones.
        """
        answer = self._statement.one(**place, now=timezone.now())
        if answer is None:
            return None, None
        told = answer if self.found.model is None else [getattr(answer, name) for name in self._names]
        marks, (below, *others) = told[: len(self.marks)], told[len(self.marks) :]
        settled = not any(mark is not None and mark >= below for mark in marks)
        return (answer if self.found.model else None), ((*marks, *others) if settled else None)

    @functools.cached_property
    def _names(self) -> list[str]:
        return [f"mark_{place}" for place in range(len(self.marks) + len(self.passed) + 2)]

    @functools.cached_property
    def _statement(self) -> Any:
        found, columns = self.found, "{columns}, " if self.found.model else ""
        sql = {}
        for vendor, below in SETTLED_BELOW.items():
            asked = ", ".join(f"({one})" for one in (*self.marks, below, *self.passed, RESTARTED[vendor]))
            sql[vendor] = f"SELECT {columns}{asked} {found.sql}"
        if found.model is None:
            return Statement(sql)
        return Rows(found.model, sql, related=found.related, without=found.without, also=self._names)


def _newest(table: str, where: str = "") -> str:
    return f"SELECT MAX(changed) FROM catalog_{table} {where}"  # noqa: S608 (names of tables and columns, no values)


def _everywhere(*tables: str) -> Marks:
    return Marks(EVERYWHERE, [_newest(table) for table in tables])


def _last_passed(moment: str, where: str) -> str:
    """The last of such moments of assets that has passed: one look into an index."""
    return f"SELECT MAX({moment}) FROM catalog_asset WHERE {where} AND deleted_at IS NULL AND {moment} <= %(now)s"  # noqa: S608


def _of_attention(found: Found, where: str) -> Marks:
    """The rows of what needs attention: those that are gone have no mark any more, so they are counted."""
    counted = f"SELECT COUNT(*) FROM catalog_attention WHERE {where} AND (until IS NULL OR until > %(now)s)"  # noqa: S608
    return Marks(found, [_newest("attention", f"WHERE {where}")], [counted])


# What answers of the API depend on
BRANCH = Marks(ON_BRANCH, ["branch.changed"])
ASSETS_OF_BRANCH = Marks(
    ON_BRANCH,
    [_newest("asset", "WHERE branch_id = branch.id")],
    [
        _last_passed("due_at", "branch_id = branch.id"),
        _last_passed("late_at", "branch_id = branch.id"),
        # nothing is dormant that was not late before, and of this the index has both
        _last_passed("dormant_at", "branch_id = branch.id AND late_at <= %(now)s"),
    ],
)
HIGHLIGHTS_OF_BRANCH = Marks(ON_BRANCH, [_newest("highlight", "WHERE branch_id = branch.id")])
ASSET = Marks(
    ON_ASSET,
    ["branch.changed", "asset.changed"],
    [f"asset.{moment} <= %(now)s" for moment in ("due_at", "late_at", "dormant_at")],
)
USES_OF_ASSET = Marks(ON_ASSET, [_newest("edge", "WHERE asset_id = asset.id")])
RUN_OF_INSTANCE = Marks(
    ON_ASSET,
    [
        "SELECT run.changed FROM catalog_run AS run JOIN catalog_instance AS instance ON instance.run = run.name"
        " WHERE run.perimeter_id = %(perimeter)s"
        " AND instance.asset_id = asset.id AND instance.number = %(number)s"
    ],
)
_LATE_ANYWHERE = Marks(
    EVERYWHERE,
    [],
    [
        _last_passed("late_at", "late_told_at IS NULL"),
        f"SELECT COUNT(*) FROM catalog_attention WHERE kind = '{AttentionKind.LATE.value}' AND until > %(now)s",  # noqa: S608
    ],
)
"""What was told to be late is marked by that, and has a row until it is dormant."""
LINEAGE = _everywhere("asset", "edge", "run", "branch", "project") | _LATE_ANYWHERE
RUNS = _everywhere("run", "asset", "edge")

USES_OF_BRANCH = Marks(ON_BRANCH, [_newest("edge", "WHERE branch_id = branch.id")])
KEYS_OF_BRANCH = Marks(ON_BRANCH, [_newest("branchkey", "WHERE branch_id = branch.id")])

# What pages depend on, with the menus and tabs around them
_FRAME = [
    _newest("branch", "WHERE project_id = branch.project_id"),
    _newest("project", "WHERE perimeter_id = %(perimeter)s"),
    _newest(
        "asset",
        "WHERE branch_id = branch.id AND deleted_at IS NULL"
        f" AND kind = '{Kind.DATA.value}' AND asset_id = '{EVALUATION_LOG}'",
    ),
]
FRAME_OF_BRANCH, FRAME_OF_SPEC, FRAME_OF_ASSET = (
    Marks(found, _FRAME) for found in (THE_BRANCH, BRANCH_AND_SPEC, THE_ASSET)
)
FRAME = Marks(ON_BRANCH, _FRAME)
ATTENTION = _of_attention(EVERYWHERE, "TRUE") | _LATE_ANYWHERE
ATTENTION_OF_BRANCH = _of_attention(ON_BRANCH, "branch_id = branch.id")
ATTENTION_OF_ASSET = _of_attention(ON_ASSET, "asset_id = asset.id")
"""Why something is late is found out again and again, and kept with what needs attention."""
HOME = _everywhere("project", "branch", "asset", "highlight") | ATTENTION
SEARCH = _everywhere("project", "branch", "asset", "component")


def place_of(perimeter: Perimeter, place: Place, address: Mapping[str, Any]) -> dict[str, Any]:
    """The values by which marks are found at an address, in a perimeter that `Viewer.require` gave."""
    values = {"perimeter": perimeter.pk, "project": place.project, "key": place.key}
    if "asset_id" in address:
        numbered = NUMBERED.fullmatch(address.get("reference", ""))
        number = int(numbered[1]) if numbered else None
        values |= {"kind": address["kind"], "asset_id": checked_asset_id(address["asset_id"]), "number": number}
    return values


def tag_of(request: HttpRequest | Request, viewer: Viewer, *parts: Any) -> str:
    """The tag of an answer, made of what everybody's depends on and of `parts`, each told apart by its `repr`."""
    headers = request.META
    asked = (request.build_absolute_uri(), headers.get("HTTP_HX_TARGET"), headers.get("HTTP_ACCEPT"))
    may = sorted((name, grant.role.value) for name, grant in viewer.grants.items())
    token = viewer.token.pk if viewer.token else None
    who = (viewer.user.pk, viewer.user.get_username(), viewer.user.is_superuser, viewer.local, token, may)
    text = repr((release(), settings.METAFLOW_UI_URL, settings.STATIC_URL, asked, who, parts))
    # weak: a proxy that compresses may send the same answer in other bytes
    return f'W/"{hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()}"'


def is_known(request: HttpRequest | Request, tag: str) -> bool:
    """Whether who asks has the answer of this tag. `*` is nobody's: whoever sends it has none to show."""
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
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
    for requirement in sorted(_requirements()):
        package = PACKAGE.match(requirement)
        assert package
        found.update(f"\0{package[0]} {version(package[0])}".encode())
    files = {path: path.relative_to(folder.parent) for folder in map(_folder, ROOMS) for path in folder.rglob("*")}
    for path in sorted(filter(_counts, files), key=files.__getitem__):
        found.update(f"\0{files[path]}\0".encode() + path.read_bytes())
    return found.hexdigest()


def _requirements() -> list[str]:
    """None in a checkout that is run without being installed."""
    try:
        return requires("assetsite") or []
    except PackageNotFoundError:
        return []


def _folder(room: str) -> Path:
    """In a wheel, the folders of `assetsite` and `obproject` are not beside the others."""
    beside: Path = settings.BASE_DIR / room
    return beside if beside.is_dir() else Path(import_module(room).__path__[0])


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc"


View = Callable[..., HttpResponseBase]


def unless_unchanged(depends: Marks) -> Callable[[View], View]:
    """Answer a call of the API with 304 where the client has the answer; for the `get` of a `CatalogView`."""

    def decorate(get: View) -> View:
        @functools.wraps(get)
        def answer(view: Any, request: Request, **address: Any) -> HttpResponseBase:
            place = view.place()
            _, marks = depends.now(**place_of(view.viewer.require(place.perimeter), place, address))
            if marks is None or settings.DEBUG:
                return get(view, request, **address)
            tag = tag_of(request, view.viewer, marks)
            return not_modified(tag) if is_known(request, tag) else tagged(tag, get(view, request, **address))

        answer.depends_on = depends  # type: ignore[attr-defined]
        return answer

    return decorate
