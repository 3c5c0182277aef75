"""The rule of runs, example by example: what counts as an input of what, and how surely."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from catalog.models import Consumption, Run
from lineage import run_rule
from lineage.run_rows import CHAIN_MOST
from lineage.run_rule import Position, Reading, RunInputs, StepGraph, TakenOver, path_of
from tests.built_once import built_once
from tests.lineage.stories import LOADED, SPLIT, Story, left_out

pytestmark = pytest.mark.slow


@pytest.fixture
def story(api):
    built_once(load, api)
    return Story(api)


def load(api):
    Story(api).loads("data/raw", "data/other")


class TestWhatComesBefore:
    def test_a_reading_in_an_earlier_step_is_an_input(self, story):
        story.reads("data/raw", "Train/1/start/1", graph=LOADED, foreach="")
        story.makes("models/m", "Train/1/end/3", foreach="")
        assert story.inputs("models/m") == (["raw v1"], "task")

    def test_what_is_read_later_is_none(self, story):
        story.makes("models/m", "Train/1/load/2", graph=LOADED, foreach="")
        story.reads("data/raw", "Train/1/end/3", foreach="")
        assert story.inputs("models/m") == ([], "task")

    def test_a_reading_in_a_step_that_comes_later_is_none_even_if_its_clock_is_early(self, story):
        story.reads("data/raw", "Train/1/end/3", graph=LOADED, foreach="")
        story.makes("models/m", "Train/1/load/2", foreach="")
        assert story.inputs("models/m") == ([], "task")

    def test_without_the_graph_it_is_presumed(self, story):
        story.reads("data/raw", "Train/1/end/3")
        story.makes("models/m", "Train/1/load/2")
        assert story.inputs("models/m") == (["raw v1"], "run")

    def test_a_run_that_read_nothing_before_is_known_to_have_read_nothing(self, story):
        story.makes("models/m", "Train/1/load/2")
        assert story.inputs("models/m") == ([], "task")

    def test_the_sides_of_a_branch_know_nothing_of_each_other(self, story):
        graph = {"start": ["left", "right"], "left": ["join"], "right": ["join"], "join": []}
        story.reads("data/raw", "Train/1/left/2", graph=graph, foreach="")
        story.makes("models/m", "Train/1/right/3", foreach="")
        story.makes("models/joined", "Train/1/join/4", foreach="")
        assert story.inputs("models/m") == ([], "task")
        assert story.inputs("models/joined") == (["raw v1"], "task")


class TestForeach:
    def test_a_split_does_not_inherit_from_its_siblings_and_the_join_does_from_all(self, story):
        story.reads("data/raw", "Train/1/work/2", graph=SPLIT, foreach="start:0", attempt=0)
        story.reads("data/other", "Train/1/work/3", foreach="start:1", attempt=0)
        story.makes("models/first", "Train/1/work/2", foreach="start:0", attempt=0)
        story.makes("models/second", "Train/1/work/3", foreach="start:1", attempt=0)
        story.makes("models/both", "Train/1/join/4", foreach="", attempt=0)
        assert story.inputs("models/first") == (["raw v1"], "task")
        assert story.inputs("models/second") == (["other v1"], "task")
        assert story.inputs("models/both") == (["other v1", "raw v1"], "task")

    def test_what_is_read_before_the_split_counts_for_each(self, story):
        story.reads("data/raw", "Train/1/start/1", graph=SPLIT, foreach="")
        story.makes("models/first", "Train/1/work/2", foreach="start:0")
        assert story.inputs("models/first") == (["raw v1"], "task")

    def test_an_earlier_foreach_counts_whatever_the_index(self, story):
        graph = {"start": ["one"], "one": ["mid"], "mid": ["two"], "two": ["end"], "end": []}
        story.reads("data/raw", "Train/1/one/2", graph=graph, foreach="start:0")
        story.makes("models/m", "Train/1/two/5", foreach="mid:1")
        assert story.inputs("models/m") == (["raw v1"], "task")

    def test_of_nested_ones_the_first_difference_decides(self, story):
        graph = {"start": ["outer"], "outer": ["inner"], "inner": ["gather"], "gather": []}
        story.reads("data/raw", "Train/1/outer/2", graph=graph, foreach="start:0")
        story.reads("data/other", "Train/1/outer/3", foreach="start:1")
        story.makes("models/m", "Train/1/inner/4", foreach="start:1,outer:0")
        story.makes("models/gathered", "Train/1/gather/5", foreach="start:0")
        assert story.inputs("models/m") == (["other v1"], "task")
        assert story.inputs("models/gathered") == (["raw v1"], "task")

    def test_an_earlier_iteration_counts_and_a_later_one_does_not(self, story):
        graph = {"start": ["again"], "again": ["again", "end"], "end": []}
        story.reads("data/raw", "Train/1/again/2", graph=graph, foreach="", iteration=0)
        story.reads("data/other", "Train/1/again/4", foreach="", iteration=2)
        story.makes("models/m", "Train/1/again/3", foreach="", iteration=1)
        assert story.inputs("models/m") == (["raw v1"], "task")

    def test_an_unknown_path_is_presumed_not_to_be_in_the_way(self, story):
        story.reads("data/raw", "Train/1/work/2", graph={**SPLIT, "work": ["work", "join"]})
        story.makes("models/m", "Train/1/work/3", foreach="start:1")
        assert story.inputs("models/m") == (["raw v1"], "run")

    def test_splits_that_read_the_same_thing_are_one_node(self, story):
        for split in range(3):
            story.reads("data/raw", f"Train/1/work/{split + 2}", graph=SPLIT, foreach=f"start:{split}", attempt=0)
            story.makes(f"models/m{split}", f"Train/1/work/{split + 2}", foreach=f"start:{split}", attempt=0)
        down = story.answer("data/raw", direction="down")
        (run,) = [node for node in down["nodes"] if node["kind"] == "run"]
        (reading,) = [link for link in down["links"] if link["target"] == run["id"]]
        assert (reading["count"], run["key"]) == (3, "work, 3 splits")
        (up,) = [link for link in story.answer("models/m1")["links"] if link["target"] == run["id"]]
        assert up["count"] == 1

    def test_without_the_graph_paths_keep_nothing_apart(self, story):
        """Rule 4 knows no paths, whatever else is known of the task."""
        story.reads("data/raw", "Train/1/work/2", foreach="start:0", attempt=0)
        story.reads("data/other", "Train/1/work/3", foreach="start:1")
        story.makes("models/m", "Train/1/work/3", foreach="start:1", attempt=0)
        assert story.inputs("models/m") == (["other v1", "raw v1"], "run")

    def test_a_step_that_the_graph_lacks_is_kept_apart_from_nothing(self, story):
        story.reads("data/raw", "Train/1/lost/9", graph=SPLIT, foreach="start:0", attempt=0)
        story.makes("models/m", "Train/1/work/3", foreach="start:1", attempt=0)
        assert story.inputs("models/m") == (["raw v1"], "run")

    def test_the_last_level_of_an_answer_can_be_a_run(self, story):
        story.reads("data/raw", "Train/1/start/1", graph=SPLIT, foreach="")
        story.makes("models/m", "Train/1/end/9", foreach="")
        answer = story.answer("data/raw", direction="down", depth=1)
        assert [node["key"] for node in answer["nodes"] if node["kind"] == "run"] == ["end"]


class TestAttempts:
    def test_what_a_failed_attempt_read_counts_for_itself_alone(self, story):
        story.reads("data/raw", "Train/1/end/3", graph=LOADED, foreach="", attempt=0)
        story.makes("models/m", "Train/1/end/3", foreach="", attempt=0, state="pending")
        story.fails("Train/1/end/3", 0)
        story.reads("data/other", "Train/1/end/3", foreach="", attempt=1)
        story.makes("models/m", "Train/1/end/3", foreach="", attempt=1)
        assert story.inputs("models/m@v1") == (["raw v1"], "task")
        assert story.inputs("models/m@v2") == (["other v1"], "task")

    def test_a_retry_that_only_reads_has_failed_the_attempt_before(self, story):
        made = story.makes("models/m", "Train/1/end/3", attempt=0, state="pending")
        story.reads("data/raw", "Train/1/end/3", attempt=1)
        assert story.api.get(f"models/m/instances/{made}").data["state"] == "failed"
        (link,) = story.api.get("models/m/lineage?depth=1&direction=up").data["links"]
        assert link["count"] == 0

    def test_an_attempt_that_is_not_told_is_presumed_to_be_the_same(self, story):
        story.reads("data/raw", "Train/1/end/3", graph=LOADED, foreach="")
        story.makes("models/m", "Train/1/end/3", foreach="", attempt=0)
        assert story.inputs("models/m") == (["raw v1"], "run")

    def test_failed_events_say_nothing_beside_others_in_another_role(self, story):
        story.makes("data/raw", "Load/9/start/1")
        story.reads("data/raw", "Train/1/end/3", version="v2", attempt=0)
        story.fails("Train/1/end/3", 0)
        story.reads("data/raw", "Train/2/end/3", version="v1", attempt=0, role="evaluation")
        story.reads("data/raw", "Train/3/end/3", version="v2", attempt=0)
        story.fails("Train/3/end/3", 0)
        links = story.api.get("data/raw/lineage?depth=1&direction=down").data["links"]
        assert [(link["count"], link["version"], link["roles"]) for link in links] == [
            (1, "v1", ["evaluation", "input"])
        ]

    def test_a_failed_copy_is_not_counted(self, story):
        source = story.api.get("data/raw/instances/latest").data["id"]
        copy = {"annotations": {"promoted_from_instance": source}, "attempt": 0}
        story.makes("data/stable", "Promote/1/end/1", state="pending", **copy)
        story.fails("Promote/1/end/1", 0)
        promotions = story.api.get("data/stable/lineage?depth=1&direction=up").data["links"]
        assert [(link["relation"], link["count"]) for link in promotions] == [("promotes", 0)]
        story.makes("data/stable", "Promote/2/end/1", **copy)
        promotions = story.api.get("data/stable/lineage?depth=1&direction=up").data["links"]
        assert [(link["count"], link["version"]) for link in promotions] == [(1, "v2")]


class TestResumedRuns:
    @pytest.fixture
    def failed(self, story):
        """A run that read in `load`, and one that resumed it from `end` on."""
        story.reads("data/raw", "Train/1/load/2", graph=LOADED, foreach="", attempt=0)
        story.makes("models/m", "Train/2/end/9", graph=LOADED, resumes="1", foreach="", attempt=0)
        return story

    def test_until_metaflow_was_asked_it_is_presumed_and_the_answer_is_not_complete(self, failed):
        assert failed.inputs("models/m") == (["raw v1"], "run")
        answer = failed.answer("models/m")
        assert (left_out(answer), answer["complete"]) == ({"resumed": 1}, False)

    def test_then_it_is_known(self, failed):
        failed.took_over("Train/2", {"start/7": "Train/1/start/1", "load/8": "Train/1/load/2"})
        assert failed.inputs("models/m") == (["raw v1"], "task")
        assert failed.answer("models/m")["complete"]

    def test_what_was_not_taken_over_does_not_count(self, failed):
        failed.took_over("Train/2", {"start/7": "Train/1/start/1"})
        assert failed.inputs("models/m") == ([], "task")

    def test_a_step_that_was_run_anew_is_presumed_not_to_be_taken_over(self, failed):
        failed.reads("data/other", "Train/2/load/8", foreach="", attempt=0)
        failed.makes("models/m", "Train/2/end/9", foreach="", attempt=0)
        assert failed.inputs("models/m") == (["other v1"], "run")

    def test_a_resume_of_a_resume(self, failed):
        failed.makes("models/m", "Train/3/end/9", graph=LOADED, resumes="2", foreach="")
        assert failed.inputs("models/m") == (["raw v1"], "run")
        assert left_out(failed.answer("models/m")) == {"resumed": 2}
        failed.took_over("Train/3", {"load/8": "Train/2/load/8"})
        assert failed.inputs("models/m") == (["raw v1"], "run")
        assert left_out(failed.answer("models/m")) == {"resumed": 1}
        failed.took_over("Train/2", {"load/8": "Train/1/load/2"})
        assert failed.inputs("models/m") == (["raw v1"], "task")
        assert failed.answer("models/m")["complete"]

    def test_downstream_the_resumed_run_is_found_and_counted(self, failed):
        answer = failed.answer("data/raw", direction="down")
        assert {node["name"] for node in answer["nodes"]} == {"raw", "Train/1", "Train/2", "m"}
        assert left_out(answer) == {"resumed": 1}

    def test_what_does_not_matter_to_an_answer_is_not_counted(self, failed):
        failed.reads("data/other", "Train/2/end/9", foreach="", attempt=0)
        assert left_out(failed.answer("data/other", direction="down")) == {}
        assert left_out(failed.answer("models/m", direction="down")) == {}

    def test_a_filter_of_roles_changes_nothing_about_what_counts(self, failed):
        failed.reads("data/other", "Train/2/load/8", foreach="", attempt=0, role="evaluation")
        failed.makes("models/m", "Train/2/end/9", foreach="", attempt=0)
        assert failed.inputs("models/m") == (["other v1"], "run")
        assert failed.inputs("models/m", role="input") == ([], "run")
        assert failed.inputs("models/m", role="evaluation") == (["other v1"], "run")

    def test_a_circle_of_resumes_ends(self, story):
        """Metaflow can't make one, but a client can say so."""
        story.reads("data/raw", "Train/1/load/2", graph=LOADED, resumes="2", foreach="", attempt=0)
        story.makes("models/m", "Train/1/end/3", foreach="", attempt=0)
        story.reads("data/other", "Train/2/load/2", graph=LOADED, resumes="1", foreach="", attempt=0)
        story.makes("models/n", "Train/2/end/3", foreach="", attempt=0)
        assert story.inputs("models/m") == (["raw v1"], "task")
        assert story.inputs("models/n")[0] == ["other v1"]
        assert left_out(story.answer("models/n")) == {"resumed": 2}

    def test_a_circle_of_cloned_tasks_ends(self, failed):
        failed.took_over("Train/2", {"load/8": "Train/2/load/9", "load/9": "Train/2/load/8", "x": "nonsense"})
        assert failed.inputs("models/m") == ([], "task")

    def test_a_chain_that_is_too_long_is_followed_so_far_and_the_answer_says_so(self, story):
        story.reads("data/raw", "Train/1000/load/2", graph=LOADED, foreach="", attempt=0)
        for number in range(1001, 1004 + CHAIN_MOST):
            story.reads("data/other", f"Train/{number}/end/9", graph=LOADED, resumes=str(number - 1), role="baseline")
        story.makes("models/m", f"Train/{1003 + CHAIN_MOST}/end/9", foreach="", attempt=0)
        answer = story.answer("models/m")
        assert not answer["complete"]
        assert left_out(answer)["resumed"] <= CHAIN_MOST + 1
        assert answer["counts"]["found_at_least"]

    def test_another_perimeter_is_not_asked(self, failed):
        """Cloned tasks that are not of a run that it resumed count for nothing."""
        failed.reads("data/other", "Serve/7/load/2", foreach="", attempt=0)
        failed.took_over("Train/2", {"load/8": "Serve/7/load/2"})
        assert failed.inputs("models/m") == ([], "task")


class TestSessions:
    APP = {"entity_ref": {"entity_kind": "deployment", "entity_id": "app"}}
    SESSION = "s_0123456789abcdef0123"

    def test_what_was_read_in_the_twelve_hours_before_counts(self, story):
        self.at(0, lambda: story.reads("data/raw", "", session=self.SESSION, **self.APP))
        self.at(11, lambda: story.reads("data/other", "", session=self.SESSION, **self.APP))
        self.at(13, lambda: story.makes("models/m", "", session=self.SESSION, **self.APP))
        assert story.inputs("models/m") == (["other v1"], "session")

    def test_without_a_session_who_made_it_is_shown_and_nothing_counts(self, story):
        story.reads("data/raw", "", **self.APP)
        story.makes("models/m", "", **self.APP)
        assert story.inputs("models/m") == ([], "")
        assert [node["name"] for node in story.answer("models/m")["nodes"] if node["kind"] != "model"] == ["app"]

    def test_a_session_is_that_of_an_entity_in_any_project(self, story):
        consumer = {"consumer": {"project": "comics", "branch": "main"}}
        story.reads("data/raw", "", session=self.SESSION, **self.APP, **consumer)
        story.makes("models/m", "", session=self.SESSION, **self.APP)
        assert story.inputs("models/m") == (["raw v1"], "session")

    def test_the_session_of_another_is_not_taken_over(self, story):
        thief = {"entity_ref": {"entity_kind": "deployment", "entity_id": "thief"}}
        story.reads("data/raw", "", session=self.SESSION, **self.APP)
        story.makes("models/m", "", session=self.SESSION, **thief)
        assert story.inputs("models/m") == ([], "")

    def test_a_session_cannot_be_named_like_a_run_nor_a_run_like_a_session(self, story):
        story.reads("data/raw", "Train/1/load/2", graph=LOADED, foreach="", attempt=0)
        story.makes("models/m", "", session="Train/1", **self.APP)
        assert story.inputs("models/m") == ([], "")
        assert Run.objects.filter(name="Train/1").get().component.name == "Train"

    def at(self, hours, tell):
        now = timezone.now() - timedelta(days=2) + timedelta(hours=hours)
        with patch("django.utils.timezone.now", return_value=now):
            tell()


class TestLies:
    def test_another_run_of_a_flow_can_be_claimed_as_resumed_but_never_as_known(self, story):
        story.reads("data/raw", "Train/1/load/2", graph=LOADED, foreach="", attempt=0)
        story.makes("models/m", "Train/666/end/9", graph=LOADED, resumes="1", foreach="", attempt=0)
        assert story.inputs("models/m") == (["raw v1"], "run")
        assert left_out(story.answer("models/m")) == {"resumed": 1}

    def test_no_run_of_another_flow_can_be_claimed_as_resumed(self, story):
        story.reads("data/raw", "Train/1/load/2", graph=LOADED, foreach="", attempt=0)
        story.makes("models/m", "Evil/2/end/9", graph=LOADED, resumes="../Train/1", foreach="", attempt=0)
        assert story.inputs("models/m") == ([], "task")

    def test_paths_that_contradict_the_graph_harm_nobody(self, story):
        for number, path in enumerate(["work:0", "start:0,start:0", "start:0,work:1,join:2", "nowhere:7", "start:1"]):
            story.reads("data/raw", f"Train/1/work/{number}", graph=SPLIT, foreach=path, attempt=0)
        story.makes("models/m", "Train/1/join/9", foreach="start:0", attempt=0)
        assert story.inputs("models/m") == (["raw v1"], "task")

    def test_a_graph_of_a_thousand_steps_in_a_circle_is_walked_once(self, story):
        steps = [f"step{number}" for number in range(1_000)]
        graph = {step: [steps[number - 1]] for number, step in enumerate(steps)}
        story.reads("data/raw", "Train/1/step5/2", graph=graph, foreach="", attempt=0)
        story.makes("models/m", "Train/1/step6/3", foreach="", attempt=0)
        assert story.inputs("models/m") == (["raw v1"], "task")

    def test_a_circle_by_clocks_that_disagree_ends(self, story):
        """Late arrivals have the times of their tasks' own clocks, which may be any."""
        story.makes("models/a", "One/1/end/1", attempt=0)
        story.reads("models/a", "Two/1/end/1", attempt=0)
        story.makes("models/b", "Two/1/end/1", attempt=0)
        story.reads("models/b", "One/1/end/1", attempt=0)
        Consumption.objects.filter(run="One/1").update(at=timezone.now() - timedelta(days=1))
        answer = story.answer("models/a", direction="both")
        assert {node["name"] for node in answer["nodes"]} == {"a", "b", "One/1", "Two/1"}
        assert len(answer["links"]) == 4


class TestCost:
    """Of a foreach of thousands each split costs what it reads, and not what its siblings read."""

    BEGAN = timezone.now()

    def reading(self, number, task, path):
        at, position = self.BEGAN + timedelta(seconds=number), Position(task, 0, path_of(path), 0)
        return Reading(number, ("instance", number), (1, "Big/1"), at, task, 1, "main", None, False, position)

    @pytest.mark.parametrize("splits", [500, 2_000])
    def test_of_a_foreach(self, splits, monkeypatch):
        asked = 0

        def counted(*question):
            nonlocal asked
            asked += 1
            return verdict(*question)

        verdict = run_rule.verdict
        monkeypatch.setattr(run_rule, "verdict", counted)
        before = [self.reading(number, "Big/1/start/1", "") for number in range(3)]
        shards = [self.reading(3 + split, f"Big/1/work/{split}", f"start:{split}") for split in range(splits)]
        inputs = RunInputs(StepGraph(SPLIT), [*before, *shards], TakenOver())
        end = self.BEGAN + timedelta(days=1)
        for split in range(splits):
            part = inputs.of(Position(f"Big/1/work/{split}", 0, path_of(f"start:{split}"), 0)).until(end)
            assert (len(part.readings), part.by) == (4, "task")
        assert asked == 4 * splits
        join = inputs.of(Position("Big/1/join/9", 0, (), 0)).until(end)
        assert len(join.readings) == splits + 3
        assert asked == 5 * splits + 3

    def test_without_the_graph_all_tasks_share_one_series(self):
        shards = [self.reading(split, f"Big/1/work/{split}", None) for split in range(100)]
        inputs = RunInputs(StepGraph(None), shards, TakenOver())
        parts = [inputs.of(Position(f"Big/1/work/{split}", 0)).until(self.BEGAN) for split in range(100)]
        assert len({id(part.series) for part in parts}) == 1
