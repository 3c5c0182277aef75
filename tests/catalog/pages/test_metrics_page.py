"""The page of an asset's metrics and its files: what is asked, what is not there, and who may see it."""

import csv
import json
import re
from datetime import timedelta
from io import StringIO
from xml.dom import minidom

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, Instance
from catalog.recording import AssetAddress, Declaration, Registration
from catalog.series import assets_to_pack, pack_one
from tests.built_once import built_once
from tests.catalog.pages.conftest import text_of

MODEL = "/alpha/churn/main/models/churn_model"
PAGE = f"{MODEL}/metrics"


def register(world, days=0.0, branch="main", asset="models/churn_model", state="ready", **annotations):
    """A version made so many days ago."""
    kind, asset_id = asset.split("/")
    return recording.register(
        actor="ada",
        at=AssetAddress(world.branch(branch), kind, asset_id),
        entity=Entity("task", f"TrainFlow/{timezone.now().timestamp()}/train/1"),
        what=Registration("artifact", annotations=annotations, state=state),
        when=timezone.now() - timedelta(days=days),
    )


@pytest.fixture
def measured(world):
    """Six versions: one without a number, one that failed, one that says a text; @production is v2."""
    said = [{"auc": 0.75}, {"auc": 0.8}, {}, {"auc": 0.81}, {"auc": "n/a"}, {"auc": 0.82}]
    made = [register(world, 7 - place, **one, rows=100 + place) for place, one in enumerate(said)]
    Instance.objects.filter(pk=made[3].pk).update(state="failed")
    world.alias("production", made[1])
    return world


def links(page):
    """The points of the charts: address and label."""
    return re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"(?: class="b")?>\s*<(?:rect|line) ', page)


def rows_of(answer):
    return list(csv.reader(StringIO(answer.content.decode())))


def test_points_are_links_also_in_small_charts(measured, vic):
    page = text_of(vic.get(f"{PAGE}?metric=auc,rows")).replace("<bdi>", "").replace("</bdi>", "")
    points = links(page)
    assert [url for url, _ in points] == [f"{MODEL}/v{number}" for number in (*range(1, 7), *range(1, 7))]
    day = rf"{(timezone.now() - timedelta(days=6)).day} \w+"
    assert re.fullmatch(rf"v2, {day}: 0.8, @production", points[1][1])
    assert re.fullmatch(r"v4, .*: failed", points[3][1])
    assert re.fullmatch(r"v5, .*: text: &#39;n/a&#39;", points[4][1])
    for sentence in ("v3 did not measure it.", "v4 failed.", "v5 has no number: text: &#39;n/a&#39;."):
        assert sentence in page
    assert "auc: higher is better, as its name tells." in page
    assert "rows: no direction is declared." in page
    assert "style=" not in page


def test_what_is_declared_counts(measured, vic):
    metrics = [{"name": "rows", "better": "lower", "unit": "customers", "headline": True}]
    Asset.objects.update(declared_metrics=metrics)
    page = text_of(vic.get(PAGE)).replace("<bdi>", "").replace("</bdi>", "")
    assert "rows: in customers; lower is better." in page
    assert "v6 · 105 customers" in page
    assert links(page)[0][1].endswith("100 customers")
    assert len(links(page)) == 6


def test_a_name_with_commas_is_one_name(world, vic):
    for value in (1, 2):
        register(world, **{"a,b": value, "a": value, "b": value})
    name = lambda query: re.findall(r'<text class="name"[^>]*>([^<]*)<', text_of(vic.get(f"{PAGE}?{query}")))  # noqa: E731
    assert name("metric=a,b") == ["a,b"]
    assert name("metric=b,a") == ["b", "a"]
    assert name("metric=a&metric=a,b&metric=a") == ["a", "a,b"]


def test_what_is_not_there_is_named_and_the_rest_is_shown(measured, vic):
    query = (
        "metric=auc&metric=nope&along=space&scale=cubic&from=yesterday&to=v99999999999&low=x&high=inf&with=nowhere&q=1"
    )
    page = text_of(vic.get(f"{PAGE}?{query}"))
    assert len(links(page)) == 6
    for sentence in (
        "This page knows no filter &#39;q&#39;; it is left out.",
        "No metric is called &#39;nope&#39;.",
        "&#39;along&#39; is version or time, not &#39;space&#39;.",
        "&#39;scale&#39; is linear or log, not &#39;cubic&#39;.",
        "&#39;from&#39; is a version such as v12, or a day such as 2026-11-24, not &#39;yesterday&#39;.",
        "&#39;to&#39; is a version such as v12, or a day such as 2026-11-24, not &#39;v99999999999&#39;.",
        "&#39;low&#39; is a number of the axis, not &#39;x&#39;.",
        "&#39;high&#39; is a number of the axis, not &#39;inf&#39;.",
        "There is no &#39;nowhere&#39; to draw beside it: name a branch of this project, or branch/kind/asset.",
    ):
        assert sentence in page, sentence
    for form in (".json", ".csv", ".svg"):
        assert vic.get(f"{PAGE}{form}?metric=nope").status_code == 400
        assert vic.get(f"{PAGE}{form}?q=1").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        *("from=v9&to=v3", "from=v900&to=v901", "from=2026-02-30", "from=9999-12-31&to=0001-01-01", "to=9999-12-31"),
        *("low=5&high=1", "low=1e308&high=1e309", "low=-1&scale=log", "scale=log&zero=yes", "low=9&high=10"),
        *("metric=%00", "metric=,", "with=%00", "with=a/b", "with=main", "with=main/models/churn_model"),
        *("with=a/data/%ff", "with=" + "x" * 4000, "metric=" + "y" * 4000, "with=a&with=b&with=c&with=d&with=e"),
        *("from=v0", "to=v0", "from=%D9%A3"),
    ],
)  # fmt: skip
def test_no_question_breaks_a_chart(measured, vic, query):
    for form in ("", ".svg", ".csv", ".json"):
        assert vic.get(f"{PAGE}{form}?{query}").status_code in ((200,) if not form else (200, 400))


def test_another_branch_stands_in_the_same_chart(measured, vic):
    register(measured, 2.5, "feature/new", auc=0.9)
    register(measured, 0.5, "feature/new", auc=0.91)
    for name in ("feature/new", "feature_new", "feature/new/models/churn_model"):
        page = text_of(vic.get(f"{PAGE}?metric=auc&with={name}"))
        other = [one for one in links(page) if "feature_new" in one[0]]
        assert [url for url, _ in other] == [f"/alpha/churn/feature_new/models/churn_model/v{n}" for n in (1, 2)]
        assert other[0][1].startswith("feature/new v1, ")
        assert '<path class="line b"' in page
    register(measured, 1.5, asset="models/rival", auc=0.7)
    page = text_of(vic.get(f"{PAGE}?metric=auc&with=main/models/rival&along=time"))
    assert "/alpha/churn/main/models/rival/v1" in dict(links(page))
    assert "rival v1, " in page


def test_with_leads_to_nothing_that_may_not_be_seen(measured):
    register(measured, 1, "secret", auc=0.9)
    secret = measured.asset("models/churn_model", "secret")
    secret.branch.project_id = measured.register("data/x", perimeter=measured.beta).asset.branch.project_id
    secret.branch.save()
    asked = [text_of(measured.client().get(f"{PAGE}?with={name}")) for name in ("secret", "absent")]
    asked = [re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page) for page in asked]
    assert asked[0].replace("secret", "absent") == asked[1]
    assert "There is no &#39;absent&#39; to draw beside it" in asked[1]


def test_only_a_part_of_the_versions(measured, vic):
    def refs(query):
        return [url.rpartition("/")[2] for url, _ in links(text_of(vic.get(f"{PAGE}?metric=auc&{query}")))]

    assert refs("from=v2&to=3") == ["v2", "v3"]
    assert refs("from=v5") == ["v5", "v6"]
    day = (timezone.now() - timedelta(days=5)).date().isoformat()
    assert refs(f"from={day}&to={day}") == ["v3"]
    assert refs(f"to={day}") == ["v1", "v2", "v3"]
    assert refs(f"from={day}&to=9999-12-31")[0] == "v3"
    page = text_of(vic.get(f"{PAGE}?metric=auc&from=v99"))
    assert "No version is here." in page
    assert "No version is in what is asked for." in page


def test_the_table_says_the_same_newest_first(measured, vic):
    page = text_of(vic.get(f"{PAGE}?metric=auc"))
    table = page[page.index("<table") :]
    assert re.findall(r"<code>(v\d)</code>", table) == ["v6", "v5", "v4", "v3", "v2", "v1"]
    assert re.findall(r'data-label="auc">(?:<[^>]*>)?([^<]*)<', table) == [
        "0.82", "text: &#39;n/a&#39;", "failed", "not measured", "0.8", "0.75",
    ]  # fmt: skip
    for number in range(30):
        register(measured, auc=number)
    page = text_of(vic.get(f"{PAGE}?metric=auc"))
    assert "newest first, 20 of 36" in page
    assert f'href="{PAGE}.csv?metric=auc"' in page


def test_csv_has_all_numbers_and_no_formula(world, vic):
    for value in (-0.5, 2):
        register(world, **{"=1+1": value, "ok": 1e-7})
    register(world, ok=3)
    answer = vic.get(f"{PAGE}.csv?metric==1%2B1&metric=ok")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = rows_of(answer)
    assert rows[0] == ["branch", "asset", "version", "at", "state", "aliases", "'=1+1", "ok", "note"]
    assert [row[6:] for row in rows[1:]] == [
        ["-0.5", "1e-07", ""], ["2.0", "1e-07", ""], ["", "3.0", "'=1+1: not measured"],
    ]  # fmt: skip


def test_of_too_many_versions_a_file_has_the_last_and_says_where_the_others_are(measured, vic, monkeypatch):
    for place in ("view", "files"):
        monkeypatch.setattr(f"catalog.pages.charts.{place}.MOST_ROWS", 4)
    for days in range(6):
        register(measured, days, branch="feature/new", auc=0.9)
    query = "?metric=auc&with=feature/new"
    rows = rows_of(vic.get(f"{PAGE}.csv{query}"))
    assert [row[2] for row in rows[1:]] == ["v3", "v4", "v5", "v6", "v1 to v2", "v3", "v4", "v5", "v6"]
    assert rows[5][-1] == "left out: at most 4 are here"
    said = json.loads(vic.get(f"{PAGE}.json{query}").content)
    assert said["with"]["left_out"] == {"first": "v1", "last": "v2"}
    assert said["older"] == f"{PAGE}.json{query}&to=v2"
    older = vic.get(said["older"])
    assert [one["ref"] for one in json.loads(older.content)["versions"]] == ["v1", "v2"]
    assert json.loads(older.content)["older"] is None
    assert vic.get(f"{PAGE}.csv{query}").headers["Link"] == f'<{PAGE}.csv{query}&to=v2>; rel="next"'


def test_json_says_the_same(measured, vic):
    said = json.loads(vic.get(f"{PAGE}.json?metric=auc").content)
    assert [one["ref"] for one in said["versions"]] == [f"v{number}" for number in range(1, 7)]
    assert said["metrics"] == [
        {
            "name": "auc",
            "unit": None,
            "better": "higher",
            "is_declared": False,
            "values": [0.75, 0.8, None, None, None, 0.82],
            "without": {"v3": "not measured", "v5": "text: 'n/a'"},
        }
    ]
    assert (said["aliases"], said["with"], said["names"]) == ({"production": "v2"}, None, ["auc", "rows"])


def test_the_drawing_is_a_file_of_its_own(measured, vic):
    register(measured, **{"b\x01<b>\u05d0 auc": 3, "auc": 0.9})
    register(measured, **{"b\x01<b>\u05d0 auc": 4, "auc": 0.9})
    answer = vic.get(f"{PAGE}.svg?metric=auc&metric=b%01%3Cb%3E%D7%90+auc")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert "'sha256-" in answer.headers["Content-Security-Policy"]
    svg = minidom.parseString(answer.content)
    assert svg.documentElement.namespaceURI == "http://www.w3.org/2000/svg"
    assert "prefers-color-scheme: dark" in svg.getElementsByTagName("style")[0].firstChild.data
    assert "var(" not in answer.content.decode()
    urls = [link.getAttribute("href") for link in svg.getElementsByTagName("a")]
    assert urls[0] == f"http://testserver{MODEL}/v1"
    assert len(urls) == 16


def test_before_the_second_version_there_is_no_chart(world, vic):
    register(world, note="hello")
    page = text_of(vic.get(PAGE))
    assert "No version has measured anything yet." in page
    assert "annotations={&#34;auc&#34;: 0.91}" in page
    register(world, auc=0.7488)
    page = text_of(vic.get(PAGE))
    assert "auc 0.7488 in v2" in page.replace("<bdi>", "").replace("</bdi>", "")
    assert "A chart begins with the second version." in page
    assert '<figure class="plot' not in page
    for form in (".svg", ".csv", ".json"):
        assert vic.get(f"{PAGE}{form}").status_code == 200
    register(world, auc=0.75)
    assert '<figure class="plot"' in text_of(vic.get(PAGE))


def test_a_definition_alone_has_none(full, vic):
    assert "No version has measured anything yet." in text_of(vic.get("/alpha/churn/main/models/small_llama/metrics"))


def test_an_asset_named_like_a_file_keeps_its_pages(world, vic):
    for asset_id in ("x.svg", "x.json", "x.csv", "metrics", "metrics.svg"):
        for value in (1, 2):
            register(world, asset=f"models/{asset_id}", auc=value)
        base = f"/alpha/churn/main/models/{asset_id}"
        assert vic.get(base).status_code == 200
        page = text_of(vic.get(f"{base}/metrics"))
        assert f"{base}/v1" in dict(links(page))
        assert vic.get(f"{base}/metrics.svg").headers["Content-Type"].startswith("image/svg+xml")


def test_htmx_gets_the_charts_alone(measured, vic):
    part = text_of(vic.get(f"{PAGE}?along=time", headers={"HX-Request": "true", "HX-Target": "metrics"}))
    assert part.startswith('<section class="sheet" id="metrics"')
    assert "<html" not in part
    assert links(part)


def test_every_look_is_a_link_and_keeps_the_rest(measured, vic):
    page = text_of(vic.get(f"{PAGE}?metric=auc&along=time&from=v2"))
    assert f'href="{PAGE}?metric=auc&amp;from=v2"><bdi>by version' in page
    assert f'href="{PAGE}?metric=auc&amp;along=time&amp;from=v2&amp;zero=yes"' in page
    assert f'href="{PAGE}?metric=auc&amp;along=time&amp;from=v2&amp;scale=log"' in page
    assert f'href="{PAGE}?metric=auc&amp;metric=rows&amp;along=time&amp;from=v2"' in page
    assert '<input type="hidden" name="metric" value="auc">' in page
    assert '<input type="hidden" name="along" value="time">' in page


def test_branches_that_have_the_asset_are_offered(measured, vic):
    register(measured, 1, "feature/new", auc=0.9)
    register(measured, 1, "feature/other", asset="models/something", auc=0.9)
    page = text_of(vic.get(PAGE))
    assert f'href="{PAGE}?with=feature/new"' in page
    assert "with=feature/other" not in page


def test_many_versions_are_drawn_in_groups(world, vic):
    made = register(world, 30, auc=0.5)
    asset = world.asset("models/churn_model")
    values = [0.8 + number % 10 / 100 for number in range(2, 601)]
    values[300], values[400] = 0.1, 0.99
    plain = {"asset": asset, "state": "ready", "asset_kind": "artifact", "component": made.component, "actor": "ada"}
    plain |= {"producer_kind": "task", "producer_id": "T/1/t/1", "created_at": timezone.now()}
    Instance.objects.bulk_create(
        Instance(number=number, annotations={"auc": value, "rows": number}, **plain)
        for number, value in enumerate(values, 2)
    )
    Asset.objects.filter(pk=asset.pk).update(last_number=600, ready_count=600)
    page = text_of(vic.get(f"{PAGE}?metric=auc&range=all"))
    points = links(page)
    assert points[0][0].startswith(f"{PAGE}?metric=auc&amp;range=all&amp;from=v")
    assert "0.1 in v302 to 0." in page
    assert "v302 · 0.1" in page
    assert "v402 · 0.99" in page
    assert re.search(r"Lowest and highest of each \d+ versions: no extreme is lost.", page)
    assert "Only the last 500</a>" in page
    last = text_of(vic.get(f"{PAGE}?metric=auc&from=v257"))
    assert len(links(last)) == 344


def test_the_asset_page_draws_its_first_metric(measured, vic):
    page = text_of(vic.get(MODEL))
    figure = page[page.index('<figure class="plot') :].partition("</figure>")[0]
    assert [url for url, _ in links(figure)] == [f"{MODEL}/v{number}" for number in range(1, 7)]
    assert f'href="{PAGE}">charts' in page
    assert "v4 has" not in page


def test_nobody_else_sees_it(measured):
    for form in ("", ".json", ".csv", ".svg"):
        assert measured.client("olga").get(f"{PAGE}{form}").status_code == 404


def test_a_declared_metric_may_be_called_anything(world, vic):
    world.deploy(models__churn_model=Declaration({}, name="Churn"))
    for value in (1, 2):
        register(world, auc=value)
    assert "Metrics of" in text_of(vic.get(PAGE))


@pytest.fixture
def packed(world):
    built_once(pack, world)
    return world


def pack(world):
    """A model with 700 versions on two branches, two blocks of each packed."""
    for branch in ("main", "feature/new"):
        made = register(world, 40, branch, auc=0.5, rows=1)
        asset = world.asset("models/churn_model", branch)
        plain = {"asset": asset, "state": "ready", "asset_kind": "artifact", "component": made.component}
        plain |= {"producer_kind": "task", "producer_id": "T/1/t/1", "actor": "ada"}
        begin = timezone.now() - timedelta(days=36)
        Instance.objects.bulk_create(
            Instance(number=n, annotations={"auc": n}, created_at=begin + timedelta(hours=n), **plain)
            for n in range(2, 701)
        )
        Asset.objects.filter(pk=asset.pk).update(last_number=700, ready_count=700)
    for asset in assets_to_pack():
        while pack_one(asset):
            pass


@pytest.mark.parametrize(
    "query",
    ["", "with=feature/new", "with=feature/new&from=v200&to=v300", "with=feature/new&from=2026-01-01&to=v600"],
)
def test_no_chart_asks_more_than_twelve_queries(packed, vic, query):
    with CaptureQueriesContext(connection) as queries:
        page = text_of(vic.get(f"{PAGE}?{query}"))
    assert len(queries) <= 12
    assert links(page)
    assert "aren&#39;t in the series yet" not in page


def test_the_other_asset_has_the_versions_of_the_same_time(packed, vic):
    page = text_of(vic.get(f"{PAGE}?metric=auc&with=feature/new&from=v300&to=v310"))
    refs = [url.rpartition("/")[2] for url, _ in links(page) if "/feature_new/" in url]
    assert set(refs) <= {f"v{number}" for number in range(299, 312)}
    assert len(refs) >= 10


def test_another_unit_on_the_other_branch_is_said(measured, vic):
    register(measured, 1, "feature/new", auc=0.9)
    Asset.objects.filter(branch__key="feature_new").update(declared_metrics=[{"name": "auc", "unit": "%"}])
    page = text_of(vic.get(f"{PAGE}?metric=auc&with=feature/new"))
    assert "auc is in % in feature/new, and without a unit here: its numbers can&#39;t be compared." in page
    assert "can&#39;t be compared" not in text_of(vic.get(f"{PAGE}?metric=rows&with=feature/new"))
