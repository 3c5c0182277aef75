"""Deprecating a version, deleting an asset and recovering it, in the page: what is said before, and what is done."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.models import Membership, Role
from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, Deletion, Deprecation
from tests.catalog.pages.conftest import text_of
from tests.promoting.made import MODEL, admin, declare

WHY = "Trained with labels of the wrong month"
HOSTILE = "<script>alert(1)</script>\u202e & \u05de\u05d5\u05d3\u05dc"
DEPRECATE, DELETE, DELETED = f"{MODEL}/v3/deprecate", f"{MODEL}/delete", "/alpha/churn/main/deleted"
STRICT = {"production": {"require": ["accuracy >= 0.5"]}}


@pytest.fixture
def ada(full):
    return full.client("ada")


def page_of(answer, status=200):
    assert answer.status_code == status, answer.content
    return text_of(answer)


def typed(world, **more):
    asset = world.asset("models/churn_model")
    return {"typed": "churn_model", "definition": asset.definition_uid} | more


def deprecate(world, ref="v3", reason=WHY):
    asset = world.asset("models/churn_model")
    uid = asset.instances.get(number=ref[1:]).uid
    recording.deprecate(actor="ada", asset=asset, target_uid=uid, reason=reason, entity=Entity("user", "ada"))


class TestDeprecating:
    def test_the_page_says_what_changes(self, full, ada):
        page = page_of(ada.get(DEPRECATE))
        assert '<code>latest</code> then means <a href="/alpha/churn/main/models/churn_model/v2">v2</a>' in page
        assert "<code>latest</code> still means <a" in page_of(ada.get(f"{MODEL}/v1/deprecate"))
        assert "stays on v3, with a warning" in page
        assert "only a roll-back can move one to it" in page_of(ada.get(f"{MODEL}/v1/deprecate"))

    def test_it_is_done_with_a_reason_and_undone(self, full, ada):
        answer = ada.post(DEPRECATE, {"reason": f"  {WHY}\r\n"}, follow=True)
        page = page_of(answer)
        assert answer.redirect_chain == [(f"{MODEL}/v3", 302)]
        assert "v3 is deprecated." in page
        assert f"<bdi>{WHY}</bdi>. <code>latest</code> passes it over." in page
        event = Deprecation.objects.get()
        assert (event.reason, event.actor, event.user, event.entity_id) == (WHY, "ada", full.people["ada"], "ada")
        assert "Undo the deprecation" in page_of(ada.get(DEPRECATE))
        assert "latest</code> then means" in page_of(ada.get(DEPRECATE))
        page = page_of(ada.post(DEPRECATE, {"undo": "yes"}, follow=True))
        assert "v3 is no longer deprecated." in page
        assert full.asset("models/churn_model").newest_ready.number == 3

    def test_a_reason_is_asked_for(self, full, ada):
        assert "Say why: it is shown to everybody." in page_of(ada.post(DEPRECATE, {"reason": " "}), 422)
        assert "longer than 512 characters" in page_of(ada.post(DEPRECATE, {"reason": "x" * 513}), 422)
        assert not Deprecation.objects.exists()

    def test_what_somebody_did_faster_is_said(self, full, ada):
        page = page_of(ada.post(DEPRECATE, {"undo": "yes"}), 409)
        assert "v3 of &#39;churn_model&#39; is not deprecated." in page

    def test_what_is_not_ready_cant_be(self, full, ada):
        full.register("models/churn_model", "TrainFlow/4/train/1", state="pending")
        assert "only a ready version can be deprecated" in page_of(ada.get(f"{MODEL}/v4/deprecate"))
        assert page_of(ada.post(f"{MODEL}/v4/deprecate", {"reason": WHY}), 409)

    def test_by_another_reference_it_leads_to_the_version_that_is_meant(self, full, ada):
        assert ada.get(f"{MODEL}/@production/deprecate").headers["Location"] == DEPRECATE
        assert ada.get(f"{MODEL}/latest/deprecate").headers["Location"] == DEPRECATE
        assert ada.post(f"{MODEL}/latest/deprecate", {"reason": WHY}).headers["Location"] == DEPRECATE
        assert not Deprecation.objects.exists()

    def test_pages_mark_it(self, full, ada):
        deprecate(full, reason=HOSTILE)
        for address in (MODEL, f"{MODEL}/v3", f"{MODEL}/aliases", f"{MODEL}/aliases/production", f"{MODEL}/film"):
            page = page_of(ada.get(address))
            assert "state-deprecated" in page, address
            assert "<script>alert(1)" not in page
        page = page_of(ada.get(MODEL))
        assert "3 ready, 1 of them deprecated" in page
        assert "<code>latest</code> is v2." in page
        assert "v3 is deprecated." in page_of(ada.get(f"{MODEL}/metrics"))
        assert "state-deprecated" in page_of(ada.get("/alpha/churn/main/models"))
        for ref in ("v1", "v2"):
            deprecate(full, ref)
        page = page_of(ada.get(MODEL))
        assert "3 ready, all deprecated" in page
        assert "There is no <code>latest</code> now." in page


class TestDeleting:
    def test_who_reads_it_and_what_leads_to_it_is_shown_first(self, full, ada):
        page = page_of(ada.get(DELETE))
        readers, aliases = page.partition('id="readers"')[2], page.partition('id="aliases"')[2]
        assert "ScoreFlow" in readers
        assert "dashboard" in readers
        assert "production" in aliases
        assert "has gates" not in aliases

    def test_it_is_deleted_once_its_id_is_typed_and_recovered(self, full, ada):
        page = page_of(ada.post(DELETE, typed(full, typed="churn")), 422)
        assert "That is not its id." in page
        answer = ada.post(DELETE, typed(full), follow=True)
        assert answer.redirect_chain == [(DELETED, 302)]
        page = page_of(answer)
        assert "churn_model is deleted. For 30 days it can be recovered here." in page
        assert ada.get(MODEL).status_code == 404
        assert "It was deleted" in text_of(ada.get(MODEL))
        assert f'href="{DELETED}"' in text_of(ada.get(MODEL))
        gone = Asset.objects.exclude(deleted_at=None).get()
        assert gone.deletions.get().user == full.people["ada"]
        answer = ada.post(DELETED, {"definition": gone.definition_uid}, follow=True)
        assert answer.redirect_chain == [(MODEL, 302)]
        assert "is recovered, with all its versions and aliases." in page_of(answer)
        assert full.asset("models/churn_model").alias_index.keys() == {"production"}

    def test_a_gated_alias_holds_it_and_only_an_admin_may_all_the_same(self, full, ada):
        declare(full, STRICT)
        page = page_of(ada.get(DELETE))
        assert "It can't be deleted while" in page
        assert "has gates" in page
        assert "Delete it all the same" not in page
        assert 'name="typed"' not in page
        answer = ada.post(DELETE, typed(full))
        assert "is not deleted, because the alias @production has gates" in page_of(answer, 422)
        assert ada.post(DELETE, typed(full, override="yes", reason=WHY)).status_code == 403
        ada = admin(full)
        assert "Delete it all the same (admins)" in page_of(ada.get(DELETE))
        assert "Say why" in page_of(ada.post(DELETE, typed(full, override="yes", reason="")), 422)
        page = page_of(ada.post(DELETE, typed(full, override="yes", reason=HOSTILE), follow=True))
        assert "Although gated aliases held it" in page
        assert "<script>alert(1)" not in page
        assert Deletion.objects.get().reason == HOSTILE

    def test_one_that_was_made_anew_meanwhile_is_not_deleted(self, full, ada):
        before = typed(full)
        recording.delete_asset(actor="ada", asset=full.asset("models/churn_model"))
        full.register("models/churn_model")
        assert "made anew since this page was shown" in page_of(ada.post(DELETE, before), 409)
        assert Asset.objects.live().filter(asset_id="churn_model", branch__key="main").exists()

    def test_in_local_mode_nobody_overrides(self, full, settings):
        settings.MODE, settings.LOCAL_MODE = "local", True
        declare(full, STRICT)
        local = Client(SERVER_NAME="localhost")
        assert "Delete it all the same" not in page_of(local.get(DELETE))
        assert local.post(DELETE, typed(full, override="yes", reason=WHY)).status_code == 403
        declare(full, {})
        Asset.objects.update(gates=None)
        assert local.post(DELETE, typed(full)).status_code == 302


class TestRecovering:
    @pytest.fixture
    def gone(self, full):
        asset = full.asset("models/churn_model")
        recording.delete_asset(actor="ada", asset=asset)
        return {"definition": asset.definition_uid}

    def test_not_while_its_name_is_in_use(self, full, ada, gone):
        full.register("models/churn_model")
        assert "There is a newer asset of this name." in page_of(ada.get(DELETED))
        assert "can&#39;t have its name back" in page_of(ada.post(DELETED, gone), 409)
        recording.delete_asset(actor="ada", asset=full.asset("models/churn_model"))
        assert "Another one of this name was deleted later." in page_of(ada.get(DELETED))
        assert "only that one can be recovered" in page_of(ada.post(DELETED, gone), 409)

    def test_not_after_30_days(self, full, ada, gone):
        Asset.objects.exclude(deleted_at=None).update(deleted_at=timezone.now() - timedelta(days=31))
        assert "Nothing was deleted here in the last 30 days." in page_of(ada.get(DELETED))
        assert "after 30 days it can" in page_of(ada.post(DELETED, gone), 409)

    def test_what_is_recovered_already(self, full, ada, gone):
        assert ada.post(DELETED, gone).status_code == 302
        assert "was recovered already" in page_of(ada.post(DELETED, gone, follow=True))
        assert ada.post(DELETED, {"definition": "d_0"}).status_code == 400
        assert ada.post(DELETED, {}).status_code == 400

    def test_the_branch_leads_there(self, full, ada, gone):
        assert f'href="{DELETED}"' in page_of(ada.get("/alpha/churn/main"))


@pytest.mark.parametrize("address", [DEPRECATE, DELETE, DELETED])
def test_who_may_not_write_looks_and_does_nothing(full, vic, address):
    gone = full.asset("data/features")
    recording.delete_asset(actor="ada", asset=gone)
    assert "You may look at this, and not" in page_of(vic.get(address))
    said = typed(full, reason=WHY) | ({"definition": gone.definition_uid} if address == DELETED else {})
    assert vic.post(address, said).status_code == 403
    assert full.client("olga").get(address).status_code == 404
    assert full.client("olga").post(address, said).status_code == 404
    assert Deletion.objects.count() == 1
    assert not Deprecation.objects.exists()


@pytest.mark.parametrize("address", [DEPRECATE, DELETE, DELETED])
def test_another_site_sends_no_form(full, address):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(full.people["ada"])
    assert careful.post(address, typed(full, reason=WHY)).status_code == 403


QUERIES = [
    # session and user; roles; the asset; the version; the menus; without a deprecation: the next one
    (DEPRECATE, 7),
    # session and user; roles; the asset; the menus; who reads it; its aliases
    (DELETE, 7),
    # session and user; roles; the branch; the menus; what was deleted; why
    (DELETED, 7),
]


@pytest.mark.parametrize(("address", "most"), QUERIES)
def test_how_many_queries_they_cost(full, ada, address, most, django_assert_max_num_queries):
    for name in ("one", "two", "three"):
        full.register(f"data/{name}")
        recording.delete_asset(actor="ada", asset=full.asset(f"data/{name}"))
    ada.get(address)
    with django_assert_max_num_queries(most):
        assert ada.get(address).status_code == 200


def test_members_of_a_role_come_and_go(full, ada):
    Membership.objects.filter(user=full.people["ada"]).update(role=Role.VIEWER)
    assert ada.post(DEPRECATE, {"reason": WHY}).status_code == 403
