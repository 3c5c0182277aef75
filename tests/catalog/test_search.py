"""Finding by the beginning of names: what a name is found by, from an index that is always up to date."""

import importlib

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from access.identity import Viewer
from access.models import Membership, Perimeter
from catalog import search
from catalog.counters import Recount
from catalog.folding import AFTER_ALL, LONGEST, beginnings, folded, key_of
from catalog.models import Asset, Branch, Component, NameStart, Project
from catalog.name_starts import RANKS, insert, rows_of
from catalog.search import MOST, found_by
from tests.catalog.wire import PERIMETER, definition, deploy_body, spec_body
from tests.conftest import POSTGRES

pytestmark = [pytest.mark.both, pytest.mark.slow]


@pytest.mark.parametrize(
    ("name", "as_folded"),
    [
        ("Churn_Model", "churn model"),
        ("feature/New--model.v2", "feature new model v2"),
        ("Modèle", "modele"),
        ("STRASSE", folded("Straße")),
        ("ﬁn", "fin"),
        ("данные", "данные"),
        ("模型", "模型"),
        ("🚀\ufe0f launch", "🚀 launch"),
        ("__", "__"),
        ("_private", "private"),
        ("x" * 500, "x" * LONGEST),
    ],
)
def test_a_name_is_compared_without_case_marks_and_signs(name, as_folded):
    assert folded(name) == as_folded


def test_a_name_is_found_by_its_beginning_and_by_its_later_words():
    found = {key.decode(): later for key, later in beginnings(["churn_model", "Churn model of TrainFlow"]).items()}
    assert found == {
        "churn model": False,
        "model": True,
        "churn model of trainflow": False,
        "model of trainflow": True,
        "of trainflow": True,
        "trainflow": True,
        "flow": True,
    }
    assert len(beginnings(["a" + "_b" * 30])) == 7
    assert beginnings([""]) == {}


def viewer_of(*perimeters: str) -> Viewer:
    user, _ = User.objects.get_or_create(username=f"member of {perimeters}")
    for name in perimeters:
        perimeter, _ = Perimeter.objects.get_or_create(name=name)
        Membership.objects.get_or_create(user=user, perimeter=perimeter)
    return Viewer(user)


def names(text: str, kind: str = "asset", viewer: Viewer | None = None) -> list[str]:
    """What is found, as `branch/id` of assets and the names of all else."""
    found = found_by(viewer or viewer_of("default"), text).get(kind)
    model = {"project": Project, "branch": Branch, "asset": Asset}.get(kind, Component)
    rows = model.objects.in_bulk(found.targets if found else [])
    shown = {pk: f"{row.branch.key}/{row}" if kind == "asset" else str(row) for pk, row in rows.items()}
    return [shown[pk] for pk in found.targets] if found else []


def test_everything_is_found_where_it_is(api):
    api.register("models/churn_model", task="TrainFlow/1/train/1", branch_name="main")
    api.post("deploys", deploy_body(definition("xkcd", "data", name="Comics of Ünsal"), spec={"title": "Who leaves"}))
    assert names("CHURN-m") == names("model") == ["main/churn_model"]
    assert names("xk") == names("unsal") == names("comics o") == ["main/xkcd"]
    assert names("churn", "project") == names("who l", "project") == ["churn"]
    assert names("mai", "branch") == ["main"]
    assert names("TrainF", "flow") == names("flow", "flow") == ["TrainFlow"]
    assert names("hurn") == names("") == names(" ") == names("zzz") == []


def test_what_is_renamed_or_deleted_is_found_so_no_more(api):
    branch = f"{PERIMETER}/projects/churn/branches/feature_new"
    api.register(f"{branch}/data/xkcd")
    assert names("feature n", "branch") == ["feature_new"]
    api.register(f"{branch}/data/xkcd", branch_name="feature/New")
    api.post("deploys", deploy_body(definition("xkcd", "data", name="Comics")))
    assert (names("feature/new", "branch"), names("comics")) == (["feature/New"], ["main/xkcd"])
    api.post("deploys", deploy_body(definition("xkcd", "data", name="Strips")))
    api.post(f"{PERIMETER}/flowprojects", spec_body({"data": [{"id": "xkcd", "display_name": "Funnies"}]}))
    assert (names("comics"), names("strips"), names("funnies")) == ([], [], ["main/xkcd"])
    api.delete("data/xkcd")
    assert (names("funnies"), names("xkcd")) == ([], ["feature_new/xkcd"])
    assert Recount().run().corrections == []


def test_whole_names_come_first_then_what_is_on_main_then_later_words(api):
    for branch in ("feature_b", "main"):
        for asset in ("model", "model_b", "a_model", "other"):
            api.register(f"{PERIMETER}/projects/churn/branches/{branch}/data/{asset}")
    assert names("model") == [
        *("main/model", "feature_b/model"),
        *("main/model_b", "feature_b/model_b"),
        *("main/a_model", "feature_b/a_model"),
    ]


@pytest.fixture
def many(db):
    """Forty assets on main and forty elsewhere in one perimeter, and as many in another."""
    rows = []
    for name in ("alpha", "beta"):
        perimeter = Perimeter.objects.create(name=name)
        for number in range(80):
            on_main = number % 2 == 0
            rows += rows_of("asset", number + 1000 * perimeter.pk, perimeter.pk, [f"m {number:02}"], on_main=on_main)
    insert(rows)


def test_at_most_twenty_of_a_kind_are_found_of_what_one_may_see(many):
    alpha = Perimeter.objects.get(name="alpha").pk
    found = found_by(viewer_of("alpha"), "m")["asset"]
    assert found.targets == [number + 1000 * alpha for number in range(0, 2 * MOST, 2)]
    assert found.cut
    assert found_by(viewer_of("gamma"), "m") == {}
    assert len(found_by(viewer_of("alpha", "beta"), "m 0")["asset"].targets) == 20
    assert not found_by(viewer_of("alpha", "beta"), "m 0")["asset"].cut


def test_the_statement_finds_what_its_query_would(many, monkeypatch):
    monkeypatch.setattr(search, "RANGES_AT_ONCE", 5)
    viewer, key = viewer_of("alpha", "beta"), key_of("m 1")
    right = []
    for perimeter in viewer.perimeter_ids():
        for rank in RANKS["asset"]:
            rows = NameStart.objects.filter(perimeter=perimeter, kind="asset", rank=rank)
            rows = rows.filter(key__gte=key, key__lt=key + AFTER_ALL).order_by("key", "-target")[: search.ROWS]
            right += [(rank > 1 or bytes(row.key) != key, rank, bytes(row.key), -row.target) for row in rows]
    assert found_by(viewer, "m 1")["asset"].targets == [-target for *_, target in sorted(right)][:MOST]


def test_the_index_has_each_range(many):
    if POSTGRES:
        NameStart.objects.bulk_create(
            NameStart(
                perimeter_id=Perimeter.objects.first().pk, kind="asset", rank=0, key=b"%d" % number, target=number
            )
            for number in range(5_000)
        )
    with connection.cursor() as cursor:
        if POSTGRES:
            cursor.execute("ANALYZE catalog_namestart")
        explain = "EXPLAIN" if POSTGRES else "EXPLAIN QUERY PLAN"
        cursor.execute(
            f"{explain} {search.statement(2)}", [1, "asset", 0, b"m", b"m\xff", 2, "asset", 1, b"m", b"m\xff"]
        )
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert plan.count("names_in_order") == 2
    assert not any(word in plan for word in ("Seq Scan", "SCAN catalog_namestart", "Sort", "TEMP B-TREE"))


@pytest.mark.each
@pytest.mark.parametrize(
    "corrupt",
    [
        lambda: NameStart.objects.all().delete(),
        lambda: NameStart.objects.filter(kind="asset").update(rank=3),
        lambda: NameStart.objects.create(perimeter=Perimeter.objects.first(), kind="flow", rank=0, key=b"x", target=99),
    ],
)
def test_a_recount_puts_names_right(api, corrupt):
    api.register()
    right = rows()
    corrupt()
    assert rows() != right
    Recount().run()
    assert rows() == right
    assert Recount().run().corrections == []


def rows() -> list[object]:
    return list(NameStart.objects.order_by("kind", "target", "key").values_list("kind", "target", "key", "rank"))


def test_an_older_catalogue_gets_its_names_by_migration(api):
    api.register("data/xkcd")
    api.register("models/gone")
    api.delete("models/gone")
    api.post("deploys", deploy_body(definition("xkcd", "data", name="Comics"), spec={"title": "T"}))
    right = rows()
    NameStart.objects.all().delete()
    importlib.import_module("catalog.migrations.0009_name_starts").fill(apps, None)
    assert rows() == right
