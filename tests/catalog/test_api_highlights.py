"""Highlights on the wire: what is taken, what is kept, and which one is the newest of its flow."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import Perimeter
from catalog import limits
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Branch, Highlight, Project
from catalog.recording import BranchAddress, Highlighted, show_highlight
from tests.catalog.wire import PERIMETER, task

TRAIN, SCORE = task("TrainFlow/1/join/3"), task("ScoreFlow/1/score/2")
ID = "h_" + "0a" * 10
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"
CHART = {"kind": "line", "caption": "loss", "x": ["1", "2"], "series": [{"name": "", "values": [0.5, None]}]}
COLUMNS = [{"big": "0.91", "small": "AUC"}]


def data_uri(image=PNG, image_type="image/png"):
    return f"data:{image_type};base64,{base64.b64encode(image).decode()}"


def content(**more):
    return {"type": "highlight", "title": "Model is better", "labels": ["new"], "synopsis": ["**AUC** 0.91"]} | more


def body(entity=TRAIN, **more):
    kept = {key: more.pop(key) for key in ("id", "attempt", "datastore", "branch_name") if key in more}
    return {"entity_ref": entity, "content": content(**more)} | kept


def show(api, **more):
    answer = api.post("highlights", body(**more))
    assert answer.status_code == 201, answer.content
    return answer.data


def shown(api, branch="main"):
    answer = api.get(
        f"{branch}highlights" if not branch else f"{PERIMETER}/projects/churn/branches/{branch}/highlights"
    )
    return [(row["component"]["name"], row["content"]["title"]) for row in answer.data["highlights"]]


def test_what_is_shown_is_answered_as_it_was_sent(api):
    made = show(api, highlight_type="columns", highlight_body=COLUMNS, attempt=1)
    assert made["content"] == {
        "title": "Model is better", "labels": ["new"], "synopsis": ["**AUC** 0.91"],
        "highlight_type": "columns", "highlight_body": COLUMNS,
    }  # fmt: skip
    assert (made["run"], made["attempt"], made["created_by"]) == ("TrainFlow/1", 1, TRAIN)
    assert made["url"] == f"http://localhost/default/churn/main/highlights/{made['id']}"
    assert api.get("highlights").data == {"highlights": [made]}


def test_the_newest_of_each_flow_is_listed_newest_first(api):
    show(api, title="First")
    show(api, entity=SCORE, title="Scores")
    show(api, entity=task("TrainFlow/2/join/3"), title="Second")
    api.post(f"{PERIMETER}/projects/churn/branches/feature-x/highlights", body(branch_name="feature-x", title="There"))
    assert shown(api) == [("TrainFlow", "Second"), ("ScoreFlow", "Scores")]
    assert shown(api, "feature-x") == [("TrainFlow", "There")]
    assert Branch.objects.get(key="feature_x").git_name == "feature-x"
    assert Project.objects.get().newest_highlight.title == "There"
    assert Highlight.objects.count() == 4
    assert Recount().run().corrections == []


def test_one_that_arrives_late_is_not_the_newest(api):
    show(api, title="In time")
    address = BranchAddress(Perimeter.objects.get(), "churn", "main")
    late = show_highlight(
        actor="reconcile",
        at=address,
        entity=Entity("task", "TrainFlow/0/join/1"),
        what=Highlighted(title="Late"),
        uid=ID,
        when=timezone.now() - timedelta(hours=1),
    )
    assert not late.is_newest
    assert shown(api) == [("TrainFlow", "In time")]
    assert Project.objects.get().newest_highlight.title == "In time"
    assert Recount().run().corrections == []


def test_recount_finds_the_newest_again(api):
    show(api, title="First")
    show(api, title="Second")
    Highlight.objects.update(is_newest=False)
    Highlight.objects.filter(title="First").update(is_newest=True)
    Project.objects.update(newest_highlight=None)
    assert len(Recount().run().corrections) == 3
    assert shown(api) == [("TrainFlow", "Second")]
    assert Project.objects.get().newest_highlight.title == "Second"


def test_a_highlight_with_an_id_is_shown_once(api):
    made = show(api, id=ID)
    assert made["id"] == ID
    assert show(api, id=ID, attempt=1) == made
    for title, label in (("Another", "new"), ("Model is better", "old")):
        assert api.post("highlights", body(id=ID, title=title, labels=[label])).status_code == 409
    assert Highlight.objects.count() == 1
    for other in (
        api.post("highlights", body(id=ID, entity=SCORE)),
        api.post(f"{PERIMETER}/projects/churn/branches/x/highlights", body(id=ID)),
    ):
        assert other.status_code == 409
        assert other.data["detail"] == {"field": "id"}


def test_an_image_is_kept_beside_the_rest_and_answered_by_its_address(api):
    made = show(api, highlight_type="image", highlight_body={"src": data_uri(), "alt": "A curve"})
    image = made["content"]["highlight_body"]
    assert image == {"src": f"{made['url']}/image", "alt": "A curve"}
    kept = Highlight.objects.get()
    assert (bytes(kept.image), kept.image_type) == (PNG, "image/png")


def test_an_image_is_no_part_of_what_makes_a_repeat(api):
    image = {"highlight_type": "image", "highlight_body": {"src": data_uri(), "alt": "A curve"}}
    made = show(api, id=ID, **image)
    assert show(api, id=ID, **image) == made
    image["highlight_body"]["src"] = ""  # as in the journal of a task
    assert show(api, id=ID, **image) == made


@pytest.mark.parametrize(
    "src",
    [
        "",
        data_uri(b"<svg onload='alert(1)'/>", "image/svg+xml"),
        data_uri(b"<script>", "image/png"),
        data_uri(PNG, "text/html"),
        data_uri(PNG + b"0" * limits.HIGHLIGHT_IMAGE_BYTES),
    ],
)
def test_an_image_that_may_be_more_than_a_picture_or_is_too_large_is_not_kept(api, src):
    made = show(api, highlight_type="image", highlight_body={"src": src, "alt": "A curve"})
    assert made["content"]["highlight_body"] == {"src": "", "alt": "A curve"}
    assert Highlight.objects.get().image is None


def test_a_chart_keeps_its_gaps(api):
    assert show(api, highlight_type="chart", highlight_body=CHART)["content"]["highlight_body"] == CHART


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": 7}, "content.title"),
        ({"title": "x" * 256}, "content.title"),
        ({"labels": ["x"] * 13}, "content.labels"),
        ({"synopsis": "a line"}, "content.synopsis"),
        ({"highlight_type": "video"}, "content.highlight_type"),
        ({"highlight_body": [{"big": "1"}]}, "content.highlight_body.columns.0.small"),
        ({"highlight_type": "image", "highlight_body": {"src": "https://x.org/a.png"}}, "content.highlight_body.src"),
        (
            {"highlight_type": "image", "highlight_body": {"src": "data:image/png;base64,?"}},
            "content.highlight_body.src",
        ),
        ({"highlight_type": "chart"}, "content.highlight_body"),
        ({"highlight_type": "chart", "highlight_body": CHART | {"series": []}}, "content.highlight_body.series"),
        (
            {"highlight_type": "chart", "highlight_body": CHART | {"series": [{"name": "", "values": ["1"]}]}},
            "content.highlight_body.series.0.values.0",
        ),
        ({"attempt": -1}, "attempt"),
        ({"id": "i_" + "0a" * 10}, "id"),
        ({"branch_name": "other"}, "branch_name"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(api, more, field):
    answer = api.post("highlights", body(**more))
    assert answer.status_code == 400
    assert answer.data["detail"].get("field") == field, answer.data
    assert not Highlight.objects.exists()


def test_an_unknown_branch_has_none(api):
    assert api.get("highlights").status_code == 404


def test_where_the_cards_are_is_kept_if_it_is_told(api):
    told = {"type": "local", "root": "/a/.metaflow", "cards": "/b/.metaflow/mf.cards"}
    show(api, datastore=told)
    assert Highlight.objects.get().datastore_cards == told["cards"]
    assert api.register(datastore=told)["datastore"] == told
    assert api.register(datastore=told | {"cards": None})["datastore"] == {"type": "local", "root": "/a/.metaflow"}
