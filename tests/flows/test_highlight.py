"""Highlight cards of a flow really run by Metaflow, and shown by a really served site."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
import requests
from metaflow import Run, metadata, namespace

from obproject.journal import ENTRY_FIELD, OUTCOMES_FIELD, Operation, parse_entry, parse_outcomes
from tests.flows.test_thread import Project

pytestmark = [pytest.mark.flows, pytest.mark.long]

SHOW = """
    from metaflow import card, catch, current, retry, step
    from metaflow.cards import Markdown
    from obproject import ProjectFlow, highlight

    class ShowFlow(ProjectFlow):
        @card(type="blank")
        @highlight
        @step
        def start(self):
            self.rows = [1, 2, 3]
            self.prj.register_data("rows", "rows")
            self.highlight.title = "Three </script> rows"
            self.highlight.add_column(3, "rows")
            self.highlight.add_line("x" * 2_000)
            current.card.append(Markdown("# My own card"))
            self.parts = [0, 1]
            self.next(self.work, foreach="parts")

        @retry(times=1, minutes_between_retries=0)
        @highlight
        @card(type="blank")
        @step
        def work(self):
            self.highlight.set_title(f"Part {self.input}, attempt {current.retry_count}")
            if self.input == 1 and current.retry_count == 0:
                raise RuntimeError("the first attempt fails")
            self.next(self.join)

        @highlight
        @step
        def join(self, inputs):
            self.next(self.caught)

        @catch(var="problem")
        @highlight
        @step
        def caught(self):
            self.highlight.title = "Half a result"
            raise RuntimeError("half-way")
            self.next(self.end)

        @step
        def end(self):
            assert not hasattr(self, "highlight")

    if __name__ == "__main__":
        ShowFlow()
"""


@pytest.fixture(scope="module")
def shown(served, tmp_path_factory):
    """A run of the flow, as its project and as Metaflow's run."""
    project = Project(tmp_path_factory.mktemp("show") / "project", served, "highlights")
    project.write(SHOW)
    done = project.run()
    assert done.ok, done.output
    before = metadata(f"local@{project.folder}")
    namespace(None)
    yield project, Run(f"ShowFlow/{done.run_id}")
    metadata(before)


def tasks(run, step):
    return sorted(run[step], key=lambda task: task.pathspec)


def page_of(project: Project, card: str) -> Path:
    [path] = project.folder.glob(f".metaflow/mf.cards/ShowFlow/runs/*/steps/*/tasks/*/cards/highlight-{card}.html")
    return path


def card_of(task) -> str:
    return task.metadata_dict["highlight_card"]


def test_a_step_that_is_spun_highlights_nothing(shown):
    project, _ = shown
    before = project.get("highlights"), project.get("data/rows?state=any")["recent_instances"]
    spun = project.run(command="spin", after=("start",))
    assert spun.ok, spun.output
    assert (project.get("highlights"), project.get("data/rows?state=any")["recent_instances"]) == before


def test_each_highlighted_task_says_which_card_is_its_and_the_run_is_tagged(shown):
    project, run = shown
    assert "highlight" in run.user_tags
    for task in (*tasks(run, "start"), *tasks(run, "work")):
        page = page_of(project, card_of(task)).read_text()
        data = json.loads(re.search(r'id="highlight">(.*?)</script>', page)[1])
        assert data == task["highlight_data"].data
        assert len(page) < 8_500
    assert {task["highlight_data"].data["title"] for task in tasks(run, "work")} == {
        "Part 0, attempt 0",
        "Part 1, attempt 1",
    }


def test_fault_41_a_step_that_highlighted_nothing_leaves_no_trace(shown):
    _, run = shown
    [join] = tasks(run, "join")
    assert join["highlight_data"].data is None
    assert "highlight_card" not in join.metadata_dict
    assert "highlight" not in join


def test_a_step_that_raised_and_was_caught_is_not_announced(shown):
    _, run = shown
    [caught] = tasks(run, "caught")
    assert caught["highlight_data"].data["title"] == "Half a result"
    assert "highlight_card" not in caught.metadata_dict


def test_the_catalogue_shows_the_card_beside_the_step_s_own(shown):
    project, run = shown
    page = f"{project.site.url}/default/highlights/user_alice/data/rows/v1"
    html = requests.get(page, params={"card": f"highlight-{card_of(tasks(run, 'start')[0])}"}, timeout=10).text
    frame = unescape(re.search(r'<iframe[^>]* src="([^"]+)"', html)[1])
    shown_card = requests.get(project.site.url + frame, headers={"Sec-Fetch-Dest": "iframe"}, timeout=10).text
    assert "<h1>Three &lt;/script&gt; rows</h1>" in shown_card
    assert set(re.findall(r"card=([a-z]+)-", html)) == {"highlight", "blank"}


def test_the_catalogue_has_what_tasks_that_succeeded_highlighted(shown):
    project, run = shown
    [newest] = project.get("highlights")["highlights"]
    assert newest["component"] == {"kind": "flow", "name": "ShowFlow"}
    assert newest["content"]["title"] in ("Part 0, attempt 0", "Part 1, attempt 1")
    page = requests.get(f"{project.site.url}/default/highlights/user_alice/highlights.json", timeout=10).json()
    kept = {one["content"]["title"]: one for one in page["highlights"]}
    assert set(kept) == {"Three </script> rows", "Part 0, attempt 0", "Part 1, attempt 1"}
    [start] = tasks(run, "start")
    assert kept["Three </script> rows"]["created_by"]["entity_id"] == start.pathspec
    assert kept["Three </script> rows"]["content"]["highlight_body"] == [{"big": "3", "small": "rows"}]
    assert len(kept["Three </script> rows"]["content"]["synopsis"][0]) == 1_000
    assert kept["Part 1, attempt 1"]["attempt"] == 1


def test_a_task_keeps_what_it_highlighted_as_it_keeps_its_registrations(shown):
    _, run = shown
    [start] = tasks(run, "start")
    entries = [parse_entry(datum.value) for datum in start.metadata if datum.name.startswith(ENTRY_FIELD + "h_")]
    assert [(entry.operation, entry.branch, entry.asset) for entry in entries] == [
        (Operation.HIGHLIGHT, "user.alice", "")
    ]
    assert entries[0].body["content"]["title"] == "Three </script> rows"
    outcomes = [parse_outcomes(datum.value) for datum in start.metadata if datum.name.startswith(OUTCOMES_FIELD)]
    assert entries[0].id in {key for outcome in outcomes for key in outcome}
