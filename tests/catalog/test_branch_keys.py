"""Branches whose names lose letters in the rule of other clients: each has a key of its own, and is found by theirs."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.urls import reverse

from access.models import Membership, Perimeter, Role, Token
from catalog.models import Branch, BranchKey, Consumption, Run
from catalog.recording import learn_branches
from obproject.branches import branch_key
from tests.catalog.wire import PERIMETER, TASK, spec_body
from tests.conftest import Api

LI, WANG = "user.李", "user.王"
CAFE, DECOMPOSED = "caf\u00e9/x", "cafe\u0301/x"
PROJECT = f"{PERIMETER}/projects/churn/branches"


def at(name: str) -> str:
    """Below a branch, as our client addresses it."""
    return f"{PROJECT}/{branch_key(name)}"


def write(api: Api, branch: str, name: str = "", asset: str = "data/d"):
    """A registration below the address of a branch; the reference client says no name."""
    body = {"entity_ref": TASK, "data_asset_kind": "artifact", **({"branch_name": name} if name else {})}
    return api.patch(f"{branch}/{asset}", body)


def names() -> dict[str, str]:
    return dict(Branch.objects.order_by("pk").values_list("key", "git_name"))


def migrated() -> None:
    """Branches that an older version made get what the migration gives them."""
    import_module("catalog.migrations.0012_branch_keys").fill(apps, None)


@pytest.fixture
def older(api) -> Api:
    """A catalogue of 0.5, where the branch of the first user has the key of both."""
    write(api, f"{PROJECT}/user")
    Branch.objects.update(git_name=LI)
    migrated()
    return api


def test_two_users_without_latin_letters_have_a_branch_each(api):
    assert [write(api, at(name), name).status_code for name in (LI, WANG, LI)] == [201] * 3
    assert names() == {branch_key(LI): LI, branch_key(WANG): WANG}
    assert api.get(f"{at(LI)}/data/d").data["recent_instances"][0]["ref"] == "v2"


def test_an_older_client_of_the_same_branch_lands_there(api):
    write(api, f"{PROJECT}/user", LI)
    write(api, at(LI), LI)
    write(api, f"{PROJECT}/user", WANG)
    assert names() == {branch_key(LI): LI, branch_key(WANG): WANG}
    assert api.get(f"{at(LI)}/data/d").data["recent_instances"][0]["ref"] == "v2"


@pytest.mark.parametrize("name", [LI, CAFE, "x" * 200])
def test_another_client_finds_a_branch_by_its_own_rule(api, name):
    write(api, at(name), name)
    from_afar = f"{PROJECT}/{ {LI: 'user', CAFE: 'caf_x'}.get(name, name) }"
    assert write(api, from_afar).data["ref"] == "v2"
    assert f"/{branch_key(name)}/" in api.get(f"{from_afar}/data/d/instances/latest").data["url"]
    assert [item["asset"]["id"] for item in api.get(f"{from_afar}/data").data["items"]] == ["d"]
    assert api.put(f"{from_afar}/data/d/instances/latest", {"entity_ref": TASK}).status_code == 200
    alias = {"instance_id": api.get(f"{from_afar}/data/d/instances/latest").data["id"], "entity_ref": TASK}
    assert api.put(f"{from_afar}/data/d/aliases/good", alias).status_code == 200
    assert api.get(f"{at(name)}/data/d/instances/@good").data["ref"] == "v2"
    assert len(api.get(f"{from_afar}/runs").data["runs"]) == 1
    assert api.get(f"{from_afar}/lineage").status_code == 200
    assert api.delete(f"{from_afar}/data/d").status_code == 204
    assert names() == {branch_key(name): name}
    assert Run.objects.get(name="ComicData/1").branch == branch_key(name)


def test_a_key_of_two_branches_leads_to_neither_and_says_so(api):
    write(api, at(LI), LI)
    write(api, at(WANG), WANG)
    for answer in (write(api, f"{PROJECT}/user"), api.get(f"{PROJECT}/user/data"), api.get(f"{PROJECT}/user/data/d")):
        assert answer.status_code == 409
        assert answer.data["message"] == (
            "The key 'user' is what several branches are called by clients that leave out their letters: "
            f"'{LI}', '{WANG}'. Ask by their names, or by their own keys: '{branch_key(LI)}', '{branch_key(WANG)}'."
        )
    assert api.client.get("/default/churn/user").status_code == 409
    assert len(names()) == 2


def test_an_existing_branch_keeps_its_key_and_is_found_by_the_new_one(older):
    assert write(older, at(LI), LI).data["ref"] == "v2"
    assert write(older, f"{PROJECT}/user", LI).data["ref"] == "v3"
    assert write(older, f"{PROJECT}/user").data["ref"] == "v4"
    assert names() == {"user": LI}
    migrated()
    assert BranchKey.objects.count() == 1


def test_beside_an_existing_branch_another_user_has_one_and_nobody_writes_to_the_wrong_one(older):
    assert write(older, f"{PROJECT}/user", WANG).data["ref"] == "v1"
    assert names() == {"user": LI, branch_key(WANG): WANG}
    refused = write(older, f"{PROJECT}/user")
    assert refused.status_code == 409
    assert LI in refused.data["message"]
    assert WANG in refused.data["message"]
    assert older.get(f"{PROJECT}/user/data/d/instances/latest").data["ref"] == "v1"
    assert write(older, at(LI), LI).data["ref"] == "v2"


def test_a_branch_that_another_client_made_is_taken_by_the_first_name(api):
    write(api, f"{PROJECT}/user")
    assert write(api, at(LI), LI).data["ref"] == "v2"
    assert write(api, at(WANG), WANG).data["ref"] == "v1"
    assert names() == {"user": LI, branch_key(WANG): WANG}
    assert api.get(f"{at(LI)}/data/d/instances/latest").data["ref"] == "v2"


@pytest.mark.parametrize("name", ["main李", "prod.李", "李master"])
def test_nobody_is_led_to_a_branch_for_production_or_from_there(api, name):
    write(api, at(name), name)
    assert [api.get(f"{PROJECT}/{key}/data/d").status_code for key in ("main", "prod", "master")] == [404] * 3
    assert write(api, f"{PROJECT}/main", "main").data["ref"] == "v1"


def test_an_asset_that_an_existing_branch_lacks_is_missing_there_also_when_its_key_is_shared(older):
    write(older, at(WANG), WANG)
    assert "no data asset 'none' on churn/user.李" in older.get(f"{PROJECT}/user/data/none").data["message"]


def test_a_name_that_loses_nothing_keeps_its_key_whoever_came_first(api):
    write(api, at(CAFE), CAFE)
    for key in ("feature_x", "caf_y"):
        assert write(api, f"{PROJECT}/{key}", key.replace("_", "/")).status_code == 201
    taken = write(api, f"{PROJECT}/feature_x", "Feature-X")
    assert taken.status_code == 409
    assert "'feature/x' and 'Feature-X' both have the key 'feature_x'" in taken.data["message"]


def test_spellings_of_one_name_are_one_branch_and_a_second_real_one_is_refused(api):
    assert write(api, at(CAFE), CAFE).status_code == 201
    assert write(api, at(DECOMPOSED), DECOMPOSED).data["ref"] == "v2"
    assert write(api, f"{PROJECT}/cafe_x").data["ref"] == "v3"
    taken = write(api, at("Café-X"), "Café-X")
    assert taken.status_code == 409
    assert f"'{CAFE}' and 'Café-X' both have the key '{branch_key(CAFE)}'" in taken.data["message"]


@pytest.mark.parametrize("spec_first", [True, False])
def test_a_spec_and_assets_of_the_public_deploy_tool_meet(api, spec_first):
    """Its two rules differ: the spec is posted to `café_x`, assets to `caf_x`."""

    def post():
        return api.post(f"{PERIMETER}/flowprojects", spec_body({"title": "Churn"}, branch="café_x"))

    acts = [post, lambda: write(api, f"{PROJECT}/caf_x")]
    answers = [act() for act in (acts if spec_first else reversed(acts))]
    assert {answer.status_code for answer in answers} == {200, 201}
    assert Branch.objects.count() == 1
    for key in ("caf_x", branch_key(CAFE)):
        assert api.get(f"{PROJECT}/{key}/latestflowproject").data["title"] == "Churn"
    assert write(api, at(CAFE), CAFE).data["ref"] == "v2"
    assert Branch.objects.get().git_name == CAFE


def test_pages_of_a_name_or_a_further_key_are_at_the_own_key(older):
    client = older.client
    own = f"/default/churn/{branch_key(WANG)}"
    write(older, at(WANG), WANG)
    write(older, at(CAFE), CAFE)
    assert client.get(f"/default/churn/{WANG}/data/d?tab=code")["Location"] == f"{own}/data/d?tab=code"
    for old, new in ((branch_key(LI), "user"), (LI, "user"), ("caf_x", branch_key(CAFE)), (CAFE, branch_key(CAFE))):
        assert client.get(f"/default/churn/{old}")["Location"] == f"/default/churn/{new}"
    moved = client.get("/default/churn/caf_x/highlights.json")["Location"]
    assert moved.endswith(f"{branch_key(CAFE)}/highlights.json")
    assert client.get(f"/default/churn/{branch_key(LI)}/data/d/cards")["Location"] == "/default/churn/user/data/d/cards"
    assert client.get("/default/churn/user").status_code == 200
    assert client.get("/default/churn/user.json").json()["branch"]["further_keys"] == [branch_key(LI)]
    assert LI in client.get("/default/churn/user/data/none").content.decode()
    assert "no branch &#39;user.张&#39;" in client.get("/default/churn/user.张").content.decode()


def test_a_key_that_is_longer_than_keys_are_now_stays_the_address_of_its_branch(api):
    write(api, at("x" * 200), "x" * 200)
    Branch.objects.update(key="x" * 200)
    BranchKey.objects.all().delete()
    migrated()
    assert api.client.get(f"/default/churn/{'x' * 200}/data/d").status_code == 200
    assert api.client.get(f"{'/default/churn/' + branch_key('x' * 200)}")["Location"].endswith("x" * 200)
    for key in ("x" * 200, branch_key("x" * 200)):
        assert api.get(f"{PROJECT}/{key}/data/d/instances/latest").data["ref"] == "v1"


@pytest.mark.parametrize("pattern", [LI, branch_key(LI), "user"])
def test_a_token_for_any_name_of_a_branch_may_write_there_by_any(api, settings, pattern):
    write(api, at(LI), LI)
    settings.MODE, settings.LOCAL_MODE = "team", False
    user, perimeter = User.objects.create(username="li"), Perimeter.objects.get()
    Membership.objects.create(user=user, perimeter=perimeter, role=Role.EDITOR)
    _, api.token = Token.objects.issue(user=user, perimeter=perimeter, role=Role.EDITOR, branch_patterns=[pattern])
    assert write(api, f"{PROJECT}/user").status_code == 201
    assert write(api, at(LI), LI).status_code == 201
    assert write(api, at(WANG), WANG).status_code == 403


def test_a_consumption_names_the_own_key_of_the_consumers_branch(older):
    consumed = {"entity_ref": TASK, "consumer": {"project": "churn", "branch": LI}}
    assert older.put(f"{at(LI)}/data/d/instances/latest", consumed).status_code == 200
    found = Consumption.objects.values_list("write_branch", "write_branch_name")
    assert list(found) == [("user", LI)]


def test_a_branch_that_is_learnt_from_tags_has_its_own_key_and_name(api):
    write(api, at(CAFE), CAFE)
    api.consume(f"{at(CAFE)}/data/d/instances/latest", task="Reader/1/start/1")
    began = Consumption.objects.get().at
    assert learn_branches(began, lambda perimeter, task: "caf_x") == 1
    found = Consumption.objects.values_list("write_branch", "write_branch_name")
    assert list(found) == [(branch_key(CAFE), CAFE)]


def test_a_further_key_costs_two_queries_and_an_own_key_none(api, django_assert_num_queries):
    write(api, at(LI), LI)
    api.get(f"{PROJECT}/user/data/d/instances/latest")  # prepared by now
    with django_assert_num_queries(4):
        api.get(f"{at(LI)}/data/d/instances/latest")
    with django_assert_num_queries(6):
        api.get(f"{PROJECT}/user/data/d/instances/latest")


def test_the_administration_shows_what_leads_to_a_branch(older):
    write(older, at(WANG), WANG)
    page = older.client.get(reverse("admin:catalog_branch_change", args=[Branch.objects.get(key="user").pk]))
    assert f"user (shared, so it leads to none), {branch_key(LI)}" in page.content.decode()
