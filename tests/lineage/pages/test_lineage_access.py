"""Who sees a page of lineage: members of its perimeter, nobody else."""

from django.test import Client

from lineage.pages.routes import FORMS
from tests.lineage.pages.conftest import BRANCH, LINEAGE

PLACES = [LINEAGE, f"{BRANCH}/models/churn_model/lineage", f"{BRANCH}/models/churn_model/v1/lineage"]
COMPONENTS = [f"{BRANCH}/flows/TrainFlow", f"{BRANCH}/deployments/dashboard", f"{BRANCH}/people/ada"]
PAGES = [place + suffix for place in PLACES for suffix in ("", *FORMS)]
PAGES += [page + twin for page in COMPONENTS for twin in ("", ".json")]


def test_a_member_sees_every_page(linked, vic):
    linked.consume("data/scores", "ada", kind="user")
    assert {page: vic.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, 200)


def test_an_outsider_is_told_that_there_is_nothing(linked):
    olga = linked.client("olga")
    assert {page: olga.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, 404)


def test_a_node_of_another_perimeter_is_no_focus(linked):
    secret = linked.register("data/secret", "SecretFlow/1/end/1", perimeter=linked.beta)
    uid = linked.asset("data/secret").definition_uid
    assert secret
    assert linked.client("vic").get(f"{LINEAGE}?focus={uid}").status_code == 404
    assert linked.client("olga").get(f"/beta/churn/main/lineage?focus={uid}").status_code == 200


def test_who_has_not_signed_in_is_asked_to(linked):
    for page in PLACES + COMPONENTS:
        assert Client().get(page).status_code == 302
