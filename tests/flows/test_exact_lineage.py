"""What exactly instances were made from, in flows really run by Metaflow: each with exactly its arrows.

Rebuilt from Metaflow's metadata alone, the catalogue says the same.
"""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import Site, served_from
from tests.flows.test_thread import Project
from tests.places import CHECKOUT

pytestmark = [pytest.mark.flows, pytest.mark.long]

FLOW = """
    import os
    from metaflow import current, retry, step
    from obproject import ProjectFlow

    class NestedFlow(ProjectFlow):
        @step
        def start(self):
            self.all = self.prj.get_data("all")
            self.prj.get_data("champion", role="baseline")
            self.countries = ["fr", "de"]
            self.next(self.country, foreach="countries")

        @step
        def country(self):
            self.land = self.input
            self.prj.get_data(self.land)
            self.cities = ["a", "b"]
            self.next(self.city, foreach="cities")

        @step
        def city(self):
            self.made = (self.land, self.input)
            self.prj.register_data(f"{self.land}_{self.input}", "made")
            self.next(self.cities_of_country)

        @step
        def cities_of_country(self, inputs):
            self.land = inputs[0].land
            self.prj.register_data(f"{self.land}_sum", "land")
            self.next(self.join)

        @step
        def join(self, inputs):
            self.sum = len(list(inputs))
            self.prj.register_model("total", "sum")
            self.next(self.flaky)

        @retry(times=1, minutes_between_retries=0)
        @step
        def flaky(self):
            self.value = current.retry_count
            self.prj.get_data("wrong" if current.retry_count == 0 else "right")
            self.prj.register_model("retried", "value")
            if current.retry_count == 0:
                raise RuntimeError("the first attempt fails")
            self.next(self.last)

        @step
        def last(self):
            if not os.path.exists("mended"):
                raise RuntimeError("not mended yet")
            self.done = 1
            self.prj.register_model("resumed", "done")
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        NestedFlow()
"""

APP = """
    import sys
    from obproject import Asset

    asset = Asset(project=sys.argv[1], branch="user.alice", deployment="app")
    asset.consume_data_asset("all")
    asset.register_data_asset("report", None, "url", ["https://example.org/1"], None, None)
    asset.consume_data_asset("right")
    asset.register_data_asset("report", None, "url", ["https://example.org/2"], None, None)
"""

SOURCES = """
    from metaflow import step
    from obproject import ProjectFlow

    class SourcesFlow(ProjectFlow):
        @step
        def start(self):
            for name in ("all", "champion", "fr", "de", "wrong", "right"):
                setattr(self, name, name)
                self.prj.register_data(name, name)
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        SourcesFlow()
"""


def run_script(project: Project, source: str) -> None:
    script = project.folder / "script.py"
    script.write_text(dedent(source))
    subprocess.run(
        [sys.executable, str(script), project.name],
        cwd=project.folder,
        env=project.site.env | {"ASSETSITE_URL": project.site.url, "PYTHONPATH": str(CHECKOUT)},
        check=True,
        capture_output=True,
    )


class Answered:
    """The exact ancestry of the newest version of an asset, one arrow deep in instances."""

    def __init__(self, project: Project, asset: str, version: str = "latest") -> None:
        self.answer = project.get(f"{asset}/instances/{version}/lineage?direction=up&depth=2")
        self.names = {node["id"]: node["key"] or node["name"] for node in self.answer["nodes"]}
        self.made = next(link for link in self.answer["links"] if link["target"] == self.answer["focus"][0])

    @property
    def inputs(self) -> set[str]:
        return {self.names[link["source"]] for link in self.answer["links"] if link["target"] == self.made["source"]}


def answers(project: Project) -> dict[str, object]:
    """What each thing was made from, as far as all that is known of it."""
    assets = [f"data/{land}_{what}" for land in ("fr", "de") for what in ("a", "b", "sum")]
    found: dict[str, object] = {}
    for asset in [*assets, "models/total", "models/retried", "models/resumed"]:
        answered = Answered(project, asset)
        found[asset] = (answered.inputs, answered.made["by"], [cut["reason"] for cut in answered.answer["left_out"]])
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("exact")
    folder = root / "project"
    with served_from(root / "site", ASSETSITE_CARD_ROOTS=str(folder / ".metaflow")) as site:
        project = Project(folder, site, "exact")
        project.write(SOURCES)
        made = project.run()
        assert made.ok, made.output
        project.write(FLOW)
        first = project.run()
        assert not first.ok
        (folder / "mended").write_text("")
        second = project.run(command="resume")
        assert second.ok, second.output
        yield project


def reconcile(site: Site, folder: Path) -> None:
    site.manage("reconcile", "--root", str(folder / ".metaflow"))


def test_before_metaflow_is_asked_what_a_resumed_run_took_over_is_presumed(project):
    inputs, by, left_out = answers(project)["models/resumed"]
    assert inputs == {"all", "fr", "de", "right"}
    assert by == "run"
    assert "resumed" in left_out


def test_each_split_each_join_each_retry_and_each_resume_has_exactly_its_inputs(project):
    reconcile(project.site, project.folder)
    found = answers(project)
    depth = ["depth"]
    assert found == {
        **{f"data/fr_{what}": ({"all", "fr"}, "task", depth) for what in ("a", "b", "sum")},
        **{f"data/de_{what}": ({"all", "de"}, "task", depth) for what in ("a", "b", "sum")},
        "models/total": ({"all", "fr", "de"}, "task", depth),
        "models/retried": ({"all", "fr", "de", "right"}, "task", depth),
        "models/resumed": ({"all", "fr", "de", "right"}, "task", depth),
    }
    failed = Answered(project, "models/retried", "v1")
    assert failed.inputs == {"all", "fr", "de", "wrong"}


def test_a_baseline_is_read_and_is_nobodys_ancestor(project):
    down = project.get("data/champion/instances/latest/lineage?direction=down")
    assert [(link["relation"], link["roles"]) for link in down["links"]] == [("consumes", ["baseline"])]
    impact = project.get("lineage/impact?focus=data/champion")
    assert [node["key"] for node in impact["nodes"]] == ["champion"]


def test_a_process_of_an_app_is_a_session(project):
    run_script(project, APP)
    first, second = (Answered(project, "data/report", version) for version in ("v1", "v2"))
    assert (first.inputs, first.made["by"]) == ({"all"}, "session")
    assert (second.inputs, second.made["by"]) == ({"all", "right"}, "session")


def test_rebuilt_from_metaflow_alone_it_is_equal(project, tmp_path):
    reconcile(project.site, project.folder)
    with served_from(tmp_path / "site", ASSETSITE_CARD_ROOTS=str(project.folder / ".metaflow")) as empty:
        empty.manage("rebuild", "--root", str(project.folder / ".metaflow"))
        again = Project(project.folder, empty, project.name)
        assert answers(again) == answers(project)
        for asset in ("data/fr_a", "models/total"):
            one, other = (each.get(f"{asset}/instances/latest") for each in (project, again))
            assert one["digest"]
            assert [other[name] for name in ("digest", "position", "run")] == [
                one[name] for name in ("digest", "position", "run")
            ], json.dumps(other)
