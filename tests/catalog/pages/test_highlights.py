"""Highlights on pages: tiles on the overview and at home, all of a branch, one with its image and what its run made."""

import pytest

from catalog import recording
from catalog.entities import Entity
from catalog.models import Highlight
from catalog.recording import Highlighted

from .conftest import text_of

BRANCH = "/alpha/churn/main"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"
HOSTILE = "<script>alert(1)</script>"
SERIES = [{"name": HOSTILE, "values": [0.5, None, 0.9]}]
CHART = {"kind": "line", "caption": HOSTILE, "x": ["1", "2", HOSTILE], "series": SERIES}


def show(world, title="Better", task="TrainFlow/1/join/1", branch="main", body=None, shown="columns", **more):
    image = {key: more.pop(key) for key in ("image", "image_type") if key in more}
    content = {"labels": [], "synopsis": [], "highlight_type": shown, "highlight_body": body or []}
    what = Highlighted(title=title, content=content | more, **image)
    at = world.branch(branch)
    return recording.show_highlight(actor="ada", at=at, entity=Entity("task", task), what=what)


def tile_of(page, title):
    start = page.index(f"<bdi>{title}</bdi>")
    return page[page.rindex("<article", 0, start) : page.index("</article>", start)]


def test_the_overview_shows_the_newest_of_each_flow(full, vic):
    show(full, "First")
    show(full, "Second", "TrainFlow/2/join/1", labels=["new", "error", "weekly"], synopsis=["**AUC** 0.9 & more"])
    show(full, "Scored", "ScoreFlow/1/score/1", body=[{"big": "0.91", "small": "AUC"}])
    page = text_of(vic.get(BRANCH))
    assert "First" not in page
    assert page.index("Scored") < page.index("Second") < page.index("What is produced and used")
    tile = tile_of(page, "Second")
    assert '<span class="badge good"><bdi>New</bdi></span>' in tile
    assert '<span class="badge bad"><bdi>Error</bdi></span>' in tile
    assert '<span class="badge "><bdi>Weekly</bdi></span>' in tile
    assert "<p><strong>AUC</strong> 0.9 &amp; more</p>" in tile
    assert 'href="/alpha/churn/main/flows/TrainFlow"' in tile
    assert "<dt><bdi>AUC</bdi></dt><dd><bdi>0.91</bdi></dd>" in tile_of(page, "Scored")
    twin = vic.get(f"{BRANCH}.json").json()["highlights"]
    assert [one["content"]["title"] for one in twin] == ["Scored", "Second"]


def test_a_branch_without_highlights_shows_no_place_for_them(full, vic):
    assert "Highlights" not in text_of(vic.get(BRANCH))
    assert vic.get(f"{BRANCH}.json").json()["highlights"] == []
    page = text_of(vic.get(f"{BRANCH}/highlights"))
    assert "No highlights on this branch yet." in page
    assert "self.highlight.title" in page


def test_text_of_a_highlight_is_never_markup(full, vic):
    made = show(full, HOSTILE, labels=[HOSTILE], synopsis=[f"**{HOSTILE}**"], body=CHART, shown="chart")
    show(full, HOSTILE, "B/1/s/1", body=[{"big": HOSTILE, "small": HOSTILE}])
    show(full, HOSTILE, "C/1/s/1", body={"alt": f'"{HOSTILE}'}, shown="image", image=PNG, image_type="image/png")
    for page in (BRANCH, "/", f"{BRANCH}/highlights", f"{BRANCH}/highlights/{made.uid}"):
        text = text_of(vic.get(page))
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>" not in text


def test_a_chart_is_drawn_and_said_in_words(full, vic):
    body = {"kind": "line", "caption": "loss", "x": ["1", "2", "3"], "series": [{"name": "a", "values": [1, None, 3]}]}
    show(full, body=body, shown="chart")
    tile = tile_of(text_of(vic.get(BRANCH)), "Better")
    assert 'aria-label="Line chart of a from 1 to 3, values from 1 to 3"' in tile
    assert '<path class="dot c0" d="M0.0 300.0h0M1000.0 0.0h0"/>' in tile
    assert "style=" not in tile


@pytest.mark.parametrize("values", [[1e308, -1e308], [5e-324], [10**400], [0, 0], [None]])
def test_no_number_of_a_chart_breaks_a_page(full, vic, values):
    show(full, body={"kind": "bar", "x": [], "series": [{"name": "", "values": values}]}, shown="chart")
    assert vic.get(BRANCH).status_code == 200


def test_an_image_has_an_address_of_its_own_that_can_be_nothing_but_a_picture(full, vic):
    made = show(full, body={"alt": "A curve"}, shown="image", image=PNG, image_type="image/png")
    address = f"{BRANCH}/highlights/{made.uid}/image"
    assert f'src="{address}" alt="A curve"' in text_of(vic.get(BRANCH))
    answer = vic.get(address)
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert full.client("olga").get(address).status_code == 404


def test_an_image_that_is_not_kept_is_said_to_be_in_the_card(full, vic):
    made = show(full, body={"alt": "A curve"}, shown="image")
    assert f'is in <a class="subtle" href="{BRANCH}/highlights/{made.uid}">the card' in text_of(vic.get(BRANCH))
    assert vic.get(f"{BRANCH}/highlights/{made.uid}/image").status_code == 404
    assert "Card of the task" not in text_of(vic.get(f"{BRANCH}/highlights/{made.uid}"))


def test_home_shows_the_newest_of_each_project(full, vic):
    show(full, "Older", branch="feature/new-model")
    show(full, "Newest", "B/1/s/1", body=[{"big": str(number), "small": "n"} for number in range(6)])
    page = text_of(vic.get("/"))
    assert "Newest" in page
    assert "Older" not in page
    assert page.count("<dd>") == 4
    [project] = vic.get("/index.json").json()["projects"]
    assert project["newest_highlight"]["content"]["title"] == "Newest"


def test_the_page_of_a_highlight_leads_to_what_its_run_made_and_to_the_others(full, vic):
    earlier = show(full, "Earlier", "TrainFlow/2/train/1")
    made = show(full, "Now", "TrainFlow/3/train/1")
    show(full, "Elsewhere", "ScoreFlow/3/train/1")
    page = text_of(vic.get(f"{BRANCH}/highlights/{made.uid}"))
    assert f'href="{BRANCH}/models/churn_model/v3"' in page
    assert f'href="{BRANCH}/models/churn_model/v2"' not in page
    assert f'href="{BRANCH}/highlights/{earlier.uid}"' in page
    assert "Elsewhere" not in page
    twin = vic.get(f"{BRANCH}/highlights/{made.uid}.json").json()
    assert (twin["content"]["title"], twin["run"]) == ("Now", "TrainFlow/3")
    assert twin["registered"] == [{"kind": "models", "asset": "churn_model", "ref": "v3"}]


def test_all_highlights_of_a_branch_are_paged_and_chosen_by_flow(full, vic):
    for number in range(30):
        show(full, f"No. {number:02}", f"TrainFlow/{number}/join/1")
    show(full, "Scored", "ScoreFlow/1/score/1")
    first = vic.get(f"{BRANCH}/highlights.json").json()
    second = vic.get(first["older"].replace("/highlights?", "/highlights.json?")).json()
    titles = [one["content"]["title"] for page in (first, second) for one in page["highlights"]]
    assert titles == ["Scored", *[f"No. {number:02}" for number in reversed(range(30))]]
    assert second["older"] is None
    page = text_of(vic.get(f"{BRANCH}/highlights?flow=ScoreFlow"))
    assert "Scored" in page
    assert "No. 29" not in page
    assert "This flow has highlighted nothing here." in text_of(vic.get(f"{BRANCH}/highlights?flow=Nobody"))


@pytest.mark.parametrize(
    "address", ["highlights", "highlights/{uid}", "highlights/{uid}.json", "highlights/{uid}/image"]
)
def test_who_may_not_see_the_branch_sees_none_of_it(full, address):
    made = show(full)
    assert full.client("olga").get(f"{BRANCH}/{address.format(uid=made.uid)}").status_code == 404
    assert Highlight.objects.count() == 1


@pytest.mark.parametrize("uid", ["h_unknown", "%00", "v1"])
def test_an_unknown_one_is_not_found(full, vic, uid):
    assert vic.get(f"{BRANCH}/highlights/{uid}").status_code == 404
    assert vic.get(f"/alpha/churn/feature_new_model/highlights/{show(full).uid}").status_code == 404
