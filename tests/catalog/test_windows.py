"""Filters in the history of an asset: a request looks through a part of it, and nothing is left out or twice."""

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from catalog import windows
from catalog.filters import FiltersAsked
from catalog.models import Asset, Component, Instance
from catalog.states import State
from tests.built_once import built_once

pytestmark = [pytest.mark.both, pytest.mark.slow]

COUNT = 150
PAGE, API = "/default/churn/main/data/long", "/v1/perimeters/default/projects/churn/branches/main/data/long"
SECOND = datetime(2026, 1, 1, tzinfo=UTC)
QUESTIONS = [
    # each finds some rows, few or none; the last two of a kind have no index on any database
    "",
    "tag=rare=yes",
    "tag=half=yes",
    "tag=rare=no",
    "tag=rare",
    "annotation=n=7",
    "annotation=n=7&tag=half=yes",
    "annotation=note=once",
    "annotation=n>=149",
    "annotation=n!=3",
    "producer=OtherFlow",
    "producer=OtherFlow/3",
    "producer=OtherFlow/3/end/1",
    "producer=Nobody",
    "producer=ada",
    "state=failed",
    "state=failed,pending",
    "state=any&tag=rare=yes",
    "since=2026-01-01T00:01:40Z",
    "until=2026-01-01T00:00:40Z",
    "until=2026-01-01T00:01:10Z&tag=half=yes",
    "since=2026-01-01T00:00:30Z&until=2026-01-01T00:00:50Z",
    "since=2030-01-01",
    "until=2020-01-01",
    "same_as=v20",
    "same_as=latest-3",
    "same_as=v9999",
    "text=rarely",
    "text=nothing+has+this",
    "kind=s3",
]


def long_history(api):
    """Most arrive in time; some are backfilled late, some are pending or have failed, some are copies."""
    random.seed(13)
    api.register("data/long", state="ready")
    first = Instance.objects.get()
    other = Component.objects.create(
        perimeter_id=first.component.perimeter_id, project_name="churn", kind="flow", name="OtherFlow"
    )
    ada = Component.objects.create(
        perimeter_id=first.component.perimeter_id, project_name="churn", kind="person", name="ada"
    )
    rows = []
    for number in range(2, COUNT + 1):
        late = random.random() < 0.1
        who, made_by, kind = random.choice(
            [
                (f"OtherFlow/{number % 30}/end/1", other, "task"),
                ("ada", ada, "user"),
                *[("Made/1/a/1", None, "task")] * 4,
            ]
        )
        rows.append(
            Instance(
                asset=first.asset,
                number=number,
                state=random.choices(State.values, [1, 8, 1])[0],
                asset_kind=random.choice(["artifact"] * 9 + ["s3"]),
                description=random.choice(["often", "rarely", "seldom"]) if number % 10 == 0 else "often",
                annotations={"n": number if number % 3 else str(number)} | ({"note": "once"} if number == 5 else {}),
                tags=({"half": "yes"} if number < COUNT / 2 else {}) | ({"rare": "yes"} if number % 40 == 7 else {}),
                producer_kind=kind,
                producer_id=who,
                component=made_by or first.component,
                run="/".join(who.split("/")[:2]) if kind == "task" else "",
                digest=random.choice([None, "a", "b"]) if number % 7 else f"d{number % 4}",
                created_at=SECOND + timedelta(seconds=random.randrange(number) if late else number),
                actor="reconcile" if late else "ada",
            )
        )
    Instance.objects.bulk_create(rows)
    Asset.objects.update(last_number=COUNT, ready_count=Instance.objects.filter(state="ready").count())


@pytest.fixture
def long(api, monkeypatch):
    built_once(long_history, api)
    monkeypatch.setattr(windows, "STEPS", (10, 30))
    monkeypatch.setattr(windows, "AT_ONCE", 4)
    return api


def right(question, *, by_default):
    asked = FiltersAsked.of(QueryDict(question))
    asked = asked if by_default else asked.in_any_state()
    found = Instance.objects.of(Asset.objects.get()).matching(asked).newest_first()
    return [f"v{number}" for number in found.values_list("number", flat=True)]


def test_following_its_continuations_a_list_of_the_api_has_all_that_match(long):
    for question in QUESTIONS:
        answers, token = [], None
        while token or not answers:
            answer = long.client.get(f"{API}?page_size=5&{question}&{urlencode({'continuation': token or ''})}")
            answers.append(answer.json())
            token = answers[-1]["continuation"]
        refs = [row["ref"] for answer in answers for row in answer["recent_instances"]]
        assert (question, refs) == (question, right(question, by_default=True))


def test_the_pages_of_an_asset_have_all_that_match_there_and_back(long):
    for question in QUESTIONS:
        there = walked(long, f"{PAGE}?{question}", "older")
        refs = [row["ref"] for page in there for row in page["instances"]]
        assert (question, refs) == (question, right(question, by_default=False))
        assert there[0]["newer"] is None
        back = walked(long, there[-1]["newer"], "newer") if len(there) > 1 else []
        last = there[-1]["instances"] if back else []
        again = [row["ref"] for page in reversed(back) for row in page["instances"]] + [row["ref"] for row in last]
        assert (question, again) == (question, refs if back else [])


def walked(api, url, way):
    """The twins of pages, from one on, as one leads to the next."""
    pages = []
    while url:
        path, _, query = url.partition("?")
        pages.append(api.client.get(f"{path.removesuffix('.json')}.json?{query.partition('#')[0]}").json())
        assert len(pages) <= COUNT
        url = pages[-1][way]
    return pages


def test_what_no_index_knows_is_looked_for_in_a_part_of_the_numbers(long):
    asset = Asset.objects.get()
    asked = FiltersAsked.of(QueryDict("text=nothing&state=any"))
    found = Instance.objects.of(asset).matching(asked)
    looked = windows.older(found, asset, asked, 20)
    assert looked == windows.Looked([], windows.Part(COUNT - 29, COUNT))
    assert windows.older(found, asset, asked, 20, before=COUNT - 29).part == windows.Part(COUNT - 59, COUNT - 30)
    assert windows.older(found, asset, asked, 20, before=31) == windows.Looked([])
    assert windows.newer(found, asset, asked, 20, after=0).part == windows.Part(1, 30)


def test_a_page_says_which_versions_it_has_looked_through_and_leads_on(long):
    asked = "text=nothing"
    page = " ".join(long.client.get(f"{PAGE}?{asked}").content.decode().split())
    assert "Looked through v121 to v150: none of them matches." in page
    assert f'<a class="link" href="{PAGE}?{asked}&amp;before=121#instances">Go on</a>' in page
    last = long.client.get(f"{PAGE}?{asked}&before=31").content.decode()
    assert "Looked through" not in last
    assert "No instance matches these filters." in last


def test_latest_but_so_many_is_the_same_from_either_end(long):
    asset = Asset.objects.get()
    ready = [row.number for row in Instance.objects.filter(state="ready").latest_first()]
    assert ready != sorted(ready, reverse=True)
    answers = [Instance.objects.latest_but(place, asset) for place in range(len(ready) + 2)]
    assert [row and row.number for row in answers] == [*ready, None, None]
    for states in (("failed",), ("failed", "pending"), tuple(State.values)):
        right = [row.number for row in Instance.objects.filter(state__in=states).latest_first()]
        answers = [Instance.objects.latest_but(place, asset, states) for place in range(0, len(right) + 3, 3)]
        assert [row and row.number for row in answers] == [*right[::3], None][: len(answers)]
    with CaptureQueriesContext(connection) as asked:
        Instance.objects.latest_but(len(ready) - 2, asset)
    assert "OFFSET 1" in asked.captured_queries[0]["sql"]
