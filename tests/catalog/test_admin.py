"""Definitions in the administration: what is declared, what people set instead, and who may do so."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from access.models import Membership, Perimeter, Role, Token
from catalog import recording
from catalog.admin import AssetAdmin
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Branch, Project, PropertyOverride, SpecVersion
from catalog.states import Kind
from tests.lanes import every

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
DEPLOY = Entity("ci", "deploy of 4f2a9c1")
TASK = Entity("task", "TrainFlow/1/start/1")


@pytest.fixture(autouse=True)
def _team_mode(settings):
    settings.MODE, settings.LOCAL_MODE = "team", False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick


@pytest.fixture
def people() -> dict[str, User]:
    """alpha with ada (admin), eve (editor) and vic (viewer); beta with olga, the outsider, who is its editor."""
    people = {}
    roles = {"ada": ("alpha", Role.ADMIN), "eve": ("alpha", Role.EDITOR), "vic": ("alpha", Role.VIEWER)}
    for name, (perimeter, role) in (roles | {"olga": ("beta", Role.EDITOR)}).items():
        people[name] = User.objects.create_user(name, password="a good password")
        where, _ = Perimeter.objects.get_or_create(name=perimeter)
        Membership.objects.create(user=people[name], perimeter=where, role=role)
    return people


def branch_at(perimeter: str = "alpha", project: str = "churn", name: str = "main") -> recording.BranchAddress:
    key = name.replace("/", "_")
    return recording.BranchAddress(Perimeter.objects.get(name=perimeter), project, key, name)


def declare(asset_id: str = "churn_model", version: str = "v1", at: Any = None, **properties: Any) -> Asset:
    """Deploy one model with these properties."""
    declaration = recording.Declaration(declared_properties=properties, name="Churn model", asset_kind="artifact")
    branch, _ = recording.deploy(
        actor="ada",
        at=at or branch_at(),
        entity=DEPLOY,
        version_id=version,
        spec={"title": "Churn"},
        definitions={("models", asset_id): declaration},
    )
    return Asset.objects.get(branch=branch, kind=Kind.MODELS, asset_id=asset_id)


def register(asset_id: str = "rows", at: Any = None) -> Asset:
    where = recording.AssetAddress(at or branch_at(), "data", asset_id)
    return recording.register(
        actor="eve", at=where, entity=TASK, what=recording.Registration(asset_kind="artifact")
    ).asset


@pytest.fixture
def model(people) -> Asset:
    return declare(owner="team-churn", rate=0.1)


@pytest.fixture
def eve(client, people) -> User:
    client.force_login(people["eve"])
    return people["eve"]


def page_of(asset: Asset) -> str:
    return f"/admin/catalog/asset/{asset.pk}/change/"


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def rows(*new: dict[str, Any], asset: Asset | None = None, **changes: dict[str, Any]) -> dict[str, Any]:
    """The form as a browser sends it: what is overridden, with changes by key, and new rows."""
    present = list(PropertyOverride.objects.filter(asset=asset).order_by("key")) if asset else []
    old = [{"id": row.pk, "value": row.value, **changes.get(row.key, {})} for row in present]
    every = [*old, *new]
    fields = {f"overrides-{at}-{name}": value for at, row in enumerate(every) for name, value in row.items()}
    return {"overrides-TOTAL_FORMS": len(every), "overrides-INITIAL_FORMS": len(old), **fields}


def properties_of(asset: Asset) -> dict[str, Any]:
    return Asset.objects.get(pk=asset.pk).properties


# Editing


def test_a_declared_property_is_overridden_and_another_one_added(client, eve, model):
    form = rows({"key": "owner", "value": "growth"}, {"key": " contact ", "value": "eve@example.org\r\nor ada"})
    assert client.post(page_of(model), form).status_code == 302
    assert properties_of(model) == {"owner": "growth", "rate": 0.1, "contact": "eve@example.org\nor ada"}
    edit = model.property_edits.get(key="owner")
    assert (edit.user, edit.actor, edit.old_value, edit.new_value, edit.declared_value) == (
        eve,
        "eve",
        "team-churn",
        "growth",
        "team-churn",
    )
    assert Recount().run().corrections == []


def test_an_override_is_changed_and_a_property_given_back(client, eve, model):
    client.post(page_of(model), rows({"key": "owner", "value": "growth"}, {"key": "rate", "value": "0.2"}))
    form = rows(asset=model, owner={"value": "platform", "key": "rate"}, rate={"DELETE": "on"})
    client.post(page_of(model), form)
    assert properties_of(model) == {"owner": "platform", "rate": 0.1}
    edits = model.property_edits.order_by("pk").values_list("key", "old_value", "new_value")
    assert list(edits) == [
        ("owner", "team-churn", "growth"),
        ("rate", 0.1, "0.2"),
        ("rate", "0.2", None),
        ("owner", "growth", "platform"),
    ]


def test_saving_without_a_change_records_nothing(client, eve, model):
    client.post(page_of(model), rows({"key": "owner", "value": "a\nb"}))
    client.post(page_of(model), rows({"key": "", "value": ""}, asset=model, owner={"value": "a\r\nb"}))
    assert model.property_edits.count() == 1


def test_an_empty_value_is_a_value(client, eve, model):
    client.post(page_of(model), rows({"key": "owner", "value": ""}))
    assert properties_of(model)["owner"] == ""


def test_the_link_beside_a_declared_property_fills_the_empty_row(client, eve, model):
    page = text_of(client, page_of(model) + "?override=owner")
    assert 'value="owner"' in page
    assert 'value="nothing-declared"' not in text_of(client, page_of(model) + "?override=nothing-declared")
    form = rows({"key": "owner", "value": "team-churn"})
    client.post(page_of(model) + "?override=owner", form)
    assert model.overrides.get().value == "team-churn"  # on purpose: it stays when the next deploy declares another


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"key": "", "value": "x"}, "This field is required."),
        ({"key": "   ", "value": "x"}, "A property needs a name."),
        ({"key": "k" * 256, "value": "x"}, "at most 255 characters"),
        ({"key": "a\x00b", "value": "x"}, "hold control characters"),
        ({"key": "a\tb", "value": "x"}, "hold control characters"),
        ({"key": "a\x85b", "value": "x"}, "hold control characters"),
        ({"key": "a", "value": "x\x00"}, "hold NUL"),
        ({"key": "a", "value": "é" * 32_769}, "This has 65,538 bytes"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(client, eve, model, row, sentence):
    response = client.post(page_of(model), rows(row))
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not model.overrides.exists()


def test_lone_surrogates_never_arrive(client, eve, model):
    body = "overrides-TOTAL_FORMS=1&overrides-INITIAL_FORMS=0&overrides-0-key=a%ED%A0%80b&overrides-0-value=%ED%A0%80"
    client.post(page_of(model), body, content_type="application/x-www-form-urlencoded")
    assert json.dumps(properties_of(model), ensure_ascii=False).encode()


def test_limits_are_those_that_can_be_kept(client, eve, model):
    client.post(page_of(model), rows({"key": "k" * 255, "value": "x" * 65_536}))
    assert len(properties_of(model)["k" * 255]) == 65_536
    assert "and 63,536 more characters" in text_of(client, page_of(model))


def test_a_property_is_named_once(client, eve, model):
    twice = client.post(page_of(model), rows({"key": "a", "value": "1"}, {"key": "a", "value": "2"}))
    assert "named twice" in twice.content.decode()
    client.post(page_of(model), rows({"key": "a", "value": "1"}))
    again = client.post(page_of(model), rows({"key": "a", "value": "2"}, asset=model))
    assert again.status_code == 200
    assert "has a value here already" in again.content.decode()
    blind = client.post(page_of(model), rows({"key": "a", "value": "2"}))  # from a page opened before
    assert "has a value here already" in blind.content.decode()
    assert properties_of(model)["a"] == "1"


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "broken", [{}, {"overrides-TOTAL_FORMS": "x"}, {"overrides-TOTAL_FORMS": 9999, "overrides-INITIAL_FORMS": 9999}]
)
def test_a_broken_form_changes_nothing_and_is_no_failure(client, eve, model, broken):
    assert client.post(page_of(model), broken).status_code in (200, 400)
    assert model.property_edits.count() == 0


def test_a_row_that_somebody_gave_back_meanwhile_is_an_error_in_the_form(client, eve, model):
    client.post(page_of(model), rows({"key": "owner", "value": "growth"}))
    form = rows(asset=model, owner={"value": "mine"})
    recording.clear_override(user=None, actor="ada", asset=model, key="owner")
    response = client.post(page_of(model), form)
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert properties_of(model)["owner"] == "team-churn"


def test_nothing_but_properties_can_be_edited(client, eve, model):
    before = Asset.objects.filter(pk=model.pk).values().get()
    forged = dict.fromkeys(before, "forged") | {"deleted_at_0": "2020-01-01", "deleted_at_1": "10:00"}
    assert client.post(page_of(model), forged | rows()).status_code == 302
    assert Asset.objects.filter(pk=model.pk).values().get() == before


def test_nothing_can_be_added_or_deleted(client, people, model):
    client.force_login(User.objects.create_superuser("root"))
    for name in ("asset", "project", "branch", "specversion"):
        assert client.post(f"/admin/catalog/{name}/add/").status_code == 403
        assert client.post(f"/admin/catalog/{name}/1/delete/", {"post": "yes"}).status_code in (403, 404)
    client.post("/admin/catalog/asset/", {"action": "delete_selected", "_selected_action": [model.pk], "post": "yes"})
    assert Asset.objects.filter(pk=model.pk, deleted_at=None).exists()


def test_a_registration_while_the_form_is_being_saved_stays(client, eve, monkeypatch):
    asset = register()
    load = AssetAdmin.get_object

    def load_and_register(*args: Any) -> Any:
        loaded = load(*args)
        register()
        return loaded

    monkeypatch.setattr(AssetAdmin, "get_object", load_and_register)
    client.post(page_of(asset), rows({"key": "owner", "value": "growth"}))
    asset.refresh_from_db()
    assert (asset.last_number, asset.ready_count, asset.properties) == (2, 2, {"owner": "growth"})


# Showing


def test_the_page_shows_what_is_declared_and_what_is_in_effect(client, eve, model):
    recording.override_property(user=eve, actor="eve", asset=model, key="rate", value="0.05")
    page = text_of(client, page_of(model))
    for said in ("Churn model", "team-churn", "0.05", "overridden", "ci deploy of 4f2a9c1", "?override=owner"):
        assert said in page
    assert "?override=rate" not in page
    assert "changed beneath" not in page


def test_the_page_says_when_a_deploy_changed_the_value_beneath_an_override(client, eve, model):
    recording.override_property(user=eve, actor="eve", asset=model, key="rate", value="0.05")
    declare(owner="team-churn", rate=0.3)
    page = text_of(client, page_of(model))
    since = f"{model.overrides.get().at:%Y-%m-%d %H:%M}"
    assert f"The declared value changed beneath this override since {since} UTC: was 0.1" in page
    assert properties_of(model)["rate"] == "0.05"
    recording.override_property(user=eve, actor="eve", asset=model, key="owner", value="growth")
    declare(rate=0.3)
    assert "was team-churn" in text_of(client, page_of(model))


def test_what_users_write_is_shown_as_text(client, eve, people):
    asset = declare("churn_model", **{"<b>key</b>": "<script>alert(1)</script>"})
    recording.override_property(user=eve, actor="<i>eve</i>", asset=asset, key="<u>", value="</textarea><img src=x>")
    for page in (text_of(client, page_of(asset)), text_of(client, "/admin/catalog/asset/")):
        for markup in ("<b>key", "<script>alert", "<i>eve", "<u>", "<img src=x"):
            assert markup not in page


def test_histories_are_newest_first_and_bounded(client, eve, model, monkeypatch):
    monkeypatch.setattr("catalog.admin.history.HISTORY", 3)
    for number in range(5):
        recording.override_property(user=eve, actor="eve", asset=model, key="owner", value=f"team {number}")
        declare(rate=number)
    page = text_of(client, page_of(model))
    edits, deploys = page[page.index('id="edits"') :].split('id="deploys"')
    assert re.findall(r"team \d", edits) == ["team 3", "team 4", "team 2", "team 3", "team 1", "team 2"]  # old, new
    assert "2 older." in edits
    assert deploys.count("<details>") == 3
    assert "3 older." in deploys  # with the deploy of the fixture


def test_a_page_costs_the_same_however_much_there_is(client, eve, model, django_assert_num_queries):
    for number in range(60):
        recording.override_property(user=eve, actor="eve", asset=model, key=f"key {number}", value="x")
        declare(**{f"property {each}": each for each in range(number + 1)})
    # session, user, memberships; the asset; the overrides, for the table and for the form; edits and how many; deploys
    # and how many
    with django_assert_num_queries(10):
        client.get(page_of(model))


def test_a_list_costs_the_same_however_long_it_is(client, eve, model, django_assert_max_num_queries):
    for number in range(30):
        register(f"rows_{number}")
    # session, user, memberships; projects and branches of the filters; how many twice; the rows
    with django_assert_max_num_queries(8):
        client.get("/admin/catalog/asset/?project=alpha/churn")


def listed(client: Client, query: str = "") -> list[str]:
    changelist = client.get(f"/admin/catalog/asset/{query}").context["cl"]
    return [str(asset) for asset in changelist.result_list]


def test_assets_are_found_by_text_and_filters(client, eve, model):
    register("rows")
    register("features", branch_at(name="feature/x"))
    register("comics", branch_at(project="comics"))
    recording.override_property(user=eve, actor="eve", asset=model, key="owner", value="growth")
    assert listed(client) == ["comics", "features", "rows", "churn_model"]  # newest first
    assert listed(client, "?q=Churn model") == ["churn_model"]
    assert listed(client, "?project=alpha/comics") == ["comics"]
    assert listed(client, "?project=alpha/churn&branch=feature_x") == ["features"]
    assert listed(client, "?project=alpha/comics&branch=feature_x") == ["comics"]  # a branch of another project
    assert listed(client, "?kind__exact=models") == ["churn_model"]
    assert listed(client, "?declared=no") == ["comics", "features", "rows"]
    assert listed(client, "?declared=yes") == listed(client, "?edited=yes") == ["churn_model"]


@pytest.mark.parametrize("query", ["?project=beta/x&branch=1", "?perimeter=beta", "?declared=perhaps", "?p=99", "?o=x"])
def test_filters_that_mean_nothing_are_no_failure(client, eve, model, query):
    assert client.get(f"/admin/catalog/asset/{query}", follow=True).status_code == 200


HUGE = "9" * 30
QUERIES = [
    *(f"at__year={year}" for year in ("99999999999999", "9999", "0", "x")),
    *("at__year=2026&at__month=2&at__day=30", f"at__month={HUGE}", "at=9999-12-31T23:59:59-23:59"),
    *(
        f"{name}={value}"
        for name in ("p", "o", "e", "id", "kind__exact", "perimeter", "project", "branch", "branch__project",
                     "branch__project__id__exact", "project__perimeter__id__exact", "description__regex",
                     "declared_properties", "declared_properties__x__gt", "created_at", "newest", "deleted")
        for value in (HUGE, "-1", "(((", "", "1.-2..", "9999-12-31T23:59:59-23:59")
    ),
    "q=" + "+".join("ab" for _ in range(1500)),
]  # fmt: skip


@pytest.mark.parametrize("queries", every(12, QUERIES))
@pytest.mark.parametrize("which", ["asset", "project", "branch", "specversion"])
def test_no_query_of_a_list_is_a_failure(client, eve, model, which, queries):
    client.raise_request_exception = False
    answers = {}
    for query in queries:
        with transaction.atomic():
            answers[query] = client.get(f"/admin/catalog/{which}/?{query}", follow=True).status_code
            transaction.set_rollback(True)
    assert {query: status for query, status in answers.items() if status not in (200, 400)} == {}


def test_deleted_assets_are_listed_on_request_and_read_only(client, eve, model):
    recording.override_property(user=eve, actor="eve", asset=model, key="owner", value="growth")
    recording.delete_asset(actor="ada", asset=model)
    assert listed(client) == []
    assert listed(client, "?deleted=yes") == ["churn_model"]
    page = text_of(client, page_of(model))
    assert "Deleted" in page
    assert "growth" in page
    assert "<textarea" not in page
    assert "?override=" not in page
    assert client.post(page_of(model), rows(asset=model, owner={"value": "x"})).status_code == 403
    assert properties_of(model)["owner"] == "growth"


def test_deploys_are_found_with_what_they_posted(client, eve, model):
    row = SpecVersion.objects.get()
    listing = text_of(client, "/admin/catalog/specversion/?q=v1")
    assert "v1" in listing
    assert "ada" in listing
    page = text_of(client, f"/admin/catalog/specversion/{row.pk}/change/")
    assert "&quot;title&quot;: &quot;Churn&quot;" in page
    recording.delete_spec(actor="ada", branch=model.branch)
    newest = SpecVersion.objects.order_by("-pk")[0]
    assert "was deleted" in text_of(client, f"/admin/catalog/specversion/{newest.pk}/change/")


# Rights


def rows_of_beta() -> dict[str, int]:
    asset = declare(at=branch_at("beta", "secret-project", "secret-branch"), version="secret-version", secret="x")
    return {
        "asset": asset.pk,
        "project": Project.objects.get(name="secret-project").pk,
        "branch": Branch.objects.get(project__name="secret-project").pk,
        "specversion": SpecVersion.objects.get(version_id="secret-version").pk,
    }


@pytest.mark.parametrize("name", ["ada", "eve"])
def test_another_perimeter_is_not_there(client, people, model, name):
    client.force_login(people[name])
    others = rows_of_beta()
    for which, pk in others.items():
        assert "secret" not in text_of(client, f"/admin/catalog/{which}/")
        for way in ("change", "history"):
            assert client.get(f"/admin/catalog/{which}/{pk}/{way}/").status_code == 404
            assert client.post(f"/admin/catalog/{which}/{pk}/{way}/", rows()).status_code in (404, 405)
    for query in (
        "?perimeter=beta",
        "?project=beta/secret-project",
        "?project=beta/secret-project&branch=secret-branch",
    ):
        assert "secret-branch</a>" not in text_of(client, f"/admin/catalog/asset/{query}")


def test_nobody_edits_in_another_perimeter(client, people, model):
    foreign = Asset.objects.get(pk=rows_of_beta()["asset"])
    recording.override_property(user=None, actor="olga", asset=foreign, key="secret", value="y")
    row = PropertyOverride.objects.get()
    for name in ("ada", "eve", "vic"):
        client.force_login(people[name])
        assert client.post(page_of(foreign), rows({"key": "a", "value": "1"})).status_code == 404
        forged = {**rows(asset=foreign, secret={"value": "forged"}), "overrides-0-asset": foreign.pk}
        client.post(page_of(model), forged)
        client.post(page_of(model), forged | {"overrides-0-DELETE": "on"})
    row.refresh_from_db()
    assert (row.value, properties_of(foreign)) == ("y", {"secret": "y"})


def test_a_new_row_belongs_to_the_asset_of_the_page(client, eve, model):
    foreign = Asset.objects.get(pk=rows_of_beta()["asset"])
    client.post(page_of(model), rows({"key": "a", "value": "1", "asset": foreign.pk}))
    assert not foreign.overrides.exists()


def test_a_viewer_has_no_admin_and_a_viewers_perimeter_is_not_in_it(client, people, model):
    client.force_login(people["vic"])
    assert client.get(page_of(model)).status_code == 404
    assert client.post(page_of(model), rows({"key": "a", "value": "1"})).status_code == 404
    Membership.objects.create(user=people["olga"], perimeter=Perimeter.objects.get(name="alpha"), role=Role.VIEWER)
    client.force_login(people["olga"])
    assert client.get(page_of(model)).status_code == 404
    assert client.post(page_of(model), rows({"key": "a", "value": "1"})).status_code == 404
    assert listed(client) == []
    assert not PropertyOverride.objects.exists()


def test_a_token_does_not_edit(client, people, model):
    _, secret = Token.objects.issue(user=people["eve"], perimeter=model.branch.project.perimeter, role=Role.EDITOR)
    form = rows({"key": "a", "value": "1"})
    assert client.post(page_of(model), form, headers={"x-api-key": secret}).status_code == 404


def test_losing_the_role_ends_editing(client, eve, model):
    Membership.objects.filter(user=eve).update(role=Role.VIEWER)
    assert client.post(page_of(model), rows({"key": "a", "value": "1"})).status_code == 404


def test_the_user_of_local_mode_edits_under_its_name(settings, people, model):
    settings.MODE, settings.LOCAL_MODE = "local", True
    client = Client(SERVER_NAME="localhost")
    assert client.post(page_of(model), rows({"key": "a", "value": "1"})).status_code == 302
    edit = model.property_edits.get()
    assert edit.user is not None
    assert edit.actor == edit.user.get_username()


# In a browser


@pytest.mark.long
@pytest.mark.browser
def test_the_pages_work_under_the_policy_of_the_site(browser, served):
    """Local mode: add a member, filter, edit a property; the browser finds nothing that the policy forbids."""
    served.manage("token", "create", "--user", "nina", "--perimeter", "default", "--role", "viewer")
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    for address in (
        "",
        "catalog/asset/",
        "catalog/specversion/",
        "access/perimeter/1/change/",
        "access/membership/",
        "access/token/",
        "access/token/add/",
        "access/auditentry/",
        "auth/user/add/",
    ):
        page.goto(f"{served.url}/admin/{address}")
        assert page.locator("h1").count(), address
        too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not too_wide, address
    page.goto(f"{served.url}/admin/access/token/add/")
    page.fill("[name=user]", "nina")
    page.click("[name=_save]")
    assert "Copy the token now" in page.locator(".messagelist").inner_text()
    assert problems == []


def test_declared_metrics_are_shown(client, people):
    metrics = [{"name": "auc<b>", "better": "higher", "noise": 0.002}, {"name": "rows"}]
    said = recording.Declaration(declared_properties={}, declared_metrics=metrics, not_compared=["path.*"])
    recording.deploy(
        actor="ada", at=branch_at(), entity=DEPLOY, version_id="v", spec={}, definitions={("models", "m"): said}
    )
    client.force_login(people["ada"])
    page = client.get(f"/admin/catalog/asset/{Asset.objects.get().pk}/change/").content.decode()
    assert "auc&lt;b&gt;: better = higher, noise = 0.002\nrows</pre>" in page
    assert "path.*</pre>" in page
