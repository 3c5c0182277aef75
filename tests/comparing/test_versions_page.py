"""The page of versions side by side: what it says, in which order, and what it costs."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.entities import Entity
from catalog.models import Instance
from catalog.recording import AssetAddress, Declaration, Registration, Told, register
from tests.catalog.pages.conftest import text_of
from tests.catalog.pages.test_run_facts import NOTHING
from tests.conftest import POSTGRES

pytestmark = pytest.mark.django_db

MODEL = "/alpha/churn/main/models/churn_model"
COMPARE = f"{MODEL}/compare"


def words(answer):
    """The text of a page in one line."""
    main = text_of(answer).split("<main", 1)[-1].split("<footer", 1)[0]
    return " ".join(unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", main, flags=re.DOTALL)).split())


def groups(answer):
    return re.findall(r'scope="colgroup">([^<]+)<', answer.content.decode())


def heads(answer):
    """What the rows are about."""
    found = re.findall(r'<th scope="row">(.*?)(?:<div|</th>)', answer.content.decode(), re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]+>", "", head)).split()) for head in found]


@pytest.fixture
def measured(full):
    """v4 and v5 are measured on the same holdout, v6 on another one."""
    for _ in range(2):
        full.register("data/holdout", "SplitFlow/1/split/1")
    for number, auc in ((4, 0.80), (5, 0.83), (6, 0.70)):
        task = f"TrainFlow/{number}/train/1"
        holdout = Instance.objects.get(asset__asset_id="holdout", number=1 if number < 6 else 2)
        full.consume("data/holdout", task, role="evaluation")
        holdout.consumptions.model.objects.filter(run=f"TrainFlow/{number}").update(instance=holdout)
        facts = NOTHING | {"commit": f"{number}" * 40, "dirty": number == 4, "repository": "https://github.com/a/b"}
        at = AssetAddress(full.branch(), "models", "churn_model")
        said = Registration("artifact", annotations={"auc": auc, "rows": 7}, tags={"env": "prod"})
        register(actor="ada", at=at, entity=Entity("task", task), what=said, told=Told(facts=facts))
    return full


def test_the_verdict_the_order_and_what_each_delta_says(measured, vic):
    page = vic.get(f"{COMPARE}?of=v4,v5,v6&base=v4")
    said = words(page)
    title = re.search("<h1>(.*?)</h1>", text_of(page), re.DOTALL)[1]
    assert re.sub("<[^>]+>", "", title).strip() == "v5 is the best: auc +0.03 over v4, on the same holdout"
    assert groups(page)[0] == "Metrics"
    assert [name for name in groups(page) if name in ("Metrics", "Facts", "Code and parameters", "Inputs")] == [
        *("Metrics", "Facts", "Code and parameters", "Inputs")
    ]
    assert heads(page)[:2] == ["Measured on", "auc"]
    assert "+0.03" in said
    assert "better same data" in said
    assert "\N{MINUS SIGN}0.1" in said
    assert "other data holdout v2 here, v1 in the base" in said
    assert "uncommitted changes" in said
    assert f"https://github.com/a/b/compare/{'4' * 40}...{'5' * 40}" in page.content.decode()
    assert "1 metric" in said  # rows, which is equal, is folded


def test_equal_ones_are_folded_and_shown_where_they_are_asked_for(measured, vic):
    page = vic.get(f"{COMPARE}?of=v4,v5")
    assert "rows" not in heads(page)
    assert "Tag env" not in heads(page)
    folded = re.search(r"<strong>(\d+) are equal</strong>: ([^<]*)", text_of(page))
    assert folded
    assert "1 tag" in folded[2]
    every = vic.get(f"{COMPARE}?of=v4,v5&equal=yes")
    assert {"rows", "Tag env"} <= set(heads(every))
    assert "are equal</strong>" not in text_of(every)
    assert "Show only what differs" in words(every)


def test_versions_are_called_as_seen_from_the_page(full, vic):
    branch = "feature/new-model"
    for at, accuracy in (("main", 0.8), (branch, 0.9)):
        full.register("models/churn_model", f"TrainFlow/{at}/train/1", at, annotations={"accuracy": accuracy})
    (ours, theirs) = (full.asset("models/churn_model", at).newest_ready.ref for at in (branch, "main"))
    address = f"/alpha/churn/feature_new_model/models/churn_model/compare.json?of={ours},main:{theirs}"
    said = vic.get(f"{address}&base=main:{theirs}").json()["verdict"]["sentence"]
    assert said.startswith(f"{ours} is better: accuracy +0.1 over {theirs} of main")


def test_which_way_is_better_is_said_of_each_metric(full, vic):
    declared = [{"name": "auc", "better": "higher"}, {"name": "rows", "better": "none"}]
    full.deploy(models__churn_model=Declaration({}, declared_metrics=declared))
    for step in range(2):
        said = {"auc": 0.8 + step / 10, "rows": step, "log_loss": step, "other": step}
        full.register("models/churn_model", f"TrainFlow/{step + 20}/train/1", annotations=said)
    page = vic.get(f"{COMPARE}?of=v4,v5&metrics=all")
    heads = re.findall(r'<strong class="strong"><bdi>([^<]*).*?<div class="why">(.*?)</div>', text_of(page), re.DOTALL)
    assert {re.sub("[^a-z_]", "", name): " ".join(what.split()) for name, what in heads} == {
        "auc": "higher is better",
        "rows": "neither higher nor lower is better, as declared",
        "log_loss": "lower is better, as its name tells",
        "other": "no direction is declared",
    }


def test_many_metrics_show_the_headline_and_what_differs_first(full, vic):
    for step in range(2):
        said = {f"score_{number:02}": number + step * (number > 7) for number in range(40)}
        full.register("data/many", f"ManyFlow/{step + 1}/start/1", annotations=said)
    many = "/alpha/churn/main/data/many/compare?of=v1,v2"
    page = vic.get(many)
    assert "Headline and differing first: 20 of 40. All 40" in words(page)
    assert len([head for head in heads(page) if head.startswith("score_")]) == 20
    every = vic.get(f"{many}&metrics=all")
    assert len([head for head in heads(every) if head.startswith("score_")]) == 40
    assert "All 40" not in words(every)


def test_what_was_not_found_and_what_was_too_much_is_said_and_the_rest_compared(full, vic):
    said = words(vic.get(f"{COMPARE}?of=v1,v2,secret_branch:v2,models/churn_model"))
    assert "secret_branch:v2 : It isn't there, or you may not see it." in said
    assert "models/churn_model : It does not say which version is meant" in said
    for number in range(25):
        full.register("models/churn_model", f"TrainFlow/{number + 10}/train/1")
    page = vic.get(f"{COMPARE}?of={','.join(f'v{number}' for number in range(1, 26))}")
    assert "At most 20 versions are compared at a time: 5 more are left out." in words(page)
    assert page.content.decode().count('<a class="who"') == 20
    assert "versus-frame" in page.content.decode()


def test_the_readmes_are_set_side_by_side_where_that_is_asked_for(full, vic):
    full.deploy(models__churn_model=Declaration({}, readme="one\ntwo\n<b>three</b>\n"))
    full.register("models/churn_model", "TrainFlow/8/train/1")
    full.deploy(models__churn_model=Declaration({}, readme="one\n2\n<b>three</b>\nfour\n"))
    full.register("models/churn_model", "TrainFlow/9/train/1")
    page = vic.get(f"{COMPARE}?of=v4,v5")
    assert "show what differs" in words(page)
    assert "<pre" not in page.content.decode().split('id="readme"')[1].split("</section>")[0]
    shown = vic.get(f"{COMPARE}?of=v4,v5&diff=readme").content.decode().split('id="readme"')[1].split("</section>")[0]
    for line in ('<span class="gone"><bdi>-two</bdi></span>', '<span class="added"><bdi>+four</bdi></span>'):
        assert line in shown
    assert "<b>three" not in shown


def test_a_version_of_another_branch_and_a_definition_have_their_places(full, vic):
    page = vic.get(f"{COMPARE}?of=v1,feature/new-model:v1,models/small_llama:latest")
    assert "v1 @" not in words(page)
    assert page.content.decode().count("feature/<wbr>new-<wbr>model") > 1
    assert "A definition was made by no task, so it has no card." in words(page)
    assert "a definition has no metrics" in words(page)


def test_the_twin_says_the_same(measured, vic):
    told = vic.get(f"{COMPARE}.json?of=v4,v6,v5,nope:v1&base=v4").json()
    assert [one["ref"] for one in told["versions"]] == ["v4", "v6", "v5"]
    assert [one["is_base"] for one in told["versions"]] == [True, False, False]
    assert [one["commit"] for one in told["versions"]] == ["4" * 40, "6" * 40, "5" * 40]
    assert told["versions"][0]["dirty"] is True
    assert told["base"] == told["versions"][0]["id"]
    assert told["verdict"]["sentence"] == "v5 is the best: auc +0.03 over v4, on the same holdout"
    auc = next(row for row in told["metrics"]["rows"] if row["name"] == "auc")
    assert [one.get("data") for one in auc["versions"]] == [None, "other data", "same data"]
    assert told["missing"] == [{"asked": "nope:v1", "reason": "It isn't there, or you may not see it."}]
    refused = vic.get(f"{COMPARE}.json?of=v4,v5&nope=1")
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "query", ["of=v1,v2&base=%00", "of=%00,v1", "of=%F0%9F", "cards=%00&of=v1,v2", "of=v1,v2&equal=", "base=v1"]
)
def test_no_query_breaks_it(full, vic, query):
    for suffix in ("", ".json"):
        assert vic.get(f"{COMPARE}{suffix}?{query}").status_code == 200


# what it costs


def cost(client, query):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"{COMPARE}?{query}").status_code == 200
    return len(queries)


@pytest.fixture
def grown(full):
    """Versions of one asset and on twenty branches, all of which have read two versions of known content."""
    for branch in ("", *(f"feature/b{number}" for number in range(20))):
        for number in range(1, 23 if not branch else 2):
            task = f"Train{branch.replace('/', '')}Flow/{number}/train/1"
            full.consume("data/features", task)
            full.consume("data/features", task, role="evaluation")
            full.register("models/churn_model", task, branch=branch or "main", annotations={"auc": 0.8})
    full.register("data/features", "FeatureFlow/2/build/1")
    Instance.objects.update(digest="a")
    return full


# Who is there (3), the asset at hand, the menus; the versions; the last ones before the base, and of all of them what
# they were made from (3), and their definitions as they were; which inputs have equal content
COST = 12


def test_twenty_cost_what_two_cost(grown, vic):
    twenty = ",".join(f"v{number}" for number in range(4, 24))
    branches = ",".join(f"feature_b{number}:latest" for number in range(19))
    asked = ("v4,v5", twenty, "v4,feature_b1:v1", f"v4,{branches}")
    assert {of: cost(vic, f"of={of}") for of in asked} == dict.fromkeys(asked, COST)
    assert cost(vic, "of=v4,v99,feature_b1:v1") <= COST + 2  # looks twice for what is not there
    assert cost(vic, "of=v4") <= COST


@pytest.mark.skipif(POSTGRES, reason="PostgreSQL gives no tag in the transaction of a test")
def test_a_page_that_the_reader_has_is_not_made_anew(full, vic):
    vic.get("/")  # brings the cookie of forms
    tag = vic.get(f"{COMPARE}?of=v1,v2").headers["ETag"]
    assert vic.get(f"{COMPARE}?of=v1,v2", headers={"If-None-Match": tag}).status_code == 304
    full.register("data/features", "FeatureFlow/9/build/1")
    assert vic.get(f"{COMPARE}?of=v1,v2", headers={"If-None-Match": tag}).status_code == 200
