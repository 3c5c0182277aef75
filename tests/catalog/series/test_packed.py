"""Series of many versions: packed blocks equal a scan of the instances, whatever is written, settled or recounted."""

import random

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from catalog import recording
from catalog.counters import Recount
from catalog.models import Asset, Instance, MetricBlock, SeriesBlock
from catalog.series import BLOCK, Span, assets_to_pack, keeping, names_of, pack_one, series_of
from catalog.series.keeping import kept_block
from tests.catalog.series.worlds import (
    BEGIN,
    MINUTE,
    History,
    Scan,
    assert_series_equal_a_scan,
    asset_with,
    pack_everything,
    small_spans,
    task,
)

pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.django_db]
NAMES = ["auc", "loss", "build", "nothing"]


def some(count, seed=1):
    """Annotations with gaps, texts and extremes."""
    chance = random.Random(seed)
    pick = [0.5, -1e300, 1e-300, "0.25", "n/a", True, None, 7, 0]
    return [
        {name: chance.choice([chance.random(), *pick]) for name in NAMES[:3] if chance.random() < 0.9}
        for _ in range(count)
    ]


def rows_of(asset):
    """What is kept of an asset, without keys."""
    blocks = list(SeriesBlock.objects.filter(asset=asset).order_by("number"))
    return {block.number: as_values(block, block.metrics.order_by("name")) for block in blocks}


def as_values(block, metrics):
    return [
        {
            field.name: bytes(value) if isinstance(value := getattr(row, field.attname), memoryview) else value
            for field in row._meta.concrete_fields
            if field.name not in ("id", "block")
        }
        for row in (block, *sorted(metrics, key=lambda row: row.name))
    ]


def assert_kept_as_it_should_be(asset):
    kept = rows_of(asset)
    assert kept == {number: as_values(*kept_block(asset, number)) for number in kept}
    assert asset.series_whole % BLOCK == asset.series_packed % BLOCK == 0
    assert {*range(asset.series_whole // BLOCK)} <= {*kept} <= {*range(asset.series_packed // BLOCK)}
    assert asset.series_whole // BLOCK not in kept
    assert asset.series_packed <= asset.last_number


@pytest.mark.parametrize("seed", range(3))
def test_series_equal_a_scan_after_any_history(seed):
    chance = random.Random(seed)
    states = {number: chance.choice(["pending", "pending", "failed"]) for number in chance.sample(range(1, 700), 60)}
    asset = asset_with(some(700, seed), states, leaving_out=set(chance.sample(range(1, 650), 20)))
    history = History(seed)
    for _ in range(6):
        history.run(8)
        asset = history.asset
        assert_kept_as_it_should_be(asset)
        assert_series_equal_a_scan(asset, NAMES, None, chance.choice([10, 100, 500, 2000]))
        assert_series_equal_a_scan(asset, NAMES, small_spans(chance, asset.last_number), chance.choice([5, 60, 1000]))
    pack_everything()
    asset.refresh_from_db()
    assert_kept_as_it_should_be(asset)
    assert asset.series_whole == asset.last_number // BLOCK * BLOCK
    assert asset.series_whole < asset.series_packed or asset.series_packed == asset.series_whole
    assert_series_equal_a_scan(asset, NAMES, None, 2000)
    history.recount()
    history.delete()
    history.recount()
    assert not SeriesBlock.objects.exists()
    assert not MetricBlock.objects.exists()
    assert assets_to_pack() == []


@pytest.mark.parametrize("most_points", [4, 20, 150, 400, 5000])
def test_packed_and_live_blocks_look_alike(most_points):
    asset = asset_with(some(1300), {5: "failed", 256: "pending", 1299: "pending"}, leaving_out={1, 2, 300})
    assert_series_equal_a_scan(asset, NAMES, None, most_points)
    assert pack_one(asset.pk)
    assert pack_one(asset.pk)
    asset.refresh_from_db()
    assert (asset.series_whole, asset.series_packed) == (512, 512)
    assert series_of(asset, NAMES).not_yet == [Span(513, 1024)]
    assert_series_equal_a_scan(asset, NAMES, None, most_points)
    pack_everything()
    asset.refresh_from_db()
    assert series_of(asset, NAMES).not_yet == []
    for span in (None, Span(256, 257), Span(200, 1290), Span(257, 768), Span(700, 5000)):
        assert_series_equal_a_scan(asset, NAMES, span, most_points)


def test_reading_takes_four_queries_however_much_is_missing(django_assert_max_num_queries):
    asset = asset_with(some(1400))
    pack_everything()
    SeriesBlock.objects.filter(number=2).delete()
    asset.refresh_from_db()
    with django_assert_max_num_queries(3):
        series = series_of(asset, NAMES, most_points=1500)
    assert series.not_yet == []
    assert_series_equal_a_scan(asset, NAMES, None, 1500)
    with django_assert_max_num_queries(2):
        names = names_of(asset)
    scan = Scan(asset)
    assert names.seen == {name: sum(scan.value(row, name) is not None for row in scan.rows) for name in ("auc", "loss")}


def test_what_was_not_packed_is_found_again_and_nothing_else_is():
    asset = asset_with(some(600))
    assert assets_to_pack() == [asset.pk]
    assert assets_to_pack(after=asset.pk) == []
    pack_everything()
    assert not pack_one(asset.pk)
    before = rows_of(asset)
    fail(asset, 3)
    assert rows_of(asset) == before  # it was ready
    Instance.objects.filter(number=3).update(state="pending")
    fail(asset, 3)
    asset.refresh_from_db()
    assert (list(rows_of(asset)), asset.series_whole, asset.series_packed) == ([1], 0, 512)
    assert_series_equal_a_scan(asset, NAMES, None, 1000)
    pack_everything()
    asset.refresh_from_db()
    assert (asset.series_whole, asset.series_packed) == (512, 512)


def test_what_is_packed_marks_its_asset_so_that_pages_tell_what_they_lacked():
    asset_with(some(300))
    marked_as_of(1)
    pack_everything()
    assert Asset.objects.get().changed > 1


def marked_as_of(mark):
    """As another transaction would have marked: PostgreSQL's marks are those of the one transaction of the test."""
    QuerySet.update(Asset.objects.all(), changed=mark)


def fail(asset, number):
    perimeter = asset.branch.project.perimeter
    its = {"entity": task(number), "attempt": 0, "uids": []}
    recording.confirm(actor="ada", perimeter=perimeter, state="failed", reason="", **its)


def test_writes_of_newer_versions_know_without_a_query_that_no_block_changes():
    asset = asset_with(some(300))
    pack_everything()
    history, before = History(1), rows_of(asset)
    with CaptureQueriesContext(connection) as queries:
        history.register(task(10_000))
        fail(asset, 10_000)
    assert not [query for query in queries if "block" in query["sql"]]
    assert rows_of(asset) == before


def test_of_too_many_metrics_two_hundred_are_kept_in_a_block_and_the_rest_said():
    chance = random.Random(1)
    said = [{f"n{chance.randrange(150):03}": 1, f"m{number % 180:03}": 2, "auc": 0.5} for number in range(1, 257)]
    said.append({"n000": 1, "m001": 1, "zeta": 1})
    asset = asset_with(said, declared=[{"name": "m179"}])
    pack_everything()
    asset.refresh_from_db()
    (block,) = SeriesBlock.objects.all()
    measured = {name for each in said[:256] for name in each}
    counts = {name: sum(name in each for each in said[:256]) for name in measured}
    right = sorted(measured, key=lambda name: (name != "m179", -counts[name], name))[:200]
    assert block.names == {name: counts[name] for name in right}
    assert block.left_out == len(measured) - 200
    missing = next(name for name in sorted(measured) if name not in right)
    series = series_of(asset, [missing, "auc", "zeta"])
    assert [metric.left_out for metric in series.metrics] == [[Span(1, 256)], [], [Span(1, 256)]]
    assert series.metrics[1].values[:2] == [0.5, 0.5]
    names = names_of(asset)
    assert (names.names[0], len(names.names)) == ("m179", 200)
    assert names.left_out == len(measured) - 200


def test_a_block_that_is_written_to_while_it_is_read_is_read_again_under_the_lock(monkeypatch):
    asset = asset_with(some(300), {7: "pending"})
    kept_block, calls = keeping.kept_block, []
    marked_as_of(1)

    def settled_meanwhile(asset, number):
        rows = kept_block(asset, number)
        if not calls:
            fail(asset, 7)
            marked_as_of(2)
        calls.append(number)
        return rows

    monkeypatch.setattr(keeping, "kept_block", settled_meanwhile)
    assert pack_one(asset.pk)
    assert calls == [0, 0]
    monkeypatch.undo()
    asset.refresh_from_db()
    assert_kept_as_it_should_be(asset)
    assert SeriesBlock.objects.get().failed == 1


def test_a_name_that_is_declared_as_a_metric_is_one_in_blocks_that_were_packed_before():
    asset = asset_with([{"build": 7}] * 260)
    pack_everything()
    assert SeriesBlock.objects.get().names == {}
    history = History(1)
    history.chance.sample = lambda names, many: ["build"]
    history.declare()
    assert not SeriesBlock.objects.exists()
    pack_everything()
    asset = Asset.objects.get()
    assert SeriesBlock.objects.get().names == {"build": 256}
    assert names_of(asset).seen == {"build": 260}


def test_a_block_of_numbers_that_nobody_has_is_kept_too():
    asset = asset_with([{"auc": 1}] * 800, leaving_out=range(257, 513))
    pack_everything()
    asset.refresh_from_db()
    assert_series_equal_a_scan(asset, NAMES, None, 20)
    assert_series_equal_a_scan(asset, NAMES, None, 1000)
    assert (asset.series_whole, SeriesBlock.objects.get(number=1).first_number) == (768, None)


def test_what_comes_late_is_in_its_bucket_by_its_number():
    asset = asset_with(some(600), leaving_out={100})
    pack_everything()
    History(1).register(number=100, when=BEGIN + 5 * MINUTE)
    asset.refresh_from_db()
    assert (asset.series_whole, asset.series_packed) == (0, 512)
    assert_series_equal_a_scan(asset, NAMES, None, 50)


def break_values(asset):
    MetricBlock.objects.filter(block__number=1, name="auc").update(low=-7)
    return ["SeriesBlock 1 of Asset {pk}: values"]


def lose_a_metric(asset):
    MetricBlock.objects.filter(block__number=0, name="loss").delete()
    return ["SeriesBlock 0 of Asset {pk}: values"]


def settle_behind_its_back(asset):
    Instance.objects.filter(asset=asset, number=3).update(state="failed")
    asset.refresh_from_db()
    return None


def lose_a_block(asset):
    SeriesBlock.objects.filter(number=0).delete()
    return ["Asset {pk}: series_whole"]


def forget_where_to_look(asset):
    Asset.objects.filter(pk=asset.pk).update(series_packed=0)
    return ["Asset {pk}: series_packed"]


def point_beyond(asset):
    Asset.objects.filter(pk=asset.pk).update(series_packed=25_600, series_whole=25_600)
    return ["Asset {pk}: series_packed, series_whole"]


def delete_behind_its_back(asset):
    Asset.objects.filter(pk=asset.pk).update(deleted_at=BEGIN)
    return None


BREAKS = [break_values, lose_a_metric, settle_behind_its_back, lose_a_block, forget_where_to_look, point_beyond]


@pytest.mark.parametrize("damage", [*BREAKS, delete_behind_its_back], ids=lambda damage: damage.__name__)
def test_recount_corrects_what_is_kept_and_says_so(damage):
    asset = asset_with(some(600))
    pack_everything()
    assert Recount().run().corrections == []
    told = damage(asset)
    corrections = [line for line in Recount().run().corrections if line.split()[0] in ("Asset", "SeriesBlock")]
    assert corrections
    assert told is None or corrections == [line.format(pk=asset.pk) for line in told]
    assert Recount().run().corrections == []
    pack_everything()
    asset.refresh_from_db()
    assert_kept_as_it_should_be(asset)
    if asset.deleted_at is None:
        assert_series_equal_a_scan(asset, NAMES, None, 1000)
        assert len(rows_of(asset)) == 2
    else:
        assert rows_of(asset) == {}
