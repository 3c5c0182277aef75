"""Looking up what is to be compared: all at once, and never more than the viewer may see."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.identity import Viewer
from access.models import Membership, Role
from catalog.models import Asset, Instance
from catalog.recording import Declaration, delete_asset
from comparing.found import NOT_THERE, find_versions
from comparing.references import MOST, asked_in

MODEL = "models/churn_model"


@pytest.fixture
def find(full):
    """What a text asks for from the page of main's model, as somebody."""

    def found(*of, who="vic"):
        home = Asset.objects.with_place().select_related("newest_ready").get(pk=full.asset(MODEL).pk)
        return find_versions(Viewer(full.people[who]), home, asked_in(of))

    return found


def named(found):
    return [(one.text, one.asset.branch.key, one.asset.asset_id, one.instance and one.instance.ref) for one in found]


def test_versions_are_found_by_all_that_they_are_called(full, find):
    far = full.register(MODEL, project="other", branch="feature/x")
    found = find(
        "v1,latest-1,feature_new_model/models/churn_model:v1",
        "other/feature_x/models/churn_model:latest,data/features:v1,models/small_llama:latest",
    )
    assert named(found.versions) == [
        ("v1", "main", "churn_model", "v1"),
        ("latest-1", "main", "churn_model", "v2"),
        ("feature_new_model/models/churn_model:v1", "feature_new_model", "churn_model", "v1"),
        ("other/feature_x/models/churn_model:latest", "feature_x", "churn_model", "v1"),
        ("data/features:v1", "main", "features", "v1"),
        ("models/small_llama:latest", "main", "small_llama", None),  # a definition
    ]
    assert found.versions[3].instance == far
    assert (found.missing, found.more) == ((), 0)


@pytest.mark.parametrize("text", ["v3", "latest", "latest-0", "@production", MODEL + ":v3", "main:v3", "churn/main:v3"])
def test_many_names_lead_to_one_version(find, text):
    found = find(text, "v3", "v1")
    assert [one.instance.ref for one in found.versions] == ["v3", "v1"]
    assert found.by_text[text].uid == found.by_text["v3"].uid


def test_ids_lead_to_instances_and_definitions_wherever_they_are(full, find):
    far = full.register("data/elsewhere", project="other")
    llama = full.asset("models/small_llama")
    own = full.asset(MODEL)
    found = find(far.uid, llama.definition_uid, own.definition_uid, f"{MODEL}:{own.newest_ready.uid}")
    assert [one.uid for one in found.versions] == [
        *(far.uid, llama.definition_uid, own.definition_uid, own.newest_ready.uid)
    ]
    assert [one.instance for one in found.versions] == [far, None, None, own.newest_ready]
    assert [one.asset.branch.project.perimeter.name for one in found.versions] == ["alpha"] * 4


def test_a_branch_is_found_by_its_git_name_its_key_and_its_further_keys(full, find):
    full.register(MODEL, branch="user.李")
    for text in ("feature/new-model:v1", "feature_new_model:v1", "churn/feature/new-model/models/churn_model:v1"):
        assert named(find(text).versions) == [(text, "feature_new_model", "churn_model", "v1")]
    key = Asset.objects.get(branch__git_name="user.李").branch.key
    for text in ("user.李:v1", f"{key}:v1", "user:v1", "user/models/churn_model:latest"):
        assert named(find(text).versions) == [(text, key, "churn_model", "v1")]


MISSING = [
    *(
        "v99",
        "latest-3",
        "latest-99",
        "@nobody",
        "i_" + "0" * 20,
        "d_" + "0" * 20,
        "models/nope:v1",
        "data/features:v2",
    ),
    *("nope:v1", "nope/main:v1", "nope/main/models/churn_model:latest", "nope/models/churn_model:@production"),
]


@pytest.mark.parametrize("text", MISSING)
def test_what_is_not_there_is_named_and_the_rest_is_found(find, text):
    found = find(f"v1,{text},v2")
    assert [one.text for one in found.versions] == ["v1", "v2"]
    assert [(one.text, one.sentence) for one in found.missing] == [(text, NOT_THERE)]


def test_what_may_not_be_seen_is_as_if_it_was_not_there(full, find):
    hidden = full.register("models/hidden", perimeter=full.beta, annotations={"zebra": 1})
    definition = Asset.objects.get(pk=hidden.asset_id).definition_uid
    texts = [hidden.uid, definition, "i_" + "0" * 20, f"{MODEL}:{hidden.uid}", "models/hidden:v1"]
    found = find("v1", *texts)
    assert [(one.text, one.sentence) for one in found.missing] == [(text, NOT_THERE) for text in texts]
    Membership.objects.create(user=full.people["vic"], perimeter=full.beta, role=Role.VIEWER)
    full.people["vic"] = User.objects.get(username="vic")
    assert [one.uid for one in find(hidden.uid, definition).versions] == [hidden.uid, definition]


def test_an_id_below_a_wrong_asset_is_not_there(full, find):
    other = full.asset("data/features").newest_ready
    assert named(find(f"data/features:{other.uid}").versions) == [
        (f"data/features:{other.uid}", "main", "features", "v1")
    ]
    for text in (f"{MODEL}:{other.uid}", f"nope/data/features:{other.uid}"):
        assert [one.text for one in find(text).missing] == [text]


def test_a_deleted_asset_is_not_there(full, find):
    gone = full.asset("data/features")
    uid = gone.newest_ready.uid
    delete_asset(actor="ada", asset=Asset.objects.with_place().get(pk=gone.pk))
    assert len(find("data/features:v1", uid, gone.definition_uid).missing) == 3


def test_what_stands_for_latest(full, find):
    full.register("models/failing", state="pending")
    full.deploy(models__declared=Declaration({"a": "b"}))
    assert [one.text for one in find("models/failing:latest").missing] == ["models/failing:latest"]
    (version,) = find("models/declared:latest").versions
    assert version.instance is None
    full.register("models/declared", state="pending")
    assert find("models/declared:latest").versions[0].instance is None
    assert find("models/declared:v1").versions[0].instance.state == "pending"


def test_too_many_are_counted_and_wrong_ones_named(full, find):
    found = find("v0,v1," + ",".join(f"v{number}" for number in range(100, 125)))
    assert (len(found.versions), len(found.missing), found.more) == (1, MOST - 1, 7)
    assert found.missing[0].text == "v0"
    assert "is no instance reference" in found.missing[0].sentence


def cost(find, *of):
    with CaptureQueriesContext(connection) as queries:
        found = find(*of)
    return len(found.versions), len(queries) - 2  # home and the asset of the world


def test_twenty_cost_what_two_cost(full, find):
    for number in range(30):
        full.register(MODEL, f"TrainFlow/{number + 10}/train/1")
        full.register(MODEL, branch=f"feature/b{number}")
    find("v1")  # who vic is
    uids = list(Instance.objects.filter(asset__branch__key="main").values_list("uid", flat=True))[-20:]
    memberships = 1
    assert cost(find, "v1,v2") == (2, 1 + memberships)
    assert cost(find, ",".join(f"v{number}" for number in range(1, 21))) == (20, 1 + memberships)
    assert cost(find, ",".join(f"latest-{number}" for number in range(1, 21))) == (20, 3 + memberships)
    assert cost(find, ",".join(f"feature_b{number}:latest" for number in range(20))) == (20, 1 + memberships)
    assert cost(find, *uids) == (20, 1 + memberships)
