"""What rules say of real versions: each kind of rule against the rows of a catalogue."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog import recording
from catalog.entities import Entity
from catalog.gates.declared import Gate
from catalog.gates.facts import Absent, Told
from catalog.gates.grammar import parse
from catalog.gates.judging import judge
from catalog.gates.rules import Reference
from catalog.models import Asset, Deprecation, Instance
from catalog.recording import Declaration
from catalog.recording.gating import Candidate
from catalog.states import Watch
from promoting.facts import facts_of, numbers_of
from tests.catalog.pages.conftest import world as world
from tests.comparing.two_branches import DATA, FEATURE, HOLDOUT, MODEL, trained
from tests.comparing.two_branches import churn as churn

pytestmark = pytest.mark.both
TASK = "TrainFlow/1/train/1"


def facts(version, card=None):
    asset = Asset.objects.get(pk=version.asset_id)
    instance = Instance.objects.get(pk=version.pk)
    return facts_of(Candidate(asset, instance, instance.uid, card, timezone.now()))


def says(version, rule, **more):
    """Whether it passes, and why."""
    (ruling,) = judge(Gate((parse(rule),)), facts(version, **more)).rulings
    return ruling.says == "passes", ruling.reason


def version(world, number, asset=MODEL, branch="main"):
    return Instance.objects.get(asset=world.asset(asset, branch), number=number)


def copied(world, source, branch="main", asset=MODEL, **annotations):
    said = source.annotations | {"promoted_from_instance": source.uid} | annotations
    return world.register(asset, TASK, branch, annotations=said)


def test_numbers_are_those_that_json_shows():
    said = {"auc": 0.1, "big": 10**30, "text": "0.30", "n": 2, "true": True, "list": [1], "nan": "NaN", "_x": 1}
    found = numbers_of(said | {"half": 1e-7, "promoted_from_chain": 3})
    assert {name: str(number) for name, number in found.items() if name != "_x"} == {
        "auc": "0.1",
        "big": str(10**30),
        "text": "0.30",
        "n": "2",
        "half": "1E-7",
    }
    assert numbers_of({"auc": 0.1 + 0.2})["auc"] == Decimal("0.30000000000000004")


@pytest.mark.parametrize("text", ["1e-999", "-1e-99999999999999999999", "0e99999999999999999999", "0.0", -0.0])
def test_what_is_smaller_than_all_floats_is_0(text):
    assert numbers_of({"auc": text})["auc"] == 0


def test_references_lead_to_versions_of_the_same_asset(churn):
    last = version(churn, 7)
    churn.alias("production", version(churn, 3))
    of = facts(last)
    for text, ref in {"@production": "v3", "v2": "v2", "latest": "v7", "latest-1": "v6", last.uid: "v7"}.items():
        assert of.other(Reference(text)).ref == ref
    assert of.other(Reference("@production")).numbers["auc"] == Decimal("0.793")
    assert of.other(Reference("v99")) is Absent.GONE
    assert of.other(Reference("latest-99")) is Absent.GONE
    assert of.other(Reference("@never")) is Absent.NEVER


def test_the_last_holder_of_an_alias_is_found_on_a_deleted_asset_too(churn):
    churn.alias("production", version(churn, 3))
    recording.delete_asset(actor="ada", asset=churn.asset(MODEL))
    anew = churn.register(MODEL, annotations={"auc": 0.5})
    found = facts(anew).other(Reference("@production"))
    assert (found.ref, found.numbers["auc"]) == ("v3, the last that held it", Decimal("0.793"))
    other_branch = churn.register(MODEL, branch="elsewhere", annotations={"auc": 0.5})
    assert facts(other_branch).other(Reference("@production")) is Absent.NEVER


def test_an_alias_on_a_definition_is_compared_with_nothing(churn):
    churn.deploy(models__churn_model=Declaration({}))
    asset = churn.asset(MODEL)
    recording.set_alias(
        actor="ada", asset=asset, name="production", target_uid=asset.definition_uid, entity=Entity("user", "ada")
    )
    assert says(version(churn, 7), "auc >= @production") == (False, "not measured in the definition")


def test_noise_is_declared_or_learned_from_versions_on_the_same_data(churn):
    last = version(churn, 7)
    assert facts(last).noise("auc") == pytest.approx(Decimal("0.002"))
    assert facts(last).noise("nothing") is None
    churn.alias("production", version(churn, 6))
    assert says(last, "auc >= @production + noise")[0] is False
    assert says(last, "auc >= @production - noise")[0] is True
    asset = churn.asset(MODEL)
    asset.declared_metrics = [{"name": "auc", "noise": 0.0001}]
    asset.save()
    assert facts(last).noise("auc") == Decimal("0.0001")


def test_parents_are_the_direct_inputs_of_the_origin(churn):
    last = version(churn, 7)
    assert says(last, "parents all @validated") == (
        False,
        "v1 of features is not @validated; v1 of holdout is not @validated",
    )
    churn.alias("validated", version(churn, 1, DATA))
    assert says(last, "parents any @validated") == (True, "v1 of features is @validated")
    assert says(last, "parents all @validated") == (False, "v1 of holdout is not @validated")
    churn.alias("validated", version(churn, 1, HOLDOUT))
    assert says(last, "parents all @validated")[0] is True
    copy = copied(churn, last, "release")
    assert says(copy, "parents all @validated")[0] is True
    churn.register(HOLDOUT, "DataFlow/2/split/1")
    newer = trained(churn, "TrainFlow/50", "main", [(DATA, "main")], 0.8)
    assert says(newer, "parents all @validated") == (False, "v2 of holdout is not @validated")
    assert says(churn.register(MODEL, "user-made"), "parents all @validated")[0] is False


def test_an_input_of_another_perimeter_has_no_alias_and_no_name(churn):
    hidden = churn.register("data/secret_name", "FeatureFlow/90/build/1", perimeter=churn.beta)
    recording.set_alias(
        actor="ada",
        asset=Asset.objects.get(pk=hidden.asset_id),
        name="validated",
        target_uid=hidden.uid,
        entity=Entity("user", "ada"),
    )
    reading = Entity("task", "TrainFlow/60/start/1")
    asset = Asset.objects.get(pk=hidden.asset_id)
    recording.consume(
        actor="ada",
        asset=asset,
        instance=hidden,
        reference="latest",
        entity=reading,
        write_branch="main",
        consumer_project="churn",
    )
    made = churn.register(MODEL, "TrainFlow/60/train/1", annotations={"auc": 1})
    passes, reason = says(made, "parents all @validated")
    assert not passes
    assert "secret_name" not in reason


def test_age_and_branch_are_those_of_the_beginning_of_the_chain(churn):
    origin = version(churn, 1, branch=FEATURE)
    Instance.objects.filter(pk=origin.pk).update(created_at=timezone.now() - timedelta(days=8))
    second = copied(churn, copied(churn, origin, "staging"), "main")
    assert says(second, "age <= 7d")[0] is False
    assert says(second, "age <= 9d")[0] is True
    for name in ("feature/x", "feature_x"):
        assert says(second, f"from {name}") == (True, "made on feature/x")
    assert says(second, "from main") == (False, "made on feature/x")
    assert says(version(churn, 7), "from main")[0] is True


def test_a_copy_of_what_is_not_here_has_no_origin_and_neither_has_one_of_another_perimeter(churn):
    elsewhere = churn.register(MODEL, perimeter=churn.beta, annotations={"auc": 1})
    unknown = {"promoted_from_instance": "i_00000000000000000000"}
    for said in ({"promoted_from_instance": elsewhere.uid}, unknown, {"promoted_from_branch": "main"}):
        made = churn.register(MODEL, annotations={"auc": 1, **said})
        for rule in ("age <= 100d", "from main", "parents all @validated", "same data as v1"):
            assert says(made, rule)[0] is False
    again = copied(churn, churn.register(MODEL, branch="staging", annotations={"auc": 1, **unknown}))
    assert says(again, "from staging")[0] is False


def test_same_data_is_told_by_lineage(churn):
    last = version(churn, 7)
    assert says(last, "same data as v1")[0] is True
    assert says(copied(churn, last, "main"), "same data as v1")[0] is True
    churn.register(HOLDOUT, "DataFlow/2/split/1")
    other = trained(churn, "TrainFlow/50", "main", [(DATA, "main")], 0.8)
    assert says(other, "same data as v1")[0] is False
    assert says(other, "same data as @never") == (True, "nothing was ever @never here")
    assert says(other, "same data as v99")[0] is False


def test_what_is_unusual_is_so_by_the_versions_before(churn):
    for number in range(10, 20):
        last = churn.register(DATA, f"FeatureFlow/{number}/build/1", annotations={"rows": 900 + number % 3})
    assert says(last, "not unusual")[0] is True
    far = churn.register(DATA, "FeatureFlow/30/build/1", annotations={"rows": 9})
    passes, reason = says(far, "not unusual")
    assert not passes
    assert reason.startswith("rows: 9, far below the last 11 values")
    missing = churn.register(DATA, "FeatureFlow/31/build/1", annotations={"rows": "many"})
    assert says(missing, "not unusual")[0] is False
    assert says(last, "not unusual")[0] is True  # by what was before it


def test_tags_deprecation_and_cards(churn):
    made = churn.register(MODEL, tags={"stage": "final"})
    assert says(made, "tag stage=final")[0] is True
    assert says(made, "tag stage=draft")[0] is False
    assert says(made, "not deprecated")[0] is True
    by = {"at": timezone.now(), "actor": "ada", "entity_kind": "user", "entity_id": "ada"}
    Instance.objects.filter(pk=made.pk).update(deprecation=Deprecation.objects.create(instance=made, **by))
    assert says(made, "not deprecated")[0] is False
    assert says(made, "card present") == (False, "it was not looked up whether there is a card")
    assert says(made, "card present", card=Told(True))[0] is True
    assert says(made, "card present", card=Told(False, "its task made no card")) == (False, "its task made no card")


def test_a_copy_that_is_yet_to_be_made_is_judged_by_what_it_says(churn):
    asset, source = churn.asset(MODEL), version(churn, 1, branch=FEATURE)
    said = {"auc": 0.9, "promoted_from_instance": source.uid}
    copy = Instance(asset=asset, annotations=said, tags={}, promoted_from=source, created_at=timezone.now())
    of = facts_of(Candidate(asset, copy, source.uid, None, timezone.now()))
    assert (of.ref, of.numbers["auc"], of.origin().branches[0]) == ("v1", Decimal("0.9"), "feature/x")
    assert of.other(Reference("latest")).ref == "v7"


def test_what_a_rule_asks_of_the_database_is_bounded(churn, django_assert_max_num_queries):
    churn.alias("production", version(churn, 3))
    last = version(churn, 7)
    gate = Gate(tuple(map(parse, ("auc >= 0.5", "auc >= @production - 0.1", "seconds within 20% of @production"))))
    with django_assert_max_num_queries(6):
        assert judge(gate, facts(last)).passes


@pytest.mark.parametrize("rule", ["auc >= latest", "auc >= latest-1", "auc >= v1", "same data as latest-1"])
def test_where_a_copy_would_make_the_asset_there_is_no_version_to_compare_with(churn, rule):
    source = version(churn, 1)
    target = Asset(branch=source.asset.branch, kind="models", asset_id="not_yet")
    copy = Instance(asset=target, annotations={"auc": 0.9, "promoted_from_instance": source.uid}, promoted_from=source)
    (ruling,) = judge(Gate((parse(rule),)), facts_of(Candidate(target, copy, source.uid, None, timezone.now()))).rulings
    assert (ruling.says, "there is no" in ruling.reason) == ("refuses", True)


def test_it_is_the_asset_that_is_late_where_its_versions_are_made(churn):
    made, now = version(churn, 7), timezone.now()
    assert says(made, "not late") == (True, "not late: nothing is expected")
    assert says(made, "late") == (False, "not late: nothing is expected")
    Asset.objects.filter(pk=made.asset_id).update(watch=Watch.LEARNING)
    assert says(made, "not late") == (True, "not late: it is still being learned when versions come")
    moments = {"due_at": now - timedelta(hours=11), "late_at": now + timedelta(hours=1)}
    later = {"watch": Watch.LEARNED, "usual": 86_400, "dormant_at": now + timedelta(days=14)}
    Asset.objects.filter(pk=made.asset_id).update(**later, **moments)
    assert says(made, "not late") == (True, "due, but not yet late")
    for more in ({"late_at": now - timedelta(hours=1)}, {"dormant_at": now - timedelta(minutes=1)}):
        Asset.objects.filter(pk=made.asset_id).update(**more)
        assert says(made, "not late") == (False, "late by 11 h")
        assert says(made, "late") == (True, "late by 11 h")
    copy = copied(churn, made, "release")
    assert says(copy, "not late") == (False, f"{made.asset.asset_id} of main is late by 11 h")
    twice = copied(churn, copy, "stable")
    assert says(twice, "not late")[0] is False
    fresh = {name: now + timedelta(hours=1) for name in ("due_at", "late_at", "dormant_at")}
    Asset.objects.filter(pk=made.asset_id).update(**fresh)
    assert says(twice, "not late") == (True, f"{made.asset.asset_id} of main is not late")
    unknown = copied(churn, made, promoted_from_instance="i_elsewhere")
    assert says(unknown, "not late") == (False, "where it was made is not known")
