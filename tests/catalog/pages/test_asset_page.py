"""The page of an asset."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from catalog import recording
from catalog.recording import Declaration
from catalog.states import State

from .conftest import text_of

ASSET = "/alpha/churn/main/models/churn_model"


def versions(answer):
    """The rows of the instances' table."""
    return re.findall(r'<a class="title" href="[^"]*"><code>(v\d+)</code>', text_of(answer))


def test_the_page_says_who_made_and_who_uses_the_asset(full, vic):
    page = text_of(vic.get(ASSET))
    used = page[page.index("<h2>Used by") : page.index("<h2>Made by")]
    assert used.count("ScoreFlow</bdi>") == 2
    assert "dashboard" in used
    assert "ScoreFlow/1/score/1" in used
    made = page[page.index("<h2>Made by") : page.index('id="instances"')]
    assert "TrainFlow/3/train/1" in made
    assert '<td class="number" data-label="Times">3</td>' in made


def test_a_consumer_on_another_branch_is_named_with_its_branch(full, vic):
    page = text_of(vic.get(ASSET))
    used = page[page.index("<h2>Used by") : page.index("<h2>Made by")]
    assert 'href="/alpha/churn/feature_new_model"><code><bdi>feature/new-model' in used
    assert "user.alice" not in used


def test_a_consumer_of_another_project_is_named_with_its_project(full, vic):
    from catalog.entities import Entity

    recording.consume(
        actor="ada",
        asset=full.asset("models/churn_model"),
        instance=None,
        reference="latest",
        entity=Entity("task", "OfferFlow/1/start/1"),
        consumer_project="offers",
        write_branch="main",
    )
    assert "offers / main" in text_of(vic.get(ASSET))


def test_the_branch_menu_leads_to_the_same_asset_where_there_is_one(full, vic):
    full.register("data/other", branch="empty")
    page = text_of(vic.get(ASSET))
    assert 'href="/alpha/churn/feature_new_model/models/churn_model"' in page
    assert "no churn_model" in page


def test_code_to_use_it(full, vic):
    full.register("data/tables", asset_kind="s3_object", blobs=["s3://bucket/key"])
    assert 'self.prj.get_model(\n    "churn_model")' in unescape(text_of(vic.get(ASSET)))
    external = unescape(text_of(vic.get("/alpha/churn/main/data/tables")))
    assert 'self.prj.asset.consume_data_asset(\n    "tables")' in external


def test_a_definition_alone(full, vic):
    page = text_of(vic.get("/alpha/churn/main/models/small_llama"))
    assert "No instance yet: <code>latest</code> answers with this definition." in page
    assert "llama3-1-8b" in page
    assert "consume_model_asset" in page
    assert "<iframe" not in page


def test_the_newer_pending_one_stands_above_the_newest_ready(full, vic):
    full.register("models/churn_model", "TrainFlow/9/train/1", state=State.PENDING)
    page = text_of(vic.get(ASSET))
    assert "v4 is on its way" in page
    assert page.index("v4 is on its way") < page.index("Card of v3")


def test_a_newer_failed_one_is_told(full, vic):
    full.register("models/churn_model", "TrainFlow/9/train/1", state=State.FAILED)
    page = text_of(vic.get(ASSET))
    assert "v4 failed" in page
    assert "the newest ready one is v3" in page


def test_an_asset_that_has_only_failed(world):
    world.register("models/broken", state=State.FAILED)
    page = text_of(world.client().get("/alpha/churn/main/models/broken"))
    assert "None ready" in page


def test_instances_are_filtered_by_state_tag_and_text(full, vic):
    full.register("models/churn_model", "TrainFlow/9/train/1", state=State.FAILED, tags={"env": "dev"})
    assert versions(vic.get(ASSET)) == ["v4", "v3", "v2", "v1"]
    assert versions(vic.get(f"{ASSET}?state=failed")) == ["v4"]
    assert versions(vic.get(f"{ASSET}?tag=env=prod")) == ["v3", "v2", "v1"]
    assert versions(vic.get(f"{ASSET}?q=TrainFlow/2")) == ["v2"]
    assert "No instance matches these filters." in text_of(vic.get(f"{ASSET}?tag=none"))


def test_the_search_among_instances_keeps_the_other_filters(full, vic):
    page = text_of(vic.get(f"{ASSET}?state=ready&q=TrainFlow/2&before=9"))
    form = page[page.index(f'action="{ASSET}#instances"') : page.index("</form>", page.index('id="instances"'))]
    assert '<input type="hidden" name="state" value="ready">' in form
    assert 'value="TrainFlow/2"' in form
    assert "before" not in form


def test_instances_are_paged_in_both_directions(world):
    vic = world.client()
    for number in range(1, 46):
        world.register("data/many", tags={"odd": str(number % 2)})
    page = vic.get("/alpha/churn/main/data/many")
    seen = [versions(page)]
    while older := re.search(r'href="([^"]*)" rel="next"', text_of(page)):
        page = vic.get(unescape(older[1]))
        seen.append(versions(page))
    assert [name for names in seen for name in names] == [f"v{number}" for number in range(45, 0, -1)]
    assert len(seen) == 3
    newer = re.search(r'href="([^"]*)" rel="prev"', text_of(page))
    assert versions(vic.get(unescape(newer[1]))) == seen[1]
    assert 'rel="prev"' not in text_of(vic.get("/alpha/churn/main/data/many"))
    filtered = vic.get("/alpha/churn/main/data/many?tag=odd=1&before=7")
    assert versions(filtered) == ["v5", "v3", "v1"]


def test_htmx_gets_the_instances_alone(full, vic):
    part = vic.get(ASSET, headers={"HX-Target": "instances"})
    assert text_of(part).lstrip().startswith('<section class="sheet" id="instances"')
    assert "HX-Target" in part.headers["Vary"]


def test_properties_say_what_a_person_and_a_deploy_made_of_them(full, vic):
    asset = full.asset("models/small_llama")
    recording.override_property(user=None, actor="ada", asset=asset, key="bedrock", value="llama4")
    recording.override_property(user=None, actor="ada", asset=asset, key="pager", value="#oncall")
    page = unescape(text_of(vic.get("/alpha/churn/main/models/small_llama")))
    assert 'title="declared llama3-1-8b; changed by ada">edited' in page
    assert 'title="not declared; changed by ada">added' in page
    assert "has changed since" not in page
    full.deploy(models__small_llama=Declaration({"bedrock": "llama5"}))
    page = unescape(text_of(vic.get("/alpha/churn/main/models/small_llama")))
    assert "<bdi>llama4</bdi>" in page
    assert "from <bdi>llama3-1-8b</bdi> to <bdi>llama5</bdi>" in page


def test_a_definition_shows_what_it_refers_to_and_its_kind(full, vic):
    full.deploy(models__llm=Declaration({}, asset_kind="vlm", declared_blobs=["org/llm <8B>", {"revision": 2}]))
    page = unescape(text_of(vic.get("/alpha/churn/main/models/llm")).replace("<wbr>", ""))
    blobs = page[page.index("<h2>Declared blobs") :]
    assert "<bdi>org/llm <8B></bdi>" in blobs
    assert '<bdi>{"revision": 2}</bdi>' in blobs
    assert "Declared as <bdi>vlm</bdi>" in page
    assert 'blobs = reference["model_properties"]["blobs"]' in page


def test_only_who_may_edit_is_led_to_the_admin(full):
    assert "Edit properties" in text_of(full.client("ada").get(ASSET))
    assert "Edit properties" not in text_of(full.client("vic").get(ASSET))


def test_activity_is_told_newest_first(full, vic):
    page = text_of(vic.get(ASSET))
    feed = page[page.index("<h2>Activity") :]
    assert feed.index("dashboard") < feed.index("pointed") < feed.index("v3</a> registered") < feed.index("v1</a>")


def test_aliases_and_their_history(full, vic):
    model = full.asset("models/churn_model")
    full.alias("production", model.instances.get(number=1))
    page = text_of(vic.get(ASSET))
    assert f'href="{ASSET}/aliases">history' in page
    history = text_of(vic.get(f"{ASSET}/aliases"))
    assert re.findall(r'data-label="(?:From|To)">(?:<a[^>]*><code>|<span class="faint">)([^<]*)', history) == [
        "v3",
        "v1",
        "\N{EN DASH}",
        "v3",
    ]
    assert [entry["alias_name"] for entry in vic.get(f"{ASSET}/aliases.json").json()["entries"]] == ["production"] * 2


def test_html_in_names_is_shown_as_text(world):
    evil = '<script>alert(1)</script>"onmouseover="x'
    world.register(
        "models/evil",
        f"{evil.replace('/', '')}/1/s/1",
        description=evil,
        annotations={evil: 1.5, "note": evil},
        tags={evil: evil},
        blobs=[evil],
    )
    world.deploy(
        spec={"title": evil, "markdown": f"# x\n\n{evil}", "ci_url": "javascript:alert(1)"},
        models__evil=Declaration({evil: evil}, name=evil, readme=evil, icon="<b>"),
    )
    world.consume("models/evil", evil, kind="deployment", branch=f"feature/{evil}")
    vic = world.client()
    for page in ("/", "/alpha/churn", "/alpha/churn/main", "/alpha/churn/main/models", "/alpha/churn/main/models/evil"):
        assert_harmless(text_of(vic.get(page)))
    assert_harmless(text_of(vic.get("/alpha/churn/main/models/evil/v1")))
    assert_harmless(text_of(vic.get("/alpha/churn/main/models?tag=" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E")))


class Elements(HTMLParser):
    """Fails if markup of users has become elements or attributes of the page."""

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        assert "onmouseover" not in said
        assert not (said.get("href") or "").startswith("javascript:")
        assert tag != "script" or said.get("src", "").startswith("/static/")


def assert_harmless(page):
    assert "alert(1)" in page
    Elements().feed(page)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_an_asset_beats_the_suffix_of_a_twin(full, vic, suffix):
    full.register(f"models/churn_model{suffix}", "Other/1/start/1")
    page = vic.get(ASSET + suffix)
    assert page.headers["Content-Type"].startswith("text/html")
    assert f"<h1><bdi>churn_model{suffix}</bdi></h1>" in text_of(page)
    if suffix == ".json":
        assert vic.get(f"{ASSET}.json.json").json()["asset"]["id"] == "churn_model.json"


def test_the_twin_says_the_same(full, vic):
    twin = vic.get(f"{ASSET}.json").json()
    assert twin["asset"]["id"] == "churn_model"
    assert [instance["ref"] for instance in twin["instances"]] == ["v3", "v2", "v1"]
    assert twin["aliases"] == {"production": "v3"}
    assert {(use["component"]["name"], use["branch"]) for use in twin["consumed_by"]} == {
        ("ScoreFlow", "main"),
        ("ScoreFlow", "feature_new_model"),
        ("dashboard", "main"),
    }
    assert twin["produced_by"][0]["count"] == 3
    assert [row["ref"] for row in vic.get(f"{ASSET}.json?before=3").json()["instances"]] == ["v2", "v1"]
