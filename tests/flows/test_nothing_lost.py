"""Whatever happens to the server while flows run: after `reconcile` it has what they did, exactly once each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Server, Site
from tests.flows.faulty_proxy import HANGS_FOR, FaultyProxy
from tests.obproject.flows import FlowRun, run_flow, write_flow

pytestmark = pytest.mark.flows

MANY = """
    from metaflow import Parameter, step
    from obproject import ProjectFlow

    class ManyFlow(ProjectFlow):
        count = Parameter("count", default=10, type=int)

        @step
        def start(self):
            self.rows = list(range(3))
            self.prj.register_data("rows", "rows")
            self.next(self.work)

        @step
        def work(self):
            for index in range(self.count):
                self.prj.register_external_data(f"part{index % 4}", [f"s3://parts/{index}"], "s3", {"index": index})
            self.parts = [1, 2, 3, 4]
            self.next(self.each, foreach="parts")

        @step
        def each(self):
            self.part = self.input
            for again in range(2):
                self.prj.register_model("model", "part", annotations={"index": f"{self.input}/{again}"})
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        ManyFlow()
"""

READER = """
    from metaflow import step
    from obproject import ProjectFlow

    class ReaderFlow(ProjectFlow):
        @step
        def start(self):
            assert self.prj.get_data("rows") == [0, 1, 2]
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        ReaderFlow()
"""

CAUGHT = """
    from metaflow import catch, step
    from obproject import ProjectFlow

    class CaughtFlow(ProjectFlow):
        @catch(var="problem")
        @step
        def start(self):
            self.model = {"epochs": 1}
            self.prj.register_model("half", "model")
            raise RuntimeError("out of memory in epoch 2")
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        CaughtFlow()
"""


class Project:
    """A folder of its own with a flow, and what the site says of it."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.name = f"lost_{folder.name}"

    def run(self, source: str, url: str | None, *parameters: str, **settings: str) -> FlowRun:
        write_flow(self.folder, source, f'project = "{self.name}"\n')
        return run_flow(self.folder, url, after=parameters, settings=settings)

    def reconcile(self) -> str:
        return self.site.manage("reconcile", "--root", str(self.folder / ".metaflow"))

    def get(self, path: str) -> dict[str, Any]:
        url = f"{self.site.url}/v1/perimeters/default/projects/{self.name}/branches/user_alice/{path}"
        answer = requests.get(url, timeout=20)
        return answer.json() if answer.ok else {"recent_instances": [], "recently_consumed_by": []}

    def instances(self, asset: str) -> list[dict[str, Any]]:
        return self.get(f"{asset}?state=any&page_size=200")["recent_instances"]

    def indices(self, *assets: str) -> Counter[Any]:
        found = (instance for asset in assets for instance in self.instances(asset))
        properties = (one.get("data_properties") or one.get("model_properties") for one in found)
        return Counter(one["annotations"]["index"] for one in properties)

    def assert_equals_what_was_done(self, count: int) -> None:
        """Each registration of ManyFlow is there once, ready, and the numbers of each asset have no gap."""
        parts = [f"data/part{n}" for n in range(min(4, count))]
        assert self.indices(*parts) == Counter(range(count))
        assert self.indices("models/model") == Counter(f"{part}/{again}" for part in (1, 2, 3, 4) for again in (0, 1))
        assert len(self.instances("data/rows")) == 1
        for asset in (*parts, "models/model", "data/rows"):
            instances = self.instances(asset)
            assert {one["state"] for one in instances} == {"ready"}, asset
            assert sorted(one["number"] for one in instances) == list(range(1, len(instances) + 1))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("fragile"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Project:
    return Project(server.site, tmp_path)


@pytest.mark.long
def test_a_flow_whose_server_is_down_loses_nothing(project: Project) -> None:
    run = project.run(MANY, "http://127.0.0.1:9", ASSETSITE_RETRIES="0")
    assert run.ok, run.output
    told = [line for line in run.said() if "kept with the run" in line]
    assert len(told) == 6, "one line for each task that registers"
    assert project.instances("data/rows") == []

    project.reconcile()
    project.assert_equals_what_was_done(10)

    before = [project.instances(asset) for asset in ("data/rows", "data/part0", "models/model")]
    project.reconcile()
    assert [project.instances(asset) for asset in ("data/rows", "data/part0", "models/model")] == before


@pytest.mark.long
def test_consumptions_are_backfilled_once_each(project: Project) -> None:
    assert project.run(MANY, project.site.url).ok
    with FaultyProxy(project.site.url) as proxy:
        proxy.next_fault = iter(["none", *["error before"] * 50]).__next__  # type: ignore[method-assign]
        run = project.run(READER, proxy.url, ASSETSITE_RETRIES="1")
    assert run.ok, run.output
    assert project.get("data/rows")["recently_consumed_by"] == []

    project.reconcile()
    project.reconcile()
    (consumption,) = project.get("data/rows")["recently_consumed_by"]
    assert consumption["entity_ref"]["entity_id"].startswith("ReaderFlow/")
    assert consumption["instance_id"] == project.instances("data/rows")[0]["id"]
    assert consumption["branch"] == "user_alice"


@pytest.mark.long
@pytest.mark.parametrize("answered", ["nothing", "all but the confirmation", "all"])
def test_what_a_caught_step_registered_has_failed_whoever_says_so(project: Project, answered: str) -> None:
    with FaultyProxy(project.site.url) as proxy:
        well = {"nothing": 0, "all but the confirmation": 1, "all": 9}[answered]
        faults = iter(["none"] * well + ["error before"] * 50)
        proxy.next_fault = faults.__next__  # type: ignore[method-assign]
        run = project.run(CAUGHT, proxy.url, ASSETSITE_RETRIES="0")
    assert run.ok, run.output
    before = [one["state"] for one in project.instances("models/half")]
    assert before == {"nothing": [], "all but the confirmation": ["pending"], "all": ["failed"]}[answered]

    project.reconcile()
    [half] = project.instances("models/half")
    reason = "the step raised RuntimeError: out of memory in epoch 2, caught by @catch"
    assert (half["state"], half["state_reason"]) == ("failed", reason)
    [told] = project.get("runs")["runs"]
    assert told["state"] == "succeeded"


@pytest.mark.both
@pytest.mark.long
def test_a_server_killed_in_the_middle_of_its_registrations_and_restarted(project: Project, server: Server) -> None:
    count = 200
    killed = threading.Event()

    def registered() -> int:
        return sum(project.indices(*(f"data/part{n}" for n in range(4))).values())

    def kill_and_restart() -> None:
        deadline = time.monotonic() + 60
        while registered() < count // 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        server.kill()
        killed.set()
        time.sleep(0.5)
        server.start()

    killer = threading.Thread(target=kill_and_restart)
    killer.start()
    run = project.run(MANY, project.site.url, "--count", str(count))
    killer.join()
    assert run.ok, run.output
    assert killed.is_set()

    project.reconcile()
    project.assert_equals_what_was_done(count)


@pytest.mark.long
def test_fault_2_a_server_that_fails_and_loses_answers_at_random_over_a_slow_network(project: Project) -> None:
    with FaultyProxy(project.site.url) as proxy:
        run = project.run(MANY, proxy.url, "--count", "40", ASSETSITE_TIMEOUT=str(HANGS_FOR * 0.8))
        assert run.ok, run.output
        assert {"error before", "bad gateway", "answer lost"} <= set(proxy.faults)

    project.reconcile()
    project.assert_equals_what_was_done(40)
