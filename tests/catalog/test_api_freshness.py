"""What the API tells of freshness, and takes of what is normal."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Asset, NewNormal
from catalog.states import Watch

pytestmark = pytest.mark.both
DAY = timedelta(days=1)


@pytest.fixture
def late(api):
    """The moment from which an asset is late that comes every day."""
    api.register()
    now = datetime.now(UTC)
    known = {"watch": Watch.LEARNED, "usual": 86_400, "due_at": now - 2 * DAY, "late_at": now - DAY}
    Asset.objects.update(**known, dormant_at=now + 12 * DAY)
    return now - DAY


def told(api):
    (item,) = api.get("data").data["items"]
    assert api.get("data/xkcd").data["freshness"] == item["freshness"]
    (filtered,) = api.get("data?kind=artifact").data["items"]
    assert filtered["freshness"] == item["freshness"]
    return item["freshness"]


def test_an_asset_tells_how_it_stands_with_its_next_version(api, late):
    assert told(api) == {
        "state": "late",
        "due_at": f"{late - DAY:%Y-%m-%dT%H:%M:%S.%fZ}",
        "late_at": f"{late:%Y-%m-%dT%H:%M:%S.%fZ}",
        "usual_seconds": 86_400,
        "declared": {},
    }
    Asset.objects.update(dormant_at=late, declared_freshness={"every": "1d"})
    assert (told(api)["state"], told(api)["declared"]) == ("dormant", {"every": "1d"})
    api.register()
    assert told(api)["state"] == "fresh"
    Asset.objects.update(due_at=late)
    assert told(api)["state"] == "due"


def test_of_what_nobody_expects_anything_all_is_empty(api):
    api.register()
    assert told(api) == {"state": "off", "due_at": None, "late_at": None, "usual_seconds": None, "declared": {}}


@pytest.mark.parametrize(("query", "found"), [("late=yes", 1), ("late=true", 1), ("late=no", 0), ("late=false", 0)])
def test_lists_are_narrowed_to_what_is_late(api, late, query, found):
    assert len(api.get(f"data?{query}").data["items"]) == found
    Asset.objects.update(dormant_at=late)
    assert len(api.get(f"data?{query}").data["items"]) == 1 - found
    assert api.get("data?late=perhaps").status_code == 400


def test_what_is_normal_now_is_said_with_a_reason(api, late):
    answer = api.put("data/xkcd/normal", {"reason": "Twice a week."})
    assert answer.status_code == 200
    assert set(answer.data) == {"since", "reason", "at", "by", "freshness"}
    assert (answer.data["reason"], answer.data["since"]) == ("Twice a week.", answer.data["at"])
    assert answer.data["freshness"] == told(api)
    assert told(api)["state"] == "learning"
    assert Asset.objects.get().to_look_at
    answer = api.put("data/xkcd/normal", {"since": "2026-01-01T00:00:00Z"})
    assert (answer.data["since"], answer.data["reason"]) == ("2026-01-01T00:00:00.000000Z", "")
    assert Asset.objects.get().normal_since == datetime(2026, 1, 1, tzinfo=UTC)
    assert [event.reason for event in NewNormal.objects.order_by("pk")] == ["Twice a week.", ""]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"since": "soon"}, "'since' is not a time"),
        ({"since": "2999-01-01"}, "'since' is in the future"),
        ({"since": 5}, "since"),
        ({"reason": "x" * 513}, "reason"),
        ([], "object"),
    ],
)
def test_what_can_not_be_normal_is_refused(api, late, body, said):
    answer = api.put("data/xkcd/normal", body)
    assert answer.status_code == 400
    assert said in answer.data["message"]
    assert not NewNormal.objects.exists()
    assert api.put("data/nothing/normal", {}).status_code == 404


def test_a_repeated_call_with_its_key_says_it_once(api, late):
    for _ in range(2):
        answer = api.put("data/xkcd/normal", {}, idempotency_key="k")
        assert answer.status_code == 200
    assert NewNormal.objects.count() == 1
