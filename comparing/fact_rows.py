"""The rows of facts, of code and parameters, of contents, and of definitions: what versions say, side by side."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from catalog.models import Instance, Run
from catalog.pagekit.repositories import commit_url, comparison_url
from catalog.pagekit.run_facts import RunFacts, run_link, value_text
from catalog.querysets import PROMOTED_FROM
from catalog.reading import Resolved
from catalog.shown.times import duration, minute
from catalog.states import DEFINITION
from comparing.changing import ANNOTATION, BLOB, LeftOut, Table, is_metric
from comparing.sentences import Name, Sentence
from comparing.table import Cell, Row, row_of, text
from comparing.texts import lines_of_each
from comparing.then import Definition

NOT_TOLD, NONE, NO_RUN = Sentence("not told"), Sentence("none"), Sentence("not made by a run")
NO_VERSION, NOT_DECLARED = Sentence("no version"), Sentence("not declared then")
SAID_ALREADY = frozenset({"run_pathspec", PROMOTED_FROM})
"""Annotations that say what another row says."""
SHORT = 10
"""How many digits of a commit stand in a row."""
TEXT_MOST = 300
"""How much of a value stands in a row."""
WORDS = {
    ANNOTATION: "Annotation",
    "parameter": "Parameter",
    "config": "Config",
    "tag": "Tag",
    BLOB: "Blob",
    "property": "Property",
    "declared_tag": "Declared tag",
}
"""The tables of names with values, and how pages say what stands in one."""


@dataclass(frozen=True)
class Told:
    """One version with all that its rows say."""

    found: Resolved
    run: Run | None
    definition: Definition

    @property
    def instance(self) -> Instance | None:
        return self.found.instance

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All that has names, by the keys of WORDS."""
        then = self.definition
        declared = {"property": then.properties, "declared_tag": then.tags}
        return {**tables_of(self.instance, self.run), **(declared if then.known else dict.fromkeys(declared))}

    def lacks(self, key: str) -> Sentence:
        """Why there is no table."""
        if key in ("property", "declared_tag"):
            return NOT_DECLARED
        return NOT_TOLD if self.instance else NO_VERSION


def tables_of(instance: Instance | None, run: Run | None) -> dict[str, Table]:
    """What a version and its run say by names."""
    return {
        ANNOTATION: instance.annotations if instance else None,
        "tag": instance.tags if instance else None,
        BLOB: {str(place): blob for place, blob in enumerate(instance.blobs, 1)} if instance else None,
        "parameter": run.parameters if run else None,
        "config": run.configs if run else None,
    }


def facts_rows(versions: Sequence[Told], base: int, left_out: LeftOut) -> list[Row]:
    """What is known of the versions themselves, then their annotations that are no metrics of any."""
    columns: list[tuple[str, str, Callable[[Told], tuple[Sentence, Any]]]] = [
        ("state", "State", _state),
        ("made", "Made", _made),
        ("made_by", "Made by", _made_by),
        ("run", "Run", _run),
        ("took", "Took", _took),
        ("promoted_from", "Promoted from", _promoted_from),
        ("reference", "Kind of reference", _reference),
        ("description", "Description", _description),
    ]
    rows = [row_of(key, [say(one) for one in versions], base, what=what) for key, what, say in columns]
    rows = [_with_urls(row) if row.key == "run" else row for row in rows if _says_something(row)]
    return [*rows, *_annotations(versions, base, left_out)]


def _annotations(versions: Sequence[Told], base: int, left_out: LeftOut) -> list[Row]:
    told = [one.tables[ANNOTATION] for one in versions]
    metrics = {name for table in told for name, value in (table or {}).items() if is_metric(name, value)}
    return _rows_of_table(ANNOTATION, versions, base, left_out, metrics | SAID_ALREADY)


def code_rows(versions: Sequence[Told], base: int, left_out: LeftOut) -> list[Row]:
    """What the runs ran: the commit, the versions of what it stands on, and what it was given."""
    runs = [one.run for one in versions]
    rows = [_commits(runs, base)]
    for key, what, column in (
        ("repository", "Repository", "repository"),
        ("git_branch", "Git branch", "git_branch"),
        ("started_by", "Started by", "user"),
        ("metaflow", "Metaflow", "metaflow_version"),
        ("python", "Python", "python_version"),
    ):
        said = [_told(getattr(run, column) if run else "") for run in runs]
        rows.append(row_of(key, said, base, what=what))
    rows = [row for row in rows if any(cell.value is not None for cell in row.cells)]
    return [*rows, *_rows_of_tables(versions, base, left_out, "parameter", "config")]


def contents_rows(versions: Sequence[Told], base: int, left_out: LeftOut) -> list[Row]:
    """Tags, blobs, and the digest of what the version refers to."""
    instances = [one.instance for one in versions]
    digests = [_told(one.digest or "" if one else "", otherwise=Sentence("not known")) for one in instances]
    rows = _rows_of_tables(versions, base, left_out, "tag", BLOB)
    if any(value for _, value in digests):
        rows.append(_with_same_content(row_of("digest", digests, base, what="Digest of the content"), base))
    return rows


def definition_rows(versions: Sequence[Told], base: int, left_out: LeftOut) -> list[Row]:
    """What was declared when the versions were made: name, description, properties, tags and README."""
    then = [one.definition for one in versions]
    rows = [
        row_of("name", [_declared(one, one.name) for one in then], base, what="Name"),
        row_of("description", [_declared(one, one.description) for one in then], base, what="Description"),
    ]
    rows = [row for row in rows if any(cell.value for cell in row.cells)]
    rows += _rows_of_tables(versions, base, left_out, "property", "declared_tag")
    return [*rows, *_readmes(then, base)]


def _rows_of_tables(versions: Sequence[Told], base: int, left_out: LeftOut, *keys: str) -> list[Row]:
    return [row for key in keys for row in _rows_of_table(key, versions, base, left_out)]


def _rows_of_table(
    key: str, versions: Sequence[Told], base: int, left_out: LeftOut, said: Container[str] = ()
) -> list[Row]:
    """A row for each name in the tables of some versions, those of the base first; but for what is `said` elsewhere."""
    tables = [one.tables[key] for one in versions]
    names = dict.fromkeys(name for table in (tables[base], *tables) for name in table or ())
    lacking = [one.lacks(key) for one in versions]
    return [
        row_of(
            f"{key}:{name}",
            [_of_table(table, name, otherwise) for table, otherwise in zip(tables, lacking, strict=True)],
            base,
            what=WORDS[key],
            name=name,
        )
        for name in names
        if name not in said and not left_out.has(key, name)
    ]


def _of_table(table: Table, name: str, otherwise: Sentence) -> tuple[Sentence, Any]:
    if table is None:
        return otherwise, None
    if name not in table:
        return NONE, None
    value = table[name]
    return text(_cut(value_text(value))), {"value": value}


def _cut(value: str) -> str:
    return value if len(value) <= TEXT_MOST else f"{value[: TEXT_MOST - 1]}…"


def _told(value: str, otherwise: Sentence = NOT_TOLD) -> tuple[Sentence, Any]:
    return (text(value), value) if value else (otherwise, None)


# facts


def _state(one: Told) -> tuple[Sentence, Any]:
    if one.instance is None:
        return Sentence(DEFINITION), DEFINITION
    reason = one.instance.state_reason
    return Sentence(one.instance.state, ": " if reason else "", Name(reason)), one.instance.state


def _made(one: Told) -> tuple[Sentence, Any]:
    at: datetime | None = one.instance.created_at if one.instance else one.found.asset.declared_at
    return (Sentence(minute(at)), at.isoformat()) if at else (NOT_TOLD, None)


def _made_by(one: Told) -> tuple[Sentence, Any]:
    return _told(one.instance.producer_id if one.instance else one.found.asset.declared_by_id)


def _run(one: Told) -> tuple[Sentence, Any]:
    return _told(one.instance.run if one.instance else "", otherwise=NO_RUN if one.instance else NO_VERSION)


def _took(one: Told) -> tuple[Sentence, Any]:
    seconds = RunFacts.of(one.run.name, one.run).seconds if one.run else None
    return (NOT_TOLD, None) if seconds is None else (Sentence(duration(seconds)), seconds)


def _promoted_from(one: Told) -> tuple[Sentence, Any]:
    if one.instance is None or not one.instance.is_copy:
        return Sentence("no copy"), None
    return _told(str(one.instance.annotations.get(PROMOTED_FROM) or ""), otherwise=Sentence("another version"))


def _reference(one: Told) -> tuple[Sentence, Any]:
    return _told(one.instance.asset_kind if one.instance else one.found.asset.asset_kind)


def _description(one: Told) -> tuple[Sentence, Any]:
    said = one.instance.description if one.instance else one.found.asset.description
    sentence, value = _told(_cut(said), otherwise=NONE)
    return sentence, said or value


def _says_something(row: Row) -> bool:
    """Whether any version says anything; state and time always are said."""
    return row.key in ("state", "made") or any(cell.value is not None for cell in row.cells)


def _with_urls(row: Row) -> Row:
    cells = [
        Cell(cell.said, cell.value, cell.as_base, url := run_link(cell.value).url, is_outside=bool(url))
        if cell.value
        else cell
        for cell in row.cells
    ]
    return Row(row.key, cells, row.what, row.name)


# code


def _commits(runs: Sequence[Run | None], base: int) -> Row:
    said = [_commit(run) for run in runs]
    cells = [
        Cell(
            sentence,
            value,
            as_base=value == said[base][1],
            url=commit_url(run.repository, run.commit) if run else "",
            is_outside=True,
            compare_url=_comparison(runs[base], run),
        )
        for (sentence, value), run in zip(said, runs, strict=True)
    ]
    return Row("commit", cells, "Commit")


def _commit(run: Run | None) -> tuple[Sentence, Any]:
    if run is None or not run.commit:
        return NOT_TOLD, None
    dirty = " and changes that no commit has" if run.dirty else ""
    return Sentence(Name(run.commit[:SHORT]), dirty), {"commit": run.commit, "dirty": run.dirty}


def _comparison(base: Run | None, run: Run | None) -> str:
    """Where the host of a repository shows the difference; empty for commits of two repositories."""
    if base is None or run is None or base.repository != run.repository:
        return ""
    return comparison_url(run.repository, base.commit, run.commit)


# contents


def _with_same_content(row: Row, base: int) -> Row:
    """Another version with the base's digest has the same content."""
    note = (Sentence("the same content as the base"),)
    cells = [
        Cell(cell.said, cell.value, cell.as_base, notes=note) if at != base and cell.value and cell.as_base else cell
        for at, cell in enumerate(row.cells)
    ]
    return Row(row.key, cells, row.what, row.name)


# definitions


def _declared(definition: Definition, value: str) -> tuple[Sentence, Any]:
    if not definition.known:
        return NOT_DECLARED, None
    sentence, _ = _told(_cut(value), otherwise=NONE)
    return sentence, value


def _readmes(then: Sequence[Definition], base: int) -> Iterable[Row]:
    if not any(one.readme for one in then):
        return
    mine = then[base]
    lines_of = lines_of_each(mine.readme, (one.readme for one in then))
    cells = []
    for one in then:
        said = Sentence(_length(one.readme)) if one.known else NOT_DECLARED
        equal = one.readme == mine.readme and one.known == mine.known
        lines = None if equal else lines_of[one.readme]
        cells.append(Cell(said, len(one.readme.splitlines()) if one.known else None, equal, lines=lines))
    yield Row("readme", cells, "README")


def _length(readme: str) -> str:
    count = len(readme.splitlines())
    return "none" if not count else f"{count:,} line{'' if count == 1 else 's'}"
