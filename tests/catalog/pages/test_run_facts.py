"""What pages say of the run that made a version, and which versions have the same content."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from catalog import recording
from catalog.entities import Entity
from catalog.models import Instance, Run
from catalog.pagekit.run_facts import value_text
from catalog.recording import AssetAddress, Registration, Told
from catalog.states import State

from .conftest import text_of

ASSET = "/alpha/churn/main/models/churn_model"
COMMIT = "6a20eaa0b2c4d6e8f00112233445566778899aab"
STARTED = datetime(2026, 11, 30, 8, tzinfo=UTC)
FACTS = {
    "user": "grace",
    "started_at": STARTED,
    "metaflow_version": "2.19.39",
    "python_version": "3.11.7",
    "repository": "https://github.com/acme/churn",
    "commit": COMMIT,
    "dirty": True,
    "git_branch": "feature/x",
    "parameters": {"alpha": 0.2, "epochs": 10, "mode": "fast", "columns": ["age", "plan"], "fourth": True},
    "configs": {"model": {"depth": 6}},
    "left_out": ["api_key"],
    "tags": ["nightly"],
    "graph": None,
    "origin": "TrainFlow/17",
}
NOTHING = dict.fromkeys(FACTS) | {"user": "", "metaflow_version": "", "python_version": "", "repository": ""}
NOTHING |= {"commit": "", "git_branch": "", "origin": ""}
SESSION = "s_" + "0a" * 10


def made(world, facts=None, asset="models/churn_model", who=("task", "TrainFlow/18/train/1"), **told):
    """A version whose writer tells `facts` of its run."""
    at = AssetAddress(world.branch(), *asset.split("/"))
    told = Told(**told, facts=None if facts is None else NOTHING | facts)
    what = Registration(asset_kind="artifact")
    return recording.register(actor="ada", at=at, entity=Entity(*who), what=what, told=told)


def words(answer):
    """A page as its reader has it: without markup, each run of white space as one space."""
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<(head|script)\b.*?</\1>", "", text_of(answer), flags=re.DOTALL))
    return re.sub(r"\s+", " ", unescape(text))


class TestInstance:
    def test_a_line_says_the_commit_and_the_first_parameters(self, world, vic):
        made(world, FACTS)
        page = vic.get(f"{ASSET}/v1")
        assert "From commit 6a20eaa" in words(page)
        assert "with uncommitted changes alpha=0.2 epochs=10 fourth=true 3 more" in words(page)
        assert f'href="https://github.com/acme/churn/commit/{COMMIT}"' in text_of(page)
        assert f'data-copy="{COMMIT}"' in text_of(page)

    def test_all_that_is_known_of_its_run_is_there(self, world, vic):
        made(world, FACTS)
        Run.objects.filter(name="TrainFlow/18").update(
            state="succeeded", finished_at=STARTED + timedelta(minutes=4, seconds=10)
        )
        page = words(vic.get(f"{ASSET}/v1"))
        for told in (
            "by grace",
            "succeeded after 4 min 10 s",
            "resumes flow TrainFlow/17",
            "git branch feature/x",
            "repository https://github.com/acme/churn",
            "Metaflow 2.19.39, Python 3.11.7",
            "run's tags nightly",
            'columns ["age", "plan"]',
            'Configs model {"depth": 6}',
            "Not told on purpose: api_key",
        ):
            assert told in page, told
        assert "Not told:" not in page
        assert "2026-11-30 08:00:00 UTC" in text_of(vic.get(f"{ASSET}/v1"))

    def test_what_was_not_told_is_one_sentence(self, world, vic):
        made(world, {"commit": COMMIT, "user": "grace", "parameters": {}})
        page = words(vic.get(f"{ASSET}/v1"))
        untold = "when it started, how it ended, whether there were changes beside the commit and the versions"
        assert f"Not told: {untold} of Metaflow and Python." in page
        assert "uncommitted" not in page
        assert "Parameters" not in page

    def test_a_duration_is_never_guessed(self, world, vic):
        made(world, {"commit": COMMIT})
        Run.objects.update(state="failed", finished_at=STARTED)
        assert "failed after" not in words(vic.get(f"{ASSET}/v1"))

    @pytest.mark.parametrize("forgotten", [False, True])
    def test_a_run_that_nobody_told_of_takes_no_room(self, world, vic, forgotten):
        made(world)
        if forgotten:
            Run.objects.all().delete()  # as of an older catalogue
        page = words(vic.get(f"{ASSET}/v1"))
        assert "Nothing else was told of its run." in page
        assert "Not told:" not in page
        assert "From commit" not in page

    def test_a_session_says_whose_it_is_and_since_when(self, world, vic):
        made(world, {"started_at": STARTED, "user": "ada"}, who=("user", "ada"), session=SESSION)
        page = words(vic.get(f"{ASSET}/v1"))
        assert re.search(rf"session {SESSION} of ada since .*? Not told: the commit", page)
        assert "how it ended" not in page
        assert vic.get(f"{ASSET}/v1.json").json()["run"]["kind"] == "session"

    def test_who_has_neither_run_nor_session_has_nothing_to_say(self, world, vic):
        made(world, who=("user", "ada"))
        assert "told" not in words(vic.get(f"{ASSET}/v1"))

    def test_the_position_in_the_run_is_told(self, world, vic):
        made(world, foreach_path="loop:1,inner:0", iteration=2)
        assert "foreach loop:1, inner:0 iteration 2" in words(vic.get(f"{ASSET}/v1"))

    def test_runs_lead_to_metaflow_where_it_has_pages_and_else_to_the_flow(self, world, vic, settings):
        made(world, FACTS)
        assert 'href="/alpha/churn/main/flows/TrainFlow#runs"' in text_of(vic.get(f"{ASSET}/v1"))
        settings.METAFLOW_UI_URL = "https://ui.example.org"
        page = text_of(vic.get(f"{ASSET}/v1"))
        for run in ("TrainFlow/18", "TrainFlow/17"):
            assert f'href="https://ui.example.org/{run}"' in page

    def test_values_of_strangers_are_text(self, world, vic):
        made(world, FACTS | {"parameters": {"<b>": "<script>alert(1)</script>"}, "repository": "javascript:alert(1)"})
        page = text_of(vic.get(f"{ASSET}/v1"))
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert 'href="javascript' not in page

    def test_the_twin_has_the_run_too(self, world, vic):
        made(world, FACTS)
        run = vic.get(f"{ASSET}/v1.json").json()["run"]
        assert (run["id"], run["commit"], run["dirty"], run["origin"]) == ("TrainFlow/18", COMMIT, True, "TrainFlow/17")

    def test_a_reader_says_in_which_role(self, world, vic):
        read(world, made(world), role="baseline")
        assert "task ScoreFlow/1/score/1 as baseline" in words(vic.get(f"{ASSET}/v1"))
        assert vic.get(f"{ASSET}/v1.json").json()["consumed_by"][0]["role"] == "baseline"


def read(world, instance, **how):
    asset = world.asset("models/churn_model")
    who = Entity("task", "ScoreFlow/1/score/1")
    recording.consume(
        actor="ada", asset=asset, instance=instance, reference="v1", entity=who, write_branch="main", **how
    )


@pytest.fixture
def contents(world):
    """v1, v3 and v4 with one content, v2 with another, v5 of unknown content, v6 that has failed."""
    for digest in ("a", "b", "a", "a", None):
        world.register("models/churn_model", digest=digest)
    world.register("models/churn_model", digest="a", state=State.FAILED)
    return world


class TestSameContent:
    def test_an_instance_names_the_others_with_its_content(self, contents, vic):
        page = text_of(vic.get(f"{ASSET}/v3"))
        assert "same content as v1 , v4" in words(vic.get(f"{ASSET}/v3"))
        assert f'href="{ASSET}/v4"' in page
        assert "same content" not in words(vic.get(f"{ASSET}/v2"))
        assert "content" not in words(vic.get(f"{ASSET}/v5")).replace("Skip to content", "")
        refs = ("v1", "v3", "v4", "v5")
        assert [vic.get(f"{ASSET}/{ref}.json").json()["same_as"] for ref in refs] == [None, "v1", "v1", None]

    def test_many_of_them_are_in_a_table_of_their_own(self, contents, vic):
        for _ in range(6):
            contents.register("models/churn_model", digest="a")
        link = re.search(
            r'same content as .*? and <a class="subtle" href="([^"]+)">more', text_of(vic.get(f"{ASSET}/v3"))
        )
        assert unescape(link[1]) == f"{ASSET}?same_as=v3#instances"
        assert "same content as" in words(vic.get(link[1].partition("#")[0]))
        assert Instance.objects.filter(digest="a", state=State.READY).count() == 9

    def test_the_table_says_of_each_version_which_earlier_one_it_equals(self, contents, vic):
        page = text_of(vic.get(ASSET))
        rows = dict(re.findall(r'<a class="title" href="[^"]*"><code>(v\d)</code>.*?(same as v\d|</td>)', page))
        assert rows == {
            "v6": "</td>",
            "v5": "</td>",
            "v4": "same as v1",
            "v3": "same as v1",
            "v2": "</td>",
            "v1": "</td>",
        }
        twin = vic.get(f"{ASSET}.json").json()["instances"]
        assert [row["same_as"] for row in twin] == [None, None, "v1", "v1", None, None]

    def test_the_table_offers_and_takes_the_filter(self, contents, vic):
        assert "same content as v1" in words(vic.get(ASSET))
        page = text_of(vic.get(f"{ASSET}?same_as=v1"))
        assert re.findall(r'class="title" href="[^"]*/(v\d)"', page) == ["v6", "v4", "v3", "v1"]

    def test_the_first_version_may_be_on_another_page(self, world, vic):
        for _ in range(25):
            world.register("models/churn_model", digest="a")
        assert text_of(vic.get(ASSET)).count("same as v1</a>") == 20


class TestReaders:
    def test_an_asset_says_who_read_it_in_which_role(self, world, vic):
        instance = made(world)
        read(world, instance)
        read(world, instance, role="baseline")
        page = words(vic.get(ASSET))
        assert page.count("ScoreFlow as baseline") == 1
        assert [use["role"] for use in vic.get(f"{ASSET}.json").json()["consumed_by"]] == ["baseline", None]

    def test_flows_lead_to_their_pages(self, world, vic):
        read(world, made(world))
        page = text_of(vic.get(ASSET))
        for flow in ("TrainFlow", "ScoreFlow"):
            assert f'href="/alpha/churn/main/flows/{flow}"' in page
        assert 'href="/alpha/churn/main/flows/TrainFlow"' in text_of(vic.get(f"{ASSET}/v1"))
        made(world, who=("user", "ada"))
        assert 'href="/alpha/churn/main/people/ada"' in text_of(vic.get(f"{ASSET}/v2"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        ("text", "text"),
        (True, "true"),
        (None, "null"),
        ({"a": "é"}, '{"a": "é"}'),
        (
            {"_omitted": {"digest": "sha256:" + "ab" * 32, "length": 12345}},
            f"left out: 12,345 characters, sha256:{'ab' * 6}…",
        ),
        ({"_omitted": {"file": "query"}}, "file query"),
        ({"_omitted": 1}, '{"_omitted": 1}'),
        ({"_omitted": {"length": "x", "digest": 3}}, '{"_omitted": {"length": "x", "digest": 3}}'),
    ],
)
def test_a_value_is_text(value, text):
    assert value_text(value) == text
