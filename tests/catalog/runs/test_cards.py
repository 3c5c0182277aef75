"""Cards and facts of tasks that Metaflow really ran on this machine."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.runs import (
    Card,
    CardPage,
    Datastore,
    LiveData,
    Reason,
    TaskFacts,
    Unavailable,
    card_of,
    card_page,
    cards_of,
    live_data,
    task_facts,
)
from catalog.runs.card_document import FRAME_SCRIPT
from tests.catalog.runs.conftest import FlowRuns, start_flow

pytestmark = pytest.mark.flows


def page_of(card: Card) -> str:
    page = card_page(card)
    assert isinstance(page, CardPage), page
    return page.html


def reason_for(task: str, datastore: Datastore) -> Reason:
    cards = cards_of(task, datastore)
    assert not cards
    assert cards.missing is not None
    assert cards.missing.sentence.endswith(".")
    return cards.missing.reason


def test_the_default_card_of_a_finished_task_is_found(runs: FlowRuns) -> None:
    (card,) = cards_of(runs.task("CardsFlow", "start"), runs.datastore)
    assert (card.type, card.id, card.title, card.live, card.attempt) == ("default", None, "default", False, 0)
    assert card.size > 1_000_000
    assert datetime.now(UTC) - card.created < timedelta(minutes=10)
    assert "</html>" in page_of(card)


def test_the_page_carries_the_guard_before_all_and_the_frame_script_before_its_last_closing_tag(runs: FlowRuns) -> None:
    (card,) = cards_of(runs.task("CardsFlow", "start"), runs.datastore)
    original = (runs.card_folder(card.task) / "cards" / f"{card.key}.html").read_text()
    page, frame_script = page_of(card), FRAME_SCRIPT + "</body>"
    assert page.count(frame_script) == 1
    guard = page.replace(FRAME_SCRIPT, "").removesuffix(original)
    assert guard.startswith("<!DOCTYPE html><script nonce=")
    assert guard.count("<script") == guard.count("</script>") == 1


def test_both_cards_of_a_task_are_found_by_their_ids(runs: FlowRuns) -> None:
    cards = cards_of(runs.task("CardsFlow", "pair"), runs.datastore)
    assert [card.title for card in cards] == ["numbers", "picture"]
    again = card_of(cards[1].task, runs.datastore, cards[1].key)
    assert again == cards[1]
    assert page_of(cards[0]) != page_of(cards[1])


def test_a_key_that_is_no_cards_is_no_card(runs: FlowRuns) -> None:
    answer = card_of(runs.task("CardsFlow", "pair"), runs.datastore, "../../secret")
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.NO_CARD


def test_a_task_without_a_card_says_so(runs: FlowRuns) -> None:
    assert reason_for(runs.task("CardsFlow", "end"), runs.datastore) is Reason.NO_CARD


NO_TASKS = [
    "",
    "ada",
    "A/1/b",
    "A/1/b/2/c",
    "A/../b/2",
    "A/1/b/.",
    "A/1//2",
    "A/1/b/2\n",
    "A/1/b/\0",
    f"A/1/b/{'c' * 300}",
]


@pytest.mark.parametrize("entity", NO_TASKS)
def test_what_is_no_tasks_pathspec_is_not_a_task(runs: FlowRuns, entity: str) -> None:
    assert reason_for(entity, runs.datastore) is Reason.NOT_A_TASK
    facts = task_facts(entity, runs.datastore)
    assert isinstance(facts, Unavailable)
    assert facts.reason is Reason.NOT_A_TASK


def test_a_task_that_was_deleted_is_gone(runs: FlowRuns) -> None:
    assert reason_for("CardsFlow/17/start/1", runs.datastore) is Reason.TASK_GONE


def test_a_datastore_that_is_not_on_this_machine_is_unreachable(runs: FlowRuns, tmp_path: Path) -> None:
    task = runs.task("CardsFlow", "start")
    assert reason_for(task, Datastore("local", str(tmp_path / "nowhere"))) is Reason.UNREACHABLE
    assert reason_for(task, Datastore("azure", "container/path")) is Reason.UNREACHABLE
    assert reason_for(task, Datastore()) is Reason.UNREACHABLE


def test_facts_of_a_task_that_succeeded(runs: FlowRuns) -> None:
    facts = task_facts(runs.task("CardsFlow", "pair"), runs.datastore)
    assert isinstance(facts, TaskFacts)
    assert (facts.state, facts.attempt, facts.user) == ("succeeded", 0, "ada")
    assert facts.tags == ("quarter:third",)
    assert "user:ada" in facts.system_tags
    assert facts.started is not None
    assert facts.finished is not None
    assert facts.seconds is not None
    assert 0 <= facts.seconds < 60
    assert datetime.now(UTC) - facts.finished < timedelta(minutes=10)
    assert facts.metadata["ds-root"] == str(runs.root)
    assert facts.where


def test_facts_and_card_of_a_task_that_failed_twice_are_those_of_the_last_attempt(runs: FlowRuns) -> None:
    task = runs.task("FailingFlow", "start")
    facts = task_facts(task, runs.datastore)
    assert isinstance(facts, TaskFacts)
    assert (facts.state, facts.attempt) == ("failed", 1)
    (card,) = cards_of(task, runs.datastore)
    assert (card.attempt, card.live) == (1, False)


@pytest.mark.long
def test_a_task_is_followed_while_it_runs(tmp_path: Path) -> None:
    live, signs = FlowRuns(tmp_path / "project" / ".metaflow"), tmp_path / "signs"
    signs.mkdir()
    process = start_flow("live_flow", tmp_path / "project", SIGNS=str(signs))
    try:
        wait_for(lambda: (signs / "started").exists())
        task = live.task("LiveFlow", "start")
        assert reason_for(task, live.datastore) is Reason.PENDING
        facts = task_facts(task, live.datastore)
        assert isinstance(facts, TaskFacts)
        assert (facts.state, facts.finished) == ("running", None)

        (signs / "show").touch()
        first = wait_for(lambda: count_shown(task, live.datastore))
        wait_for(lambda: count_shown(task, live.datastore) > first)
        (card,) = cards_of(task, live.datastore)
        assert card.live
        page = card_page(card)
        assert isinstance(page, CardPage)
        assert page.live
    finally:
        (signs / "show").touch()
        (signs / "finish").touch()
        output = process.communicate()[0]
    assert process.returncode == 0, output
    (card,) = cards_of(task, live.datastore)
    assert not card.live
    assert 'METAFLOW_RELOAD_TOKEN = "final"' in page_of(card)
    last = live_data(card)
    assert isinstance(last, LiveData)
    assert (last.final, last.reload_token) == (True, "final")


def count_shown(task: str, datastore: Datastore) -> int:
    """To what the live card has counted; 0 while it shows nothing."""
    for card in cards_of(task, datastore):
        shown = live_data(card)
        if isinstance(shown, LiveData) and shown.data:
            (component,) = shown.data.values()
            assert not shown.final
            return int(component["source"].split()[-1])
    return 0


def wait_for(question: Callable[[], int], seconds: float = 60) -> int:
    """The first answer to `question` that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError("waited in vain")
