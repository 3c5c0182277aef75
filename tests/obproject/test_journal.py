"""The journal of a task: entries are read back as they were written, and nothing else is taken for one."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from obproject.journal import (
    Entry,
    Operation,
    Outcome,
    Process,
    Verdict,
    new_id,
    outcomes_as_json,
    parse_entry,
    parse_outcomes,
    parse_verdict,
)

AT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)


def entry(operation: Operation = Operation.REGISTER, **changes) -> Entry:
    plain = Entry(
        id=new_id(operation),
        operation=operation,
        at=AT,
        perimeter="default",
        project="churn",
        branch="feature/x",
        kind="data",
        asset="people",
        body={"entity_ref": {"entity_kind": "task", "entity_id": "F/1/start/1"}, "annotations": {"auc": 0.9}},
    )
    return replace(plain, **changes)


@pytest.mark.parametrize("operation", Operation)
def test_an_entry_reads_back_as_it_was_written(operation):
    written = entry(operation, instance="i_1", alias="production", process=Process("box", 17))

    assert parse_entry(written.as_json()) == written


def test_ids_are_told_apart_by_operation_and_never_repeat():
    assert new_id(Operation.REGISTER).startswith("i_")
    assert len({new_id(Operation.CONSUME) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"v": 2}, "version 1"),
        ({"op": "drop"}, "drop"),
        ({"id": "i_XYZ"}, "i_XYZ"),
        ({"id": "c_00000000000000000000"}, "register"),
        ({"at": "yesterday"}, "yesterday"),
        ({"at": "2026-02-03T04:05:06"}, "time zone"),
        ({"at": 5}, "5"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "0001"),
        ({"asset": ""}, "asset"),
        ({"project": None}, "project"),
        ({"body": []}, "body"),
        ({"alias": 7}, "alias"),
    ],
)
def test_what_is_no_entry_is_refused_with_the_part_at_fault(changes, named):
    text = json.dumps(json.loads(entry().as_json()) | changes)

    with pytest.raises(ValueError, match=named):
        parse_entry(text)


@pytest.mark.parametrize("text", ["", "no json", "[]", "null", '"text"', "[" * 100_000, "{" + '"v":1,' * 3 + '"id":1}'])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError):
        parse_entry(text)


@pytest.mark.parametrize("process", [{"host": "box"}, {"host": 3, "pid": 4}, {"host": "box", "pid": -1}, {"pid": True}])
def test_a_process_that_can_not_be_one_is_left_out(process):
    text = json.dumps(json.loads(entry().as_json()) | process)

    assert parse_entry(text).process is None


def test_outcomes_read_back_as_they_were_written():
    outcomes = {
        "i_0": Outcome(at=AT, number=12),
        "c_0": Outcome(at=AT),
        "i_1": Outcome(refused="Not allowed."),
        "a_0": Outcome(at=AT, receipt="1:1770091506000789:c2lnbmF0dXJl"),
    }

    assert parse_outcomes(outcomes_as_json(outcomes)) == outcomes


@pytest.mark.parametrize("receipt", ["two words", "r" * 513, "\x00", 7, None, {}])
def test_what_can_be_no_receipt_is_left_out(receipt):
    text = json.dumps({"v": 1, "outcomes": {"a_0": {"receipt": receipt, "later": "members are passed over"}}})

    assert parse_outcomes(text) == {"a_0": Outcome()}


def test_a_verdict_reads_back_as_it_was_written():
    for verdict in (Verdict(True), Verdict(False, "the step raised OSError: disk full")):
        assert parse_verdict(verdict.as_json()) == verdict


@pytest.mark.parametrize(
    "content",
    [{}, {"outcomes": []}, {"outcomes": {"i": 1}}, {"outcomes": {"i": {"number": 0}}}, {"outcomes": {"i": {"at": 1}}}],
)
def test_what_are_no_outcomes_is_refused(content):
    with pytest.raises(ValueError):
        parse_outcomes(json.dumps({"v": 1} | content))
