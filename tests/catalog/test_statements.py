"""Each statement that is written as SQL answers what its query in Django's words answers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.db.models import F, Max, Min, OuterRef, QuerySet, Subquery

from access import local_mode
from access import models as of_access
from access.models import Membership, Perimeter, Role, Token, digest_of
from access.statements import Rows
from catalog import recording, statements
from catalog.entities import Entity
from catalog.models import Asset, Branch, BranchKey, Component, GateRevision, IdempotencyKey, Instance, Run
from catalog.recording import AssetAddress, BranchAddress, Declaration, Once, Registration, Told
from catalog.states import State
from obproject.branches import branch_key
from tests.access.same_rows import whole
from tests.built_once import built_once

pytestmark = [pytest.mark.both, pytest.mark.each, pytest.mark.django_db]

ZONE = F("asset__branch__project__timezone")
TASK = Entity("task", "TrainFlow/1/train/1")
FACTS = {"user": "ada", "parameters": {"alpha": 0.1}, "graph": {"start": ["end"]}, "origin": ""}


class World(NamedTuple):
    perimeter: Perimeter
    project: dict[str, Any]
    here: dict[str, Any]
    xkcd: Asset


@pytest.fixture
def world() -> World:
    return built_once(made)


def made() -> World:
    """Three instances of `xkcd`, of which the last is pending; `other` has none that is ready."""
    perimeter = Perimeter.objects.create(name="default")
    user = User.objects.create(username="ada")
    Membership.objects.create(user=user, perimeter=perimeter, role=Role.EDITOR)
    main, lossy = BranchAddress(perimeter, "churn", "main"), BranchAddress(perimeter, "churn", branch_key("été"), "été")

    def register(to: BranchAddress, asset: str, **said: Any) -> Instance:
        what = Registration(**{"asset_kind": "artifact", "digest": "a", "annotations": {"loss": 0.25}, **said})
        at = AssetAddress(to, "data", asset)
        return recording.register(actor="ada", at=at, entity=TASK, what=what, told=Told(attempt=1, facts=FACTS))

    for attempt in (1, 2):
        asset = register(main, "xkcd", attempt=attempt, tags={"a": "b"}).asset
    register(main, "xkcd", attempt=2, state="pending")
    register(main, "other", state="failed")
    register(lossy, "far")
    gated = {("data", "gated"): Declaration({}, gates={"production": {"require": ["loss < 1"]}})}
    recording.deploy(actor="ada", at=main, entity=TASK, version_id="1", spec={"title": "Churn"}, definitions=gated)
    project = {"perimeter": perimeter.pk, "project": "churn"}
    return World(perimeter, project, project | {"key": "main", "kind": "data"}, asset)


def at_place(asset_id: str, *related: str) -> QuerySet[Asset]:
    place = {"branch__project__name": "churn", "branch__key": "main", "kind": "data", "deleted_at": None}
    return Asset.objects.select_related("branch__project", *related).filter(asset_id=asset_id, **place)


def branch_with_deploy() -> QuerySet[Branch]:
    return Branch.objects.select_related("project", "spec").filter(project__name="churn", key="main")


def of_xkcd(world: World) -> QuerySet[Instance]:
    return Instance.objects.select_related("component").filter(asset=world.xkcd)


def component(run: str) -> Component | None:
    found = Component.objects.filter(kind="flow", name="TrainFlow").first()
    if found:
        found.known_run = Run.objects.filter(name=run).only(*statements.KNOWN_OF_RUN).first()
    return found


OTHERS: dict[type, Any] = {int: 2**30, str: "none of this name", bool: False, list: []}
MEMBER = Membership.objects.filter(user=OuterRef("user"), perimeter=OuterRef("perimeter")).order_by()
Values = dict[str, Any]
Case = tuple[Rows[Any], Callable[[World], Values], Callable[[World], Any]]
FOUND: dict[str, Case] = {
    "asset_at": (
        statements.asset_at,
        lambda world: {**world.here, "asset_id": "xkcd"},
        lambda world: at_place("xkcd", "newest_ready").get(),
    ),
    "asset_at without a ready instance": (
        statements.asset_at,
        lambda world: {**world.here, "asset_id": "other"},
        lambda world: at_place("other", "newest_ready").get(),
    ),
    "whole_asset_at": (
        statements.whole_asset_at,
        lambda world: {**world.here, "asset_id": "xkcd"},
        lambda world: at_place("xkcd", "newest_ready__component", "newest__component").get(),
    ),
    "whole_asset_at without a ready instance": (
        statements.whole_asset_at,
        lambda world: {**world.here, "asset_id": "other"},
        lambda world: at_place("other", "newest_ready__component", "newest__component").get(),
    ),
    "locked_asset_at": (
        statements.locked_asset_at,
        lambda world: {**world.here, "asset_id": "xkcd"},
        lambda world: at_place("xkcd").select_for_update(of=("self",), no_key=True).get(),
    ),
    "instance_by_number": (
        statements.instance_by_number,
        lambda world: {"asset": world.xkcd.pk, "number": 2},
        lambda world: of_xkcd(world).get(number=2),
    ),
    "instance_by_id": (
        statements.instance_by_id,
        lambda world: {"asset": world.xkcd.pk, "uid": of_xkcd(world).get(number=1).uid},
        lambda world: of_xkcd(world).get(number=1),
    ),
    "own_instance": (
        statements.own_instance,
        lambda world: {"asset": world.xkcd.pk, "uid": of_xkcd(world).get(number=2).uid},
        lambda world: Instance.objects.get(asset=world.xkcd, number=2),
    ),
    "gates_by_key": (
        statements.gates_by_key,
        lambda world: {"pk": GateRevision.objects.get().pk},
        lambda world: GateRevision.objects.get(),
    ),
    "further_key": (
        statements.further_key,
        lambda world: {**world.project, "key": BranchKey.objects.earliest("pk").key},
        lambda world: BranchKey.objects.select_related("branch").earliest("pk"),
    ),
    "component_named": (
        statements.component_named,
        lambda world: {**world.project, "kind": "flow", "name": "TrainFlow", "run": "TrainFlow/1"},
        lambda world: component("TrainFlow/1"),
    ),
    "component_named without a run": (
        statements.component_named,
        lambda world: {**world.project, "kind": "flow", "name": "TrainFlow", "run": ""},
        lambda world: component(""),
    ),
    "run_named": (
        statements.run_named,
        lambda world: {"perimeter": world.perimeter.pk, "name": "TrainFlow/1"},
        lambda world: Run.objects.defer("graph").get(),
    ),
    "kept_answer": (
        statements.kept_answer,
        lambda world: {"digest": once().digest},
        lambda world: IdempotencyKey.objects.get(),
    ),
    "to_settle": (
        statements.to_settle,
        lambda world: {**by_attempt(world), "lost": "the task was lost%", "assets": [world.xkcd.pk]},
        lambda world: Instance.objects.annotate(zone=ZONE).get(asset=world.xkcd, state="pending"),
    ),
    "registered_by_attempt": (
        statements.registered_by_attempt,
        lambda world: by_attempt(world),
        lambda world: Instance.objects.select_related("asset__branch__project").filter(attempt=2).earliest("pk"),
    ),
    "locked_assets": (
        statements.locked_assets,
        lambda world: {"pks": [world.xkcd.pk]},
        lambda world: Asset.objects.select_for_update(no_key=True).get(pk=world.xkcd.pk),
    ),
    "instances_by_key": (
        statements.instances_by_key,
        lambda world: {"pks": [world.xkcd.newest_id]},
        lambda world: Instance.objects.get(pk=world.xkcd.newest_id or 0),
    ),
    "telling_instance": (
        statements.telling_instance,
        lambda world: {"pk": world.xkcd.newest_id},
        lambda world: Instance.objects.only(*statements.TELLING).get(pk=world.xkcd.newest_id or 0),
    ),
    "token_of": (
        of_access.token_of,
        lambda world: {"digest": digest_of(issued(world))},
        lambda world: (
            Token.objects.select_related("user", "perimeter")
            .annotate(member_role=Subquery(MEMBER.values("role")[:1]))
            .get()
        ),
    ),
    "token_of one who is no member any more": (
        of_access.token_of,
        lambda world: {"digest": digest_of(issued(world, is_member=False))},
        lambda world: (
            Token.objects.select_related("user", "perimeter")
            .annotate(member_role=Subquery(MEMBER.values("role")[:1]))
            .get()
        ),
    ),
    "branch_at": (
        statements.branch_at,
        lambda world: world.project | {"key": "main"},
        lambda world: branch_with_deploy().get(),
    ),
    "MEMBERSHIP_OF": (
        local_mode.MEMBERSHIP_OF,
        lambda world: {"username": "ada", "perimeter": "default"},
        lambda world: Membership.objects.select_related("user").get(),
    ),
}


def by_attempt(world: World) -> Values:
    mine = {"perimeter": world.perimeter.pk, "kind": "task", "entity_id": TASK.id, "attempt": 2}
    return {**mine, "deleted": False, "every": True, "uids": []}


def once() -> Once:
    request = Once.of(caller="user 1", method="PATCH", path="/", key="k", body={})
    recording.once(request, lambda: (201, {"id": "a"}))
    return request


def issued(world: World, is_member: bool = True) -> str:
    user = User.objects.get()
    _, secret = Token.objects.issue(user=user, perimeter=world.perimeter, role=Role.VIEWER, branch_patterns=["a/*"])
    if not is_member:
        Membership.objects.all().delete()
    return secret


@pytest.mark.parametrize(("statement", "values", "same"), FOUND.values(), ids=list(FOUND))
def test_a_statement_answers_the_row_that_its_query_answers(world, statement, values, same):
    asked = values(world)
    assert whole(statement.one(**asked)) == whole(same(world))
    for name in asked.keys() - {"run", "lost", "deleted", "uids"}:  # each value counts
        other = {**asked, name: OTHERS[type(asked[name])]}
        assert statement.one(**other) is None, name


def test_what_is_deleted_is_at_no_place(world):
    recording.delete_asset(actor="ada", asset=world.xkcd)
    for statement in (statements.asset_at, statements.whole_asset_at, statements.locked_asset_at):
        assert statement.one(**world.here, asset_id="xkcd") is None


def test_every_statement_that_answers_rows_has_a_case():
    told = {name.partition(" ")[0] for name in FOUND}
    for module in (statements, of_access, local_mode):
        assert {name for name, one in vars(module).items() if isinstance(one, Rows)} <= told


def test_the_first_instance_with_the_same_content_has_not_failed(world):
    def same(digest: str) -> int | None:
        known = Instance.objects.filter(asset=world.xkcd, digest=digest).exclude(state=State.FAILED)
        return known.aggregate(first=Min("number"))["first"]

    for digest in ("a", "b"):
        assert statements.first_equal.one(asset=world.xkcd.pk, digest=digest) == (same(digest),)
    assert same("a") == 2


def test_what_held_an_alias_before_and_what_the_versions_before_say(world):
    xkcd = world.xkcd
    place = {"branch": xkcd.branch_id, "kind": "data", "asset_id": "xkcd"}
    first, second = Instance.objects.filter(asset=xkcd).order_by("number")[:2]
    Instance.objects.filter(pk=first.pk).update(state=State.READY)
    assert statements.held_before.one(**place, name="production", uid=second.uid) is None
    recording.set_alias(actor="ada", asset=xkcd, name="production", target_uid=second.uid, entity=TASK)
    assert statements.held_before.one(**place, name="production", uid=second.uid) is not None
    assert statements.held_before.one(**place, name="staging", uid=second.uid) is None
    before = {"asset": xkcd.pk, "at": second.created_at, "since": first.created_at, "most": 30}
    assert len(statements.annotations_before.all(**before, number=2)) == 1
    assert len(statements.annotations_before.all(**before, number=3)) == 2
    assert len(statements.annotations_before.all(**before | {"since": second.created_at}, number=3)) == 1


@pytest.mark.parametrize("entity_id", [TASK.id, "TrainFlow/2/train/1"])
def test_the_attempts_of_an_entity(world, entity_id):
    mine = Instance.objects.filter(producer_id=entity_id, producer_kind="task", component__perimeter=world.perimeter)
    same = mine.aggregate(first=Min("attempt"), last=Max("attempt"))
    asked = {"perimeter": world.perimeter.pk, "kind": "task", "entity_id": entity_id}
    assert statements.attempts_of.one(**asked) == (same["first"], same["last"])
    for name in ("perimeter", "kind"):
        assert statements.attempts_of.one(**asked | {name: 0 if name == "perimeter" else "user"}) == (None, None)


def test_what_is_to_be_settled_is_pending_or_was_lost_and_of_the_asked_attempt(world):
    asked = {**by_attempt(world), "lost": "the task was lost%"}

    def keys(**other: Any) -> list[tuple[int]]:
        return statements.assets_to_settle.all(**asked | other)

    other = Asset.objects.get(asset_id="other")
    Instance.objects.filter(asset=other).update(attempt=None, state_reason="the task was lost: nobody knows")
    pending = Instance.objects.get(state="pending")
    assert keys() == keys(every=False, uids=["i", pending.uid]) == [(world.xkcd.pk,)]
    assert keys(attempt=None) == [(other.pk,)]
    assert keys(attempt=1) == keys(every=False) == []
    Instance.objects.filter(asset=other).update(state_reason="it says so itself")
    assert keys(attempt=None) == []
    recording.delete_asset(actor="ada", asset=world.xkcd)
    assert keys() == []
    assert keys(deleted=True) == [(world.xkcd.pk,)]
