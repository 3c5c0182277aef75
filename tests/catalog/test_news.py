"""Each kind of write tells what it does, once, where somebody listens; and nothing where nobody does."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Perimeter
from assetsite.public_address import PublicAddress
from catalog import news, outbox, recording
from catalog.entities import Entity
from catalog.models import Message, Project
from catalog.outbox import TELLABLE
from catalog.recording import AssetAddress, GateRefused, Registration, Wish, note_refusal
from catalog.recording.approving import reject, withdraw
from catalog.states import EventKind
from tests.catalog.gating.doors import FEATURE, deployed, promoted, requires
from tests.catalog.wire import PERIMETER, TASK, definition, deploy_body, spec_body, task
from tests.conftest import Api
from tests.places import CHECKOUT
from tests.promoting.desk import ONE
from tests.promoting.desk import desk as desk

pytestmark = pytest.mark.both

ALL = " ".join(TELLABLE)
XKCD = "data/xkcd"
OTHERS = "data/other"
KEYS = {"perimeter", "project", "branch", "kind", "asset", "version", "by", "sentence"}
REGISTERED, READY, FAILED = "version.registered", "version.ready", "version.failed"


def listen(kinds: str = ALL) -> None:
    Project.objects.update(heard=kinds)


def told() -> list[tuple[str, str]]:
    """What was told, in order: the kinds and the sentences."""
    return [(message.kind, message.body["sentence"]) for message in Message.objects.order_by("pk")]


def kinds() -> list[str]:
    return [kind for kind, _ in told()]


def last() -> dict[str, Any]:
    """The body of what was told last."""
    body: dict[str, Any] = Message.objects.latest("pk").body
    return body


class Known(Api):
    """The API of a catalogue with two versions of an asset; the second is deprecated, the first is `latest`."""

    first = ""
    second = ""


@pytest.fixture
def heard(api: Api) -> Known:
    known = Known(api.client)
    known.first, known.second = (str(api.register(annotations={"auc": auc})["id"]) for auc in (0.8, 0.6))
    api.put(f"{XKCD}/aliases/stable", {"entity_ref": TASK, "instance_id": known.first})
    api.put(f"{XKCD}/instances/v2/deprecation", {"reason": "Wrong month."})
    api.register(OTHERS, task="ComicData/2/start/1")
    assert api.delete(OTHERS).status_code == 204
    api.register("data/pending", task="ComicData/3/start/1", state="pending", attempt=0)
    listen()
    return known


def put_alias(api: Known, uid: str = "", name: str = "stable") -> Any:
    return api.put(f"{XKCD}/aliases/{name}", {"entity_ref": TASK, "instance_id": uid or api.first})


def confirm(api: Known, state: str, **more: Any) -> Any:
    body = {"entity_ref": task("ComicData/3/start/1"), "state": state, "attempt": 0, **more}
    return api.post(f"{PERIMETER}/confirmations", body)


def many(api: Known, *assets: str, **more: Any) -> Any:
    entries = [
        {"kind": "data", "asset": asset, "entity_ref": TASK, "data_asset_kind": "artifact", **more} for asset in assets
    ]
    return api.post("registrations", {"registrations": entries})


def spec(api: Known) -> Any:
    return api.post(f"{PERIMETER}/flowprojects", spec_body({"title": "A"}))


WRITES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "registered": (
        lambda api: api.register(),
        [(REGISTERED, "v3 of xkcd was registered."), (READY, "v3 of xkcd is ready.")],
    ),
    "registered for later": (
        lambda api: api.register(state="pending"),
        [(REGISTERED, "v3 of xkcd was registered, and is not ready yet.")],
    ),
    "registered together": (
        lambda api: many(api, "xkcd", "new", "xkcd"),
        [
            (kind, f"{ref} {said}")
            for ref in ("v3 of xkcd", "v1 of new", "v4 of xkcd")
            for kind, said in ((REGISTERED, "was registered."), (READY, "is ready."))
        ],
    ),
    "ready": (lambda api: confirm(api, "ready"), [(READY, "v1 of pending is ready.")]),
    "failed": (
        lambda api: confirm(api, "failed", reason="No memory"),
        [(FAILED, "v1 of pending failed: No memory.")],
    ),
    "superseded": (
        lambda api: api.register("data/pending", task="ComicData/3/start/1", attempt=1),
        [
            (FAILED, "v1 of pending failed: superseded by attempt 1."),
            (REGISTERED, "v2 of pending was registered."),
            (READY, "v2 of pending is ready."),
        ],
    ),
    "alias set": (lambda api: put_alias(api, name="new"), [("alias.moved", "@new of xkcd was set to v1.")]),
    "alias deleted": (
        lambda api: api.delete(f"{XKCD}/aliases/stable"),
        [("alias.moved", "@stable of xkcd was deleted; it was on v1.")],
    ),
    "alias left where it is": (put_alias, []),
    "deprecated": (
        lambda api: api.put(f"{XKCD}/instances/v1/deprecation", {"reason": "Old"}),
        [("version.deprecated", "v1 of xkcd was deprecated: Old.")],
    ),
    "undeprecated": (
        lambda api: api.delete(f"{XKCD}/instances/v2/deprecation"),
        [("version.deprecated", "v2 of xkcd is no longer deprecated.")],
    ),
    "deleted": (lambda api: api.delete(XKCD), [("asset.deleted", "xkcd was deleted.")]),
    "restored": (lambda api: api.post(f"{OTHERS}/recover", {}), [("asset.restored", "other was restored.")]),
    "deployed": (
        lambda api: api.post("deploys", deploy_body(definition("new"))),
        [("branch.deployed", "user deployed churn sha1 on main.")],
    ),
    "spec posted": (spec, [("branch.deployed", "user deployed churn v on main.")]),
    "consumed": (lambda api: api.consume(f"{XKCD}/instances/latest"), []),
    "consumed a deprecated one": (lambda api: api.consume(f"{XKCD}/instances/v2"), []),
}


class Undo(Exception):
    pass


def queries_of(write: Any, api: Known) -> int:
    with CaptureQueriesContext(connection) as asked:
        answer = write(api)
    assert getattr(answer, "status_code", 200) < 300, answer.content
    return len(asked)


def tried(write: Any, api: Known, kinds: str) -> int:
    """How many queries a write needs where these kinds are heard, of which it is none; it is undone."""
    listen(kinds)
    asked = 0
    try:
        with transaction.atomic():
            asked = queries_of(write, api)
            assert not Message.objects.exists()
            raise Undo
    except Undo:
        return asked


@pytest.mark.parametrize("name", WRITES)
def test_a_write_tells_of_it_if_somebody_listens_and_costs_nothing_if_nobody_does(heard, name):
    write, sentences = WRITES[name]
    quiet = tried(write, heard, "")
    assert tried(write, heard, "asset.late webhook.test") == quiet
    assert not Message.objects.exists()
    listen()
    assert queries_of(write, heard) <= quiet + 3 * bool(sentences)
    actor = User.objects.get().username
    assert told() == [(kind, sentence.replace("user ", f"{actor} ")) for kind, sentence in sentences]
    for message in Message.objects.all():
        body = message.body
        assert body.keys() >= KEYS
        assert (message.withheld, message.perimeter.name, message.branch.key) == ("", "default", "main")
        assert message.instance_uid == (body["version"] or {"id": ""})["id"]
        assert (message.asset and message.asset.asset_id) == (body["asset"] and body["asset"]["id"])
        assert body["by"] == actor


def test_what_is_undone_is_not_told(heard):
    with transaction.atomic():
        heard.register()
        assert kinds() == [REGISTERED, READY]
        transaction.set_rollback(True)
    assert told() == []


def test_of_many_that_are_registered_together_only_those_are_told_that_are_done(heard):
    again = heard.register()["id"]
    Message.objects.all().delete()
    entry = {"kind": "data", "entity_ref": TASK, "data_asset_kind": "artifact"}
    entries = [entry | {"asset": "a"}, entry | {"asset": "b", "id": again}, entry | {"asset": "c"}]
    answers = heard.post("registrations", {"registrations": entries}).data["registrations"]
    assert [one["status"] < 300 for one in answers] == [True, False, True]
    assert [message.asset.asset_id for message in Message.objects.order_by("pk")] == ["a", "a", "c", "c"]


def test_the_body_names_all_that_a_receiver_may_look_for(heard, settings):
    uid = heard.register()["id"]
    assert last() == {
        "perimeter": "default",
        "project": "churn",
        "branch": {"name": "main", "key": "main", "url": "/default/churn/main"},
        "kind": "data",
        "asset": {"id": "xkcd", "name": "xkcd", "url": "/default/churn/main/data/xkcd"},
        "version": {"id": uid, "number": 3, "url": "/default/churn/main/data/xkcd/v3"},
        "by": User.objects.get().username,
        "sentence": "v3 of xkcd is ready.",
    }
    first = Message.objects.earliest("pk").body
    assert first["producer"] == {"kind": "task", "id": "ComicData/1/start/1"}
    put_alias(heard, uid)
    moved = last()
    assert moved["sentence"] == "@stable of xkcd was moved from v1 to v3."
    assert (moved["alias"], moved["from"]["number"], moved["to"]["number"]) == ("stable", 1, 3)
    assert (moved["outcome"], moved["rules"], moved["comment"]) == ("passed", [], "")


def test_addresses_are_whole_where_the_site_knows_its_own(heard, settings):
    settings.PUBLIC_ADDRESS = PublicAddress.of("https://assets.example.org")
    heard.register()
    assert last()["version"]["url"] == "https://assets.example.org/default/churn/main/data/xkcd/v3"


def test_what_comes_from_the_past_is_kept_and_told_to_nobody(heard):
    at = AssetAddress(recording.BranchAddress(Perimeter.objects.get(), "churn", "main"), "data", "xkcd")
    entity, what = Entity("task", "Old/1/start/1"), Registration("artifact")
    for hours, withheld in ((2, outbox.TOO_OLD), (0.5, "")):
        when = timezone.now() - timedelta(hours=hours)
        recording.register(actor="ada", at=at, entity=entity, what=what, when=when)
        messages = Message.objects.order_by("-pk")[:2]
        assert [(message.withheld, message.at) for message in messages] == [(withheld, when)] * 2


# gates


def test_what_gates_refuse_is_told_and_so_is_the_move_that_they_let_pass(heard):
    deployed(heard, requires("auc >= 0.7"))
    Message.objects.all().delete()
    heard.delete(f"{XKCD}/instances/v2/deprecation")
    Message.objects.all().delete()
    for _ in range(2):
        assert put_alias(heard, heard.second, "production").status_code == 422
    body = last()
    assert kinds() == ["gate.refused"] * 2
    assert body["sentence"].startswith("@production is not set: v2 does not pass 1 of 1 rule")
    assert (body["alias"], body["version"]["number"], body["outcome"]) == ("production", 2, "refused")
    assert body["rules"] == [{"rule": "auc >= 0.7", "says": "refuses"}]
    assert put_alias(heard, name="production").status_code == 200
    assert kinds()[2:] == ["alias.moved"]
    assert last()["rules"] == [{"rule": "auc >= 0.7", "says": "passes"}]


def test_a_promotion_that_gates_refuse_is_told_and_one_that_they_let_pass_is_a_version(heard):
    api = Api(heard.client, branch=FEATURE)
    source = api.register(annotations={"auc": 0.9})["id"]
    deployed(heard, requires("auc >= 0.7", alias="into branch"), asset="fresh")
    heard.delete("data/fresh")
    Message.objects.all().delete()
    assert heard.patch("data/fresh", promoted(source, 0.6)).status_code == 422
    message = Message.objects.get()
    assert (message.kind, message.asset, message.branch.key) == ("gate.refused", None, "main")
    assert message.body["asset"]["id"] == "fresh"
    assert message.body["version"] == {"id": source, "number": None, "url": ""}
    assert heard.patch("data/fresh", promoted(source, 0.9)).status_code == 201
    assert told()[1:] == [(REGISTERED, "v1 of fresh was promoted into main."), (READY, "v1 of fresh is ready.")]
    assert Message.objects.get(kind=REGISTERED).body["promoted_from"] == source


def test_what_is_overridden_is_told_besides_the_move(desk):
    listen()
    asset, second = desk.asset, desk.versions[1]
    wish = Wish(user=User.objects.get(username="ann"), override="It has to go out")
    by = {"actor": "ann", "entity": Entity("user", "ann")}
    recording.set_alias(asset=asset, name="production", target_uid=second.uid, wish=wish, **by)
    assert told() == [
        ("gate.overridden", "ann overrode the gates of @production of churn_model: It has to go out."),
        ("alias.moved", "@production of churn_model was moved from v1 to v2."),
    ]
    assert last()["outcome"] == "override"


def test_a_refusal_that_nobody_notes_is_not_told(desk):
    listen()
    with pytest.raises(GateRefused) as refused, transaction.atomic():
        desk.world.alias("production", desk.versions[1])
    assert told() == []
    note_refusal(refused.value)
    note_refusal(refused.value)
    assert kinds() == ["gate.refused"]


# requests


def test_what_becomes_of_a_request_is_told(desk):
    listen()
    request = desk.ask()
    desk.approve("ann", request, "looks right")
    desk.approve("vic", request)
    wish = "to move @production of churn_model to v2"
    assert told() == [
        ("approval.asked", f"ada asks {wish}: same holdout."),
        ("approval.given", f"ann agrees {wish} (1 of 2 approvals): looks right."),
        ("approval.given", f"vic agrees {wish} (2 of 2 approvals)."),
        ("alias.moved", "@production of churn_model was moved from v1 to v2."),
    ]
    asked = Message.objects.earliest("pk")
    url = f"/alpha/churn/main/models/churn_model/requests/{request.pk}"
    assert asked.body["request"] == {"id": request.pk, "url": url, "by": "ada"}
    assert (asked.instance_uid, asked.asset) == (desk.versions[1].uid, desk.asset)


def test_a_request_that_comes_to_nothing_is_told(desk):
    listen()
    reject(viewer=desk.viewer("ann"), request=desk.ask(), comment="not before Monday")
    withdraw(viewer=desk.viewer("ada"), request=desk.ask())
    desk.ask()
    desk.declare(ONE)
    desk.ask("eve")
    void = [sentence for kind, sentence in told() if kind == "approval.void"]
    what = "What ada asked for, to move @production of churn_model to v2,"
    assert void == [
        f"{what} was rejected by ann: not before Monday.",
        f"{what} was withdrawn by ada.",
        f"{what} is outdated: Its gates were changed after it was asked for.",
    ]


# what others tell


def test_what_is_late_fresh_again_or_unusual_can_be_told(desk):
    listen()
    asset, now = desk.asset, timezone.now()
    asset.due_at, asset.late_at, asset.usual = now - timedelta(hours=11), now - timedelta(hours=9), 86400
    version = desk.versions[1]
    version.settled_at = now
    outbox.keep(news.late(asset, now=now, why="TrainFlow has not run", cause={"rule": "not run"}))
    assert last()["usual"] == 86400
    outbox.keep(news.fresh_again(asset, instance=version, due_at=asset.due_at))
    outbox.keep(news.unusual(version, asset, {"auc": "is 0.2, usually 0.7 to 0.8"}))
    assert told() == [
        ("asset.late", "churn_model is late by 11 h: TrainFlow has not run."),
        ("asset.fresh", "churn_model is fresh again: v2 came, 11 h late."),
        ("version.unusual", "v2 of churn_model is unusual: auc: is 0.2, usually 0.7 to 0.8."),
    ]
    listen("asset.deleted")
    asset = version.asset = desk.asset
    assert not [*news.late(asset, now=now), *news.fresh_again(asset), *news.unusual(version, asset, {})]


# docs


def test_the_docs_list_every_kind_and_the_keys_of_a_body(heard):
    text = (CHECKOUT / "docs/webhooks.md").read_text()
    for kind in EventKind:
        assert f"| `{kind.value}` |" in text, kind
    written = text.partition("## What is told")[2].partition("```json")[2].partition("```")[0]
    heard.register()
    put_alias(heard, last()["version"]["id"])
    assert shape_of(json.loads(written)) == shape_of(last() | {"rules": [{"rule": "auc >= 0.7", "says": "passes"}]})


def shape_of(value: Any) -> Any:
    """Its keys, and the types of what has none."""
    if isinstance(value, dict):
        return {name: shape_of(inner) for name, inner in value.items()}
    return [shape_of(inner) for inner in value] if isinstance(value, list) else type(value)
