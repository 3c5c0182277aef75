"""What an asset declares of its metrics decides their order, the colour of changes and the unit, on pages and twins."""

import re

import pytest

from catalog.recording import Declaration

from .conftest import text_of

pytestmark = pytest.mark.slow

BRANCH = "/alpha/churn/main"
ASSET = f"{BRANCH}/models/churn_model"
METRICS = [
    {"name": "rows", "better": "lower", "headline": True, "unit": "k<b>"},
    {"name": "accuracy", "better": "none"},
]
PAGES = {"overview": BRANCH, "listing": f"{BRANCH}/models", "asset": ASSET}


@pytest.fixture
def declared(full):
    """The model declares its metrics; the vendor's deploy and an older client of ours come after it."""
    full.deploy(models__churn_model=Declaration({"owner": "ada"}, declared_metrics=METRICS, not_compared=["path.*"]))
    full.deploy(models__churn_model=Declaration({"owner": "bob"}))
    return full


def names_in(page):
    """The names of metrics in the order of a page, each once."""
    return list(dict.fromkeys(re.findall(r'<span class="metric-name" title="(accuracy|rows)">', page)))


def changes_in(page):
    """How a page judges the first change that it shows of each metric."""
    found = re.findall(r'title="(accuracy|rows)">.*?<span class="delta (\w+)">', page, re.DOTALL)
    return dict(reversed(found))


@pytest.mark.parametrize("page", PAGES)
def test_order_direction_and_unit_are_those_declared(declared, vic, page):
    text = text_of(vic.get(PAGES[page]))
    assert names_in(text) == ["rows", "accuracy"]
    assert changes_in(text) == {"rows": "worse", "accuracy": "neutral"}
    assert '3,000&nbsp;<bdi class="unit">k&lt;b&gt;</bdi>' in text


@pytest.mark.parametrize("page", PAGES)
def test_without_a_declaration_they_follow_from_names(full, vic, page):
    text = text_of(vic.get(PAGES[page]))
    assert names_in(text) == ["accuracy", "rows"]
    assert changes_in(text) == {"rows": "neutral", "accuracy": "better"}


def test_the_sparkline_is_that_of_the_headline(declared, vic):
    page = text_of(vic.get(f"{BRANCH}/models"))
    assert "rows over 3 versions: from 1,000 k&lt;b&gt; to 3,000 k&lt;b&gt;" in page


def test_the_table_of_versions_has_the_headline_first(declared, vic):
    table = text_of(vic.get(ASSET, headers={"HX-Target": "instances"}))
    assert re.findall(r'metric-head" title="(\w+)"', table) == ["rows", "accuracy"]
    assert table.count('<bdi class="unit">k&lt;b&gt;</bdi>') == 3


def test_the_page_of_a_version_has_them_too(declared, vic):
    page = text_of(vic.get(f"{ASSET}/v3"))
    assert page.index("<code><bdi>rows") < page.index("<code><bdi>accuracy")
    assert page.count('<bdi class="unit">k&lt;b&gt;</bdi>') == 2
    assert '<span class="delta worse">' in page
    assert '<span class="delta better">' not in page


def test_a_change_within_noise_has_no_colour_and_says_so(full, vic):
    noisy = [{"name": "rows", "better": "lower", "noise": 1001}]
    full.deploy(models__churn_model=Declaration({}, declared_metrics=noisy))
    for page in (*PAGES.values(), f"{ASSET}/v3"):
        text = text_of(vic.get(page))
        assert "delta worse" not in text
        assert ", within noise</span>" in text


def test_twins_say_the_same(declared, vic):
    meaning = {"better": "lower", "unit": "k<b>", "noise": None}
    rows = {"value": 3000, "before": 2000, "before_ref": "v2", "change": 1000, **meaning}
    items = vic.get(f"{BRANCH}/models.json").json()["items"]
    item = next(row for row in items if row["asset"]["id"] == "churn_model")
    assert list(item["metrics"]) == ["rows", "accuracy"]
    assert item["metrics"]["rows"] == rows
    version = vic.get(f"{ASSET}/v3.json").json()
    assert list(version["metrics"]) == ["rows", "accuracy"]
    assert version["metrics"]["rows"] == rows
    assert version["metrics"]["accuracy"]["better"] is None
    asset = vic.get(f"{ASSET}.json").json()
    assert (asset["asset"]["metrics"], asset["compare_ignore"]) == (METRICS, ["path.*"])


def test_numbers_of_evaluations_are_in_the_declared_order_with_units(full, vic):
    log = Declaration({}, declared_metrics=[{"name": "zeal", "unit": "pt"}])
    full.deploy(data__evaluation_log=log)
    for number in (1, 2):
        full.register(
            "data/evaluation_log",
            f"EvalFlow/{number}/log/1",
            asset_kind="evaluation",
            annotations={"auc": 1, "zeal": 7},
        )
    page = text_of(vic.get(f"{BRANCH}/evaluations"))
    assert page.index('title="zeal"') < page.index('title="auc"')
    assert "7 pt" in page
