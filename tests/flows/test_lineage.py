"""Lineage of flows whose client says less than ours: their run's tags tell the branch that they write to."""

import pytest

from tests.conftest import served_from
from tests.flows.test_thread import Project

pytestmark = pytest.mark.flows

READER = """
    import os
    import requests
    from metaflow import FlowSpec, current, step

    ROWS = os.environ["ASSETSITE_URL"] + "/v1/perimeters/default/projects/tagged/branches/main/data/rows"

    def who():
        return {"entity_kind": "task", "entity_id": current.pathspec}

    class ReaderFlow(FlowSpec):
        @step
        def start(self):
            made = requests.patch(ROWS, json={"entity_ref": who(), "data_asset_kind": "artifact"}, timeout=30)
            made.raise_for_status()
            self.next(self.end)

        @step
        def end(self):
            pass

    class TaggedFlow(FlowSpec):
        @step
        def start(self):
            requests.put(f"{ROWS}/instances/latest", json={"entity_ref": who()}, timeout=30).raise_for_status()
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        {flow}()
"""


@pytest.mark.long
def test_a_tag_of_the_run_tells_the_branch_that_its_client_did_not_say(tmp_path):
    folder = tmp_path / "project"
    with served_from(tmp_path / "site", ASSETSITE_CARD_ROOTS=str(folder / ".metaflow")) as site:
        project = Project(folder, site, "tagged")
        project.write(READER.replace("{flow}", "ReaderFlow"))
        assert project.run().ok
        project.write(READER.replace("{flow}", "TaggedFlow"))
        run = project.run(after=("--tag", "asset_write_branch:feature/x"))
        assert run.ok, run.output

        produced = ("ReaderFlow on main", "produces", "rows on main")
        assert project.arrows("main") == {produced, ("rows on main", "consumes", "TaggedFlow on ?")}
        assert site.manage("learn_branches").strip() == "1 runs found out."
        assert project.arrows("main") == {produced, ("rows on main", "consumes", "TaggedFlow on feature_x")}
        assert site.manage("learn_branches").strip() == "0 runs found out."
        assert "0 corrections" in site.manage("recount")
