"""Who may call which endpoint: everyone of the cast against every endpoint of the API."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from access.models import Membership, Perimeter, Role, Token
from catalog.models import (
    Asset,
    Branch,
    Consumption,
    Deletion,
    Delivery,
    Deprecation,
    GateRevision,
    Highlight,
    Instance,
    Message,
    NewNormal,
    PromotionRequest,
    Webhook,
)
from telling.kept_secrets import encrypted
from telling.signing import new_secret
from tests.built_once import built_once
from tests.catalog.wire import CI, TASK, definition, deploy_body
from tests.conftest import Api

pytestmark = pytest.mark.slow

ROOT = "/v1/perimeters/alpha"
BRANCH = f"{ROOT}/projects/churn/branches"
MAIN, FEATURE = f"{BRANCH}/main", f"{BRANCH}/feature_x"
ASSET = f"{MAIN}/data/xkcd"
REGISTRATION = {"entity_ref": TASK, "data_asset_kind": "artifact"}
MANY = {"registrations": [REGISTRATION | {"kind": "data", "asset": name} for name in ("xkcd", "new")]}
HIGHLIGHT = {"entity_ref": TASK, "content": {"title": "Better"}}
SPEC = {"project": "churn", "branch": "main", "version_id": "1", "spec": {"data": []}}

# name of the route, method, address, body, status for an editor
READS = [
    ("api-assets", "GET", f"{MAIN}/data", None, 200),
    ("api-asset", "GET", ASSET, None, 200),
    ("api-instance", "GET", f"{ASSET}/instances/latest", None, 200),
    ("api-aliases", "GET", f"{ASSET}/aliases", None, 200),
    ("api-alias", "GET", f"{ASSET}/aliases/production", None, 200),
    ("api-alias-history", "GET", f"{ASSET}/alias-history", None, 200),
    ("api-requests", "GET", f"{ASSET}/requests", None, 200),
    ("api-request", "GET", f"{ASSET}/requests/1", None, 200),
    ("api-approvals", "POST", f"{ASSET}/requests/1/approvals", None, 403),
    ("api-alias-check", "POST", f"{ASSET}/aliases/production/check", {"instance_id": "$newest"}, 200),
    ("api-promotion-check", "POST", f"{ASSET}/promotions/check", {"instance_id": "$newest"}, 200),
    ("api-gates-check", "POST", f"{MAIN}/gates/check", {"definitions": []}, 200),
    ("api-spec", "GET", f"{MAIN}/latestflowproject", None, 200),
    ("api-highlights", "GET", f"{MAIN}/highlights", None, 200),
    ("api-runs", "GET", f"{MAIN}/runs", None, 200),
    ("api-lineage", "GET", f"{MAIN}/lineage", None, 200),
    ("api-impact", "GET", f"{MAIN}/lineage/impact?focus=data/xkcd", None, 200),
    ("api-paths", "GET", f"{MAIN}/lineage/paths?from=data/xkcd&to=data/xkcd", None, 200),
    ("api-asset-lineage", "GET", f"{ASSET}/lineage", None, 200),
    ("api-instance-lineage", "GET", f"{ASSET}/instances/latest/lineage", None, 200),
]
DEPRECATED = f"{ASSET}/instances/v1/deprecation"
CONSUMPTION = ("api-instance", "PUT", f"{ASSET}/instances/latest", {"entity_ref": TASK}, 200)
WRITES = [
    ("api-asset", "PATCH", ASSET, REGISTRATION, 201),
    ("api-registrations", "POST", f"{MAIN}/registrations", MANY, 200),
    ("api-asset", "DELETE", ASSET, None, 204),
    ("api-recover", "POST", f"{MAIN}/data/gone/recover", {}, 200),
    ("api-normal", "PUT", f"{ASSET}/normal", {"reason": "Twice a week from now on."}, 200),
    ("api-deprecation", "PUT", DEPRECATED, {"reason": "Wrong labels."}, 200),
    ("api-deprecation", "DELETE", f"{ASSET}/instances/v3/deprecation", None, 204),
    ("api-alias", "PUT", f"{ASSET}/aliases/production", {"entity_ref": TASK, "instance_id": "$newest"}, 200),
    ("api-alias", "DELETE", f"{ASSET}/aliases/production", None, 204),
    ("api-requests", "POST", f"{ASSET}/requests", {"alias": "production", "instance_id": "$newest"}, 409),
    ("api-request", "DELETE", f"{ASSET}/requests/1", None, 200),
    ("api-specs", "DELETE", f"{MAIN}/flowprojects", None, 204),
    ("api-deploys", "POST", f"{MAIN}/deploys", deploy_body(definition("xkcd")), 200),
    ("api-highlights", "POST", f"{MAIN}/highlights", HIGHLIGHT, 201),
    ("api-post-spec", "POST", f"{ROOT}/flowprojects", SPEC, 200),
    ("api-confirmations", "POST", f"{ROOT}/confirmations", {"entity_ref": TASK, "state": "ready"}, 200),
]
OPEN_TO_MEMBERS = [("api-me", "GET", "/v1/me", None, 200), ("api-openapi", "GET", "/v1/openapi.json", None, 200)]
WEBHOOKS, INSIDE = f"{ROOT}/webhooks", {"url": "https://hooks.example.com/x"}
FOR_ADMINS = [
    ("api-webhooks", "GET", WEBHOOKS, None, 200),
    ("api-webhooks", "POST", WEBHOOKS, INSIDE, 201),
    ("api-webhook", "GET", f"{WEBHOOKS}/1", None, 200),
    ("api-webhook", "PATCH", f"{WEBHOOKS}/1", {"name": "ours"}, 200),
    ("api-webhook", "DELETE", f"{WEBHOOKS}/1", None, 204),
    ("api-webhook-secret", "POST", f"{WEBHOOKS}/1/secret", None, 200),
    ("api-webhook-test", "POST", f"{WEBHOOKS}/1/test", None, 200),
    ("api-deliveries", "GET", f"{WEBHOOKS}/1/deliveries", None, 200),
    ("api-replay", "POST", f"{WEBHOOKS}/1/deliveries/1/replay", None, 200),
]
EVERYTHING = [*READS, CONSUMPTION, *WRITES, *FOR_ADMINS]


def named(endpoints):
    return {"argvalues": endpoints, "ids": [f"{method} {name}" for name, method, *_ in endpoints]}


@dataclass
class Team:
    """A site in team mode: ada administers alpha, eve edits it, vic views it, olga is of another perimeter."""

    alpha: Perimeter
    people: dict[str, User]

    def api(self, who: str, role: Role = Role.EDITOR, **fields) -> Api:
        perimeter = Perimeter.objects.get(name="beta") if who == "olga" else self.alpha
        _, secret = Token.objects.issue(user=self.people[who], perimeter=perimeter, role=role, **fields)
        return Api(Client(SERVER_NAME="localhost"), token=secret, branch=MAIN)


@pytest.fixture
def team(db, settings):
    settings.MODE, settings.LOCAL_MODE = "team", False
    return built_once(make_team)


def make_team():
    alpha, beta = (Perimeter.objects.create(name=name) for name in ("alpha", "beta"))
    people = {name: User.objects.create(username=name) for name in ("ada", "eve", "vic", "olga")}
    for name, perimeter, role in (
        ("ada", alpha, Role.ADMIN),
        ("eve", alpha, Role.EDITOR),
        ("vic", alpha, Role.VIEWER),
        ("olga", beta, Role.ADMIN),
    ):
        Membership.objects.create(user=people[name], perimeter=perimeter, role=role)
    team = Team(alpha, people)
    eve = team.api("eve")
    newest = eve.register(ASSET, state="ready")["id"]
    eve.register(ASSET, state="pending", task="Other/1/s/1")
    eve.register(ASSET)
    assert eve.put(f"{ASSET}/instances/v3/deprecation", {"reason": "Wrong labels."}).status_code == 200
    eve.register(f"{MAIN}/data/gone")
    assert eve.delete(f"{MAIN}/data/gone").status_code == 204
    assert eve.put(f"{ASSET}/aliases/production", {"entity_ref": TASK, "instance_id": newest}).status_code == 200
    assert eve.post(f"{ROOT}/flowprojects", SPEC).status_code == 200
    wait_for_approval(people["eve"])
    send_to_a_webhook(alpha)
    return team


def send_to_a_webhook(perimeter):
    """One to which nothing is sent: its address is inside a network."""
    now = timezone.now()
    about = {"pk": 1, "perimeter": perimeter, "created_at": now}
    webhook = Webhook.objects.create(url="https://127.0.0.1/x", secret=encrypted(new_secret()), **about)
    message = Message.objects.create(kind="asset.late", body={}, at=now, **about)
    Delivery.objects.create(pk=1, webhook=webhook, message=message, state="delivered", next_at=now)


def wait_for_approval(user):
    """A request of theirs."""
    instance = Instance.objects.select_related("asset__branch").get(number=2)
    at = {"branch": instance.asset.branch, "kind": "data", "asset_id": "xkcd", "at": timezone.now(), "actor": "eve"}
    gates = GateRevision.objects.create(**at, entity_kind="ci", entity_id="deploy", gates={"gated": {"approvals": 1}})
    PromotionRequest.objects.create(**at, pk=1, user=user, alias="gated", instance=instance, gates=gates)


def call(api, endpoint):
    _, method, path, body, _ = endpoint
    if body and body.get("instance_id") == "$newest":
        body = body | {"instance_id": Instance.objects.get(number=1, asset__asset_id="xkcd").uid}
    return api.call(method, path, body)


def what_is_there():
    """Everything that a write could change."""
    return {
        "assets": list(Asset.objects.order_by("pk").values()),
        "instances": list(Instance.objects.order_by("pk").values()),
        "branches": list(Branch.objects.order_by("pk").values()),
        "consumed": Consumption.objects.count(),
        "highlights": Highlight.objects.count(),
        "deletions": Deletion.objects.count(),
        "deprecations": Deprecation.objects.count(),
        "normals": NewNormal.objects.count(),
        "webhooks": list(Webhook.objects.order_by("pk").values()),
    }


def test_the_table_above_has_every_route_of_the_api():
    v1 = [pattern for pattern in get_resolver().url_patterns if str(pattern.pattern) == "v1/"]
    routes = {pattern.name for part in v1 for pattern in part.url_patterns} - {None, "api-docs"}
    assert {name for name, *_ in [*EVERYTHING, *OPEN_TO_MEMBERS]} == routes


@pytest.mark.parametrize("endpoint", **named([*EVERYTHING, *OPEN_TO_MEMBERS]))
def test_nobody_gets_401(team, endpoint):
    before = what_is_there()
    nobody, unknown = (Api(Client(SERVER_NAME="localhost"), token=token) for token in ("", "as_wrong"))
    expired = team.api("eve", expires_at=timezone.now() - timedelta(seconds=1))
    revoked = team.api("eve")
    Token.objects.latest("pk").revoke()
    for api in (nobody, unknown, expired, revoked):
        answer = call(api, endpoint)
        assert answer.status_code == 401
        assert answer.data["error"] == "unauthorized"
        assert "WWW-Authenticate" in answer.headers
    assert what_is_there() == before


def test_an_address_that_is_none_is_401_for_nobody(db, settings):
    settings.MODE, settings.LOCAL_MODE = "team", False
    assert Client(SERVER_NAME="localhost").get("/v1/nothing").status_code == 401


@pytest.mark.parametrize("endpoint", **named(EVERYTHING))
def test_an_outsider_gets_404_as_if_there_were_nothing(team, endpoint):
    before = what_is_there()
    olga = team.api("olga", Role.ADMIN)
    answer = call(olga, endpoint)
    assert answer.status_code == 404
    assert answer.data["detail"] == {"perimeter": "alpha"}
    assert what_is_there() == before
    name, method, path, body, status = endpoint
    nowhere = call(olga, (name, method, path.replace("/alpha/", "/nowhere/"), body, status))
    assert nowhere.data["message"] == answer.data["message"].replace("alpha", "nowhere")


@pytest.mark.parametrize("endpoint", **named([*READS, CONSUMPTION, *OPEN_TO_MEMBERS]))
def test_a_viewer_may_read_and_consume(team, endpoint):
    assert call(team.api("vic", Role.VIEWER), endpoint).status_code == endpoint[-1]


@pytest.mark.parametrize("endpoint", **named(WRITES))
def test_a_viewer_may_write_nothing(team, endpoint):
    before = what_is_there()
    # a token is worth no more than the role of its person, and the person no more than the token says
    for who, role in (("vic", Role.VIEWER), ("vic", Role.ADMIN), ("eve", Role.VIEWER)):
        answer = call(team.api(who, role), endpoint)
        assert answer.status_code == 403
        assert answer.data["error"] == "forbidden"
        assert answer.data["detail"]["needed"] == "editor"
    assert what_is_there() == before


@pytest.mark.parametrize("endpoint", **named(WRITES))
def test_an_editor_may_write_but_not_main_with_a_token_for_feature_branches(team, feature, endpoint):
    before = what_is_there()
    answer = call(feature, endpoint)
    assert answer.status_code == 403
    assert answer.data["detail"]["branch"] == "main"
    assert what_is_there() == before
    assert call(team.api("eve"), endpoint).status_code == endpoint[-1]


@pytest.mark.parametrize("endpoint", **named(FOR_ADMINS))
def test_webhooks_are_for_admins_whose_token_is_for_all_branches(team, endpoint):
    before = what_is_there()
    some_branches = {"branch_patterns": ["feature/*"]}
    for who, role, more in (("eve", Role.ADMIN, {}), ("ada", Role.EDITOR, {}), ("ada", Role.ADMIN, some_branches)):
        answer = call(team.api(who, role, **more), endpoint)
        assert answer.status_code == 403
        assert answer.data["error"] == "forbidden"
    assert what_is_there() == before
    assert call(team.api("ada", Role.ADMIN), endpoint).status_code == endpoint[-1]


# Tokens for some branches


@pytest.fixture
def feature(team):
    """The API with a token that may write to feature branches only."""
    return team.api("eve", branch_patterns=["feature/*", "feature_*"])


def test_it_may_read_and_consume_main(feature):
    for endpoint in (*READS, CONSUMPTION):
        assert call(feature, endpoint).status_code == endpoint[-1]


def test_it_may_write_its_own_branches(feature):
    made = feature.register(f"{FEATURE}/data/a", branch_name="feature/x", state="pending", task="F/1/s/1")
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "F/1/s/1"}, "state": "ready"}
    assert feature.post(f"{ROOT}/confirmations", body).status_code == 200
    deploy = deploy_body(definition("b"), branch_name="feature/x")
    assert feature.post(f"{FEATURE}/deploys", deploy).status_code == 200
    assert feature.post(f"{ROOT}/flowprojects", SPEC | {"branch": "feature/x"}).status_code == 200
    alias = {"entity_ref": TASK, "instance_id": made["id"]}
    assert feature.put(f"{FEATURE}/data/a/aliases/x", alias).status_code == 200
    assert feature.delete(f"{FEATURE}/data/a").status_code == 204


@pytest.mark.parametrize("name", ["feature/x", "feature/main", "feature_main"])
def test_a_misleading_branch_name_opens_no_other_branch(team, feature, name):
    before = what_is_there()
    for answer in (
        feature.patch(f"{MAIN}/data/new", REGISTRATION | {"branch_name": name}),
        feature.post(f"{MAIN}/deploys", deploy_body(definition("a"), branch_name=name)),
        feature.post(f"{ROOT}/flowprojects", SPEC | {"branch_name": name}),
    ):
        assert answer.status_code in (400, 403)
    assert what_is_there() == before


def test_the_name_that_a_branch_has_beats_the_one_that_is_claimed(team):
    team.api("eve").register(f"{FEATURE}/data/a", branch_name="feature-x")
    slashed = team.api("eve", branch_patterns=["feature/*"])
    answer = slashed.patch(f"{FEATURE}/data/a", REGISTRATION | {"branch_name": "feature/x"})
    assert answer.status_code == 403
    assert Branch.objects.get(key="feature_x").git_name == "feature-x"


Y = f"{BRANCH}/feature_y"


def claims():
    """Every call in which a token says what the branch is called."""
    return {
        "register": ("patch", f"{Y}/data/b", REGISTRATION | {"branch_name": "feature/y"}),
        "many": (
            "post",
            f"{Y}/registrations",
            {"registrations": [MANY["registrations"][1] | {"branch_name": "feature/y"}]},
        ),
        "deploy": ("post", f"{Y}/deploys", deploy_body(definition("b"), branch_name="feature/y")),
        "spec": ("post", f"{ROOT}/flowprojects", SPEC | {"branch": "feature/y"}),
        "highlight": ("post", f"{Y}/highlights", HIGHLIGHT | {"branch_name": "feature/y"}),
    }


@pytest.mark.parametrize("how", claims())
def test_a_claimed_name_does_not_open_a_branch_that_others_have_written(team, how):
    team.api("ada").register(f"{Y}/data/a")  # by its key alone, as other clients do
    method, path, body = claims()[how]
    before = what_is_there()
    answer = team.api("eve", branch_patterns=["feature/*"]).call(method, path, body)
    assert answer.status_code == 403
    assert "others than eve have written to it" in answer.data["message"]
    assert answer.data["detail"] == {"branch": "feature_y", "branches": ["feature/*"]}
    assert what_is_there() == before
    assert Branch.objects.get(key="feature_y").git_name == ""


@pytest.mark.parametrize("how", claims())
def test_it_opens_one_that_only_the_owner_of_the_token_has_written_and_one_that_is_new(team, how):
    method, path, body = claims()[how]
    slashed = team.api("eve", branch_patterns=["feature/*"])
    if how != "spec":
        team.api("eve").register(f"{Y}/data/a")
    assert slashed.call(method, path, body).status_code in (200, 201)
    assert Branch.objects.get(key="feature_y").git_name == ("" if how == "spec" else "feature/y")


def test_a_token_for_the_key_may_name_the_branch_and_then_that_name_counts(team):
    team.api("ada").register(f"{Y}/data/a")
    slashed = team.api("eve", branch_patterns=["feature/*"])
    for api in (team.api("eve", branch_patterns=["feature_*"]), slashed):
        assert api.patch(f"{Y}/data/b", REGISTRATION | {"branch_name": "feature/y"}).status_code == 201
    assert slashed.delete(f"{Y}/data/b").status_code == 204


def test_main_needs_no_first_write_to_be_main(team):
    capital = team.api("eve", branch_patterns=["M*"])
    for project in ("churn", "new"):
        spec = SPEC | {"project": project, "branch": "MAIN"}
        assert capital.post(f"{ROOT}/flowprojects", spec).status_code == 403


def test_a_pattern_may_name_main_alone(team):
    main = team.api("eve", branch_patterns=["main"])
    main.register(f"{MAIN}/data/b")
    for path in (f"{BRANCH}/main_x/data/b", f"{BRANCH}/master/data/b", f"{BRANCH}/x_main/data/b"):
        assert main.patch(path, REGISTRATION).status_code == 403


def test_confirming_is_refused_if_any_branch_of_the_task_is_not_the_tokens(team, feature):
    eve = team.api("eve")
    mine = eve.register(f"{FEATURE}/data/a", branch_name="feature/x", state="pending", task="F/1/s/1")
    eve.register(f"{MAIN}/data/a", state="pending", task="F/1/s/1")
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "F/1/s/1"}, "state": "ready"}
    assert feature.post(f"{ROOT}/confirmations", body).status_code == 403
    assert feature.post(f"{ROOT}/confirmations", body | {"instances": [mine["id"]]}).status_code == 200


def test_a_higher_attempt_may_not_fail_what_is_on_a_branch_out_of_reach(team, feature):
    team.api("eve").register(f"{MAIN}/data/a", task="F/1/s/1", attempt=0)
    body = REGISTRATION | {"entity_ref": {"entity_kind": "task", "entity_id": "F/1/s/1"}, "attempt": 1}
    assert feature.patch(f"{FEATURE}/data/b", body).status_code == 403
    assert Instance.objects.get(asset__asset_id="a").state == "ready"


# Perimeters


def test_an_idempotency_key_is_of_one_caller(team):
    headers = {"Idempotency-Key": "k"}
    first = team.api("eve").patch(f"{MAIN}/data/b", REGISTRATION, **headers)
    second = team.api("eve").patch(f"{MAIN}/data/b", REGISTRATION, **headers)
    assert first.data["id"] != second.data["id"]


def test_perimeters_are_apart(team):
    olga = team.api("olga", Role.ADMIN)
    made = olga.register("/v1/perimeters/beta/projects/churn/branches/main/data/xkcd")
    assert made["ref"] == "v1"
    assert team.api("vic").get(f"{ASSET}/instances/{made['id']}").status_code == 404
    ours = Instance.objects.get(asset__branch__project__perimeter__name="alpha", number=1, asset__asset_id="xkcd")
    theirs = "/v1/perimeters/beta/projects/churn/branches/main/data/xkcd"
    assert olga.get(f"{theirs}/instances/{ours.uid}").status_code == 404
    alias = {"entity_ref": CI, "instance_id": ours.uid}
    assert olga.put(f"{theirs}/aliases/a", alias).status_code == 404
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "Other/1/s/1"}, "state": "ready"}
    assert olga.post("/v1/perimeters/beta/confirmations", body).data == {"confirmed": []}
    assert Instance.objects.get(asset=ours.asset, number=2).state == "pending"


def test_a_task_of_another_perimeter_is_another_task(team):
    team.api("eve").register(f"{MAIN}/data/b", task="F/1/s/1", attempt=0)
    team.api("olga", Role.ADMIN).register(
        "/v1/perimeters/beta/projects/churn/branches/main/data/b", task="F/1/s/1", attempt=1
    )
    assert Instance.objects.get(asset__asset_id="b", asset__branch__project__perimeter=team.alpha).state == "ready"


def test_who_did_it_is_recorded(team):
    team.api("eve").register(f"{MAIN}/data/b")
    assert Asset.objects.get(asset_id="b").created_by.startswith("eve via token as_")
    assert Instance.objects.get(asset__asset_id="b").actor.startswith("eve via token as_")
