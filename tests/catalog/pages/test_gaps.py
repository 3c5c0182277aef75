"""A version that did not measure a metric, or says something that is no number, is a gap, and takes it from no page."""

import re

import pytest

from .conftest import text_of

pytestmark = pytest.mark.slow

BRANCH = "/alpha/churn/main"
ASSET = f"{BRANCH}/models/churn_model"


@pytest.fixture
def gap(full):
    """After three versions that measured it, one that could not."""
    full.register("models/churn_model", "TrainFlow/4/train/1", annotations={"accuracy": "n/a", "rows": 4000})
    return full


def plain(answer):
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", "", text_of(answer)))


@pytest.mark.parametrize("page", [f"{BRANCH}/models", BRANCH, ASSET])
def test_the_last_value_is_shown_with_its_version(gap, vic, page):
    assert "accuracy 0.93 from v3, not measured in v4" in plain(vic.get(page))


def test_the_line_of_a_listing_stops_and_says_so(gap, vic):
    page = text_of(vic.get(f"{BRANCH}/models"))
    label = "accuracy in 3 of 4 versions: from 0.91 to 0.93, between 0.91 and 0.93; not measured in the newest"
    assert f'aria-label="{label}"' in page
    assert re.search(r'<path d="M3 23h0L\d+ 13L\d+ 3"/>', page)
    assert 'title="The last 50 ready versions"' in page


def test_a_gap_is_null_in_twins(gap, vic):
    meaning = {"better": "higher", "unit": None, "noise": None}
    null = {"value": None, "before": 0.93, "before_ref": "v3", "change": None, **meaning}
    item = next(row for row in vic.get(f"{BRANCH}/models.json").json()["items"] if row["asset"]["id"] == "churn_model")
    assert item["metrics"]["accuracy"] == vic.get(f"{ASSET}/v4.json").json()["metrics"]["accuracy"] == null
    meaning = {"better": None, "unit": None, "noise": None}
    assert item["metrics"]["rows"] == {"value": 4000, "before": 3000, "before_ref": "v3", "change": 1000, **meaning}


def test_the_table_of_instances_keeps_the_column(gap, vic):
    table = text_of(vic.get(ASSET, headers={"HX-Target": "instances"}))
    assert '<th scope="col" class="number metric-head" title="accuracy">' in table
    assert table.count('<span class="visually-hidden">not measured in v4</span>') == 1


def test_an_instance_says_what_it_did_not_measure_though_one_before_did(gap, vic):
    page = text_of(vic.get(f"{ASSET}/v4"))
    assert re.search(
        r">accuracy</bdi></code></td><td[^>]*><span[^>]*>not measured</span></td><td[^>]*>0\.93</td>", page
    )
    assert '<bdi class="long-text">n/a</bdi>' in page


def test_a_change_names_the_last_version_that_measured_it(gap, vic):
    gap.register("models/churn_model", "TrainFlow/5/train/1", annotations={"accuracy": 0.95})
    assert "0.95 up 0.02, better vs v3" in plain(vic.get(f"{BRANCH}/models"))
    assert "not measured in v4" in plain(vic.get(ASSET))
    page = text_of(vic.get(f"{ASSET}/v5"))
    assert f'not measured; in <a href="{ASSET}/v3">v3</a>' in page
    twin = vic.get(f"{ASSET}/v5.json").json()
    assert twin["compared_with"] == "v4"
    assert twin["metrics"]["accuracy"]["before_ref"] == "v3"


def test_a_metric_is_looked_for_over_fifty_versions(full, vic):
    for number in range(4, 53):
        full.register("models/churn_model", f"TrainFlow/{number}/train/1", annotations={"rows": number})
    assert "accuracy 0.93 from v3, not measured in v52" in plain(vic.get(f"{BRANCH}/models"))
    assert vic.get(f"{ASSET}/v52.json").json()["metrics"]["accuracy"]["before_ref"] == "v3"
    full.register("models/churn_model", "TrainFlow/53/train/1", annotations={"rows": 53})
    assert "accuracy" not in plain(vic.get(f"{BRANCH}/models"))
    assert "accuracy" not in vic.get(f"{ASSET}/v53.json").json()["metrics"]


def test_an_identity_is_an_annotation_and_no_metric(full, vic):
    full.register(
        "models/churn_model", "T/4/t/1", annotations={"commit": "1" * 40, "zip_code": 94110, "accuracy": "0.9"}
    )
    assert "1.11e+39" not in text_of(vic.get(ASSET))
    page = text_of(vic.get(f"{ASSET}/v4"))
    assert f'<bdi class="long-text">{"1" * 40}</bdi>' in page
    assert '<bdi class="long-text">94110</bdi>' in page
    assert set(vic.get(f"{ASSET}/v4.json").json()["metrics"]) == {"accuracy", "rows"}


def test_an_evaluation_without_a_number_takes_neither_column_nor_chart(full, vic):
    for number, said in enumerate([{"auc": 0.91}, {"auc": "n/a"}, {"note": "late"}, {"auc": 0.94}], start=1):
        full.register("data/evaluation_log", f"GateFlow/{number}/judge/1", asset_kind="evaluation", annotations=said)
    page = text_of(vic.get(f"{BRANCH}/evaluations"))
    assert "<bdi>auc</bdi> over time" in page
    assert "Gaps: 2 of 4 entries did not measure it." in page
    assert '<th scope="col" class="metric-head number" title="auc">' in page
    assert "n/a" in page
    assert '<span class="visually-hidden">not measured in v3</span>' in page
    assert re.search(r'<path class="dot c0" d="M0\.0 [\d.]+h0M1000\.0 [\d.]+h0"/>', page)
