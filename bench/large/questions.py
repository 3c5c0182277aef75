"""What is asked of the large catalogues: of both sizes, and of the asset with very many instances at the large one."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

from bench.large import journal, names, shape
from bench.large.names import JOURNAL, JOURNAL_PROJECT, PERIMETER, PROJECT

PLACES = (33, 38, 45, 46, 57, 62, 64, 73, 77, 78)
"""Assets between sources and models that several flows read."""
LONG_AGO, NOT_YET = "2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
GROWTH, FILTERED, BY_INDEX = 1.3, 3.0, 3.0


@dataclass(frozen=True)
class Question:
    """A row: the path that asks it about a place of a module; `most` growth it may have, if it has a target.

    `at_small` is asked in its place where there is less.
    """

    name: str
    path: Callable[[int, int], str]
    most: float | None = None
    at_small: Callable[[int, int], str] | None = None

    def paths(self, size: str) -> list[str]:
        """The same places at both sizes, in different modules where there are several; each address once."""
        modules = shape.SCALES[size].modules
        path = self.at_small or self.path if size == "small" else self.path
        return list(dict.fromkeys(path(number * modules // len(PLACES), place) for number, place in enumerate(PLACES)))


def asset_path(module: int, place: int) -> str:
    kind, asset_id = names.asset_named(module, place)
    return f"{names.branch_of(place).key}/{kind}/{asset_id}"


def api(rest: str) -> str:
    return f"/v1/perimeters/{PERIMETER}/projects/{PROJECT}/branches/{rest}"


def page(rest: str) -> str:
    return f"/{PERIMETER}/{PROJECT}/{rest}"


def ancestry(module: int, place: int) -> str:
    """Of a table of state; there are more than enough of them to have one for each of the places."""
    asset = asset_path(module, PLACES.index(place))
    return api(f"{asset}/instances/v{shape.FOCUS_NIGHT + 1}/lineage?direction=up&depth=50&limit=2000")


def descendants(module: int, place: int) -> str:
    """Of one night's copy of the asset that is read most."""
    asset = asset_path(module, shape.HUB)
    return api(f"{asset}/instances/v{shape.FOCUS_NIGHT + 1}/lineage?direction=down&depth=6&limit=2000")


def impact(module: int, place: int) -> str:
    kind, asset_id = names.asset_named(module, shape.HUB)
    return api(f"main/lineage/impact?focus={kind}/{asset_id}&limit=2000")


PLAIN = Question("one asset, plain JSON", lambda module, place: api(asset_path(module, place)))
ANCESTRY = Question(f"exact ancestry, {shape.ANCESTORS} ancestors, JSON", ancestry, GROWTH)
LINEAGE = (
    PLAIN,
    Question("depth 2 of an asset, JSON", lambda *at: api(f"{asset_path(*at)}/lineage?depth=2"), GROWTH),
    Question("depth 2 of an asset, page", lambda *at: page(f"{asset_path(*at)}/lineage?depth=2"), GROWTH),
    ANCESTRY,
    Question("exact descendants, 6 arrows far, JSON", descendants),
    Question("impact of the most used asset, JSON", impact, GROWTH),
    Question("whole branch, JSON", lambda *at: api("main/lineage")),
    Question("whole branch, page", lambda *at: page("main/lineage")),
)
PAGES = (
    Question("home", lambda *at: "/", GROWTH),
    Question("overview", lambda *at: page("main"), GROWTH),
    Question("listing, first page", lambda *at: page("main/assets"), GROWTH),
    Question("listing, 100th page", lambda *at: page("main/assets?page=100"), GROWTH, lambda *at: page("main/assets")),
    Question("asset", lambda *at: page(asset_path(*at)), GROWTH),
    Question("search by name", lambda *at: f"/search?q={asset_path(*at).rpartition('/')[2]}", GROWTH),
    Question("pulse of a branch, nothing new", lambda *at: page(f"main/pulse?since={NOT_YET}"), GROWTH),
    Question("pulse of a branch, much is new", lambda *at: page(f"main/pulse?since={LONG_AGO}"), GROWTH),
    Question("50 of the list of the API", lambda *at: api("main/data?page_size=50"), GROWTH),
    Question("latest", lambda *at: api(f"{asset_path(*at)}/instances/latest"), GROWTH),
)
QUESTIONS = (*PAGES, *LINEAGE)


@dataclass(frozen=True)
class OfJournal:
    """A row about the journal: at most so many times as long as `beside`, which stands before it."""

    name: str
    path: str
    beside: str = ""
    most: float | None = None


def _of_journal() -> list[OfJournal]:
    middle = shape.SCALES["large"].journal // 2
    at, kept = f"/{PERIMETER}/{JOURNAL_PROJECT}/main/{'/'.join(JOURNAL)}", "{}?{}={}".format
    found = {
        "tag": ("tag", f"batch={journal.batch_of(middle)}", "batch=none"),
        "text": ("text", f"Batch {middle // journal.OF_A_BATCH} of", "nothing has this"),
        "producer": ("producer", f"{journal.run_of(middle)}/end/{middle}", "OtherFlow"),
        "annotation": ("annotation", "rows<40", "rows<0"),
        "state": ("state", "failed", "pending"),
    }
    page_of_all = "page, no filter"
    rows = [OfJournal(page_of_all, at)]
    for name, (parameter, *values) in found.items():
        for value, what in zip(values, ("some", "none"), strict=True):
            path = kept(at, parameter, quote_plus(value))
            rows.append(OfJournal(f"page by {name}, {what} found", path, page_of_all, FILTERED))
    place = f"/v1/perimeters/{PERIMETER}/projects/{JOURNAL_PROJECT}/branches/main/{'/'.join(JOURNAL)}"
    latest = "latest"
    rows.append(OfJournal(latest, f"{place}/instances/latest"))
    for reference in (f"latest-{middle}", f"latest-{2 * middle - 20_000}", "v5", f"v{middle}"):
        rows.append(OfJournal(reference, f"{place}/instances/{reference}", latest, BY_INDEX))
    return rows


JOURNAL_ROWS = _of_journal()
