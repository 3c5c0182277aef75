"""The listing: search, filters, sort and pages, all in the address and all without scripts."""

import re
from html import unescape

from catalog.recording import Declaration

from .conftest import text_of

MODELS = "/alpha/churn/main/models"


def titles(answer):
    """The names of the rows, in order."""
    return re.findall(r'<a class="title" href="[^"]*"><bdi>([^<]*)</bdi>', text_of(answer))


def test_a_row_tells_what_there_is_to_know(full, vic):
    page = text_of(vic.get(MODELS))
    row = page[page.index("churn_model</bdi></a>") : page.index("small_llama")]
    assert "@production <span>v3</span>" in row
    assert "<code>v3</code>" in row
    assert "0.93" in row
    assert "0.01" in row  # the change against v2
    assert "accuracy over 3 versions: from 0.91 to 0.93" in row
    assert "TrainFlow" in row
    assert 'class="tag"' in row
    assert '<td class="number" data-label="Used by">2</td>' in row


def test_a_definition_without_instances_is_a_row(full, vic):
    page = text_of(vic.get(MODELS))
    row = page[page.index("Small Llama") :]
    assert "state-definition" in row
    assert "declared" in row


def test_a_pending_instance_stands_beside_the_newest_ready_one(full, vic):
    full.register("models/churn_model", "TrainFlow/9/train/1", state="pending")
    page = text_of(vic.get(MODELS))
    assert "<code>v4</code>" in page
    assert "state-pending" in page
    assert "<code>v3</code>" in page


def test_search_finds_by_id_name_and_description(full, vic):
    assert titles(vic.get(f"{MODELS}?q=llama")) == ["Small Llama"]
    assert titles(vic.get(f"{MODELS}?q=CHURN")) == ["churn_model"]
    assert titles(vic.get(f"{MODELS}?q=nothing")) == []


def test_the_listing_of_both_kinds_filters_both(full, vic):
    assert 'action="/alpha/churn/main/assets"' in text_of(vic.get("/alpha/churn/main/assets"))
    assert set(titles(vic.get("/alpha/churn/main/assets"))) == {"churn_model", "features", "Small Llama"}


def test_filters_are_shown_as_chips_that_remove_them(full, vic):
    page = unescape(text_of(vic.get(f"{MODELS}?tag=env=prod&state=ready&sort=name")))
    assert titles(vic.get(f"{MODELS}?tag=env=prod")) == ["churn_model"]
    assert 'aria-label="Remove the filter tag env=prod"' in page
    assert f'href="{MODELS}?state=ready&sort=name"' in page
    assert f'href="{MODELS}?tag=env=prod&sort=name"' in page


def test_one_is_told_in_the_singular(world):
    vic = world.client()
    world.register("models/only")
    world.register("data/only")
    said = {
        page: re.search(r'<strong class="figures">(\d+)</strong> <span class="muted">([^<]*)', text_of(vic.get(page)))
        for page in (MODELS, "/alpha/churn/main/data", f"{MODELS}?q=on", f"{MODELS}/only", "/alpha/churn/main/assets")
    }
    assert [match.groups() for match in said.values()] == [
        ("1", "model"),
        ("1", "data asset"),
        ("1", "model where"),
        ("1", "instance"),
        ("2", "assets"),
    ]


def test_filters_combine(full, vic):
    full.register("models/other", tags={"env": "dev"})
    assert titles(vic.get(f"{MODELS}?tag=env&tag=env=dev")) == ["other"]
    assert titles(vic.get(f"{MODELS}?producer=TrainFlow&tag=env=prod")) == ["churn_model"]
    assert titles(vic.get(f"{MODELS}?annotation=accuracy%3E%3D0.92")) == ["churn_model"]
    assert titles(vic.get(f"{MODELS}?annotation=accuracy%3E0.99")) == []


def test_a_failed_newest_is_found_by_its_state(full, vic):
    full.register("models/broken", state="failed")
    assert titles(vic.get(f"{MODELS}?state=failed")) == ["broken"]


def test_nothing_found_leads_back_to_everything(full, vic):
    page = text_of(vic.get(f"{MODELS}?q=nothing"))
    assert "No model matches these filters." in page
    assert f'href="{MODELS}">Show all models' in page


def test_an_empty_listing_shows_the_lines_that_fill_it(full, vic):
    page = unescape(text_of(vic.get("/alpha/churn/feature_new_model/data")))
    assert "No data assets on this branch yet." in page
    assert 'self.prj.register_data("transactions", "rows")' in page


def test_sorting(world):
    vic = world.client()
    for name, versions in (("b", 1), ("c", 3), ("a", 2)):
        for _ in range(versions):
            world.register(f"data/{name}")
    world.consume("data/b")
    world.deploy(data__z=Declaration({}, name="Aardvark"))
    found = {sort: titles(vic.get(f"/alpha/churn/main/data?sort={sort}")) for sort in ("name", "-name", "refreshed")}
    assert found == {
        "name": ["a", "Aardvark", "b", "c"],
        "-name": ["c", "b", "Aardvark", "a"],
        "refreshed": ["b", "c", "a", "Aardvark"],
    }
    assert titles(vic.get("/alpha/churn/main/data")) == ["a", "c", "b", "Aardvark"]
    assert titles(vic.get("/alpha/churn/main/data?sort=-version")) == ["c", "a", "b", "Aardvark"]
    assert titles(vic.get("/alpha/churn/main/data?sort=-consumers"))[0] == "b"


def test_the_head_of_a_sorted_column_turns_it_around(full, vic):
    by_name = unescape(text_of(vic.get(f"{MODELS}?sort=name&q=l")))
    assert 'aria-sort="ascending"' in by_name
    assert f'href="{MODELS}?sort=-name&q=l"' in by_name
    newest_first = text_of(vic.get(MODELS))
    assert 'aria-sort="descending"' in newest_first
    assert f'href="{MODELS}?sort=refreshed"' in newest_first


def test_pages_of_fifty(world):
    vic = world.client()
    for number in range(53):
        world.register(f"data/asset_{number:02}")
    first, second = (vic.get(f"/alpha/churn/main/data?sort=name&page={page}") for page in (1, 2))
    assert titles(first) == [f"asset_{number:02}" for number in range(50)]
    assert titles(second) == ["asset_50", "asset_51", "asset_52"]
    assert 'href="/alpha/churn/main/data?sort=name&amp;page=2" rel="next"' in text_of(first)
    assert 'href="/alpha/churn/main/data?sort=name" rel="prev"' in text_of(second)
    assert "51\N{EN DASH}53 of 53" in text_of(second)


def test_the_links_of_tags_find_what_they_say_whatever_the_tags_are_called(world):
    vic = world.client()
    for name, tags in (("a", {"a=b": "c"}), ("c", {'"': "<&>"})):
        world.register(f"data/{name}", tags=tags)
    for page in ("/alpha/churn/main/data", "/alpha/churn/main/data/a", "/alpha/churn/main/data/c"):
        links = re.findall(r'href="([^"]*[?&](?:amp;)?tag=[^"]*)"', text_of(vic.get(page)))
        assert links
        for link in links:
            found = vic.get(unescape(link))
            assert titles(found) or "<code>v1</code></a>" in text_of(found), link
    assert titles(vic.get("/alpha/churn/main/data?tag=%22a=b%22=c")) == ["a"]


def test_declared_tags_are_shown_with_those_of_the_instance_and_their_links_find_the_asset(full, vic):
    full.deploy(models__churn_model=Declaration({}, declared_tags={"domain": "churn", "env": "none"}))
    for page in (MODELS, f"{MODELS}/churn_model"):
        tags = re.findall(r'<a class="tag" href="([^"]*)" title="([^"]*)"', text_of(vic.get(page)))
        assert sorted(title for _, title in tags) == ["domain=churn", "env=prod"]  # databases keep no order
        assert all(titles(vic.get(unescape(link))) == ["churn_model"] for link, _ in tags)
    item = vic.get(f"{MODELS}.json?tag=domain=churn").json()["items"][0]
    assert {tag["key"]: tag["value"] for tag in item["tags"]} == {"domain": "churn", "env": "prod"}
    assert item["latest_instance"]["tags"] == [{"key": "env", "value": "prod"}]


def test_of_many_tags_three_are_shown_and_the_others_unfold(world):
    world.register("data/many", tags={f"k{number:02}": "v" for number in range(15)})
    vic = world.client()
    for page in ("/alpha/churn/main/data", "/alpha/churn/main/data/many"):
        html = text_of(vic.get(page))
        unfolds = html[html.index('<details class="more-tags">') :]
        assert unfolds.index("<summary>+12<") < unfolds.index('title="k03=v"') < unfolds.index('title="k14=v"')
        assert unfolds.index('title="k14=v"') < unfolds.index("</details>")
        assert html.rindex('title="k02=v"') < html.rindex("<details")


def test_a_filter_begins_at_the_first_page(full, vic):
    assert "page=" not in re.search(r'class="tag" href="([^"]*)"', text_of(vic.get(f"{MODELS}?page=1")))[1]


def test_htmx_gets_the_listing_alone(full, vic):
    part = vic.get(f"{MODELS}?sort=name", headers={"HX-Request": "true", "HX-Target": "listing"})
    assert text_of(part).lstrip().startswith('<section class="sheet" id="listing"')
    whole = vic.get(f"{MODELS}?sort=name", headers={"HX-Request": "true"})
    assert "<!doctype html>" in text_of(whole)
    assert part.headers["Vary"] == whole.headers["Vary"]
    assert "HX-Target" in part.headers["Vary"]


def test_the_twin_says_the_same(full, vic):
    twin = vic.get(f"{MODELS}.json?sort=name").json()
    assert [item["asset"]["id"] for item in twin["items"]] == ["churn_model", "small_llama"]
    assert twin["total"] == 2
    model = twin["items"][0]
    assert model["latest_instance"]["ref"] == "v3"
    assert model["metrics"]["accuracy"]["before"] == 0.92
    assert model["aliases"] == {"production": "v3"}
    assert model["consumers"] == 2
    assert [item["asset"]["id"] for item in vic.get(f"{MODELS}.json?q=llama").json()["items"]] == ["small_llama"]


def test_a_deleted_asset_is_gone(full, vic):
    from catalog import recording

    recording.delete_asset(actor="ada", asset=full.asset("models/churn_model"))
    assert titles(vic.get(MODELS)) == ["Small Llama"]
    assert vic.get(f"{MODELS}/churn_model").status_code == 404
