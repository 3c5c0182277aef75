"""The large catalogue at a tiny size: whether it still loads, and whether all that the benchmarks ask is answered."""

import json
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.test import Client

from bench.large import loading, names, shape
from bench.large.questions import JOURNAL_ROWS, PAGES
from bench.people import VIEWS, Answers, Flow, Places
from bench.seed import HISTORY
from bench.workload import TARGETS, bulk
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
    if modules > 1:
        assert Recount().run().corrections == []  # of the last few it is known
        everything_is_answered(Places(replace(TINY, modules=modules), random.Random(1)))


def everything_is_answered(places):
    client = Client()
    asked = [path for question in PAGES for path in question.paths("small")]
    asked += [places.path(view) for view in VIEWS] + [row.path for row in JOURNAL_ROWS if "/instances/" not in row.path]
    assert {path: status for path in asked if (status := client.get(path).status_code) not in (200, 204)} == {}
    flow = Flow(SimpleNamespace(port=0, program={}), Answers(), 0.0, places.draw, places)
    requests = [request for _, request in flow.cycle()]
    for request in [*requests, bulk("main", 3, {})]:
        head, _, body = request.decode().partition("\r\n\r\n")
        method, path, _ = head.split(" ", 2)
        answer = client.generic(method, path, body, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        said = json.loads(answer.content)
        assert len(said.get("confirmed", [None])) == 1
        assert {entry["status"] for entry in said.get("registrations", ())} <= {201}, said


@pytest.mark.both
@pytest.mark.django_db
def test_the_journal_has_instances_of_each_kind():
    loading.fill(replace(TINY, modules=0, nights=0))
    journal = Asset.objects.get()
    assert (journal.last_number, journal.ready_count, journal.consumer_count) == (150, 149, 1)
    assert journal.newest_ready.tags == {"env": "test", "batch": "b00000"}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("size", HISTORY)
def test_every_row_asks_for_paths(target, size):
    asked = target.requests(size, {})
    assert asked
    assert all(request.split(b" ", 2)[1].startswith(b"/") for request in asked)
