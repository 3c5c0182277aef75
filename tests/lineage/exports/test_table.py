"""The CSV of an answer, read back by the csv module."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.wire.shapes import time_shape
from lineage.answers import Answer
from lineage.exports import EXPORTS
from tests.lineage.exports.examples import ANSWERS, SITE, answer_of, asset, by_component, consumes, flow, hostile


def rows_of(answer: Answer) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(EXPORTS["csv"].write(answer, SITE), newline=""), strict=True))


def name_in(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") else cell


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_each_link_is_a_row(answer):
    rows = {(row["source_id"], row["target_id"]): row for row in rows_of(answer()) if row["target_id"]}
    assert set(rows) == set(answer().graph.edges)
    for link in answer().links:
        row = rows[link.source, link.target]
        assert row["relation"] == link.relation.value
        assert row["first_at"] == (time_shape(link.first_at) or "")
        assert row["last_at"] == (time_shape(link.last_at) or "")
        assert row["count"] == ("" if link.count is None else str(link.count))


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_each_node_is_there_as_it_is(answer):
    told = {}
    for row in rows_of(answer()):
        for end in ("source", "target"):
            told[row[f"{end}_id"]] = [name_in(row[f"{end}_{part}"]) for part in ("kind", "name", "branch", "version")]
    told.pop("", None)
    assert told == {
        node.id: [node.kind.value, node.name, node.branch_name or node.branch, node.version] for node in answer().nodes
    }


def test_a_node_without_links_is_a_row_without_a_target():
    alone = [row for row in rows_of(by_component()) if not row["target_id"]]
    assert [row["source_id"] for row in alone] == ["d_5"]
    assert not any(alone[0][column] for column in alone[0] if not column.startswith("source_"))


def test_links_in_a_cycle_are_marked():
    comics, train, model = asset(1, "Comics"), flow(1, "Train"), asset(2, "Model")
    links = [consumes(comics, train), consumes(model, train), consumes(train, model)]
    marks = {row["source_name"]: row["in_cycle"] for row in rows_of(answer_of([comics, train, model], links))}
    assert marks == {"Comics": "false", "Model": "true", "Train": "true"}


def test_no_cell_is_a_formula():
    cells = [cell for row in csv.reader(StringIO(EXPORTS["csv"].write(hostile(), SITE), newline="")) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_comes_back(name):
    row = rows_of(answer_of([asset(1, name)], []))[0]
    assert row["source_name"] in (name, f"'{name}")
    assert not row["source_name"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_lines_end_as_the_standard_says():
    text = EXPORTS["csv"].write(by_component(), SITE)
    assert text.count("\r\n") == text.count("\n") == len(rows_of(by_component())) + 1
