"""Several stores read by several threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.runs import CardPage, TaskFacts, card_page, cards_of, task_facts
from tests.catalog.runs.conftest import FlowRuns

pytestmark = pytest.mark.flows


def marked(runs: FlowRuns, root: Path, mark: str) -> FlowRuns:
    """A copy of `runs` whose card and tags carry a mark."""
    copy = runs.copy(root)
    task = copy.task("CardsFlow", "start")
    (html,) = (copy.card_folder(task) / "cards").iterdir()
    html.write_text(f"<body>{mark}</body>")
    run = root / "/".join(task.split("/")[:2]) / "_meta" / "_self.json"
    run.write_text(run.read_text().replace("quarter:third", mark))
    return copy


def test_threads_that_read_the_same_task_from_two_stores_get_what_each_store_holds(
    runs: FlowRuns, tmp_path: Path
) -> None:
    stores = {mark: marked(runs, tmp_path / mark, mark) for mark in ("left", "right")}
    task = runs.task("CardsFlow", "start")

    def read(mark: str) -> None:
        (card,) = cards_of(task, stores[mark].datastore)
        page, facts = card_page(card), task_facts(task, stores[mark].datastore)
        assert isinstance(page, CardPage)
        assert mark in page.html
        assert isinstance(facts, TaskFacts)
        assert facts.tags == (mark,)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, ["left", "right"] * 100))
