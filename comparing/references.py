"""The text of `of=`: which versions are to be compared.

An entry is `[[[project/]branch/]kind/asset:]ref`, such as `v3`, `@production`, `models/churn_model:v2` or
`feature_x/models/churn_model:latest`. A reference alone is of the asset at hand; `branch:ref` is that asset on another
branch. Entries stand between commas, which no asset, alias or key of a branch has in its name, and `of` may be
repeated. Ids are references too, and need no asset before them.

The last `:` counts, so an alias with a `:` in its name can only be written alone: elsewhere the version or its id says
the same. A branch is written by its key or by its git name; one with slashes is first taken for a project and a branch,
and its key never is. Pure functions of text: no Django, no database.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from obproject.branches import branch_key, check_asset_id, check_branch, check_project
from obproject.references import Reference, parse_reference

MOST = 20
"""How many versions are compared at a time."""
LONGEST = 1024
KINDS = ("data", "models")


@dataclass(frozen=True)
class AssetName:
    """Where an asset may be; empty: as the asset at hand."""

    project: str = ""
    key: str = ""
    kind: str = ""
    asset_id: str = ""


@dataclass(frozen=True)
class Wanted:
    """One entry. `places`: where its asset is looked for, in this order; none: it is the asset at hand."""

    text: str
    reference: Reference
    places: tuple[AssetName, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """An entry that says nothing, and why."""

    text: str
    sentence: str


@dataclass(frozen=True)
class Asked:
    """What is to be compared, in the order in which it is written. `more`: how many entries were too many."""

    wanted: tuple[Wanted, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    more: int = 0


def asked_in(values: Iterable[str]) -> Asked:
    """What the values of `of` ask for; what is written twice is asked once."""
    texts = list(dict.fromkeys(_entries(values)))
    wanted, mistakes = [], []
    for text in texts[:MOST]:
        try:
            wanted.append(parse_wanted(text))
        except ValueError as error:
            mistakes.append(Mistake(text[:LONGEST], _sentence(error)))
    return Asked(tuple(wanted), tuple(mistakes), len(texts[MOST:]))


def parse_wanted(text: str) -> Wanted:
    """Read one entry; raise ValueError with a sentence for its writer if it can't be one."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text):,} characters, and names have not so many")
    if "/" not in text and (":" not in text or text.startswith("@")):
        return Wanted(text, parse_reference(text))
    before, colon, reference = text.rpartition(":")
    if not colon or "/" in reference:
        raise ValueError(f"it does not say which version is meant: write {text}:v3, or {text}:latest")
    if not before:
        raise ValueError("nothing stands before its colon: write the asset there, as in models/churn_model:v3")
    return Wanted(text, parse_reference(reference), _places(before))


def written(reference: str, *, project: str = "", key: str = "", kind: str = "", asset_id: str = "") -> str:
    """An entry for an asset elsewhere: as short as `project`, `key` and the rest say where that is."""
    names = [name for name in (project, key, kind, asset_id) if name]
    return f"{'/'.join(names)}:{reference}" if names else reference


def _entries(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (text for part in value.split(",") if (text := part.strip()))


def _places(path: str) -> tuple[AssetName, ...]:
    *branch, kind, asset_id = ["", *path.split("/")]
    if kind not in KINDS:
        return tuple(AssetName(project, key) for project, key in _branches(path.split("/")))
    asset_id = check_asset_id(asset_id)
    branch = branch[1:]
    if not branch:
        return (AssetName(kind=kind, asset_id=asset_id),)
    return tuple(AssetName(project, key, kind, asset_id) for project, key in _branches(branch))


def _branches(names: list[str]) -> Iterator[tuple[str, str]]:
    """The branches that some names with slashes between them may mean: the project (empty: this one) and the key."""
    whole = branch_key(check_branch("/".join(names)))
    first, *rest = names
    if rest and _is_project(first) and branch_key("/".join(rest)):
        yield first, branch_key("/".join(rest))
    yield "", whole


def _is_project(name: str) -> bool:
    try:
        return bool(check_project(name))
    except ValueError:
        return False


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
