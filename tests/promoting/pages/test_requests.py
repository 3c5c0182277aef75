"""The pages of requests: as the approver finds one, as its maker sees it, and asking from the page of a move."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import Membership, Role, Token
from catalog import recording
from catalog.models import Approval, GateVerdict, Instance, PromotionRequest
from tests.catalog.pages.conftest import text_of
from tests.promoting.desk import ONE, Desk
from tests.promoting.desk import desk as desk

MODEL = "/alpha/churn/main/models/churn_model"
REQUESTS = f"{MODEL}/requests"


def client(desk: Desk, who: str):
    desk.world.people[who] = User.objects.get(username=who)
    return desk.world.client(who)


def seen(desk: Desk, who: str, request: PromotionRequest) -> str:
    answer = client(desk, who).get(f"{REQUESTS}/{request.pk}")
    assert answer.status_code == 200
    return text_of(answer)


def send(desk: Desk, who: str, request: PromotionRequest, act: str, comment: str = ""):
    said = {"act": act, "comment": comment}
    return client(desk, who).post(f"{REQUESTS}/{request.pk}", said, follow=True)


def test_approval_is_asked_for_on_the_page_of_the_move(desk):
    page = text_of(client(desk, "ada").get(f"{MODEL}/aliases/production/move?to=v2"))
    assert "Ask for approval" in page
    first, second = desk.versions
    said = {"alias": "production", "instance": second.uid, "expected": first.uid, "comment": "same holdout"}
    made = client(desk, "ada").post(REQUESTS, said, follow=True)
    request = PromotionRequest.objects.get()
    assert made.redirect_chain == [(f"{REQUESTS}/{request.pk}", 302)]
    assert "It is asked for." in text_of(made)
    assert (request.user.username, request.comment) == ("ada", "same holdout")
    again = client(desk, "ada").post(REQUESTS, said, follow=True)
    assert "has asked for the same already" in text_of(again)


def test_what_cant_be_asked_for_is_said_on_the_page_of_the_move(desk):
    second = desk.versions[1]
    said = {"alias": "production", "instance": second.uid, "expected": second.uid}
    refused = client(desk, "ada").post(REQUESTS, said, follow=True)
    assert refused.redirect_chain == [(f"{MODEL}/aliases/production/move?to=v2", 302)]
    assert "is not where you saw it" in text_of(refused)
    assert client(desk, "vic").post(REQUESTS, said).status_code == 403
    assert client(desk, "olga").post(REQUESTS, said).status_code == 404
    assert client(desk, "ada").post(REQUESTS, {"alias": "production"}).status_code == 400


def test_the_approver_finds_what_is_to_be_known(desk):
    request = desk.ask()
    page = seen(desk, "ann", request)
    for text in ("asked of you", "0 of 2", "same holdout", "auc &gt;= 0.7", "What it would replace", "0.81"):
        assert text in page, text
    assert "You may: you are an admin, didn't ask for it and didn't register v2." in page.replace("&#39;", "'")
    assert "Approve</button>" in page
    assert "Approve, and move" not in page
    desk.approve("ann", request)
    assert "Approve, and move" in seen(desk, "bob", request)
    assert "You have approved it." in seen(desk, "ann", request)


@pytest.mark.parametrize(
    ("who", "text"),
    [("ada", "You asked for it, so somebody else has to decide."), ("eve", "It is decided by an admin or vic")],
)
def test_who_may_not_is_told_why(desk, who, text):
    request = desk.ask()
    page = seen(desk, who, request)
    assert text in page
    assert "Reject</button>" not in page
    assert ("Withdraw</button>" in page) is (who == "ada")
    refused = send(desk, who, request, "approve")
    assert refused.status_code == 403
    assert text in text_of(refused)
    assert not Approval.objects.exists()


def test_two_approve_and_it_moves(desk):
    request = desk.ask()
    assert "Approved: 1 more to go." in text_of(send(desk, "ann", request, "approve"))
    done = text_of(send(desk, "vic", request, "approve", "go"))
    assert "Approved: @production leads to v2." in done.replace("⁨", "").replace("⁩", "")
    assert "as they were then" in done
    assert desk.holder == "v2"


def test_a_rejection_says_why(desk):
    request = desk.ask()
    empty = send(desk, "ann", request, "reject")
    assert (empty.status_code, "Say why you reject it." in text_of(empty)) == (400, True)
    rejected = text_of(send(desk, "ann", request, "reject", "not before Monday"))
    assert "The request is rejected." in rejected
    assert "not before Monday" in rejected
    late = send(desk, "bob", request, "approve")
    assert (late.status_code, "The request is rejected" in text_of(late)) == (409, True)


def test_its_maker_withdraws_it(desk):
    request = desk.ask()
    assert "The request is withdrawn." in text_of(send(desk, "ada", request, "withdraw"))
    assert f'href="{MODEL}/aliases/production/move?to=v2">See whether it can be done now' in seen(desk, "ada", request)
    assert send(desk, "ada", request, "nothing").status_code == 400


def test_a_refused_move_leaves_the_request_open_and_can_be_tried_again(desk):
    desk.declare(ONE)
    request, good = desk.ask(), dict(desk.versions[1].annotations)
    Instance.objects.filter(pk=desk.versions[1].pk).update(annotations={"auc": 0.1})
    page = text_of(send(desk, "ann", request, "approve"))
    assert "Your approval is kept, and nothing was moved" in page
    assert "It was approved, and the move was refused." in page
    assert "Try the move again" in page
    Instance.objects.filter(pk=desk.versions[1].pk).update(annotations=good)
    send(desk, "ann", request, "approve")
    assert desk.holder == "v2"


def test_no_token_and_nobody_in_local_mode_decides(desk, settings):
    request = desk.ask()
    _, secret = Token.objects.issue(user=User.objects.get(username="ann"), perimeter=desk.world.alpha, role=Role.ADMIN)
    by_token = Client(headers={"x-api-key": secret})
    assert "Reject</button>" not in text_of(by_token.get(f"{REQUESTS}/{request.pk}"))
    assert by_token.post(f"{REQUESTS}/{request.pk}", {"act": "approve"}).status_code == 403
    assert not Approval.objects.exists()


def test_who_has_left_is_shown_as_void(desk):
    request = desk.ask()
    desk.approve("ann", request)
    Membership.objects.filter(user__username="ann").delete()
    page = seen(desk, "bob", request)
    assert "who is no member any more" in page
    assert "0 of 2" in page


def test_an_outdated_request_says_so_at_once(desk):
    request = desk.ask()
    desk.declare(ONE)
    page = seen(desk, "ann", request)
    assert "Its gates were changed after it was asked for." in page
    assert "Reject</button>" not in page


def test_a_promotion_is_asked_for_and_approved_too(desk):
    desk.declare({"into branch": {"require": ["auc >= 0.7"], "approvals": 1}})
    away = desk.world.register("models/churn_model", branch="feature/x", annotations={"auc": 0.9})
    page = text_of(client(desk, "ada").get(f"/alpha/churn/feature_x/models/churn_model/{away.ref}/promote?to=main"))
    assert "Ask for approval" in page
    made = client(desk, "ada").post(REQUESTS, {"instance": away.uid, "comment": "good"}, follow=True)
    assert made.status_code == 200
    request = PromotionRequest.objects.get()
    assert "into branch" not in text_of(made)
    Instance.objects.filter(pk=away.pk).update(actor="ci-bot")
    done = text_of(send(desk, "ann", request, "approve"))
    assert "is promoted to" in done
    copy = Instance.objects.get(promoted_from=away)
    request.refresh_from_db()
    assert request.verdict == GateVerdict.objects.get(copy=copy)


def test_what_somebody_else_promoted_meanwhile_is_done_without_a_verdict_of_its_own(desk):
    desk.declare({"into branch": {"approvals": 1}})
    away = desk.world.register("models/churn_model", branch="feature/x", annotations={"auc": 0.9})
    Instance.objects.filter(pk=away.pk).update(actor="ci-bot")
    client(desk, "eve").post(REQUESTS, {"instance": away.uid})
    request = PromotionRequest.objects.get()
    newest = desk.asset.newest_ready.uid
    said = {"to": "main", "instance": away.uid, "expected": newest, "override": "on", "reason": "It is urgent."}
    sent = client(desk, "bob").post(f"/alpha/churn/feature_x/models/churn_model/{away.ref}/promote", said)
    assert sent.status_code == 302
    assert "is promoted to" in text_of(send(desk, "ann", request, "approve"))
    request.refresh_from_db()
    assert (request.state, request.verdict) == ("done", None)


def test_the_list_has_open_ones_first(desk):
    assert "Nothing has been asked for." in text_of(client(desk, "vic").get(REQUESTS))
    old = desk.ask()
    recording.approving.withdraw(viewer=desk.viewer("ada"), request=old)
    desk.ask("eve")
    page = text_of(client(desk, "vic").get(REQUESTS))
    assert page.index(">Open<") < page.index(">History<")
    twin = client(desk, "vic").get(f"{REQUESTS}.json").json()
    assert [row["state"] for row in twin["requests"]] == ["open", "withdrawn"]
    one = client(desk, "vic").get(f"{REQUESTS}/{old.pk}.json").json()["request"]
    assert one == twin["requests"][1]
    assert client(desk, "olga").get(REQUESTS).status_code == 404
    assert client(desk, "olga").get(f"{REQUESTS}/{old.pk}").status_code == 404
    assert client(desk, "vic").get(f"{REQUESTS}/{old.pk + 99}").status_code == 404


def test_a_request_of_a_deleted_asset_is_still_told(desk):
    request = desk.ask()
    recording.delete_asset(actor="ada", asset=desk.asset, override="gone")
    assert "churn_model was deleted." in seen(desk, "ann", request)
    assert timezone.now() >= request.at


@pytest.mark.both
def test_forms_that_name_what_no_database_keeps_are_refused(desk):
    first, second = desk.versions
    said = {"alias": "production", "instance": second.uid, "expected": first.uid}
    assert client(desk, "ada").post(REQUESTS, said | {"instance": "a\x00b"}).status_code == 400
    assert client(desk, "ada").post(REQUESTS, said | {"expected": "a\x00b"}).status_code == 302
    assert client(desk, "ada").post("/alpha/churn/main/deleted", {"definition": "a\x00b"}).status_code == 400
    assert client(desk, "ada").post("/alpha/churn/main/deleted", {"definition": ""}).status_code == 400
