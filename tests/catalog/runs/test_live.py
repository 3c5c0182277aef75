"""When a card is live: from the first sign of its task until the task has left."""

import json
import os
import time
from pathlib import Path

import pytest

from catalog.runs import Card, Datastore, LiveData, cards_of, live_data, task_facts

TASK = "Flow/1/start/2"
CARDS = "mf.cards/Flow/runs/1/steps/start/tasks/2"


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """The folder of a task that is running and has shown a card."""
    for name, text in {
        f"{TASK}/0.attempt.json": '{"time": 1}',
        f"{CARDS}/cards/blank-abcdef.html": "<body>so far</body>",
        f"{CARDS}/runtime/blank-abcdef.data.json": '{"reload_token": "t1", "data": {"a": 1}, "created_on": 1}',
    }.items():
        path = tmp_path / "datastore" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "datastore" / TASK


def card_in(task: Path) -> Card:
    (card,) = cards_of(TASK, Datastore("local", str(task.parents[3])))
    return card


def live_file(task: Path) -> Path:
    return task.parents[3] / CARDS / "runtime" / "blank-abcdef.data.json"


def test_what_a_running_task_last_wrote_is_shown(task: Path) -> None:
    assert card_in(task).live
    assert live_data(card_in(task)) == LiveData("t1", {"a": 1}, final=False)


def test_a_token_that_says_final_too_early_is_not_believed(task: Path) -> None:
    live_file(task).write_text('{"reload_token": "final", "data": {}}')
    (task / "0.DONE.lock").touch()
    assert live_data(card_in(task)) == LiveData("final", {}, final=False)


def test_a_card_is_final_when_its_task_has_left(task: Path) -> None:
    (task / "0.DONE.lock").touch()
    (task / "0.runtime").write_text(json.dumps({"return_code": 0, "success": True}))
    assert not card_in(task).live
    assert live_data(card_in(task)) == LiveData("t1", {"a": 1}, final=True)


def test_a_card_is_final_a_minute_after_its_task_was_done_where_nobody_notes_that_it_left(task: Path) -> None:
    (task / "0.DONE.lock").touch()
    assert card_in(task).live
    os.utime(task / "0.DONE.lock", (time.time() - 61, time.time() - 61))
    assert not card_in(task).live


def test_a_task_that_was_killed_has_failed(task: Path) -> None:
    (task / "0.runtime").write_text(json.dumps({"return_code": -9, "success": False}))
    facts = task_facts(TASK, Datastore("local", str(task.parents[3])))
    assert getattr(facts, "state", None) == "failed"
    assert not card_in(task).live


@pytest.mark.parametrize("content", ["", "{", "[]", '{"reload_token": "t1", "da'])
def test_live_data_that_is_no_data_shows_nothing(task: Path, content: str) -> None:
    live_file(task).write_text(content)
    assert live_data(card_in(task)) == LiveData(None, None, final=False)


def test_a_card_whose_task_is_gone_is_shown_as_it_is(task: Path) -> None:
    (task / "0.attempt.json").unlink()
    assert not card_in(task).live
