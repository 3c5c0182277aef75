"""Home, projects, and the overview of a branch."""

from datetime import UTC, datetime

import pytest

from catalog import recording
from catalog.recording import Declaration
from catalog.states import State

from .conftest import text_of

BRANCH = "/alpha/churn/main"


def section(page, first, then):
    return page[page.index(first) : page.index(then, page.index(first))]


def test_home_tells_which_projects_are_alive(full, vic):
    page = text_of(vic.get("/"))
    tile = section(page, 'href="/alpha/churn"', "</section>")
    assert "Churn prediction" in tile
    assert "1 data, 2 models" in tile
    assert 'href="/alpha/churn/feature_new_model"' in tile
    twin = vic.get("/index.json").json()
    assert [project["name"] for project in twin["projects"]] == ["churn"]
    assert twin["projects"][0]["branches"][0]["key"] == "main"


def test_a_project_with_many_branches_shows_the_first_few(full, vic):
    for number in range(9):
        full.register("data/features", branch=f"feature/b{number}")
    tile = section(text_of(vic.get("/")), 'href="/alpha/churn"', "</section>")
    assert tile.index("/alpha/churn/main") < tile.index("feature_b8")
    assert "7 more branches" in tile
    branches = [row["key"] for row in vic.get("/alpha/churn.json").json()["branches"]]
    assert branches[:2] == ["main", "feature_b8"]
    assert len(branches) == 11


def test_home_and_project_search_by_name(full, vic):
    full.register("data/comic", project="xkcd")
    assert [row["name"] for row in vic.get("/index.json?q=xk").json()["projects"]] == ["xkcd"]
    assert [row["key"] for row in vic.get("/alpha/churn.json?q=new").json()["branches"]] == ["feature_new_model"]
    assert "No project is named like that." in text_of(vic.get("/?q=zzz"))
    assert "No branch is named like that." in text_of(vic.get("/alpha/churn?q=zzz"))


def test_a_project_beats_the_suffix_of_a_twin(full, vic):
    full.register("data/x", project="churn.json")
    assert vic.get("/alpha/churn.json").headers["Content-Type"].startswith("text/html")
    assert vic.get("/alpha/churn.json.json").json()["project"]["name"] == "churn.json"


def test_the_switch_lists_are_bounded(full, vic):
    for number in range(105):
        full.register("data/x", branch=f"feature/b{number}")
    page = text_of(vic.get("/alpha/churn/feature_b1"))
    menu = section(page, 'aria-label="Other branches"', "</details>")
    assert menu.count("<li>") == 101
    assert 'href="/alpha/churn/feature_b1" aria-current="true"' in menu
    assert 'href="/alpha/churn"><bdi>All branches</bdi>' in menu


def test_the_overview_answers_the_three_questions(full, vic):
    page = text_of(vic.get(BRANCH))
    row = section(page, ">churn_model</bdi>", "</tr>")
    assert "<code>v3</code>" in row
    assert "0.93" in row
    made, used = section(row, "Made by", "Used by"), row[row.index("Used by") :]
    assert "TrainFlow" in made
    assert "ScoreFlow" in used
    assert "feature/new-model" in used
    assert "dashboard" in used


def test_the_overview_shows_the_readme_and_the_deploy(full, vic):
    full.deploy(
        spec={
            "title": "Churn",
            "markdown": "# Hello\n\nA [link](javascript:alert(1)), <b>html</b> and [docs](./docs/)",
            "ci_url": "https://ci.example.org/1",
            "deployment_events": [
                {
                    "commit_sha": "3f9c1ab2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6",
                    "commit_link": "https://git.example.org/3f9c1ab",
                    "owner": "ada@example.org",
                    "pr_title": "Retrain weekly",
                    "timestamp": datetime(2026, 1, 31, tzinfo=UTC).isoformat(),
                }
            ],
        }
    )
    page = text_of(vic.get(BRANCH))
    assert '<h3 id="readme-hello">Hello</h3>' in page
    assert "<b>html</b> and docs" in page
    assert 'href="javascript:' not in page
    assert 'href="https://ci.example.org/1"' in page
    assert 'href="https://git.example.org/3f9c1ab"' in page
    assert "Retrain weekly" in page
    assert "2026-01-31 00:00:00 UTC" in page
    deploy = vic.get(f"{BRANCH}.json").json()["deploy"]
    assert (deploy["by"], deploy["ci_url"]) == ("ci-bot", "https://ci.example.org/1")


@pytest.mark.parametrize("path", ["projects/churn", ".", None])
def test_relative_links_of_readmes_lead_to_the_deployed_commit_where_it_is_known(full, vic, path):
    commit = "3f9c1ab2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6"
    code = {"url": f"https://github.com/acme/churn/commit/{commit}", "path": path}
    model = Declaration({}, readme="[it](../../docs/a.md) ![b](b.png)", source="models/llama/asset_config.toml")
    full.deploy(spec={"markdown": "[it](docs/a.md)", "code": [code]}, models__small_llama=model)
    root = f"https://github.com/acme/churn/blob/{commit}/{'' if path == '.' else f'{path}/'}"
    overview, asset = (text_of(vic.get(page)) for page in (BRANCH, f"{BRANCH}/models/small_llama"))
    assert (f'href="{root}docs/a.md"' in overview, f'href="{root}docs/a.md"' in asset) == (bool(path), bool(path))
    assert (f'href="{root}models/llama/b.png"' in asset) == bool(path)


def test_a_long_readme_is_folded(full, vic):
    readme = "Some words.\n\n" * 60
    full.deploy(spec={"markdown": readme}, models__small_llama=Declaration({}, readme=readme))
    for page in (BRANCH, f"{BRANCH}/models/small_llama"):
        text = text_of(vic.get(page))
        before, folded = section(text, 'id="readme"', "</section>").split('<details class="fold">')
        assert (before.count("<p>"), folded.count("<p>")) == (21, 39)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "timestamp",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-01-31T12:00:00+99:99",
        "\N{ARABIC-INDIC DIGIT TWO}026-01-31",
        "yesterday",
        5,
    ],
)
def test_no_time_of_a_commit_breaks_the_page(full, vic, timestamp):
    full.deploy(spec={"deployment_events": [{"commit_sha": "3f9c1ab", "timestamp": timestamp}]})
    page = vic.get(BRANCH)
    assert page.status_code == 200
    assert "3f9c1ab" in text_of(page)
    assert vic.get(f"{BRANCH}.json").status_code == 200


def test_a_very_long_readme_is_cut_and_the_twin_has_the_whole(full, vic):
    assert "This is the beginning" not in text_of(vic.get(BRANCH))
    readme = "Some words.\n\n" * 6_000
    full.deploy(spec={"markdown": readme}, models__small_llama=Declaration({}, readme=readme))
    for page, twin in ((BRANCH, "deploy"), (f"{BRANCH}/models/small_llama", None)):
        text = text_of(vic.get(page))
        assert f'the whole text is in <a class="subtle" href="{page}.json">this page as JSON</a>' in text
        assert 1_000 < text.count("Some words.") < 6_000
        whole = vic.get(f"{page}.json").json()
        assert (whole[twin] if twin else whole)["readme"] == readme


def test_a_spec_of_any_shape_is_shown_without_failing(full, vic):
    wrong = {"markdown": 3, "ci_url": ["x"], "code": "x", "title": None}
    wrong["deployment_events"] = [
        None,
        {"timestamp": "2026-99-99T00:00:00Z", "commit_sha": 4, "commit_link": "http://["},
    ]
    full.deploy(spec=wrong)
    assert vic.get(BRANCH).status_code == 200
    assert vic.get(f"{BRANCH}.json").status_code == 200


def test_activity_tells_all_that_happened(full, vic):
    asset = full.asset("models/churn_model")
    recording.override_property(user=None, actor="ada", asset=asset, key="owner", value="growth")
    full.register("data/gone")
    recording.delete_asset(actor="eve", asset=full.asset("data/gone"))
    activity = vic.get(f"{BRANCH}.json").json()["activity"]
    assert [entry["what"] for entry in activity[:3]] == ["deleted", "edited", "consumed"]
    assert {entry["what"] for entry in activity} == {
        "registered",
        "consumed",
        "deployed",
        "alias",
        "edited",
        "deleted",
    }
    times = [entry["at"] for entry in activity]
    assert times == sorted(times, reverse=True)
    page = text_of(vic.get(BRANCH))
    feed = page[page.index("<h2>Activity") :]
    for words in ("deleted", "edited the property", "pointed", "registered by", "deployed"):
        assert words in feed


def test_activity_is_bounded(world):
    for number in range(40):
        world.register(f"data/asset_{number}")
    assert len(world.client().get(f"{BRANCH}.json").json()["activity"]) == 20


def test_what_needs_a_look_is_said(full, vic):
    assert 'class="alarms"' not in text_of(vic.get(BRANCH))
    full.register("models/churn_model", "TrainFlow/9/train/1", state=State.FAILED)
    llama = full.asset("models/small_llama")
    recording.override_property(user=None, actor="ada", asset=llama, key="bedrock", value="mine")
    full.deploy(models__small_llama=Declaration({"bedrock": "theirs"}))
    page = text_of(vic.get(BRANCH))
    assert "v4 failed; the latest is still v3." in page
    assert "The declared value of bedrock has changed since ada edited it." in page


def test_an_empty_branch_shows_the_lines_that_fill_it(world):
    world.deploy()
    page = text_of(world.client().get(BRANCH))
    assert "No assets on this branch yet." in page
    assert "self.prj.register_data(" in page


def test_a_git_name_leads_to_the_key(full, vic):
    for written in ("feature-new-model", "Feature/New-Model", "feature/new-model"):
        assert vic.get(f"/alpha/churn/{written}").headers["Location"] == "/alpha/churn/feature_new_model"
    answer = vic.get("/alpha/churn/feature-new-model/models/churn_model?q=x")
    assert answer.headers["Location"] == "/alpha/churn/feature_new_model/models/churn_model?q=x"
    assert vic.get("/alpha/churn/Main.json").headers["Location"] == "/alpha/churn/main.json"


def test_a_name_whose_key_belongs_to_another_branch_is_told_so(full, vic):
    own = vic.get("/alpha/churn/feature/new-model", follow=True)
    assert "belongs to the branch" not in text_of(own)
    for written in ("feature-new-model", "feature/new_model"):
        page = text_of(vic.get(f"/alpha/churn/{written}", follow=True))
        assert f"The key feature_new_model belongs to the branch feature/new-model, not to {written}." in page
    assert "belongs to" not in text_of(vic.get("/alpha/churn/feature_new_model"))
