"""Deploys that speak of freshness, or of the time zone of the project, as the API takes them."""

import pytest

from catalog.models import Asset, Project
from catalog.states import Watch
from tests.catalog.wire import declaration, definition, deploy_body

pytestmark = pytest.mark.both
SOURCE = "data/xkcd/asset_config.toml"


def deployed(api, freshness, *, version="1", **more):
    speaks = {} if freshness is None else {"freshness": freshness}
    answer = api.post("deploys", deploy_body(definition(source=SOURCE, **speaks), version=version, **more))
    assert answer.status_code == 200, answer.data
    return answer.data


def declared():
    return Asset.objects.get().declared_freshness


def test_it_is_kept_until_another_deploy_speaks_of_it(api):
    assert deployed(api, {"every": "1 d", "except": ["2026-12-25"], "off": False})["created"] == ["data/xkcd"]
    kept = {"every": "1d", "except": ["2026-12-25"]}
    assert (declared(), Asset.objects.get().watch) == (kept, Watch.DECLARED)
    assert deployed(api, {"every": "1d", "except": ["2026-12-25"]}, version="2")["unchanged"] == ["data/xkcd"]
    for version, word in (("3", "updated"), ("4", "unchanged")):
        assert deployed(api, None, version=version)[word] == ["data/xkcd"]
        assert declared() == kept
    assert api.patch("data/xkcd", declaration("h9")).status_code == 201
    assert declared() == kept
    assert deployed(api, {}, version="5")["updated"] == ["data/xkcd"]
    assert (declared(), Asset.objects.get().watch) == ({}, Watch.OFF)


def test_who_declares_none_has_the_digest_of_who_knows_nothing_of_it(api):
    deployed(api, None)
    known = Asset.objects.get().config_hash
    deployed(api, {})
    assert Asset.objects.get().config_hash == known


def test_the_zone_of_a_project_is_that_of_its_main_branch(api):
    assert deployed(api, None)["timezone"] == "UTC"
    assert deployed(api, None, timezone="Europe/Berlin")["timezone"] == "Europe/Berlin"
    assert deployed(api, None)["timezone"] == "Europe/Berlin"
    assert deployed(api, None, timezone=None)["timezone"] == "Europe/Berlin"
    assert deployed(api, None, timezone="")["timezone"] == "UTC"
    assert Project.objects.get().timezone == ""


@pytest.mark.parametrize("address", ["deploys", "gates/check"])
def test_all_that_can_not_be_read_is_told_with_its_place_and_nothing_is_written(api, address):
    bad = definition("xkcd", freshness={"every": "1 day", "grase": "1h"}, gates={"a": {"require": [""]}}, source=SOURCE)
    worse = definition("comics", freshness=[])
    answer = api.post(address, deploy_body(bad, worse, timezone="Mars"))
    assert answer.status_code == 400
    problems = answer.data["detail"]["problems"]
    assert [(one["file"], one["key"]) for one in problems] == [
        (SOURCE, "gates.a.require"),
        (SOURCE, "freshness.grase"),
        (SOURCE, "freshness.every"),
        ("data/comics", "freshness"),
        ("obproject.toml", "timezone"),
    ]
    assert {tuple(one) for one in problems} == {("file", "key", "rule", "column", "message", "expected")}
    assert f"{SOURCE}: freshness.every: 1 day is no length of time; write" in answer.data["message"]
    assert not Asset.objects.exists()


@pytest.mark.parametrize("timezone", [5, True, [], {"a": 1}, "Mars", "x" * 300])
def test_a_zone_that_is_none_is_refused(api, timezone):
    answer = api.post("deploys", deploy_body(definition(), timezone=timezone))
    assert answer.status_code == 400
    assert answer.data["detail"]["key"] == "timezone"


def test_freshness_that_can_be_read_is_no_problem_of_a_check(api):
    entry = {"kind": "data", "id": "xkcd", "freshness": {"cron": "0 6 * * 1-5"}}
    answer = api.post("gates/check", {"definitions": [entry], "timezone": "Asia/Tokyo"})
    assert answer.status_code == 200
    assert [one["differs"] for one in answer.data["definitions"]] == [False]
