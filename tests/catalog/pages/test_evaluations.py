"""The page of the evaluation log: a table of what was logged, a chart, filters, and the way there."""

import re

import pytest

from catalog.models import Asset
from obproject.evaluation_log import EVALUATION_LOG

from .conftest import text_of

BRANCH = "/alpha/churn/main"
PAGE = f"{BRANCH}/evaluations"


def log(world, number=1, **said):
    return world.register(f"data/{EVALUATION_LOG}", f"GateFlow/{number}/judge/1", asset_kind="evaluation", **said)


@pytest.fixture
def logged(full):
    log(full, 1, annotations={"model": "churn_model v1", "auc": 0.91, "promoted": True})
    log(full, 2, annotations={"model": "churn_model v2", "auc": "0.94", "rows": 1200, "detail": {"by": "Zoë"}})
    log(full, 3, annotations={"message": "nothing to compare"}, state="pending")
    return full


@pytest.mark.parametrize(
    ("asset", "asset_kind", "state", "is_log"),
    [
        (f"data/{EVALUATION_LOG}", "evaluation", "ready", True),
        (f"data/{EVALUATION_LOG}", "evaluation", "pending", True),
        (f"data/{EVALUATION_LOG}", "artifact", "pending", True),
        (f"data/{EVALUATION_LOG}", "artifact", "ready", False),
        (f"models/{EVALUATION_LOG}", "evaluation", "ready", False),
        ("data/evaluations", "evaluation", "ready", False),
    ],
)
def test_a_log_is_what_promotions_take_for_one(world, vic, asset, asset_kind, state, is_log):
    world.register(asset, asset_kind=asset_kind, state=state)
    found = Asset.objects.get()
    assert found.is_evaluation_log == Asset.objects.evaluation_logs().exists() == is_log
    assert (PAGE in text_of(vic.get(f"{BRANCH}/{asset}"))) == is_log


def test_entries_stand_newest_first_with_a_column_for_each_key(logged, vic):
    page = text_of(vic.get(PAGE))
    heads = page[page.index("<thead>") : page.index("</thead>")]
    places = [heads.index(f"<bdi>{name}</bdi>") for name in ("detail", "message", "model", "promoted", "auc", "rows")]
    assert places == sorted(places)
    assert '<th scope="col" class="metric-head number" title="auc">' in heads
    rows = page[page.index("<tbody>") : page.index("</tbody>")].split("</tr>")
    assert "nothing to compare" in rows[0]
    assert "state-pending" in rows[0]
    assert '<td class="number" data-label="rows"><bdi>1,200</bdi>' in rows[1]
    assert "GateFlow/1/judge/1" in rows[2]
    assert f'href="{BRANCH}/data/evaluation_log/v1"' in rows[2]


def test_a_value_that_names_an_instance_leads_there_if_it_is_on_the_branch(logged, vic):
    logged.register("models/other", branch="feature/x")
    log(logged, 4, annotations={"model": "churn_model v9", "other": "other v1", "text": "churn_model v1 is good"})
    links = re.findall(r'<bdi[^>]*><a class="link" href="([^"]*)">([^<]*)</a>', text_of(vic.get(PAGE)))
    there = [(f"{BRANCH}/models/churn_model/v{number}", f"churn_model v{number}") for number in (2, 1)]
    assert links == there


def test_the_twin_has_the_values_as_they_were_logged(logged, vic):
    twin = vic.get(f"{PAGE}.json").json()
    assert [(one["ref"], one["state"]) for one in twin["evaluations"]] == [
        ("v3", "pending"),
        ("v2", "ready"),
        ("v1", "ready"),
    ]
    assert twin["evaluations"][2]["values"] == {"model": "churn_model v1", "auc": 0.91, "promoted": True}
    assert twin["evaluations"][2]["created_by"]["entity_id"] == "GateFlow/1/judge/1"


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ("q=churn_model+v2", ["v2"]),
        ("q=zoë", ["v2"]),
        ("q=GateFlow/3", ["v3"]),
        ("annotation=auc>0.92", ["v2"]),
        ("state=ready", ["v2", "v1"]),
        ("q=absent", []),
    ],
)
def test_entries_are_found_by_what_was_logged_and_by_whom(logged, vic, query, refs):
    twin = vic.get(f"{PAGE}.json?{query}").json()
    assert [one["ref"] for one in twin["evaluations"]] == refs


def test_a_filter_that_nothing_fits_says_so_and_leads_back(logged, vic):
    page = text_of(vic.get(f"{PAGE}?q=absent"))
    assert "No evaluation matches these filters." in page
    assert f'href="{PAGE}"' in page


def test_a_number_is_charted_over_time(logged, vic):
    page = text_of(vic.get(PAGE))
    assert "<bdi>auc</bdi> over time" in page
    assert "values from 0.91 to 0.94" in page
    other = text_of(vic.get(f"{PAGE}?chart=rows"))
    assert "over time" not in other  # one value is no course
    assert "<bdi>auc</bdi> over time" in text_of(vic.get(f"{PAGE}?chart=unknown"))


def test_a_long_log_is_paged(full, vic):
    for number in range(60):
        log(full, number, annotations={"auc": number / 100})
    first = vic.get(f"{PAGE}.json").json()
    assert len(first["evaluations"]) == 50
    second = vic.get(f"{PAGE}.json?{first['older'].partition('?')[2]}").json()
    assert [one["ref"] for one in second["evaluations"]] == [f"v{number}" for number in range(10, 0, -1)]


def test_more_keys_than_fit_are_counted(full, vic):
    log(full, annotations={f"key_{number}": number for number in range(9)} | {"_private": "x"})
    page = text_of(vic.get(PAGE))
    assert "1 more value of each entry is on its own page." in page
    assert "_private" not in page


def test_the_navigation_leads_to_the_log_where_there_is_one(full, vic):
    pages = [BRANCH, f"{BRANCH}/models", f"{BRANCH}/models/churn_model"]
    assert not any("Evaluations" in text_of(vic.get(page)) for page in pages)
    log(full, annotations={"auc": 0.9})
    for page in pages:
        assert f'href="{PAGE}">Evaluations <span class="count">1</span>' in text_of(vic.get(page))
    assert "Evaluations" not in text_of(vic.get("/alpha/churn/feature_new_model"))


def test_the_asset_leads_to_the_page_and_says_how_to_read_it(logged, vic):
    page = text_of(vic.get(f"{BRANCH}/data/evaluation_log"))
    assert f'<a class="button primary" href="{PAGE}">All evaluations</a>' in page
    assert "self.prj.evals.entries()" in page
    assert "All evaluations" not in text_of(vic.get(f"{BRANCH}/models/churn_model"))


def test_an_empty_log_says_how_to_fill_it(full, vic):
    page = text_of(vic.get(PAGE))
    assert "Nothing has been evaluated on this branch yet." in page
    assert "self.prj.evals.log(" in page
    assert vic.get(f"{PAGE}.json").json() == {"evaluations": [], "newer": None, "older": None}


def test_an_asset_of_that_name_is_not_hidden_by_the_page(full, vic):
    full.register("data/evaluations")
    full.register("data/highlights")
    for name in ("evaluations", "highlights"):
        assert vic.get(f"{BRANCH}/data/{name}.json").json()["asset"]["id"] == name


def test_who_may_not_see_the_branch_sees_none_of_it(logged):
    assert logged.client("olga").get(PAGE).status_code == 404
