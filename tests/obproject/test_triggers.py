"""When deployed flows start by themselves, seen in the workflow templates that Metaflow compiles for Argo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from metaflow.exception import MetaflowException

from obproject.triggers import (
    ProjectScheduleException,
    ProjectTriggerException,
    project_schedule,
    project_trigger,
)
from tests.obproject.argo import compiled, object_store
from tests.obproject.flows import run_flow, write_flow

pytestmark = pytest.mark.slow

SPEC = {"branch_name": "release/v2", "branch": "release_v2", "spec": {"project_branch": "release_v2"}}
READS_MAIN = 'project = "tryout"\n\n[dev-assets]\nbranch = "main"\n'
TRIGGER = '@project_trigger(event={"name": "ready", "parameters": {"day": "date"}})'
SCHEDULE = (
    '@project_schedule({"main": {"daily": True}, "release/*": {"cron": "0 6 * * MON", "timezone": "Asia/Tokyo"}})'
)

FLOW = """
    from metaflow import Parameter, schedule, step, trigger
    from obproject import ProjectFlow, project_schedule, project_trigger

    {decorators}
    class TimedFlow(ProjectFlow):
        day = Parameter("day", default="today")

        @step
        def start(self):
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        TimedFlow()
"""

Compile = Callable[..., dict[str, str]]


def write(folder: Path, *decorators: str, project_toml: str = READS_MAIN) -> None:
    write_flow(folder, FLOW.replace("{decorators}", "\n    ".join(decorators)), project_toml)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of an object store, which takes the code packages."""
    with object_store() as url:
        yield url


@pytest.fixture
def compiled_annotations(tmp_path: Path, store: str) -> Compile:
    """Compile the folder's flow for Argo, with a spec or as a developer does by hand; return the annotations."""

    def compile_flow(spec: dict[str, Any] | None) -> dict[str, str]:
        spec_options = []
        if spec is not None:
            (tmp_path / "project_spec.json").write_text(json.dumps(spec))
            spec_options = ["--config", "project_spec", "project_spec.json"]
        argo_events = ("EVENT", "EVENT_SOURCE", "EVENT_BUS", "SERVICE_ACCOUNT", "WEBHOOK_URL")
        events = {f"METAFLOW_ARGO_EVENTS_{name}": f"http://{name}" for name in argo_events}
        template, said = compiled(tmp_path, store, *spec_options, **events)
        assert "assetsite" not in said
        annotations: dict[str, str] = template["metadata"]["annotations"]
        return annotations

    return compile_flow


@pytest.mark.sample(1)
@pytest.mark.long
@pytest.mark.flows
@pytest.mark.parametrize("decorators", [(TRIGGER, SCHEDULE), (SCHEDULE, TRIGGER)], ids=["trigger first", "last"])
def test_a_deployed_flow_starts_at_its_branchs_times_and_events(
    compiled_annotations: Compile, tmp_path: Path, decorators: tuple[str, str]
) -> None:
    write(tmp_path, *decorators)
    annotations = compiled_annotations(SPEC)
    assert json.loads(annotations["metaflow/cron"]) == {"schedule": "0 6 * * MON", "tz": "Asia/Tokyo"}
    assert json.loads(annotations["metaflow/triggers"]) == [{"name": "prj.tryout.release_v2.ready", "type": "event"}]


@pytest.mark.long
@pytest.mark.flows
def test_fault_37_a_developers_copy_that_reads_main_has_none_of_its_schedule_and_events(
    compiled_annotations: Compile, tmp_path: Path
) -> None:
    write(tmp_path, TRIGGER, SCHEDULE)
    annotations = compiled_annotations(None)
    assert "metaflow/cron" not in annotations
    assert "metaflow/triggers" not in annotations


@pytest.mark.long
@pytest.mark.flows
def test_fault_40_the_decorators_print_nothing(tmp_path: Path) -> None:
    write(tmp_path, TRIGGER, SCHEDULE)
    (tmp_path / "project_spec.json").write_text(json.dumps(SPEC))
    run = run_flow(tmp_path, None, "--config", "project_spec", "project_spec.json")
    assert run.ok, run.output
    assert run.said() == []


@pytest.mark.long
@pytest.mark.flows
@pytest.mark.parametrize(
    ("decorators", "said"),
    [
        (("@trigger(event='x')", TRIGGER), "either @trigger or one @project_trigger"),
        ((TRIGGER, "@schedule(daily=True)", SCHEDULE), "either @schedule or one @project_schedule"),
        (("@project_schedule({'main': {'often': True}})",), "'main' has the key 'often'; known are cron, hourly"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_local_run_already(
    tmp_path: Path, decorators: tuple[str, ...], said: str
) -> None:
    write(tmp_path, *decorators)
    run = run_flow(tmp_path, None)
    assert not run.ok
    assert said in " ".join(run.output.split())
    assert "Traceback" not in run.output


@dataclass
class FlowBeforeItRuns:
    """As much of a flow as a mutator sees and changes."""

    configs: dict[str, Any]
    added: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def decorator_specs(self) -> list[tuple[str, str, list[Any], dict[str, Any]]]:
        return [(name, name, [], arguments) for name, arguments in self.added]

    def add_decorator(self, name: str, deco_kwargs: dict[str, Any]) -> None:
        self.added.append((name, deco_kwargs))


def flow_deployed_from(branch: str | None, dev_assets: str = "main") -> FlowBeforeItRuns:
    spec = {"branch_name": branch, "spec": {}} if branch else {}
    return FlowBeforeItRuns(
        {"project_config": {"project": "tryout", "dev-assets": {"branch": dev_assets}}, "project_spec": spec}
    )


def apply(mutator: Any, flow: FlowBeforeItRuns) -> list[tuple[str, dict[str, Any]]]:
    mutator.external_init()
    mutator.pre_mutate(flow)
    return flow.added


@pytest.mark.parametrize(
    ("branch", "pattern", "fits"),
    [
        ("release/v2", "release/*", True),
        ("feature-x", "feature-*", True),
        ("Main-EU", "Main-*", True),
        ("feature/x", "feature_*", False),
        ("main", "main", True),
        ("maintenance", "main", False),
        ("main", "[!f]*", True),
    ],
)
def test_fault_38_patterns_are_matched_with_the_branch_as_git_writes_it(branch: str, pattern: str, fits: bool) -> None:
    added = apply(project_schedule({pattern: {"daily": True}}), flow_deployed_from(branch))
    assert added == ([("schedule", {"daily": True})] if fits else [])


def test_the_first_pattern_that_fits_counts() -> None:
    schedules = {"main": {"hourly": True}, "ma*": {"daily": True}, "*": {"weekly": True}}
    for branch, schedule in (("main", "hourly"), ("master", "daily"), ("feature/x", "weekly")):
        assert apply(project_schedule(schedules), flow_deployed_from(branch)) == [("schedule", {schedule: True})]


def test_fault_37_without_a_spec_no_pattern_fits() -> None:
    assert apply(project_schedule({"*": {"daily": True}}), flow_deployed_from(None)) == []
    assert apply(project_trigger(event="ready"), flow_deployed_from(None)) == []


def test_fault_39_a_flow_may_wait_for_several_events_and_take_parameters_from_them() -> None:
    trigger = project_trigger(
        events=["ready", {"name": "checked", "parameters": {"day": "date"}}], options={"reset_at": {"hour": 0}}
    )
    assert apply(trigger, flow_deployed_from("feature/x")) == [
        (
            "trigger",
            {
                "events": [
                    {"name": "prj.tryout.feature_x.ready"},
                    {"name": "prj.tryout.feature_x.checked", "parameters": {"day": "date"}},
                ],
                "options": {"reset_at": {"hour": 0}},
            },
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, 'needs event="name"'),
        ({"event": "a", "events": ["b"]}, 'needs event="name"'),
        ({"event": "it's"}, "can't name an event"),
        ({"events": [{"parameters": {}}]}, "can't name an event"),
        ({"events": [7]}, "can't name an event"),
    ],
)
def test_a_trigger_without_a_usable_event_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ProjectTriggerException, match=said):
        project_trigger(**arguments).external_init()


@pytest.mark.parametrize(
    ("schedules", "said"),
    [
        (None, "needs a dictionary of branch patterns"),
        ({}, "needs a dictionary of branch patterns"),
        ("main", "needs a dictionary of branch patterns"),
        ({"main": {}}, "'main' needs a dictionary such as"),
        ({"main": "daily"}, "'main' needs a dictionary such as"),
        ({"main": {"daily": True, "dayly": 1}}, "'dayly'"),
    ],
)
def test_a_schedule_that_says_nothing_is_refused(schedules: Any, said: str) -> None:
    with pytest.raises(ProjectScheduleException, match=said):
        project_schedule(schedules).external_init()


@pytest.mark.parametrize("mutator", [project_schedule({"*": {"daily": True}}), project_trigger(event="ready")])
def test_a_flow_without_a_project_is_refused(mutator: Any) -> None:
    with pytest.raises(MetaflowException, match="no ProjectFlow"):
        apply(mutator, FlowBeforeItRuns({}))


def test_a_spec_whose_branch_has_no_key_is_refused() -> None:
    with pytest.raises(ProjectTriggerException, match="project spec can't be used"):
        apply(project_trigger(event="ready"), flow_deployed_from("---"))
