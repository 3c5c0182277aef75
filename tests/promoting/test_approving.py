"""Asking, approving, rejecting and withdrawing: who may, what counts, and what becomes of it."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from access.errors import BadRequest, Conflict, Forbidden
from access.identity import Viewer
from access.models import Membership, Role, Token
from catalog import recording
from catalog.approvals import Standing, asked_of, with_approvals
from catalog.entities import Entity
from catalog.models import AliasMove, Approval, Deprecation, GateVerdict, Instance, PromotionRequest
from catalog.recording import AssetAddress, Registration
from catalog.recording.aliases import AliasMoved
from catalog.recording.approving import AlreadyAsked, NotOpen, approve, ask_for_promotion, reject, withdraw
from catalog.recording.gating import GateRefused
from catalog.states import Outcome, RequestState
from tests.promoting.desk import ONE, TWO, Desk
from tests.promoting.desk import desk as desk

pytestmark = pytest.mark.both


def standing(request: PromotionRequest) -> Standing:
    return Standing(with_approvals(PromotionRequest.objects.filter(pk=request.pk)).get())


def test_the_last_approval_makes_the_move(desk):
    request = desk.ask()
    assert (request.state, request.user.username, request.expected_uid) == ("open", "ada", desk.versions[0].uid)
    first = desk.approve("ann", request, "looks right")
    assert (first.state, desk.holder) == (RequestState.OPEN, "v1")
    done = desk.approve("vic", request, "go")
    assert (done.state, done.closed_by, desk.holder) == (RequestState.DONE, "vic", "v2")
    verdict = PromotionRequest.objects.get().verdict
    assert verdict == AliasMove.objects.latest("pk").verdict
    assert (verdict.outcome, verdict.user.username, verdict.comment) == (Outcome.PASSED, "vic", "go")
    assert [rule["has"] for rule in verdict.rules if rule["rule"] == "approvals = 2"] == ["2 of 2"]
    with pytest.raises(NotOpen, match="The request is done"):
        desk.approve("bob", request)


def test_nothing_is_moved_past_approvals_without_a_request(desk):
    with transaction.atomic(), pytest.raises(GateRefused, match="approvals = 2"), transaction.atomic():
        desk.world.alias("production", desk.versions[1])
    assert desk.holder == "v1"


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("ada", "You asked for it"),
        ("eve", "It is decided by an admin or vic, and you are none of them."),
        ("olga", "It is decided by an admin or vic"),
    ],
)
def test_who_may_not(desk, who, why):
    request = desk.ask()
    for act in (approve, reject):
        with pytest.raises(Forbidden, match=why):
            act(viewer=desk.viewer(who), request=request, comment="no")
    assert not Approval.objects.exists()


def test_whoever_registered_the_version_or_what_it_is_a_copy_of_may_not_approve(desk):
    copy = desk.versions[1]
    Instance.objects.filter(pk=copy.pk).update(actor="ann via token as_1a2b3c4d…")
    request = desk.ask()
    with pytest.raises(Forbidden, match="You registered v2"):
        desk.approve("ann", request)
    Instance.objects.filter(pk=copy.pk).update(actor="ci-bot", promoted_from=desk.versions[0])
    Instance.objects.filter(pk=desk.versions[0].pk).update(producer_kind="user", producer_id="ann")
    with pytest.raises(Forbidden, match="You registered v2"):
        desk.approve("ann", request)
    assert desk.approve("bob", request).state == RequestState.OPEN


def test_a_token_asks_and_never_approves_and_its_owner_neither(desk):
    ann = User.objects.get(username="ann")
    _, secret = Token.objects.issue(user=ann, perimeter=desk.world.alpha, role=Role.ADMIN)
    by_token = Viewer(ann, Token.objects.of_secret(secret))
    request = desk.ask(viewer=by_token)
    assert request.actor.startswith("ann via token as_")
    with pytest.raises(Forbidden, match="You asked for it"):
        desk.approve("ann", request)
    with pytest.raises(Forbidden, match="A token can't approve or reject"):
        approve(viewer=replace(by_token, user=User.objects.get(username="bob")), request=request)
    with pytest.raises(Forbidden, match="In local mode"):
        approve(viewer=Viewer(User.objects.get(username="bob"), local=True), request=request)
    assert withdraw(viewer=by_token, request=request).state == RequestState.WITHDRAWN


def test_a_person_approves_once(desk):
    request = desk.ask()
    desk.approve("ann", request)
    with pytest.raises(Conflict, match="You have approved it already"):
        desk.approve("ann", request)
    assert standing(request).missing == 1


def test_who_has_left_does_not_count(desk):
    request = desk.ask()
    desk.approve("ann", request)
    membership = Membership.objects.get(user__username="ann")
    for change, reason in (
        (lambda: Membership.objects.filter(pk=membership.pk).update(role=Role.EDITOR), "may not approve any more"),
        (lambda: membership.delete(), "is no member any more"),
        (lambda: User.objects.filter(username="ann").update(is_active=False), "has no account any more"),
    ):
        change()
        now = standing(request)
        assert (now.missing, [void.reason for void in now.void]) == (2, [reason])
    assert desk.approve("bob", request).state == RequestState.OPEN
    assert desk.approve("vic", request).state == RequestState.DONE


def test_a_rejection_needs_a_reason(desk):
    request = desk.ask()
    with pytest.raises(BadRequest, match="Say why you reject it"):
        reject(viewer=desk.viewer("ann"), request=request, comment=" ")
    rejected = reject(viewer=desk.viewer("ann"), request=request, comment="not before Monday")
    assert (rejected.state, rejected.reason, rejected.closed_by) == ("rejected", "not before Monday", "ann")
    assert desk.ask().pk != request.pk


def test_only_its_maker_withdraws_it(desk):
    request = desk.ask()
    with pytest.raises(Forbidden, match="Only who asked for it"):
        withdraw(viewer=desk.viewer("ann"), request=request)
    assert withdraw(viewer=desk.viewer("ada"), request=request).state == RequestState.WITHDRAWN
    with pytest.raises(NotOpen, match="The request is withdrawn"):
        desk.approve("ann", request)


def test_the_same_is_asked_for_once(desk):
    request = desk.ask()
    with pytest.raises(AlreadyAsked, match=f"ada has asked for the same already: request {request.pk}") as error:
        desk.ask("eve")
    assert error.value.detail["request"] == request.pk


def test_it_can_be_asked_for_when_nothing_else_refuses(desk):
    desk.declare({"production": TWO["production"] | {"require": ["auc >= 0.9"]}})
    with pytest.raises(GateRefused, match=r"auc >= 0\.9: has 0\.81"):
        desk.ask()
    assert not GateVerdict.objects.filter(outcome="refused").exists()
    desk.declare({"production": {"require": ["auc >= 0.7"]}})
    with pytest.raises(Conflict, match="needs no approval"):
        desk.ask()
    with pytest.raises(AliasMoved):
        desk.ask(expected=desk.versions[1].uid)
    assert not PromotionRequest.objects.exists()


def moved(desk: Desk) -> None:
    new = desk.world.register("models/churn_model", "TrainFlow/3/train/1", annotations={"auc": 0.9})
    desk.declare({})
    desk.world.alias("production", new)


def deprecated(desk: Desk) -> None:
    by = {"at": timezone.now(), "actor": "eve", "entity_kind": "user", "entity_id": "eve"}
    event = Deprecation.objects.create(instance=desk.versions[1], reason="wrong labels", **by)
    Instance.objects.filter(pk=desk.versions[1].pk).update(deprecation=event)


OUTDATING = {
    "@production was moved": moved,
    "Its gates were changed": lambda desk: desk.declare(ONE),
    "v2 was deprecated": deprecated,
    "churn_model was deleted": lambda desk: recording.delete_asset(actor="ada", asset=desk.asset, override="gone"),
}


@pytest.mark.parametrize("why", OUTDATING)
def test_what_is_outdated_is_seen_at_once_and_kept_by_the_next_write(desk, why):
    request = desk.ask()
    desk.approve("ann", request)
    OUTDATING[why](desk)
    now = standing(request)
    assert (now.state, now.request.state) == (RequestState.OUTDATED, RequestState.OPEN)
    assert now.reason.startswith(why)
    with pytest.raises(NotOpen, match=f"The request is outdated: {why}"):
        desk.approve("bob", request)
    kept = PromotionRequest.objects.get()
    assert (kept.state, kept.reason.startswith(why), kept.closed_at is not None) == ("outdated", True, True)


def test_an_outdated_request_does_not_keep_others_from_asking(desk):
    request = desk.ask()
    desk.declare(ONE)
    other = desk.ask("eve")
    assert PromotionRequest.objects.get(pk=request.pk).state == RequestState.OUTDATED
    assert other.state == RequestState.OPEN
    assert desk.approve("bob", other).state == RequestState.DONE


def test_if_the_move_is_refused_the_approval_stays_and_the_request_is_open(desk):
    request = desk.ask()
    desk.approve("ann", request)
    good = dict(desk.versions[1].annotations)
    Instance.objects.filter(pk=desk.versions[1].pk).update(annotations={"auc": 0.1})
    refused = desk.approve("bob", request)
    assert (refused.state, desk.holder) == (RequestState.OPEN, "v1")
    assert "auc >= 0.7: has 0.1" in refused.reason
    assert Approval.objects.count() == 2
    assert GateVerdict.objects.get(outcome="refused").user.username == "bob"
    Instance.objects.filter(pk=desk.versions[1].pk).update(annotations=good)
    assert desk.approve("bob", request).state == RequestState.DONE
    assert (desk.holder, Approval.objects.count()) == ("v2", 2)


def test_whom_it_waits_for(desk):
    request = desk.ask()

    def asked() -> set[str]:
        names = User.objects.values_list("username", flat=True)
        return {name for name in names if [one.request.pk for one in asked_of(desk.viewer(name))] == [request.pk]}

    assert asked() == {"ann", "bob", "vic"}
    desk.approve("ann", request)
    assert asked() == {"bob", "vic"}
    desk.declare(ONE)
    assert asked() == set()


def test_nobody_in_person_is_asked_for_nothing(desk, django_assert_num_queries):
    desk.ask()
    ann = User.objects.get(username="ann")
    with django_assert_num_queries(0):
        assert asked_of(Viewer(ann, local=True)) == []
    viewer = desk.viewer("ann")
    assert viewer.grants
    with django_assert_num_queries(1):
        assert len(asked_of(viewer)) == 1


def test_comments_have_an_end(desk):
    with pytest.raises(BadRequest, match="at most 2,000 characters"):
        desk.ask(comment="x" * 2001)


def test_times_are_kept(desk):
    before = timezone.now()
    request = desk.ask()
    desk.approve("ann", request)
    assert before <= request.at <= Approval.objects.get().at <= timezone.now()


def away(desk: Desk, asset: str = "churn_model", branch: str = "feature") -> Instance:
    """A version on another branch, which nobody registered who may approve."""
    at = AssetAddress(desk.world.branch(branch), "models", asset)
    what = Registration("artifact", annotations={"auc": 0.9})
    return recording.register(actor="ci-bot", at=at, entity=Entity("task", "TrainFlow/9/train/1"), what=what)


def test_only_a_version_of_another_branch_is_promoted_to_its_own_asset(desk):
    desk.declare({"into branch": {"require": ["auc >= 0.7"], "approvals": 1}})
    at = AssetAddress(desk.world.branch(), "models", "churn_model")
    other, beta = away(desk, "other_model"), replace(at, branch=replace(at.branch, perimeter=desk.world.beta))
    for to, source in ((at, other), (at, desk.versions[1]), (beta, away(desk))):
        with pytest.raises(BadRequest, match="to its own asset on another branch of its project"):
            ask_for_promotion(viewer=desk.viewer("ada"), at=to, source=source)
    assert not PromotionRequest.objects.exists()


def test_what_is_promoted_already_is_not_asked_for(desk):
    desk.declare({"into branch": {"approvals": 1}})
    at, source = AssetAddress(desk.world.branch(), "models", "churn_model"), away(desk)
    asked = {"viewer": desk.viewer("ada"), "at": at, "source": source}
    request = ask_for_promotion(**asked)
    desk.declare({})
    annotations = {"auc": 0.9, "promoted_from_instance": source.uid}
    copy = desk.world.register("models/churn_model", branch="main", annotations=annotations)
    desk.declare({"into branch": {"approvals": 1}})
    with pytest.raises(Conflict, match=f"{source.ref} was promoted there already: it is {copy.ref} of main"):
        ask_for_promotion(**asked)
    assert standing(request).outdated


@pytest.mark.parametrize("comment", ["a\x00b", "a\ud800", "x" * 2001])
def test_comments_are_checked_before_anything_is_done(desk, comment):
    request = desk.ask()
    for act in (
        lambda: desk.ask("eve", comment=comment),
        lambda: desk.approve("ann", request, comment),
        lambda: reject(viewer=desk.viewer("ann"), request=request, comment=comment),
    ):
        with pytest.raises(BadRequest):
            act()
    assert (PromotionRequest.objects.count(), Approval.objects.count()) == (1, 0)


def test_a_rule_about_a_metric_that_is_called_approvals_is_a_rule_as_any_other(desk):
    desk.declare({"production": {"require": ["approvals = 1"], "approvals": 1}})
    with pytest.raises(GateRefused, match="approvals = 1: not measured in v2"):
        desk.ask()
    assert not PromotionRequest.objects.exists()
