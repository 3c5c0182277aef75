"""What a deploy says of metrics: kept as it is, told by answers, and left alone by whoever does not speak of it."""

import json

import pytest

from catalog.models import Asset, DefinitionRevision
from catalog.recording import Declaration
from tests.catalog.wire import declaration, definition, deploy_body

AUC = {"name": "auc", "better": "higher", "headline": True, "noise": 0.002}
DURATION = {"name": "duration.train", "unit": "s"}


def deploy(api, **more):
    answer = api.post("deploys", deploy_body(definition("a", "models", **more)))
    assert answer.status_code == 200, answer.content
    return answer.data


def declared():
    asset = Asset.objects.get()
    return asset.declared_metrics, asset.not_compared


def test_metrics_are_kept_in_their_order_and_told(api):
    deploy(api, metrics=[DURATION, AUC], compare_ignore=["notebook", "path.*"])
    assert declared() == ([DURATION, AUC], ["notebook", "path.*"])
    assert DefinitionRevision.objects.get().declared["declared_metrics"] == [DURATION, AUC]
    latest = api.get("models/a/instances/latest").data
    assert latest["asset"]["metrics"] == [DURATION, AUC]
    assert api.get("models").data["items"][0]["asset"]["metrics"] == [DURATION, AUC]
    assert api.get("models/a").data["asset"]["metrics"] == [DURATION, AUC]


def test_what_is_kept_has_one_form(api):
    deploy(api, metrics=[{"unit": "s", "headline": False, "noise": 1, "name": "m", "beside": 1}])
    assert declared()[0] == [{"name": "m", "noise": 1.0, "unit": "s"}]
    assert deploy(api, metrics=[{"name": "m", "noise": 1.0, "unit": "s"}])["unchanged"] == ["models/a"]


def test_another_order_is_a_change(api):
    deploy(api, metrics=[DURATION, AUC])
    assert deploy(api, metrics=[AUC, DURATION])["updated"] == ["models/a"]
    assert declared()[0] == [AUC, DURATION]


def test_who_does_not_speak_of_metrics_leaves_them(api):
    deploy(api, metrics=[AUC], compare_ignore=["x"])
    assert deploy(api)["updated"] == ["models/a"]
    api.patch("models/a", declaration(kind="model"))
    assert declared() == ([AUC], ["x"])
    assert "declared_metrics" not in DefinitionRevision.objects.order_by("-pk")[0].declared


def test_none_declared_takes_them_away_also_after_an_older_client(api):
    deploy(api, metrics=[AUC], compare_ignore=["x"])
    deploy(api)
    assert deploy(api, metrics=[], compare_ignore=[])["updated"] == ["models/a"]
    assert declared() == ([], [])
    assert deploy(api, metrics=[], compare_ignore=[])["unchanged"] == ["models/a"]


def test_a_client_that_declares_none_changes_nothing_of_what_an_older_one_declared(api):
    deploy(api)
    assert deploy(api, metrics=[], compare_ignore=[])["unchanged"] == ["models/a"]


def test_the_hash_of_older_clients_is_the_one_that_it_was():
    said = Declaration(declared_properties={"owner": "ada"}, name="A", description="", icon="", readme="", source="")
    assert said.digest == "9a5eb6b6d17d7fe40ddac0ea9ad91ba9aa2123837374b008a3ed9f2a1467e583"


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"metrics": None}, "metrics", "may not be null"),
        ({"metrics": {"auc": {}}}, "metrics", "list"),
        ({"metrics": ["auc"]}, "metrics.0", "must be a JSON object"),
        ({"metrics": [{}]}, "metrics.0.name", "required"),
        ({"metrics": [AUC, {"name": ""}]}, "metrics.1.name", "blank"),
        ({"metrics": [{"name": "m" * 256}]}, "metrics.0.name", "255"),
        ({"metrics": [{"name": "run_id"}]}, "metrics.0.name", "identity"),
        ({"metrics": [{"name": "_m"}]}, "metrics.0.name", "reserved"),
        ({"metrics": [{"name": "a\x00"}]}, "metrics.0.name", ""),
        ({"metrics": [{"name": 3}]}, "metrics.0.name", "string"),
        ({"metrics": [AUC, AUC]}, "metrics", "name 'auc' twice"),
        ({"metrics": [{"name": f"m{n}"} for n in range(201)]}, "metrics", "at most 200"),
        ({"metrics": [{"name": "m", "better": "up"}]}, "metrics.0.better", "higher, lower, none"),
        ({"metrics": [{"name": "m", "better": ["higher"]}]}, "metrics.0.better", "higher, lower, none"),
        ({"metrics": [{"name": "m", "headline": "yes"}]}, "metrics.0.headline", "true or false"),
        ({"metrics": [{"name": "m", "noise": "1"}]}, "metrics.0.noise", "number"),
        ({"metrics": [{"name": "m", "noise": True}]}, "metrics.0.noise", "number"),
        ({"metrics": [{"name": "m", "noise": 0}]}, "metrics.0.noise", "above 0"),
        ({"metrics": [{"name": "m", "noise": -1}]}, "metrics.0.noise", "above 0"),
        ({"metrics": [{"name": "m", "noise": None}]}, "metrics.0.noise", "null"),
        ({"metrics": [{"name": "m", "unit": "s" * 33}]}, "metrics.0.unit", "32"),
        ({"metrics": [{"name": "m", "unit": "a\nb"}]}, "metrics.0.unit", "one line"),
        ({"metrics": [{"name": "m", "unit": 3}]}, "metrics.0.unit", "string"),
        ({"compare_ignore": "x"}, "compare_ignore", "list"),
        ({"compare_ignore": None}, "compare_ignore", "null"),
        ({"compare_ignore": [3]}, "compare_ignore.0", "string"),
        ({"compare_ignore": ["ok", "*"]}, "compare_ignore.1", "a name"),
        ({"compare_ignore": ["a*b"]}, "compare_ignore.0", "before the end"),
        ({"compare_ignore": ["k" * 256]}, "compare_ignore.0", "255"),
        ({"compare_ignore": ["k"] * 201}, "compare_ignore", "200"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(api, wrong, field, sentence):
    answer = api.post("deploys", deploy_body(definition("a"), definition("b", **wrong)))
    assert answer.status_code == 400
    assert answer.data["detail"]["field"] == f"definitions.1.{field}"
    assert sentence in answer.data["message"]
    assert not Asset.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "1e999", "1" + "0" * 400])
def test_numbers_that_are_not_finite_are_refused(api, number):
    text = json.dumps(deploy_body(definition("a", metrics=[{"name": "m", "noise": 17.5}]))).replace("17.5", number)
    answer = api.post("deploys", text)
    assert answer.status_code == 400
