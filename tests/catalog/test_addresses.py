"""Every address that the site writes leads to the page that it is written for, whatever the names are."""

from inspect import getmembers, isfunction, signature
from urllib.parse import quote, unquote

import pytest
from django.test import RequestFactory
from django.urls import resolve

from access.models import Perimeter
from catalog import addresses
from catalog.models import Asset, Branch, Component, Highlight, Instance, Project, PromotionRequest
from catalog.states import Kind

NAMES = ["churn", "naïve.model", "a@b", "a+b:c~d"]
COMPONENTS = ["TrainFlow", "Train Flow", "a/b", "50%?#", "report.json"]


def place(name: str = "churn") -> dict[str, object]:
    """The arguments of the functions of the module, by the names of their parameters."""
    project = Project(perimeter=Perimeter(name=name), name=name)
    branch = Branch(project=project, key="feature_x")
    asset = Asset(branch=branch, kind=Kind.MODELS, asset_id=name)
    return {
        "request": RequestFactory().get(f"/{name}/{name}/feature_x/models/{quote(name)}"),
        "name": name,
        "perimeter": name,
        "project": project,
        "branch": branch,
        "key": branch.key,
        "asset": asset,
        "asset_id": name,
        "alias": name,
        "instance": Instance(asset=asset, number=12),
        "promotion": PromotionRequest(pk=7, branch=branch, kind=Kind.MODELS, asset_id=name),
        "highlight": Highlight(branch=branch, uid="h_1"),
        "kind": Kind.MODELS,
        "pk": 7,
    }


VIEWS = {
    "home_url": "home",
    "page_url": "asset",
    "perimeter_url": "perimeter",
    "first_steps_url": "first-steps",
    "attention_url": "attention",
    "audit_url": "audit",
    "webhooks_url": "webhooks",
    "webhook_url": "webhook",
    "project_url": "project",
    "project_url_by_names": "project",
    "branch_url": "branch",
    "branch_url_by_key": "branch",
    "branch_url_by_names": "branch",
    "branch_attention_url": "branch-attention",
    "kind_url": "kind",
    "asset_url": "asset",
    "asset_url_by_id": "asset",
    "instance_url": "instance",
    "cards_url": "cards",
    "film_url": "film",
    "deprecate_url": "deprecate",
    "delete_url": "delete-asset",
    "deleted_url": "deleted",
    "normal_url": "normal",
    "watch_url": "watch",
    "branch_watch_url": "watch-branch",
    "requests_url": "requests",
    "request_url": "request",
    "asset_metrics_url": "metrics",
    "aliases_url": "aliases",
    "alias_url": "alias",
    "move_url": "move-alias",
    "choose_alias_url": "choose-alias",
    "delete_alias_url": "delete-alias",
    "promote_url": "promote",
    "evaluations_url": "evaluations",
    "highlights_url": "highlights",
    "highlight_url": "highlight",
    "branch_lineage_url": "branch-lineage",
    "asset_lineage_url": "asset-lineage",
    "instance_lineage_url": "instance-lineage",
    "versions_url": "compare-versions",
}


def written(function: str, name: str) -> str:
    known, wanted = place(name), getattr(addresses, function)
    names = {"project": name} if function.endswith("_by_names") else {}
    asked = [one.name for one in signature(wanted).parameters.values() if one.default is one.empty]
    return wanted(**{parameter: (known | names)[parameter] for parameter in asked})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("function", VIEWS)
def test_below_a_sub_path_every_address_begins_with_it(function, name, settings):
    plain = written(function, name)
    settings.FORCE_SCRIPT_NAME = "/our site/assets"
    assert written(function, name) == f"/our%20site/assets{plain}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("function", "view"), VIEWS.items())
def test_an_address_leads_to_its_page(function, view, name):
    found = resolve(unquote(written(function, name)))
    assert found.view_name == view
    said = {"perimeter": name, "project": name, "branch": "feature_x", "asset_id": name, "uid": "h_1"}
    assert said.items() >= {key: value for key, value in found.kwargs.items() if key in said}.items()


@pytest.mark.parametrize("name", COMPONENTS)
@pytest.mark.parametrize("kind", addresses.COMPONENT_SEGMENTS)
def test_the_address_of_a_component_holds_any_name(kind, name):
    branch: Branch = place()["branch"]
    found = resolve(unquote(addresses.component_url(branch, kind, name)))
    assert found.view_name == "component"
    assert (found.kwargs["kind"], found.kwargs["name"] + ".json" * found.kwargs["twin"]) == (kind, name)


def test_other_components_have_no_page():
    branch: Branch = place()["branch"]
    others = set(Component.Kind.values) - set(addresses.COMPONENT_SEGMENTS)
    assert others
    assert not any(addresses.component_url(branch, kind, "ada") for kind in others)


def test_the_listing_of_both_kinds_has_an_address():
    assert resolve(addresses.kind_url(place()["branch"], "")).view_name == "assets"


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_its_address_in_plain_text(name, settings):
    settings.FORCE_SCRIPT_NAME = "/assets"
    known = place(name)
    assert addresses.asset_path(known["asset"]) == unquote(addresses.asset_url(known["asset"]))
    assert addresses.highlight_path(known["highlight"]) == unquote(addresses.highlight_url(known["highlight"]))
    project: Project = known["project"]
    plain = addresses.branch_path(project.perimeter.name, project.name, "feature_x")
    assert plain == unquote(addresses.branch_url(known["branch"]))


def test_the_comparison_of_versions_is_asked_for_in_one_word_where_that_can_be_read():
    asset: Asset = place()["asset"]
    page = f"{addresses.asset_url(asset)}/compare"
    assert addresses.compare_url(asset, ["v3", "v7"]) == f"{page}?of=v3,v7"
    assert addresses.compare_url_below(addresses.asset_url(asset), ["v3", "v7"]) == f"{page}?of=v3,v7"
    others = ["v3", "feature_x/models/churn_model:v2"]
    assert addresses.compare_url(asset, others, "v3") == f"{page}?of=v3,feature_x/models/churn_model:v2&base=v3"
    assert addresses.compare_url(asset, ["v3", "main/data/a,b&c:v1"]) == f"{page}?of=v3&of=main/data/a,b%26c:v1"


def test_the_comparison_of_two_branches_leads_to_its_page():
    project: Project = place()["project"]
    address = addresses.compare_branches_url(project, "main", "feature_x", ".json")
    found = resolve(address)
    assert found.view_name == "compare-branches"
    assert (found.kwargs["base"], found.kwargs["branch"], found.kwargs["suffix"]) == ("main", "feature_x", ".json")


def test_every_address_is_tested_here():
    known = {name for name, _ in getmembers(addresses, isfunction) if "_url" in name and not name.startswith("_")}
    comparing = {"compare_branches_url", "compare_url", "compare_url_below"}
    below = {"asset_url_below", "component_url_below", "impact_url_below"}
    assert known == {*VIEWS, *comparing, *below, "component_url", "root_url"}
