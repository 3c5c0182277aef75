"""Which version an arrow means, in which role it was read, and which instances have the same content: as shown."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from catalog import recording
from catalog.entities import Entity
from lineage.answers import Answer, Question
from lineage.drawing import PageBranch, picture_of
from lineage.drawing.arrows import sentence_of
from lineage.graph import Kind, Link, Node, Relation, graph_of
from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import BRANCH, LINEAGE

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HERE = {"project": "churn", "branch": "main"}
MODEL = Node("d_1", Kind.MODEL, "Churn model", key="churn_model", version="v4", **HERE)
DASHBOARD = Node("c_1.main", Kind.DEPLOYMENT, "dashboard", **HERE)
TRAIN = Node("c_2.main", Kind.FLOW, "TrainFlow", **HERE)
READ = Link("d_1", "c_1.main", Relation.CONSUMES, NOW, NOW, 4, "v3", ("input",))


@pytest.fixture
def read(linked):
    """The dashboard and ScoreFlow read v1 of the model, a gate compared with it; then it was made again, twice."""
    model = linked.asset("models/churn_model")
    linked.consume("models/churn_model", "dashboard", kind="deployment")
    gate = Entity("task", "GateFlow/1/start/1")
    recording.consume(
        actor="ada",
        asset=model,
        instance=model.newest_ready,
        reference="latest",
        entity=gate,
        role="baseline",
        write_branch="main",
    )
    linked.register("models/churn_model", "TrainFlow/3/train/1", digest="sha256:1")
    linked.register("models/churn_model", "TrainFlow/4/train/1", digest="sha256:1")
    return linked


def pictured(*links, nodes=(MODEL, DASHBOARD, TRAIN), focus=(), question=Question.AROUND):
    answer = Answer(question, graph_of(nodes, links), NOW, focus=focus, found=len(nodes))
    return picture_of([answer], own=PageBranch("churn", "main"), now=NOW, open_url=str)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (READ, "v3 read by dashboard, newest v4, last just now, 4 times"),
        (Link("d_1", "c_1.main", Relation.CONSUMES, NOW, NOW, 1, "v4", ("input",)), "v4 read by dashboard"),
        (Link("d_1", "c_1.main", Relation.CONSUMES), "read by dashboard"),
        (Link("d_1", "c_1.main", Relation.CONSUMES, count=1, roles=("baseline",)), "as baseline"),
        (Link("d_1", "c_1.main", Relation.CONSUMES, count=1, roles=("baseline", "input")), "as baseline and input"),
        (Link("d_1", "c_1.main", Relation.PROMOTES, NOW, NOW, 1, "v2"), "promoted as v2, last just now, once"),
        (Link("d_1", "c_1.main", Relation.PRODUCES, version="v2", by="run"), "is presumed from the run"),
    ],
)
def test_an_arrow_says_all_that_is_known_of_it(link, said):
    assert said in sentence_of(link, MODEL, DASHBOARD, NOW)


def test_an_older_version_that_was_read_is_written_beside_its_arrow():
    drawn = pictured(READ, Link("c_2.main", "d_1", Relation.PRODUCES, NOW, NOW, 4, "v4"))
    assert [(one.link.target, one.link.version) for one in drawn.outdated] == [("c_1.main", "v3")]
    assert not pictured(Link("d_1", "c_1.main", Relation.CONSUMES, NOW, NOW, 4, "v4")).outdated


@pytest.mark.parametrize(("focus", "version"), [("c_1.main", "read v3, newest v4"), ("c_2.main", "v4"), ("d_1", "v4")])
def test_beside_a_focus_that_read_it_an_asset_says_both_versions(focus, version):
    drawn = pictured(READ, Link("c_2.main", "d_1", Relation.PRODUCES, NOW, NOW, 4, "v4"), focus=(focus,))
    model = next(one for one in drawn.nodes if one.node.id == "d_1")
    assert re.fullmatch(rf"chur.*odel · {version}", model.look.under)
    assert f", {version}" in model.whole


def test_if_there_is_no_room_for_the_id_the_versions_and_the_time_stay():
    now = Node("d_1", Kind.MODEL, "Churn model", key="churn_model", version="v4", at=NOW, **HERE)
    drawn = pictured(READ, nodes=(now, DASHBOARD), focus=("c_1.main",))
    [look] = [one.look for one in drawn.nodes if one.node.id == "d_1"]
    assert look.under + look.ago == "read v3, newest v4 · just now"


def test_only_what_was_read_as_nothing_but_a_baseline_is_drawn_as_one():
    for roles, is_one in ((("baseline",), True), (("baseline", "input"), False), (("evaluation",), False), ((), False)):
        drawn = pictured(Link("d_1", "c_1.main", Relation.CONSUMES, NOW, NOW, 1, "v4", roles))
        assert drawn.has_baselines == is_one
        assert [group.classes for group in drawn.link_groups] == ["consumes baseline" if is_one else "consumes"]


def test_instances_with_the_same_content_say_so():
    nodes = [
        Node("i_1", Kind.DATA, "scores", key="scores", version="v1", same_content=("i_2", "i_3", "i_gone"), **HERE),
        Node("i_2", Kind.DATA, "scores", key="scores", version="v2", same_content=("i_1", "i_3"), **HERE),
        Node("i_3", Kind.DATA, "copy", key="copy", project="churn", branch="x", same_content=("i_1", "i_2")),
        Node("i_4", Kind.DATA, "other", key="other", version="v1", same_content=("i_gone",), **HERE),
    ]
    drawn = {one.node.id: one for one in pictured(nodes=nodes, question=Question.EXACT).nodes}
    assert drawn["i_1"].look.under == "data · v1 = v2 +1"
    assert drawn["i_1"].whole.endswith("same content as v2, copy on x")
    assert drawn["i_4"].look.under == "data · v1"


def test_parts_of_a_run_say_which_part_they_are():
    run = {"kind": Kind.RUN, "name": "TrainFlow/1796001805066366", **HERE}
    parts = [
        Node(f"r_{n}", key=f"train_each_candidate, candidates_of_all_countries:{n}, inner:7", **run) for n in range(3)
    ]
    drawn = pictured(nodes=parts, question=Question.EXACT).nodes
    assert len({one.look.under for one in drawn}) == 3
    assert all("train_each_candidate, candidates_of_all_countries:" in one.whole for one in drawn)


def test_page_and_table_say_which_version_was_read(read, vic):
    page = unescape(text_of(vic.get(f"{LINEAGE}?sort=target")))
    assert re.search(r"<title>v1 read by dashboard, newest v3, last .*, once</title>", page)
    assert '<g class="versions"' in page
    assert "read, not the newest" in page
    rows = [row for row in page[page.index("<tbody") :].split("</tr>") if "churn_model" in row]
    (row,) = [row for row in rows if "dashboard" in row]
    assert "<code>v1</code> <span" in row
    assert "newest v3" in row
    assert "v3</code>" not in row
    assert any("produces" in row and "<code>v3</code></td>" in row for row in rows)


def test_a_reader_is_drawn_with_both_versions(read, vic):
    assert "read v1, newest v3" in text_of(vic.get(f"{LINEAGE}?focus=deployment/dashboard"))


def test_a_baseline_is_named_in_title_legend_and_table_and_can_be_asked_for(read, vic):
    page = text_of(vic.get(f"{LINEAGE}?sort=target"))
    assert '<g class="consumes baseline"' in page
    assert re.search(r"<title>v1 read by GateFlow, .*, as baseline</title>", page)
    assert "read as baseline" in page
    assert '<span class="relation">as baseline</span>' in page
    assert f'<a href="{LINEAGE}?sort=target&amp;role=baseline"><bdi>only baseline</bdi>' in page
    only = text_of(vic.get(f"{LINEAGE}?role=baseline"))
    assert f'<a href="{LINEAGE}" aria-label="Remove role baseline">' in only


def test_same_content_is_shown_on_the_lineage_of_an_instance(read, vic):
    read.consume("models/churn_model", "ScoreFlow/9/start/1")
    read.register("data/scores", "ScoreFlow/9/end/1", digest="sha256:1")
    page = text_of(vic.get(f"{BRANCH}/models/churn_model/v3/lineage?direction=both"))
    assert "v3 = scores" in page
    assert "same content as scores v2" in page


def test_the_page_says_of_which_runs_the_inputs_are_only_presumed(linked, vic):
    said = text_of(vic.get(f"{BRANCH}/models/churn_model/v1/lineage?depth=1"))
    assert "Which tasks of TrainFlow/1 could use what others had read is not known" in said
    said = text_of(vic.get(f"{BRANCH}/models/churn_model/v1/lineage?depth=6"))
    assert "Which tasks of 2 runs could use" in said
    assert "is not known" not in text_of(vic.get(f"{BRANCH}/data/events/v1/lineage?direction=up"))


def test_what_only_failed_attempts_read_is_no_number(linked, vic):
    scores = linked.asset("data/scores")
    recording.consume(
        actor="ada",
        asset=scores,
        instance=scores.newest_ready,
        reference="latest",
        entity=Entity("task", "LateFlow/1/start/1"),
        told=recording.Told(attempt=0),
        write_branch="main",
    )
    recording.confirm(
        actor="ada",
        perimeter=scores.branch.project.perimeter,
        entity=Entity("task", "LateFlow/1/start/1"),
        attempt=0,
        state="failed",
        reason="the task failed",
        uids=(),
    )
    for page in (f"{BRANCH}/data/scores", f"{BRANCH}/flows/LateFlow", f"{LINEAGE}?page=1"):
        assert "Every attempt that did it failed." in vic.get(page).content.decode()
    assert "by attempts that failed" in vic.get(LINEAGE).content.decode()
