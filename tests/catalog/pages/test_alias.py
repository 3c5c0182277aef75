"""An alias over time: who held it, when and for how long, on which day, and with which metric."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from catalog import recording
from catalog.entities import Entity
from catalog.models import AliasMove
from catalog.pages.holds import MOST

from .conftest import text_of

MODEL = "/alpha/churn/main/models/churn_model"
START = datetime(2024, 3, 1, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def move(world, alias, number, at):
    """Lead an alias to a version (0: to the definition; None: delete it), in the past."""
    asset, who = world.asset("models/churn_model"), Entity("user", "eve")
    if number is None:
        recording.delete_alias(actor="ada", asset=asset, name=alias, entity=who, when=at)
        return
    uid = asset.instances.get(number=number).uid if number else asset.definition_uid
    recording.set_alias(actor="ada", asset=asset, name=alias, target_uid=uid, entity=who, when=at)


@pytest.fixture
def held(full):
    """v1 for a day, then v2, v3 for 94 minutes on the third day, v2 again, and from the sixth day on nobody."""
    begin = START + 2 * DAY
    moves = [(1, START), (2, START + DAY), (3, begin), (2, begin + timedelta(minutes=94)), (None, START + 5 * DAY)]
    for number, at in moves:
        move(full, "stage", number, at)
    return full


def twin(client, alias="stage", query=""):
    answer = client.get(f"{MODEL}/aliases/{alias}.json{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def on(client, day, alias="stage"):
    return twin(client, alias, f"?on={day}&metric=accuracy")["on"]["answer"]


def test_the_holds_follow_each_other_newest_first(held, vic):
    holds = twin(vic)["holds"]
    assert [hold["ref"] for hold in holds] == [None, "v2", "v3", "v2", "v1"]
    assert [hold["value"] for hold in holds] == [None, 0.92, 0.93, 0.92, 0.91]
    assert [hold["seconds"] for hold in holds[1:]] == [253_560, 5_640, 86_400, 86_400]
    assert holds[0]["until"] is None
    assert holds[1]["until"] == holds[0]["from"]
    assert holds[0]["set_by"] == {"entity_kind": "user", "entity_id": "eve"}


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2024-02-28", "Nobody yet. It was first set on 2024-03-01 06:00 UTC."),
        ("2024-03-01", "Nobody until 06:00, then v1 (accuracy 0.91), set by eve."),
        ("2024-03-02", "v1 until 06:00, then v2 (accuracy 0.92)."),
        ("2024-03-03", "v2 until 06:00, v3 until 07:34, then v2 (accuracy 0.92)."),
        ("2024-03-04", "v2 (accuracy 0.92), all day; since 2024-03-03 07:34 UTC, set by eve."),
        ("2024-03-03 07:00", "v3 (accuracy 0.93); since 2024-03-03 06:00 UTC, set by eve."),
        ("2024-03-03T07:34:00Z", "v2 (accuracy 0.92); since 2024-03-03 07:34 UTC, set by eve."),
        ("2024-03-03T08:00:00%2B02:00", "v3 (accuracy 0.93); since 2024-03-03 06:00 UTC, set by eve."),
        ("2024-03-09", "Nobody: it was deleted on 2024-03-06 06:00 UTC, by eve."),
        ("9998-01-01", "That is still to come."),
        ("9999-12-31", "That is still to come."),
    ],
)
def test_who_held_it_on_a_day_is_said_in_a_sentence(held, vic, day, said):
    assert on(vic, day) == said
    assert f"<strong>{said}</strong>" in text_of(vic.get(f"{MODEL}/aliases/stage?on={day}&metric=accuracy"))


@pytest.mark.parametrize(
    "day", ["soon", "2026-13-01", "9999-12-31T23:59-14:00", "0001-01-01T00:00:00+14:00", "2026-3-1"]
)
def test_a_day_that_is_none_is_said_and_a_program_is_refused(held, vic, day):
    answer = vic.get(f"{MODEL}/aliases/stage", {"on": day})
    assert answer.status_code == 200
    assert "is no day or time, such as" in text_of(answer)
    assert vic.get(f"{MODEL}/aliases/stage.json", {"on": day}).status_code == 400


def test_a_day_of_many_moves_tells_the_last(full, vic):
    for place in range(30):
        move(full, "busy", place % 3 + 1, START + timedelta(minutes=place))
    said = on(vic, "2024-03-01", "busy")
    assert said.startswith("It moved more than 20 times; the last: v2 until 06:11, v3 until 06:12, ")
    assert said.endswith("v2 until 06:29, then v3 (accuracy 0.93).")


def test_short_holds_are_marks_with_a_word(held, vic):
    page = text_of(vic.get(f"{MODEL}/aliases/stage?metric=accuracy"))
    drawing = page[page.index('<figure class="held') : page.index("</figure>")]
    assert "v3 for 1 h 34 min" in drawing
    assert f'href="{MODEL}/v3"' in drawing
    assert 'class="step"' in drawing
    assert "higher is better" in page
    assert "style=" not in drawing


def test_the_definition_holds_it_and_measures_nothing(full, vic):
    full.deploy(models__churn_model=recording.Declaration({}))
    move(full, "stage", 0, START)
    assert twin(vic)["holds"][0]["ref"] == "definition"
    assert on(vic, "2024-03-02") == "the definition, all day; since 2024-03-01 06:00 UTC, set by eve."
    page = text_of(vic.get(f"{MODEL}/aliases/stage"))
    assert "the definition measures nothing" in page
    assert "None of them has a number for accuracy." in page


def test_what_was_not_measured_leaves_a_gap_and_is_named(held, vic):
    held.register("models/churn_model", "TrainFlow/4/train/1", annotations={"accuracy": "Infinity"})
    move(held, "stage", 4, START + 6 * DAY)
    page = text_of(vic.get(f"{MODEL}/aliases/stage?metric=accuracy"))
    assert "No number for accuracy: v4." in page
    assert "not finite: Infinity" in page
    assert twin(vic)["holds"][0]["value"] is None


def test_many_moves_have_pages(full, vic):
    asset, uids = full.asset("models/churn_model"), []
    uids = list(asset.instances.order_by("number").values_list("uid", flat=True))
    who = {"entity_kind": "user", "entity_id": "eve", "actor": "ada"}
    count = 2500
    AliasMove.objects.bulk_create(
        AliasMove(asset=asset, name="often", to_uid=uids[place % 3], at=START + place * HOUR, **who)
        for place in range(count)
    )
    page = text_of(vic.get(f"{MODEL}/aliases/often"))
    assert f"Only {MOST} moves are here" in page
    assert page.count("<tr>") == MOST + 1
    assert "without room for a word" in page
    newest = twin(vic, "often")
    older = vic.get(newest["older"]).json()
    assert len(newest["holds"]) + len(older["holds"]) == count
    assert older["older"] is None
    assert older["holds"][0]["until"] == newest["holds"][-1]["from"]
    assert vic.get(f"{MODEL}/aliases/often.csv").headers["Link"].endswith('; rel="next"')


def test_what_moved_to_where_it_was_goes_on_and_no_time_is_negative(held, vic):
    move(held, "stage", 1, START + 6 * DAY)
    move(held, "stage", 1, START + 7 * DAY)
    move(held, "stage", 2, START + 5 * DAY)
    holds = twin(vic)["holds"]
    assert [hold["ref"] for hold in holds[:2]] == ["v2", "v1"]
    assert holds[1]["seconds"] == 0


def test_the_table_is_a_file_that_no_spreadsheet_runs(held, vic):
    recording.set_alias(
        actor="ada",
        asset=held.asset("models/churn_model"),
        name="stage",
        target_uid=held.asset("models/churn_model").newest.uid,
        entity=Entity("user", "=cmd()"),
        when=START + 8 * DAY,
    )
    rows = list(csv.DictReader(StringIO(vic.get(f"{MODEL}/aliases/stage.csv").content.decode())))
    assert [row["version"] for row in rows] == ["v3", "", "v2", "v3", "v2", "v1"]
    assert rows[0]["by"] == "'=cmd()"
    assert rows[1]["note"] == "deleted"
    assert float(rows[3]["seconds"]) == 5640


def test_the_drawing_is_a_file_with_its_style_inside(held, vic):
    answer = vic.get(f"{MODEL}/aliases/stage.svg")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    drawing = answer.content.decode()
    assert "<style>" in drawing
    assert "var(--" not in drawing
    assert f'href="http://testserver{MODEL}/v3"' in drawing


def test_an_alias_that_never_was_is_named(full, vic):
    for form in ("", ".json", ".csv", ".svg"):
        answer = vic.get(f"{MODEL}/aliases/nope{form}")
        assert answer.status_code == 404
        assert "has never had an alias" in text_of(answer)
        assert "nope" in text_of(answer)


@pytest.mark.both
@pytest.mark.parametrize("name", ["a%00b", "a" * 3000, "%20x", "a%E2%80%AEb"])
def test_what_no_alias_can_be_called_has_never_been_one(full, vic, name):
    for form in ("", ".json", ".csv", ".svg"):
        answer = vic.get(f"{MODEL}/aliases/{name}{form}")
        assert answer.status_code == 404
        assert "has never had an alias" in text_of(answer)


@pytest.mark.parametrize(
    "name", ["report.csv", "best.json", "lineage", "pulse", "cards.json", "lineage.svg", "na\u00efve"]
)
def test_an_alias_has_its_page_whatever_it_is_called(held, vic, name):
    move(held, name, 1, START)
    answer = vic.get(f"{MODEL}/aliases/{name}")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f"@{name} of" in text_of(answer)
    assert twin(vic, name)["holds"][0]["ref"] == "v1"
    assert f'href="{MODEL}/aliases/' in text_of(vic.get(f"{MODEL}/aliases"))


def test_its_neighbours_lead_to_it(full, vic):
    for page in (MODEL, f"{MODEL}/v3", f"{MODEL}/aliases"):
        assert f'href="{MODEL}/aliases/production"' in text_of(vic.get(page)), page
