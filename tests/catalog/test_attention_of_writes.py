"""What writes and passes of reconciling let need attention, and until when."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from access.identity import Viewer
from access.models import Perimeter
from catalog import recording
from catalog.attention import Needed, dismiss, needs_attention
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Attention, Deprecation, Instance, MetadataSource, MissedWrite
from catalog.reconciling.missed import raise_missed
from catalog.states import AttentionKind
from tests.catalog.gating.doors import FEATURE, deployed, move, moved, promoted, requires
from tests.conftest import Api

pytestmark = pytest.mark.both

XKCD = "data/xkcd"


def viewer() -> Viewer:
    return Viewer(User.objects.get(), local=True)


def needed(**asked: Any) -> list[Needed]:
    return needs_attention(viewer(), **asked).rows


def kinds() -> list[str]:
    return [row.kind.value for row in needed()]


@pytest.fixture
def gated(api: Api) -> Any:
    """The API of an asset with three versions, of which the first may go to production, and the second is there."""
    api.made = [api.register(annotations={"auc": auc})["id"] for auc in (0.8, 0.9, 0.6)]
    deployed(api, requires("auc >= 0.7"))
    moved(api, api.made[1])
    return api


def test_a_refusal_needs_attention_until_the_alias_moves(gated):
    assert needed() == []
    assert move(gated, gated.made[2]).status_code == 422
    (row,) = needed()
    facts = row.facts
    assert (row.kind, row.asset_id, row.branch_key) == (AttentionKind.REFUSED, "xkcd", "main")
    assert (facts["alias"], facts["version"], facts["count"], facts["rules"]) == ("production", 3, 1, ["auc >= 0.7"])
    assert facts["sentence"].startswith("@production stays on v2: v3 does not pass")
    assert facts["said"] == ["auc >= 0.7: has 0.6, needs 0.7, 0.1 short."]
    assert row.until
    assert row.until - row.since == timedelta(days=30)
    moved(gated, gated.made[0])
    assert needed() == []


def test_the_same_refusal_again_is_counted_and_stays_dismissed(gated):
    move(gated, gated.made[2])
    (row,) = needed()
    dismiss(row, viewer=viewer(), why="It was a trial.")
    move(gated, gated.made[2])
    assert needed() == []
    (again,) = needed(dismissed=True)
    assert (again.facts["count"], again.since) == (2, row.since)
    fourth = gated.register(annotations={"auc": 0.5})["id"]
    move(gated, fourth)
    assert [row.facts["version"] for row in needed()] == [4]


def test_a_refused_promotion_needs_attention_until_one_passes_also_where_there_is_no_asset(gated):
    source = Api(gated.client, branch=FEATURE).register(annotations={"auc": 0.9})["id"]
    deployed(gated, requires("auc >= 0.7", alias="into branch"), asset="fresh")
    gated.delete("data/fresh")
    assert gated.patch("data/fresh", promoted(source, 0.6)).status_code == 422
    (row,) = needed()
    assert (row.asset_pk, row.branch_key, row.facts["alias"], row.facts["uid"]) == (None, "main", "", source)
    assert gated.patch("data/fresh", promoted(source, 0.9)).status_code == 201
    assert needed() == []


def test_of_an_alias_that_is_deleted_nothing_needs_attention(gated):
    move(gated, gated.made[2])
    gated.delete(f"{XKCD}/aliases/production")
    assert needed() == []


def test_what_a_gate_refused_needs_none_when_the_gate_is_gone(gated):
    move(gated, gated.made[2])
    deployed(gated, requires("auc >= 0.8"), version="sha2")
    assert kinds() == ["refused"]
    deployed(gated, requires("auc >= 0.8", alias="staging"), version="sha3")
    assert needed() == []


def test_a_version_that_is_deprecated_and_read_needs_attention_until_it_is_not_read_for_a_while(gated):
    gated.consume(f"{XKCD}/instances/v1")
    gated.put(f"{XKCD}/instances/v1/deprecation", {"reason": "Wrong month."})
    assert needed() == []
    gated.consume(f"{XKCD}/instances/v1", "ScoreFlow/1/start/1")
    gated.consume(f"{XKCD}/instances/v2", "ScoreFlow/1/start/1")
    (row,) = needed()
    facts = row.facts
    assert (row.kind, row.asset_id) == (AttentionKind.DEPRECATED, "xkcd")
    assert (facts["component"], facts["version"], facts["reason"]) == ("ScoreFlow", 1, "Wrong month.")
    assert row.until
    assert row.until - row.since == timedelta(days=14)
    dismiss(row, viewer=viewer(), why="Until the end of the quarter.")
    gated.consume(f"{XKCD}/instances/v1", "ScoreFlow/2/start/1")
    (again,) = needed(dismissed=True)
    assert again.facts["last_read"] > facts["last_read"]
    assert again.until
    assert again.until > row.until
    assert needed(now=again.until, dismissed=None) == []
    gated.consume(f"{XKCD}/instances/v1", "OtherFlow/1/start/1")
    assert [row.facts["component"] for row in needed()] == ["OtherFlow"]


def test_it_needs_none_when_the_version_may_be_read_again(gated):
    for ref in ("v1", "v2"):
        gated.put(f"{XKCD}/instances/{ref}/deprecation", {"reason": "Wrong month."})
        gated.consume(f"{XKCD}/instances/{ref}", f"Score{ref}/1/start/1")
    gated.delete(f"{XKCD}/instances/v1/deprecation")
    assert [row.facts["version"] for row in needed()] == [2]


def test_recounting_settles_what_is_over(gated):
    gated.put(f"{XKCD}/instances/v1/deprecation", {"reason": "Wrong month."})
    gated.consume(f"{XKCD}/instances/v1")
    move(gated, gated.made[2])
    assert Recount().run().corrections == []
    Instance.objects.update(deprecation=None)
    Deprecation.objects.all().delete()
    Asset.objects.update(deprecated_count=0)
    (row,) = Attention.objects.filter(kind=AttentionKind.DEPRECATED)
    assert f"Attention {row.pk}: is over" in Recount().run().corrections
    assert kinds() == ["refused"]


@pytest.mark.parametrize("days", [-20, -5])
def test_what_was_read_in_the_past_counts_from_then(gated, days):
    gated.put(f"{XKCD}/instances/v1/deprecation", {"reason": "Wrong month."})
    asset, version = Asset.objects.with_place().get(), Instance.objects.select_related("deprecation").get(number=1)
    version.deprecation.at += timedelta(days=-10)
    recording.consume(
        actor="reconcile",
        asset=asset,
        instance=version,
        reference="v1",
        entity=Entity("task", "Old/1/start/1"),
        when=timezone.now() + timedelta(days=days),
    )
    assert kinds() == ["deprecated"] * (days == -5)


def missed(source: MetadataSource, number: int, address: str, error: str = "") -> None:
    MissedWrite.objects.create(
        source=source,
        uid=f"w_{number}",
        task=f"TrainFlow/223/train/{number}",
        address=address,
        at=timezone.now(),
        entry="{}",
        error=error,
        found_at=timezone.now() - timedelta(hours=number),
    )


def test_missed_writes_are_one_row_for_each_branch_until_none_are_left(gated, django_assert_num_queries):
    source = MetadataSource.objects.create(place="/metaflow")
    here = "default/churn/main/data"
    for number, (address, error) in enumerate(
        [(f"{here}/xkcd", ""), (f"{here}/xkcd", "No such asset."), (f"{here}/b", ""), ("default/churn/new/data/a", "")],
        start=1,
    ):
        missed(source, number, address, error)
    missed(source, 8, "elsewhere/churn/main/data/xkcd")
    missed(source, 9, "")
    with django_assert_num_queries(7):  # what is missed, perimeters, branches, what was raised, two rows, transaction
        raise_missed()
    main, new = needed()[::-1] if needed()[0].branch_key == "" else needed()
    assert (main.branch_key, main.since) == ("main", MissedWrite.objects.get(uid="w_3").found_at)
    assert main.facts == {
        "waiting": 2,
        "stuck": 1,
        "task": "TrainFlow/223/train/1",
        "error": "No such asset.",
        "project": "churn",
        "branch": "main",
    }
    assert (new.branch_id, new.facts["branch"], new.facts["waiting"]) == (None, "new", 1)
    before = Attention.objects.order_by("pk").values_list("changed", flat=True)
    raise_missed()
    assert [*Attention.objects.order_by("pk").values_list("changed", flat=True)] == [*before]
    MissedWrite.objects.filter(address__startswith=here).delete()
    raise_missed()
    assert [row.facts["branch"] for row in needed()] == ["new"]
    assert Perimeter.objects.count() == 1
