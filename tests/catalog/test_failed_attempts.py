"""Edges by role, what failed attempts count for, and copies of unknown instances: as written, and as recounted."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import Membership, Perimeter, Role, Token
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Consumption, Edge, Instance, Promotion
from catalog.recording import NOTHING_TOLD, AssetAddress, BranchAddress, Registration, Told, confirm, consume
from catalog.recording import register as recorded
from catalog.states import LOST
from tests.catalog.wire import PERIMETER, task
from tests.conftest import Api

pytestmark = pytest.mark.both

READER = "Reader/1/start/1"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _recount_corrects_nothing(db):
    yield
    assert Recount().run().corrections == []


def settle(api, entity=READER, state="failed", attempt=0, **more):
    body = {"entity_ref": task(entity), "attempt": attempt, "state": state} | more
    answer = api.post(f"{PERIMETER}/confirmations", body)
    assert answer.status_code == 200, answer.content
    return answer.data["confirmed"]


def edges(direction="consumes"):
    return Edge.objects.filter(direction=direction).order_by("asset__asset_id", "role")


def edge(direction="consumes", **more):
    return edges(direction).get(**more)


def read(api, attempt=0, path="data/xkcd/instances/v1", **more):
    return api.consume(path, task=READER, attempt=attempt, **more)


def failed():
    return list(Consumption.objects.order_by("pk").values_list("attempt", "failed"))


class TestRoles:
    def test_each_role_has_an_edge_of_its_own(self, api):
        api.register()
        for role in (None, "input", "baseline", "evaluation", "baseline"):
            read(api, role=role)
        assert {row.role: row.count for row in edges()} == {None: 2, "baseline": 2, "evaluation": 1}
        assert Asset.objects.get().consumer_count == 1

    def test_branches_and_roles_are_two_things(self, api):
        api.register()
        for branch in ("main", "feature/x"):
            for role in (None, "baseline"):
                read(api, role=role, consumer={"branch": branch})
        assert set(edges().values_list("write_branch", "role", "count")) == {
            (branch, role, 1) for branch in ("main", "feature_x") for role in (None, "baseline")
        }
        assert Asset.objects.get().consumer_count == 1

    def test_an_edge_says_what_was_read_last_in_its_role(self, api):
        for _ in range(3):
            api.register()
        read(api, role="baseline")
        read(api, path="data/xkcd/instances/v3")
        read(api, path="data/xkcd/instances/v2", role="baseline")
        assert {row.role: row.last_instance.ref for row in edges()} == {None: "v3", "baseline": "v2"}


class TestReadingsOfFailedAttempts:
    def test_a_task_that_only_read_says_that_it_failed(self, api):
        api.register()
        read(api)
        read(api, attempt=None)
        read(api, role="baseline")
        before = edge(role=None)
        assert settle(api) == []
        assert failed() == [(0, True), (None, None), (0, True)]
        assert {row.role: row.count for row in edges()} == {None: 1, "baseline": 0}
        assert edge(role=None).first_at > before.first_at  # that of the other reading
        assert api.get("data/xkcd/instances/latest").data["ref"] == "v1"
        assert Asset.objects.get().consumer_count == 1

    def test_an_edge_without_a_reading_that_counts_keeps_its_times(self, api):
        for _ in range(2):
            api.register()
        read(api)
        read(api, path="data/xkcd/instances/v2")
        before = edge()
        settle(api)
        after = edge()
        assert (after.count, after.first_at, after.last_at) == (0, before.first_at, before.last_at)
        assert after.last_instance.ref == "v2"

    def test_the_first_reading_that_counts_again_sets_the_times_anew(self, api):
        api.register()
        read(api)
        settle(api)
        read(api, attempt=1)
        again = Consumption.objects.last()
        assert (edge().count, edge().first_at, edge().last_at) == (1, again.at, again.at)

    def test_it_repeats_itself_and_nothing_changes(self, api):
        api.register()
        read(api)
        for _ in range(2):
            settle(api)
        assert failed() == [(0, True)]

    def test_that_it_ended_well_marks_nothing(self, api):
        api.register()
        read(api)
        settle(api, state="ready")
        assert failed() == [(0, None)]

    def test_a_confirmation_without_an_attempt_is_of_readings_without_one(self, api):
        api.register()
        read(api, attempt=None)
        read(api, attempt=0)
        settle(api, attempt=None)
        assert failed() == [(None, True), (0, None)]

    def test_only_those_of_this_task(self, api):
        api.register()
        read(api)
        for other in ("Reader/1/start/2", "Reader/2/start/1"):
            api.consume("data/xkcd/instances/v1", task=other, attempt=0)
        settle(api)
        assert failed() == [(0, True), (0, None), (0, None)]
        assert edge().count == 2

    @pytest.mark.parametrize("writes", ["register", "consume"])
    def test_whatever_a_later_attempt_writes(self, api, writes):
        api.register()
        api.register("data/b")
        read(api)
        read(api, path="data/b/instances/v1")
        read(api, attempt=None)
        if writes == "register":
            api.register("data/made", task=READER, attempt=1)
        else:
            read(api, attempt=1)
        assert failed()[:3] == [(0, True), (0, True), (None, None)]
        counts = dict(edges().values_list("asset__asset_id", "count"))
        assert counts == {"b": 0, "xkcd": 1 + (writes == "consume")}

    def test_what_arrives_late_of_an_earlier_attempt(self, api):
        api.register("data/made", task=READER, attempt=1)
        api.register()
        instance = Instance.objects.get(asset__asset_id="xkcd")

        def late(attempt, hours):
            consume(
                actor="reconcile",
                asset=instance.asset,
                instance=instance,
                reference="latest",
                entity=Entity("task", READER),
                told=Told(attempt=attempt),
                when=timezone.now() - hours * HOUR,
            )

        late(0, 1)
        assert (failed(), edge().count) == ([(0, True)], 0)
        late(1, 2)
        late(0, 3)
        assert failed() == [(0, True), (1, None), (0, True)]
        assert (edge().count, edge().first_at) == (1, edge().last_at)

    def test_a_task_that_failed_what_it_registered_and_read(self, api):
        api.register()
        read(api)
        api.register("data/made", task=READER, attempt=0, state="pending")
        assert [line["state"] for line in settle(api)] == ["failed"]
        assert failed() == [(0, True)]
        assert (edge().count, edge("produces", asset__asset_id="made").count) == (0, 0)

    def test_a_task_whose_run_goes_on_keeps_what_it_read(self, api):
        """As under `@catch`: the next steps have what it left."""
        api.register()
        read(api)
        api.register("data/made", task=READER, attempt=0, state="pending")
        assert [line["state"] for line in settle(api, run_goes_on=True)] == ["failed"]
        assert failed() == [(0, None)]
        assert (edge().count, edge("produces", asset__asset_id="made").count) == (1, 0)

    def test_of_a_lost_task_nothing_is_marked(self, api):
        api.register()
        read(api)
        lost(READER)
        assert failed() == [(0, None)]


def lost(entity, uids=()):
    """As reconciling settles what seems lost."""
    confirm(
        actor="reconcile",
        perimeter=Perimeter.objects.get(),
        entity=Entity("task", entity),
        attempt=0,
        state="failed",
        reason=f"{LOST}: no sign",
        uids=uids,
    )


class TestRegistrationsOfFailedAttempts:
    def made(self, api, **more):
        return api.register(task="Train/1/start/1", **{"attempt": 0, "state": "pending"} | more)

    def test_they_do_not_count(self, api):
        self.made(api)
        assert edge("produces").count == 1
        before = edge("produces")
        settle(api, "Train/1/start/1")
        after = edge("produces")
        assert (after.count, after.first_at, after.last_at) == (0, before.first_at, before.last_at)

    def test_superseded_by_a_later_attempt(self, api):
        for name in ("xkcd", "other"):
            self.made(api, path=f"data/{name}")
        self.made(api, attempt=1)
        counts = {row.asset.asset_id: (row.count, row.last_instance.ref) for row in edges("produces")}
        assert counts == {"other": (0, "v1"), "xkcd": (1, "v2")}

    def test_superseded_on_birth(self, api):
        self.made(api, attempt=1)
        before = edge("produces")
        self.made(api, attempt=0)
        after = edge("produces")
        assert (after.count, after.last_at, after.last_instance) == (1, before.last_at, before.last_instance)
        self.made(api, path="data/other", attempt=0)
        assert edge("produces", asset__asset_id="other").count == 0

    def test_a_lost_task_that_confirms_later_counts_again(self, api):
        uid = self.made(api)["id"]
        lost("Train/1/start/1", [uid])
        assert edge("produces").count == 0
        settle(api, "Train/1/start/1", "ready", digests={uid: "ab"})
        assert edge("produces").count == 1
        assert Instance.objects.get().digest == "ab"
        assert list(Instance.objects.get().state_changes.order_by("pk").values_list("state", "digest")) == [
            ("failed", None),
            ("ready", "ab"),
        ]

    def test_a_late_one_counts_in_its_place(self, api):
        self.made(api)
        settle(api, "Train/1/start/1")
        perimeter = Perimeter.objects.get()
        then = timezone.now() - HOUR
        recorded(
            actor="reconcile",
            at=AssetAddress(BranchAddress(perimeter, "churn", "main"), "data", "xkcd"),
            entity=Entity("task", "Train/0/start/1"),
            what=Registration("artifact"),
            told=NOTHING_TOLD,
            when=then,
        )
        assert (edge("produces").count, edge("produces").first_at, edge("produces").last_at) == (1, then, then)
        assert edge("produces").last_instance.ref == "v2"


def test_a_later_attempt_that_reads_fails_what_an_earlier_one_registered(api):
    api.register(task=READER, attempt=0, state="pending")
    api.register("data/other")
    api.consume("data/other/instances/v1", task=READER, attempt=1)
    assert Instance.objects.get(asset__asset_id="xkcd").state == "failed"


class TestWhoMaySay:
    @pytest.fixture
    def vic(self, api, settings):
        """Somebody who may read and nothing else."""
        api.register()
        settings.MODE, settings.LOCAL_MODE = "team", False
        perimeter, user = Perimeter.objects.get(), User.objects.create(username="vic")
        Membership.objects.create(user=user, perimeter=perimeter, role=Role.VIEWER)
        _, secret = Token.objects.issue(user=user, perimeter=perimeter, role=Role.VIEWER)
        return Api(Client(SERVER_NAME="localhost"), token=secret)

    def test_a_viewer_may_fail_what_a_task_only_read(self, vic):
        read(vic)
        settle(vic)
        assert failed() == [(0, True)]

    def test_but_not_what_a_task_registered(self, vic):
        body = {"entity_ref": task("ComicData/1/start/1"), "state": "failed"}
        assert vic.post(f"{PERIMETER}/confirmations", body).status_code == 403
        assert Instance.objects.get().state == "ready"

    def test_nor_by_reading_as_a_later_attempt(self, vic):
        Instance.objects.update(attempt=0)
        vic.consume("data/xkcd/instances/v1", task="ComicData/1/start/1", attempt=0)
        vic.consume("data/xkcd/instances/v1", task="ComicData/1/start/1", attempt=1)
        assert failed() == [(0, True), (1, None)]
        assert Instance.objects.get().state == "ready"

    def test_nor_that_anything_ended_well(self, vic):
        body = {"entity_ref": task(READER), "state": "ready"}
        assert vic.post(f"{PERIMETER}/confirmations", body).status_code == 403

    def test_other_perimeters_are_not_there(self, vic):
        Perimeter.objects.create(name="other")
        body = {"entity_ref": task(READER), "state": "failed"}
        assert vic.post("/v1/perimeters/other/confirmations", body).status_code == 404


class TestCopies:
    def copy(self, api, source, path="data/gold", **more):
        return api.register(path, annotations={"promoted_from_instance": source}, **more)

    def test_of_an_instance_that_is_not_known(self, api):
        self.copy(api, "i_unknown")
        last = self.copy(api, "i_other")
        promotion = Promotion.objects.get()
        assert (promotion.source, promotion.target.asset_id, promotion.count) == (None, "gold", 2)
        assert promotion.last_instance.uid == last["id"]
        assert [row.direction for row in Edge.objects.all()] == ["promoted"]
        assert {row.is_copy for row in Instance.objects.all()} == {True}

    def test_known_and_unknown_sources_beside_each_other(self, api):
        source = api.register()
        for uid in (source["id"], "i_unknown", source["id"]):
            self.copy(api, uid)
        assert set(Promotion.objects.values_list("source__asset_id", "count", "last_instance__number")) == {
            ("xkcd", 2, 3), (None, 1, 2),
        }  # fmt: skip

    def test_a_value_that_is_no_id_is_an_unknown_source_and_an_empty_one_is_none(self, api):
        for source in (7, ["i"], {"a": 1}, "x"):
            self.copy(api, source)
        for none in (None, ""):
            self.copy(api, none, "data/made")
        assert Promotion.objects.get().count == 4
        assert {row.asset.asset_id: row.direction for row in Edge.objects.all()} == {
            "gold": "promoted",
            "made": "produces",
        }

    def test_a_late_copy_is_not_the_last(self, api):
        newest = self.copy(api, "i_unknown")
        recorded(
            actor="reconcile",
            at=AssetAddress(BranchAddress(Perimeter.objects.get(), "churn", "main"), "data", "gold"),
            entity=Entity("task", "ComicData/0/start/1"),
            what=Registration("artifact", annotations={"promoted_from_instance": "i_x"}),
            when=timezone.now() - HOUR,
        )
        promotion = Promotion.objects.get()
        assert (promotion.count, promotion.last_instance.uid) == (2, newest["id"])
        assert promotion.first_at < promotion.last_at

    def test_a_copy_that_failed(self, api):
        self.copy(api, "i_unknown", attempt=0, state="pending")
        settle(api, "ComicData/1/start/1")
        assert Edge.objects.get().count == 0
