"""What gates let pass once is replayed as it was; what shows no receipt of it is judged by the gates that hold now."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Alias, AliasMove, Asset, GateVerdict, Instance, MissedWrite
from catalog.recording import receipt_of_promotion
from catalog.recording.gating import Wish, refused_since
from catalog.states import Outcome as Said
from obproject.journal import Entry, Operation, Outcome
from tests.catalog.gating.lost import lose_the_catalogue, manage
from tests.catalog.kept import Metaflow, Task
from tests.catalog.wire import PERIMETER, definition, deploy_body

pytestmark = [pytest.mark.slow, pytest.mark.both]

BRANCH = f"{PERIMETER}/projects/churn/branches/main"
STRICT = {"production": {"require": ["auc >= 0.9"]}, "into branch": {"require": ["auc >= 0.9"]}}
LENIENT = {"production": {"require": ["auc >= 0.1"]}, "into branch": {"require": ["auc >= 0.1"]}}


class World:
    def __init__(self, api, root):
        self.api, self.metaflow = api, Metaflow(root)
        root.mkdir()

    def gates(self, gates):
        body = deploy_body(definition("xkcd", gates=gates), version=str(GateVerdict.objects.count()))
        assert self.api.post(f"{BRANCH}/deploys", body).status_code == 200

    def makes(self, auc=0.5, asset="xkcd", sends=True, receipt=None, more=None, **annotations) -> tuple[Task, Entry]:
        """A version by a task of its own, which keeps what it was answered."""
        task = self.metaflow.task()
        body = {"entity_ref": task.ref, "data_asset_kind": "artifact", "annotations": {"auc": auc} | annotations}
        body |= more or {}
        entry = task.keep(task.entry(Operation.REGISTER, asset, body=body, at=timezone.now()))
        outcome = Outcome(receipt=receipt) if receipt else None
        if sends:
            answer = self.api.patch(f"{BRANCH}/data/{asset}", body | {"id": entry.id})
            assert answer.status_code == 201, answer.content
            outcome = Outcome(number=answer.data["number"], receipt=answer.data.get("receipt", ""))
        if outcome:
            task.was_answered({entry.id: outcome})
        task.ends()
        return task, entry

    def promotes(self, auc=0.5, **more):
        return self.makes(auc, promoted_from_instance="i_elsewhere", **more)

    def moves(self, uid, *, sends=True, receipt=None, **changes) -> tuple[Entry, str]:
        """A move that a task keeps when it is done; `changes` are made to what it keeps."""
        task = self.metaflow.task()
        body = {"entity_ref": task.ref, "instance_id": uid}
        entry = task.entry(Operation.SET_ALIAS, "xkcd", body=body, alias="production", at=timezone.now())
        if sends:
            answer = self.api.put(f"{BRANCH}/data/xkcd/aliases/production", body | {"id": entry.id})
            assert answer.status_code == 200, answer.content
            receipt = answer.data["receipt"] if receipt is None else receipt
        task.keep(replace(entry, **{"at": timezone.now()} | changes))
        if receipt:
            task.was_answered({entry.id: Outcome(at=timezone.now(), receipt=receipt)})
        task.ends()
        return entry, receipt

    def loses(self, *models):
        """These rows are lost, as after an older backup: aliases, or versions too."""
        Asset.objects.update(newest=None, newest_ready=None, alias_index={})
        for model in (Alias, AliasMove, GateVerdict, *models):
            model.objects.all()._raw_delete("default")

    def reconciles(self):
        return manage("reconcile", "--root", str(self.metaflow.root))


@pytest.fixture
def world(api, tmp_path, monkeypatch):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))
    return World(api, tmp_path / ".metaflow")


def verdicts():
    return list(GateVerdict.objects.order_by("pk").values_list("outcome", "alias", "receipt", "actor"))


def holder():
    return Asset.objects.get(branch__key="main").alias_index.get("production")


def test_a_move_is_applied_as_it_was_and_marked_though_its_gates_are_stricter_now(world):
    world.gates(LENIENT)
    _, version = world.makes()
    _, receipt = world.moves(version.id)
    before = AliasMove.objects.get().at
    world.gates(STRICT)
    world.loses()
    world.reconciles()
    assert holder() == version.id
    assert AliasMove.objects.get().at == before
    assert verdicts() == [(Said.REPLAY, "production", receipt, "reconcile")]
    assert not MissedWrite.objects.exists()


def test_without_a_receipt_it_is_judged_and_what_is_refused_keeps_no_other_from_being_done(world):
    world.gates(LENIENT)
    _, poor = world.makes(0.5)
    _, good = world.makes(0.95)
    world.moves(poor.id, receipt="")
    world.moves(good.id, receipt="")
    world.moves(poor.id, receipt="")
    world.gates(STRICT)
    world.loses()
    said = world.reconciles()
    assert holder() == good.id
    assert "@production" in said
    assert ["auc >= 0.9" in stuck.error for stuck in MissedWrite.objects.all()] == [True, True]
    world.reconciles()  # the first one is overtaken by the second
    assert MissedWrite.objects.count() == 1
    told = GateVerdict.objects.filter(outcome=Said.REFUSED).values_list("instance_uid", "from_uid", "count")
    assert set(told) == {(poor.id, "", 1), (poor.id, good.id, 1)}  # each once, however often it is tried
    world.gates(LENIENT)
    world.reconciles()
    assert holder() == poor.id
    assert not MissedWrite.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"alias": "staging"},
        {"branch": "x"},
        {"body": {"entity_ref": {"entity_kind": "user", "entity_id": "eve"}}},
        {"body": {"instance_id": "poor"}},
        {"at": timezone.now() - timedelta(days=30)},
    ],
    ids=["alias", "branch", "who", "target", "time"],
)
def test_a_receipt_shows_nothing_of_a_changed_move(world, changes):
    world.gates({**LENIENT, "*": LENIENT["production"]})
    _, poor = world.makes(0.5)
    _, version = world.makes(0.6)
    task = world.metaflow.task()
    body = {"entity_ref": task.ref, "instance_id": version.id}
    if "body" in changes:
        body |= changes["body"]
        changes = {"body": {key: poor.id if value == "poor" else value for key, value in body.items()}}
    world.moves(version.id, **changes)
    world.gates({**STRICT, "*": STRICT["production"]})
    world.loses()
    world.reconciles()
    if "at" in changes:  # that of the receipt counts
        assert AliasMove.objects.get().at > timezone.now() - timedelta(days=1)
    else:
        assert not AliasMove.objects.exists()
        assert MissedWrite.objects.exclude(error="").count() == 1


def test_the_receipt_of_another_move_shows_nothing(world):
    world.gates(LENIENT)
    _, version = world.makes()
    _, other = world.makes()
    _, receipt = world.moves(version.id)
    world.gates(STRICT)
    world.loses()
    forged, _ = world.moves(other.id, sends=False, receipt=receipt)
    world.reconciles()
    assert holder() == version.id
    assert MissedWrite.objects.get().uid == forged.id


def test_promotions_alone_and_together_come_back_with_their_receipts_only(world):
    world.gates(LENIENT)
    kept = [world.promotes()[1] for _ in range(3)]
    forged = [replace(one, body=one.body | {"annotations": one.body["annotations"] | {"auc": 0.7}}) for one in kept[:1]]
    missed = [world.promotes(auc=auc, sends=False)[1] for auc in (0.5, 0.95)]
    receipt = "1:1790000000000000:c2lnbmF0dXJl"
    other = world.promotes(sends=False, receipt=receipt)[1]
    task = world.metaflow.task()
    for one in forged:
        task.keep(one)
    task.ends()
    world.gates(STRICT)
    world.loses(Instance)
    Asset.objects.update(last_number=0, ready_count=0)
    world.reconciles()
    made = set(Instance.objects.values_list("uid", flat=True))
    assert made == {kept[1].id, kept[2].id, missed[1].id}
    assert set(MissedWrite.objects.values_list("uid", flat=True)) == {kept[0].id, missed[0].id, other.id}
    outcomes = dict(GateVerdict.objects.exclude(copy=None).values_list("copy__uid", "outcome"))
    assert outcomes == {kept[1].id: Said.REPLAY, kept[2].id: Said.REPLAY, missed[1].id: Said.PASSED}


def test_what_was_pending_as_it_was_promoted_becomes_ready_again_though_gates_are_stricter_by_now(world):
    pending = {"state": "pending", "attempt": 0}
    world.gates(LENIENT)
    kept = [world.promotes(more=pending)[1] for _ in range(2)]
    lose_the_catalogue()
    world.gates(STRICT)  # a deploy may come before the rebuild
    world.reconciles()
    states = dict(Instance.objects.values_list("uid", "state"))
    assert states == dict.fromkeys((one.id for one in kept), "ready")


def test_in_a_rebuilt_catalogue_what_has_no_receipt_waits_although_it_comes_before_those_that_have_one(world):
    world.gates(LENIENT)
    _, first = world.makes(0.4)
    world.moves(first.id, sends=False)
    missed = world.promotes(sends=False)[1]
    _, judged = world.makes(0.5)
    world.moves(judged.id)
    kept = world.promotes()[1]
    lose_the_catalogue()
    manage("rebuild", "--root", str(world.metaflow.root))
    assert set(AliasMove.objects.values_list("to_uid", flat=True)) == {judged.id}
    assert set(Instance.objects.values_list("uid", flat=True)) == {first.id, judged.id, kept.id}
    world.gates(STRICT)
    world.reconciles()
    assert "auc >= 0.9" in MissedWrite.objects.get(uid=missed.id).error
    assert holder() == judged.id


def test_a_pending_copy_that_has_shown_its_receipt_is_not_judged_by_gates_that_came_after_its_task_ended(world):
    world.gates(LENIENT)
    _, kept = world.promotes(more={"state": "pending", "attempt": 0})
    when = timezone.now()
    wish = Wish(receipt=receipt_of_promotion(Instance.objects.get(uid=kept.id)))
    copy = Instance.objects.get(uid=kept.id)
    GateVerdict.objects.filter(copy=copy).update(outcome=Said.REPLAY, gates=None, receipt=wish.receipt)
    world.gates(STRICT)
    copy = Instance.objects.select_related("asset").get(pk=copy.pk)
    assert refused_since(copy, when) == ""
    assert "auc >= 0.9" in refused_since(copy)


def test_a_rebuilt_catalogue_without_gates_says_what_gates_had_been_asked_and_no_more(world):
    _, free = world.makes()
    world.moves(free.id)
    world.gates(LENIENT)
    _, judged = world.promotes()
    _, receipt = world.moves(judged.id)
    lose_the_catalogue()
    manage("rebuild", "--root", str(world.metaflow.root))
    assert holder() == judged.id
    assert [(said, alias) for said, alias, *_ in verdicts()] == [(Said.REPLAY, ""), (Said.REPLAY, "production")]
    assert list(AliasMove.objects.order_by("pk").values_list("verdict__receipt", flat=True)) == [None, receipt]


@pytest.mark.parametrize(("gates", "passes"), [(STRICT, False), (LENIENT, True), ({}, True)])
def test_in_a_rebuilt_catalogue_what_has_no_receipt_waits_for_the_gates_to_be_deployed(world, gates, passes):
    world.gates(LENIENT)
    _, judged = world.makes(0.5)
    _, other = world.makes(0.6)
    world.moves(judged.id)
    world.moves(other.id, sends=False)
    _, copy = world.promotes(sends=False)
    lose_the_catalogue()
    said = manage("rebuild", "--root", str(world.metaflow.root))
    assert "does not have them any more" in said
    assert holder() == judged.id
    world.gates(gates)
    world.reconciles()
    assert holder() == (other.id if passes else judged.id)
    assert MissedWrite.objects.exclude(error="").count() == (0 if passes else 2)
    assert Instance.objects.filter(uid=copy.id).exists() == passes


@pytest.mark.parametrize("is_known", [True, False])
def test_the_secret_key_may_be_a_new_one_if_the_older_one_is_listed(world, settings, is_known):
    world.gates(LENIENT)
    _, version = world.makes()
    world.moves(version.id)
    world.gates(STRICT)
    world.loses()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY] if is_known else []
    world.reconciles()
    assert holder() == (version.id if is_known else None)
