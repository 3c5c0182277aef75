"""What went into versions, side by side: one row for each asset in each role. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from comparing.sameness import End, version_of, without_equal
from comparing.sentences import Sentence, listed
from comparing.table import Cell, Row
from lineage.graph import Input, Inputs, Kind
from obproject.roles import EVALUATION

Thing = tuple[str, bool, str, str]
"""A role, whether the viewer may see what was read, and the kind and the id of its asset."""


def input_rows(
    versions: Sequence[Inputs], ends: Sequence[End], base: int, is_model: bool, first_with_content: Mapping[str, str]
) -> list[Row]:
    """`first_with_content`: the first version with the same content, by the id of an input that has one before it."""
    things = dict.fromkeys(_thing(one) for inputs in (versions[base], *versions) for one in inputs)
    rows, of_versions = [], [_by_thing(inputs) for inputs in versions]
    for thing in sorted(things, key=lambda thing: thing[0] == EVALUATION):
        read = [by_thing.get(thing, []) for by_thing in of_versions]
        cells = [_cell(inputs, end, read[base], first_with_content) for inputs, end in zip(read, ends, strict=True)]
        role, is_hidden, _, asset_id = thing
        rows.append(Row(role or "input", cells, _words(role, is_model), "" if is_hidden else asset_id))
    return [*rows, *_unknown(versions, base)]


def _thing(one: Input) -> Thing:
    return one.role, one.is_hidden, str(one.node.kind), one.node.key


def _by_thing(inputs: Inputs) -> dict[Thing, list[Input]]:
    found: dict[Thing, list[Input]] = {}
    for one in inputs:
        found.setdefault(_thing(one), []).append(one)
    return found


def _words(role: str, is_model: bool) -> str:
    if role == EVALUATION:
        return "Measured on"
    if role:
        return f"Read as {role}"
    return "Trained on" if is_model else "Made from"


def _cell(read: list[Input], end: End, base: list[Input], first: Mapping[str, str]) -> Cell:
    if not read:
        return Cell(Sentence("not read"), [], as_base=not base)
    return Cell(
        listed([_said(one, end) for one in read]),
        [_value(one, first) for one in read],
        as_base=_all_in(read, base) and _all_in(base, read),
        url=read[0].node.url if len(read) == 1 else "",
        notes=tuple(_same_content(one, first, named=len(read) > 1) for one in read if one.node.id in first),
    )


def _said(one: Input, end: End) -> Sentence:
    return Sentence("something that you may not see") if one.is_hidden else version_of(one, end)


def _same_content(one: Input, first: Mapping[str, str], *, named: bool) -> Sentence:
    of_which = f"{one.node.version}: " if named else ""
    return Sentence(f"{of_which}same content as {first[one.node.id]}")


def _all_in(some: Sequence[Input], others: Sequence[Input]) -> bool:
    """Whether each has an equal one among others; a definition is the same as itself here."""
    definitions = {one.origin for one in others if one.is_definition}
    return all(one.is_definition and one.origin in definitions for one in without_equal(some, others))


def _value(one: Input, first: Mapping[str, str]) -> dict[str, Any]:
    if one.is_hidden:
        return {"may_be_seen": False}
    node = one.node
    return {
        "id": node.id,
        "perimeter": node.perimeter,
        "project": node.project,
        "branch": node.branch,
        "kind": {Kind.MODEL: "models"}.get(node.kind, str(node.kind)),
        "asset": node.key,
        "version": node.version or None,
        "digest": node.digest or None,
        "same_content_as": first.get(node.id),
    }


def _unknown(versions: Sequence[Inputs], base: int) -> list[Row]:
    """A row that says of which versions it is not known what all went in."""
    if all(inputs.complete for inputs in versions):
        return []
    cells = [
        Cell(Sentence("all" if one.complete else "not all"), one.complete, one.complete == versions[base].complete)
        for one in versions
    ]
    return [Row("known", cells, "Inputs known")]
