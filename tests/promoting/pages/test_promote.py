"""Promoting a version to another branch in the page: the same copy as the client makes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import GateVerdict, Instance
from catalog.recording import delete_asset
from obproject.journal import Operation, id_from
from obproject.promoted import copy_key
from tests.catalog.pages.conftest import text_of
from tests.promoting.made import MODEL, admin, declare

THERE = "/alpha/churn/feature_new_model/models/churn_model"
GATE = {"into branch": {"require": ["accuracy >= 0.925"]}}


@pytest.fixture
def ada(full):
    return full.client("ada")


def form(world, number=3, branch="feature/new-model"):
    there = world.asset("models/churn_model", branch) if branch == "feature/new-model" else None
    uid = world.asset("models/churn_model").instances.get(number=number).uid
    newest = there.newest_ready.uid if there else ""
    return {"to": "feature_new_model" if there else branch, "instance": uid, "expected": newest}


def send(client, world, number=3, **said):
    return client.post(f"{MODEL}/v{number}/promote", form(world, number) | said)


def copies(world):
    return list(world.asset("models/churn_model", "feature/new-model").instances.order_by("number"))


def test_one_chooses_the_branch_main_first(full, ada):
    page = text_of(ada.get(f"{MODEL}/v3/promote"))
    assert f'href="{MODEL}/v3/promote?to=feature_new_model"' in page
    full.register("models/churn_model", branch="another")
    page = text_of(ada.get(f"{THERE}/v1/promote"))
    assert page.index(">main<") < page.index(">another<")
    assert ">feature/new-model</bdi>…" not in page


def test_the_page_says_what_it_would_replace_there(full, ada):
    page = text_of(ada.get(f"{MODEL}/v3/promote?to=feature_new_model"))
    assert "v3 of <bdi>main</bdi> can be promoted to <bdi>feature/new-model</bdi>" in page
    assert "The newest there is" in page
    assert "Anyone who may edit feature/new-model can promote to it" in page
    assert "v3 is worse" in page.partition('id="replaced"')[2]
    answer = ada.get(f"{MODEL}/v3/promote", {"to": "feature/new-model"})  # its git name does as well
    assert answer.status_code == 200


def test_the_copy_is_that_of_the_client(full, ada):
    source = full.asset("models/churn_model").newest_ready
    Instance.objects.filter(pk=source.pk).update(
        digest="abc", blobs=["s3://x"], datastore_type="s3", datastore_root="s3://root", attempt=1
    )
    answer = send(ada, full, comment="Merged")
    source, copy = Instance.objects.get(pk=source.pk), copies(full)[-1]
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{THERE}/{copy.ref}")
    same = ("asset_kind", "description", "tags", "blobs", "digest", "producer_kind", "producer_id")
    same += ("component", "datastore_type", "datastore_root", "datastore_cards")
    assert [getattr(copy, name) for name in same] == [getattr(source, name) for name in same]
    assert (copy.attempt, copy.promoted_from, copy.state) == (None, source, "ready")
    assert copy.uid == id_from(Operation.REGISTER, copy_key(source.uid, "feature/new-model", 0))
    said = copy.annotations
    assert {name: value for name, value in said.items() if name in source.annotations} == source.annotations
    assert (said["promoted_from_branch"], said["promoted_by"]) == ("main", "ada")
    assert said["promoted_from_instance"] == source.uid
    (step,) = said["promoted_from_chain"]
    assert (step["branch"], step["instance"], step["ref"]) == ("main", source.uid, "v3")
    assert copy.verdict.comment == "Merged"
    assert "this is its copy on feature/new-model" in text_of(ada.get(answer.headers["Location"]))


def test_a_version_is_copied_once(full, ada):
    first = form(full)
    assert send(ada, full).status_code == 302
    again = ada.post(f"{MODEL}/v3/promote", first)
    assert again.status_code == 302
    assert len(copies(full)) == 2
    page = text_of(ada.get(f"{MODEL}/v3/promote?to=feature_new_model"))
    assert "v3 of <bdi>main</bdi> is v2 of" in page
    assert "The copy" in page


def test_after_its_asset_was_deleted_a_copy_is_made_anew(full, ada):
    send(ada, full)
    delete_asset(actor="ada", asset=full.asset("models/churn_model", "feature/new-model"))
    answer = ada.post(f"{MODEL}/v3/promote", _again(full))
    assert answer.status_code == 302
    (copy,) = copies(full)
    assert copy.uid == id_from(Operation.REGISTER, copy_key(copy.promoted_from.uid, "feature/new-model", 1))


def _again(world):
    uid = world.asset("models/churn_model").instances.get(number=3).uid
    return {"to": "feature_new_model", "instance": uid, "expected": ""}


def test_the_rules_of_the_target_are_asked(full, ada):
    declare(full, GATE, branch="feature/new-model")
    page = text_of(ada.get(f"{MODEL}/v2/promote?to=feature_new_model"))
    assert "can&#39;t be promoted to <bdi>feature/new-model</bdi>: its rule refuses" in page
    answer = send(ada, full, 2, comment="please")
    assert answer.status_code == 422
    assert "Refused: nothing was promoted to <bdi>feature/new-model</bdi>." in text_of(answer)
    assert ">please</textarea>" in text_of(answer)
    row = GateVerdict.objects.get()
    assert (row.outcome, row.alias, row.comment) == ("refused", "", "please")
    assert len(copies(full)) == 1
    assert send(ada, full, 3).status_code == 302


def test_an_admin_overrides_them(full):
    client = admin(full)
    declare(full, GATE, branch="feature/new-model")
    assert "Override 1 rule and promote" in text_of(client.get(f"{MODEL}/v2/promote?to=feature_new_model"))
    assert send(client, full, 2, override="yes", reason="Needed").status_code == 302
    assert copies(full)[-1].verdict.outcome == "override"


def test_where_another_one_has_come_meanwhile_it_is_shown_again(full, ada):
    old = form(full)
    full.register("models/churn_model", branch="feature/new-model", annotations={"accuracy": 0.99})
    answer = ada.post(f"{MODEL}/v3/promote", old | {"comment": "mine"})
    assert answer.status_code == 409
    assert "Another version is the newest there by now." in text_of(answer)
    assert ">mine</textarea>" in text_of(answer)
    assert len(copies(full)) == 2


def test_what_can_not_be_promoted(full, ada):
    assert ada.get(f"{MODEL}/v3/promote?to=main").status_code == 400
    assert ada.get(f"{MODEL}/v3/promote?to=nowhere").status_code == 404
    full.register("models/churn_model", "TrainFlow/4/train/1", state="pending")
    page = text_of(ada.get(f"{MODEL}/v4/promote?to=feature_new_model"))
    assert "can&#39;t be promoted: it is pending" in page
    assert send(ada, full, 4).status_code == 422
    assert ada.get("/alpha/churn/main/models/small_llama/latest/promote").status_code == 400
    assert ada.post(f"{MODEL}/v2/promote", form(full, 3)).status_code == 400  # another one than the page showed


def test_who_may_not_sees_why(full, vic):
    page = text_of(vic.get(f"{MODEL}/v3/promote?to=feature_new_model"))
    assert "This needs the role editor in the perimeter alpha" in page
    assert send(vic, full).status_code == 403
    assert full.client("olga").get(f"{MODEL}/v3/promote?to=feature_new_model").status_code == 404
    assert len(copies(full)) == 1


def test_of_many_rules_no_more_is_asked(full, ada):
    found = []
    for count in (2, 20):
        rules = [f"rows >= {number}" for number in range(count)]
        declare(full, {"into branch": {"require": rules}}, branch="feature/new-model")
        with CaptureQueriesContext(connection) as queries:
            ada.get(f"{MODEL}/v3/promote?to=feature_new_model")
        found.append(len(queries))
    assert found == [16, 16]
