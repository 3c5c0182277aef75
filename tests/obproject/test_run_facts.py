"""The facts of a run, and where in it a task is, as far as a task knows them."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from metaflow import current, metaflow_git
from metaflow.packaging_sys import MetaflowCodeContent

from obproject import lengths
from obproject.task.run_facts import code_facts, facts_of_task, position_of, without_credentials
from obproject.task.running import RunningTask
from tests.obproject.tasks import MemoryMetadata, running_task

CODE = {"repo_url": "https://x:hush@git.example/me/x", "commit_sha": "6a20eaa", "branch_name": "main"}


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A task that runs from a code package, where there is no git."""
    monkeypatch.setattr(MetaflowCodeContent, "get_info", lambda: CODE)
    return monkeypatch


def task(**changes: Any) -> RunningTask:
    made = running_task()
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://git.example/me/x", "https://git.example/me/x"),
        ("https://ada:hush@git.example:8443/me/x.git", "https://git.example:8443/me/x.git"),
        ("https://hush@git.example/me/x", "https://git.example/me/x"),
        ("https://git.example/me/x?token=hush#hush", "https://git.example/me/x"),
        ("ssh://git@git.example/me/x", "ssh://git.example/me/x"),
        ("ada:hush@git.example:me/x", "git.example:me/x"),
        ("  https://ada:hush@git.example/x ", "https://git.example/x"),
        ("/home/ada/x", "/home/ada/x"),
        ("https://ada:hu/sh@git.example/x", None),
        ("https://ada:hu#sh@git.example/x", None),
        ("https://ada:hu?sh@git.example/x", None),
        ("", None),
    ],
)
def test_the_address_of_a_repository_has_no_credentials(address: str, told: str | None) -> None:
    assert without_credentials(address) == told


def test_a_commit_without_a_word_of_changes_is_clean() -> None:
    expected = {"repository": "https://git.example/me/x", "commit": "6a20eaa", "git_branch": "main"}
    assert code_facts(CODE) == {**expected, "dirty": False}
    assert code_facts({**CODE, "has_uncommitted_changes": True}) == {**expected, "dirty": True}
    assert code_facts({**CODE, "has_uncommitted_changes": None}) == {**expected, "dirty": None}


def test_without_a_commit_nothing_is_known_of_changes_and_a_detached_head_is_no_branch() -> None:
    assert code_facts({"has_uncommitted_changes": True, "branch_name": "HEAD", "commit_sha": None}) == {}
    assert code_facts({}) == {}


def test_a_task_elsewhere_reads_the_code_from_its_package_and_asks_no_git(packaged: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    packaged.setattr(subprocess, "Popen", refuse)
    facts = facts_of_task(task())
    assert (facts["commit"], facts["dirty"]) == ("6a20eaa", False)
    assert "hush" not in str(facts)


def test_a_local_task_takes_what_metaflow_has_asked_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MetaflowCodeContent, "get_info", lambda: None)
    monkeypatch.setattr(metaflow_git, "_git_info_cache", {**CODE, "has_uncommitted_changes": True})
    assert facts_of_task(task())["dirty"] is True


def test_the_start_is_that_of_the_runs_record_or_of_a_local_runs_id(packaged: pytest.MonkeyPatch) -> None:
    metadata = MemoryMetadata()
    assert "started_at" not in facts_of_task(task(metadata=metadata, run_id="1796001805066366"))
    packaged.setattr(metadata, "TYPE", "local")
    local = facts_of_task(task(metadata=metadata, run_id="1796001805066366"))
    assert local["started_at"] == "2026-11-30T01:23:25.066366+00:00"
    tagged = facts_of_task(task(metadata=metadata, run_id="1796001805066366", run_record={"ts_epoch": 1796009999000}))
    assert tagged["started_at"] == local["started_at"]  # the record of a local run is written anew with each tag
    assert "started_at" not in facts_of_task(task(metadata=metadata, run_id="argo-x"))
    known = facts_of_task(task(run_record={"ts_epoch": 1796001805066, "tags": ["b", "a", "asset_write_branch:x"]}))
    assert known["started_at"] == "2026-11-30T01:23:25.066000+00:00"
    assert known["tags"] == ["a", "b"]


def test_a_graph_is_told_up_to_a_thousand_steps(packaged: pytest.MonkeyPatch) -> None:
    graph = [SimpleNamespace(name=f"s{at}", out_funcs=[f"s{at + 1}"]) for at in range(lengths.GRAPH_STEPS)]
    assert facts_of_task(task(graph=graph))["graph"]["s0"] == ["s1"]
    assert "graph" not in facts_of_task(task(graph=[*graph, SimpleNamespace(name="end", out_funcs=[])]))
    assert "graph" not in facts_of_task(task(graph=[object()]))


def test_the_origin_of_a_resumed_run_is_told(packaged: pytest.MonkeyPatch) -> None:
    packaged.setattr(current, "_origin_run_id", 17, raising=False)
    assert facts_of_task(task())["origin_run"] == "17"


def test_nothing_that_can_not_be_told_makes_a_write_fail(packaged: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    packaged.setattr(MetaflowCodeContent, "get_info", broken)
    facts = facts_of_task(task(graph=3, parameters=3, run_record={"ts_epoch": "x", "tags": 3}))
    assert set(facts) <= {"user", "metaflow_version", "python_version"}


def test_a_position_is_what_metaflow_says_of_it() -> None:
    frames = [SimpleNamespace(step="loop", index=1), SimpleNamespace(step="inner", index=0)]
    flow = SimpleNamespace(name="F", _foreach_stack=frames, _iteration_stack=[2])
    assert position_of(running_task(flow)) == {"step": "start", "foreach": "loop:1,inner:0", "iteration": 2}
    assert position_of(running_task()) == {"step": "start", "foreach": "", "iteration": 0}
    leading = SimpleNamespace(name="F", _foreach_stack=[SimpleNamespace(step="gang", index=None)])
    assert position_of(running_task(leading)) == {"step": "start", "iteration": 0}
    lost = running_task(SimpleNamespace(name="F", _foreach_stack=[3]))
    assert lost.whereabouts() == {"attempt": 1, "position": {"step": "start"}}
