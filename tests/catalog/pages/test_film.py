"""The film-strip: which versions it shows, what stands under them, and what is said of those without a card."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog import recording
from catalog.entities import Entity
from catalog.models import Instance
from catalog.pages.filmed import MOST
from catalog.recording import Declaration
from catalog.runs.results import CardList, Reason, Unavailable

from .conftest import text_of

MODEL = "/alpha/churn/main/models/churn_model"
FILM = f"{MODEL}/film"
HOSTILE = "<script>alert(1)</script>\u202e"


def film(client, query=""):
    return client.get(f"{FILM}.json{query}").json()


def refs(answer):
    return [version["ref"] for version in answer["versions"]]


@pytest.fixture
def long(full):
    """Two pages of versions; the first three were made one a day."""
    start = datetime(2024, 3, 1, 12, tzinfo=UTC)
    for number in range(4, MOST + 4):
        full.register("models/churn_model", f"TrainFlow/{number}/train/1", annotations={"accuracy": number / 100})
    for number in range(1, 4):
        Instance.objects.filter(asset=full.asset("models/churn_model"), number=number).update(
            created_at=start + timedelta(days=number)
        )
    return full


def test_each_version_has_its_place_its_metric_and_the_address_of_its_cards(full, vic):
    found = film(vic)
    assert refs(found) == ["v1", "v2", "v3"]
    assert found["metric"] == "accuracy"
    assert [one["value"] for one in found["versions"]] == [0.91, 0.92, 0.93]
    assert found["versions"][2]["cards"] == f"{MODEL}/v3/cards.json"
    assert found["versions"][2]["aliases"] == ["production"]
    page = text_of(vic.get(FILM))
    assert f'data-cards="{MODEL}/v3/cards.json"' in page
    assert "higher is better" in page
    assert "<iframe" not in page
    assert "style=" not in page


def test_another_metric_is_chosen_and_what_is_not_measured_is_said(full, vic):
    full.register("models/churn_model", "TrainFlow/4/train/1", annotations={"accuracy": "NaN"})
    full.deploy(models__churn_model=Declaration({}, declared_metrics=[{"name": "rows", "unit": "rows"}]))
    assert [one["value"] for one in film(vic, "?metric=rows")["versions"]] == [1000, 2000, 3000, None]
    page = text_of(vic.get(f"{FILM}?metric=rows"))
    assert "3,000 rows" in page
    assert "not measured" in page
    assert "not finite: NaN" in text_of(vic.get(f"{FILM}?metric=accuracy"))
    assert "text: &#39;weekly&#39;" in text_of(vic.get(f"{FILM}?metric=note"))
    unknown = text_of(vic.get(f"{FILM}?metric={HOSTILE}"))
    assert "was measured in none of these versions" in unknown
    assert HOSTILE not in unknown


def test_what_failed_is_pending_or_was_made_by_nobody_s_task_says_so(full, vic):
    full.register("models/churn_model", "TrainFlow/4/train/1", state="failed")
    full.register("models/churn_model", "TrainFlow/5/train/1", state="pending")
    at = recording.AssetAddress(full.branch(), "models", "churn_model")
    what = recording.Registration("artifact")
    recording.register(actor="ada", at=at, entity=Entity("user", "ada"), what=what)
    assert [one["no_card"] for one in film(vic)["versions"][3:]] == [
        "v4 failed.",
        "v5 is not finished yet.",
        "v6 was not made by a Metaflow task, so it has no card.",
    ]
    page = text_of(vic.get(FILM))
    for number in (4, 5, 6):
        assert f"{MODEL}/v{number}/cards.json" not in page


def test_a_long_history_has_pages_and_is_gone_to_by_version_and_by_date(long, vic):
    newest = film(vic)
    assert refs(newest) == [f"v{number}" for number in range(4, MOST + 4)]
    assert newest["newer"] is None
    oldest = vic.get(newest["older"]).json()
    assert refs(oldest) == ["v1", "v2", "v3"]
    assert oldest["older"] is None
    assert refs(vic.get(oldest["newer"]).json()) == refs(newest)
    assert refs(film(vic, "?at=v2")) == ["v1", "v2"]
    assert refs(film(vic, "?at=2024-03-03")) == ["v1", "v2"]
    assert refs(film(vic, "?at=2024-02-01")) == []
    assert refs(film(vic, "?at=9999-12-31")) == refs(newest)
    page = text_of(vic.get(f"{FILM}?at=2024-02-01"))
    assert "No version is there" in page
    assert refs(film(vic, "?before=3")) == ["v1", "v2"]


def test_one_a_day_or_only_what_an_alias_held(long, vic):
    days = film(vic, "?only=day")
    assert refs(days) == ["v1", "v2", "v3", f"v{MOST + 3}"]
    assert refs(film(vic, "?only=day&at=2024-03-03")) == ["v1", "v2"]
    long.alias("production", Instance.objects.get(asset=long.asset("models/churn_model"), number=1))
    assert refs(film(vic, "?only=@production")) == ["v1", "v3"]
    assert refs(film(vic, "?only=@nobody")) == []
    assert "@production" in text_of(vic.get(f"{FILM}?only=@production"))


def test_two_are_pinned(long, vic):
    page = text_of(vic.get(f"{FILM}?pin=v1,v20"))
    pinned = page[page.index("<h2>Pinned") :]
    assert "/v1/cards.json" in pinned
    assert "/v20/cards.json" in pinned
    assert f"{MODEL}/compare?of=v1,v20" in page
    assert "Pinned below" in page
    assert f'href="{FILM}?pin=v20,v30#v30"' in page
    assert f'href="{FILM}?pin=v1#v20"' in page
    assert [one["ref"] for one in film(vic, "?pin=v20&pin=v1")["pinned"]] == ["v20", "v1"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?pin=v1,v2,v3", "2 versions can be pinned at a time; v3 is left out."),
        ("?pin=first", "'first' can't be pinned; a version can, as v11."),
        ("?pin=v999", "v999, which is pinned, is not there."),
        ("?at=soon", "'soon' is neither a version, such as v900, nor a date, such as 2026-11-24."),
        ("?only=odd", "'odd' is no choice of versions"),
        ("?only=@a%00b", "is no choice of versions"),
        ("?colour=red", "colour"),
    ],
)
def test_what_is_not_understood_is_said_and_a_program_is_refused(full, vic, query, said):
    answer = vic.get(FILM + query)
    assert answer.status_code == 200
    assert said.replace("'", "&#39;") in text_of(answer)
    assert vic.get(f"{FILM}.json{query}").status_code == 400


def test_an_asset_without_versions_tells_how_a_card_is_made(full, vic):
    page = text_of(vic.get("/alpha/churn/main/models/small_llama/film"))
    assert "There are no versions yet" in page
    assert "@card" in page


@pytest.mark.parametrize(("reason", "is_told"), [(Reason.NO_CARD, True), (Reason.UNREACHABLE, False)])
def test_a_task_without_a_card_is_told_how_one_is_made(full, vic, monkeypatch, reason, is_told):
    none = CardList(missing=Unavailable(reason, "There is none."))
    monkeypatch.setattr("catalog.runs.cards_of", lambda *task: none)
    page = text_of(vic.get(FILM))
    assert "v3, the newest ready version: There is none." in page
    assert ("@card\n@step" in page) is is_told


def test_the_cards_of_a_version_are_told(full, vic):
    assert vic.get(f"{MODEL}/v3/cards.json").json()["cards"] == []
    assert vic.get(f"{MODEL}/v3/cards.json").json()["missing"]
    llama = vic.get("/alpha/churn/main/models/small_llama/latest/cards.json").json()
    assert llama == {"cards": [], "missing": "A definition was made by no task, so it has no card."}


def test_the_page_and_its_neighbours_lead_to_it(full, vic):
    assert f'href="{FILM}"' in text_of(vic.get(MODEL))
    assert f'href="{FILM}?at=v2"' in text_of(vic.get(f"{MODEL}/v2"))
