"""`not late` at every door: it is the asset that is late, where tasks make its versions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Asset
from catalog.states import Watch
from tests.catalog.gating.doors import FEATURE, deployed, measured, move, moved, promoted, refused, requires

pytestmark = pytest.mark.both


def is_expected(ago: timedelta, branch: str = "main") -> None:
    """The next version was expected so long ago, and an hour later it is called late."""
    due = timezone.now() - ago
    known = {"watch": Watch.LEARNED, "usual": 86_400, "due_at": due, "late_at": due + timedelta(hours=1)}
    Asset.objects.filter(branch__key=branch).update(**known, dormant_at=due + timedelta(days=15))


def test_no_alias_moves_while_the_next_version_is_late_and_every_alias_as_soon_as_it_came(api):
    deployed(api, requires("not late"))
    first = measured(api, 1)
    moved(api, first)
    second = measured(api, 2)
    is_expected(timedelta(hours=11))
    message = refused(move(api, second))
    assert message.startswith("@production stays on v1: v2 does not pass 1 of 1 rule")
    assert message.endswith("not late: late by 11 h.")
    checked = api.post("data/xkcd/aliases/production/check", {"instance_id": second}).data
    assert (checked["passes"], checked["rules"][0]["reason"]) == (False, "late by 11 h")
    third = measured(api, 3)
    for version in (second, third):
        moved(api, version)
    is_expected(timedelta(hours=3))
    assert refused(move(api, first)).endswith("not late: late by 3 h.")  # also to roll back
    is_expected(timedelta(minutes=30))
    moved(api, first)


def test_of_a_copy_the_asset_of_its_origin_counts(api):
    source = measured(type(api)(api.client, branch=FEATURE), 0.7)
    deployed(api, requires("not late", alias="into branch"))
    is_expected(timedelta(hours=5), "feature")
    assert "xkcd of feature is late by 5 h" in refused(api.patch("data/xkcd", promoted(source, 0.7)))
    is_expected(timedelta(minutes=5), "feature")
    done = api.patch("data/xkcd", promoted(source, 0.7))
    assert done.status_code == 201
    deployed(api, requires("not late"))
    is_expected(timedelta(hours=5))  # nobody expects copies
    moved(api, done.data["id"])


def test_what_nobody_expects_anything_of_is_not_late_nor_is_its_definition(api):
    deployed(api, requires("not late"))
    definition = Asset.objects.get().definition_uid
    moved(api, definition)
    moved(api, measured(api, 1))
    is_expected(timedelta(hours=2))
    assert "late by 2 h" in refused(move(api, definition, "production"))
    Asset.objects.update(watch=Watch.LEARNING)
    moved(api, definition)
