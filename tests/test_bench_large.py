"""The loader of the large catalogue at a tiny size: whoever changes what is kept learns here whether it still loads."""

from dataclasses import replace

import pytest

from bench.large import loading, names, shape
from catalog.counters import Recount
from catalog.metrics import metrics_of
from catalog.models import Asset, Edge, Instance, Promotion, Run
from tests.lanes import long

TINY = shape.Scale(modules=1, nights=2, journal=150)


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize("modules", [1, *long(2)])
def test_what_is_loaded_is_what_the_site_counts(modules):
    loading.fill(replace(TINY, modules=modules))
    assert modules == 1 or Recount().run().corrections == []  # of a few it has been seen
    plant = Asset.objects.filter(branch__project__name=names.PROJECT)
    assert plant.count() == modules * shape.ASSETS
    assert set(plant.values_list("last_number", "ready_count")) == {(TINY.nights, TINY.nights)}
    assert Run.objects.count() == modules * TINY.nights * shape.FLOWS
    assert Promotion.objects.count() == modules * shape.COPIES
    assert Edge.objects.filter(asset__branch__key=names.FEATURE.key, direction="produces").count() == 4 * modules
    hub = plant.get(pk=names.asset_pk(modules - 1, shape.HUB))
    readers = [flow for flow in range(shape.FLOWS) if shape.HUB in shape.reads_of(flow)]
    assert hub.consumer_count == len(readers)
    in_production = Instance.objects.get(asset=hub.pk, aliases__name="production")
    assert hub.alias_index == {"production": in_production.uid}
    assert set(metrics_of(in_production.annotations)) > {"metric_a", "metric_d"}


@pytest.mark.both
@pytest.mark.django_db
def test_the_journal_has_instances_of_each_kind():
    loading.fill(replace(TINY, modules=0, nights=0))
    journal = Asset.objects.get()
    assert (journal.last_number, journal.ready_count, journal.consumer_count) == (150, 149, 1)
    assert journal.newest_ready.tags == {"env": "test", "batch": "b00000"}
