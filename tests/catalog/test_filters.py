"""The filters of lists and summaries: the same question has the same answer in both, on both databases."""

import ast
import json
import random
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from catalog.filter_values import annotation_of, tag_of
from catalog.filters import FiltersAsked
from catalog.models import Asset, Consumption, Instance
from obproject.filter_keys import written_key, written_tag
from tests.built_once import built_once
from tests.catalog.wire import TASK, declaration, definition, deploy_body
from tests.places import place

pytestmark = pytest.mark.both

WORLD = {
    # asset id: what its one instance says
    "typed": {"annotations": {"n": 5, "f": 0.25, "ok": True, "no": False, "none": None, "s": "text", "list": [1, "a"]}},
    "strings": {"annotations": {"n": "5", "f": "0.25", "ok": "true", "no": "False", "none": "None", "s": ""}},
    "bigger": {"annotations": {"n": 12, "f": "1e2", "s": "5 apples", "list": {"a": 1}, "ok": 1}},
    "negative": {"annotations": {"n": -3.5, "f": -0.0, "s": "-", "list": "[1]"}},
    "words": {"annotations": {"n": "12a", "f": "0x10", "ok": "yes", "none": "null", "s": "5\n"}},
    "huge": {"annotations": {"n": 10**25, "f": 1.5e300, "s": "9" * 400}},
    "keys": {
        "annotations": {
            "a.b": 1, 'q"uote': 1, "ap'os": 1, "0": 1, "17": 1, "é": 1, "日本": "x", "back\\slash": 1,
            "$": 1, "[0]": 1, "%": 1, "a b": 1, "?": 1, "{}": 1, "_config": 1, "\t": 1, ":key": 1, "%s": 1,
        },
        "tags": [{"key": "a.b", "value": "é"}, {"key": '0"', "value": "'"}, {"key": "1", "value": ""}],
    },
    "tagged": {"tags": [{"key": "env", "value": "prod"}, {"key": "team", "value": "a=b"}]},
    "other": {"tags": [{"key": "env", "value": "dev"}]},
}  # fmt: skip


@pytest.fixture
def world(api):
    built_once(register_world, api)
    return api


def register_world(api):
    for name, fields in WORLD.items():
        api.register(f"data/{name}", **fields)


def listed(api, **asked):
    """The ids that a list answers."""
    answer = api.get(f"data?{urlencode(asked, doseq=True)}")
    assert answer.status_code == 200, answer.content
    return [item["asset"]["id"] for item in answer.data["items"]]


def summarised(api, **asked):
    """The same question put to the summaries: the ids of the assets that show something."""
    found = []
    for name in sorted(Asset.objects.filter(kind="data").values_list("asset_id", flat=True)):
        answer = api.get(f"data/{name}?{urlencode(asked, doseq=True)}")
        assert answer.status_code == 200, answer.content
        found += [name] * len(answer.data["recent_instances"])
    return found


def instances(**asked):
    """The same question put to all instances at once: the ids of their assets."""
    query = QueryDict(urlencode(asked, doseq=True))
    found = Instance.objects.matching(FiltersAsked.of(query)).order_by("asset__asset_id")
    return list(found.values_list("asset__asset_id", flat=True))


def test_annotations_compare_as_typed_values_and_as_text(world):
    answers = [
        # equal to the text, or to the JSON value that the text spells
        ("n=5", ["strings", "typed"]),
        ("n=5.0", ["typed"]),
        ("n=-3.5", ["negative"]),
        ("f=0.25", ["strings", "typed"]),
        ("f=100", []),
        ("f=1e2", ["bigger"]),
        ("f=0", ["negative"]),
        ("ok=true", ["strings", "typed"]),
        ("ok=True", []),
        ("ok=1", ["bigger"]),
        ("no=false", ["typed"]),
        ("no=False", ["strings"]),
        ("none=null", ["typed", "words"]),
        ("none=None", ["strings"]),
        ("s=", ["strings"]),
        ("s=text", ["typed"]),
        ('s="text"', ["typed"]),
        ("s=tex", []),
        ("list=[1]", ["negative"]),
        ("list=1", []),
        ("list=a", []),
        ("n=10000000000000000000000000", ["huge"]),
        ("n=99999999999999999999999999999999", []),
        ("n=" + "9" * 400, []),
        ("s=" + "9" * 400, ["huge"]),
        ("n=NaN", []),
        ("n=1e999", []),
        ("nothing=1", []),
        # another value, where there is one
        ("n!=5", ["bigger", "huge", "negative", "words"]),
        ("ok!=true", ["bigger", "words"]),
        ("nothing!=1", []),
        # numbers, and strings that spell one
        ("n>=5", ["bigger", "huge", "strings", "typed"]),
        ("n>5", ["bigger", "huge"]),
        ("n<5", ["negative"]),
        ("n<=5", ["negative", "strings", "typed"]),
        ("n>-3.6", ["bigger", "huge", "negative", "strings", "typed"]),
        ("f>=1e2", ["bigger", "huge"]),
        ("f<0.25", ["negative"]),
        ("ok>0", ["bigger"]),
        ("s>0", ["huge"]),
        ("list>0", []),
        ("nothing>0", []),
    ]
    assert [(asked, listed(world, annotation=asked)) for asked, _ in answers] == answers
    assert [(asked, instances(annotation=asked)) for asked, _ in answers] == answers


def test_an_annotation_may_have_any_key(world):
    for key, value in WORLD["keys"]["annotations"].items():
        assert listed(world, annotation=f"{key}={value}") == instances(annotation=f"{key}={value}") == ["keys"], key
        assert listed(world, annotation=f"{key}!=2") == instances(annotation=f"{key}!=2") == ["keys"], key
        assert listed(world, annotation=f"{key}>=1") == (["keys"] if value == 1 else []), key
        assert listed(world, annotation=f"{key}<1") == [], key


def test_tags(world):
    answers = [
        ("env=prod", ["tagged"]),
        ("env", ["other", "tagged"]),
        ("env=", []),
        ("team=a=b", ["tagged"]),
        ("a.b=é", ["keys"]),
        ("0\"='", ["keys"]),
        ("1=", ["keys"]),
        ("1", ["keys"]),
        ("prod", []),
        (["env=prod", "team"], ["tagged"]),
        (["env=prod", "env=dev"], []),
    ]
    assert [(asked, listed(world, tag=asked)) for asked, _ in answers] == answers
    assert [(asked, instances(tag=asked)) for asked, _ in answers] == answers


def test_declared_tags_are_in_effect_with_those_of_the_instance_over_them(api):
    declared = {"domain": "churn", "env": "none", "a=b": "c"}
    api.post("deploys", deploy_body(*(definition(name, tags=declared) for name in ("bare", "said", "only"))))
    api.register("data/bare")
    api.register("data/said", tags=[{"key": "env", "value": "prod"}])
    api.register("data/said", tags=[{"key": "env", "value": "dev"}], state="pending", task="F/2/s/1")
    api.register("data/other", tags=[{"key": "domain", "value": "churn"}])
    answers = [
        ("domain=churn", ["bare", "only", "other", "said"]),
        ("domain", ["bare", "only", "other", "said"]),
        ("env=none", ["bare", "only"]),
        ("env=prod", ["said"]),
        ("env", ["bare", "only", "said"]),
        ('"a=b"=c', ["bare", "only", "said"]),
        (["domain=churn", "env=prod"], ["said"]),
        ("domain=x", []),
    ]
    assert [(asked, listed(api, tag=asked)) for asked, _ in answers] == answers
    assert listed(api, tag="env=dev", state="any") == ["said"]
    assert listed(api, tag="env=prod", state="any") == []
    assert listed(api, tag="domain=churn", state="pending") == ["said"]
    assert summarised(api, tag="domain=churn") == ["only", "other"]  # of instances: their own


def test_an_item_has_the_tags_in_effect_and_its_instance_its_own(api):
    """Public clients filter and promote by the latter, and take the former where there is no instance."""
    api.post("deploys", deploy_body(definition("said", tags={"domain": "churn", "env": "none"})))
    api.register("data/said", tags=[{"key": "env", "value": "prod"}])
    item = api.get("data").data["items"][0]
    tags = [{"key": "domain", "value": "churn"}, {"key": "env", "value": "prod"}]
    assert sorted(item["tags"], key=lambda tag: tag["key"]) == tags
    assert item["latest_instance"]["tags"] == [{"key": "env", "value": "prod"}]
    assert api.get("data/said/instances/latest").data["tags"] == item["latest_instance"]["tags"]


def test_all_filters_must_hold(world):
    assert listed(world, annotation=["n>=5", "f<1"]) == ["strings", "typed"]
    assert listed(world, annotation=["n>=5", "ok=true", "s=text"], kind="artifact", text="typ") == ["typed"]
    assert summarised(world, annotation=["n>=5", "f<1"], kind="artifact") == ["strings", "typed"]
    assert listed(world, annotation="n>=5", kind="s3") == summarised(world, annotation="n>=5", kind="s3") == []


def test_kind_and_producer(api):
    api.register("data/a", task="One/1/s/1", data_asset_kind="s3")
    api.register("data/b", task="Two/1/s/1")
    api.patch(
        "data/c", {"entity_ref": {"entity_kind": "deployment", "entity_id": "dashboard"}, "data_asset_kind": "s3"}
    )
    for find in (listed, summarised):
        assert find(api, kind="s3") == ["a", "c"]
        assert find(api, kind="S3") == []
        assert find(api, producer="One") == ["a"]
        assert find(api, producer="Two/1/s/1") == ["b"]
        assert find(api, producer="dashboard") == ["c"]
        assert find(api, producer="one") == []


def test_since_and_until(api):
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for hours, name in enumerate(["a", "b", "c"]):
        api.register(f"data/{name}")
        Instance.objects.filter(asset__asset_id=name).update(created_at=noon + timedelta(hours=hours))
    for find in (listed, summarised):
        assert find(api, since="2026-03-01T13:00:00Z") == ["b", "c"]
        assert find(api, until="2026-03-01T13:00:00Z") == ["a"]
        assert find(api, since="2026-03-01T13:30:00+01:00", until="2026-03-01 14:00:00") == ["b"]
        assert find(api, since="2026-03-02") == []


def test_the_text_of_a_list_is_in_ids_names_and_descriptions(api):
    api.post(
        "deploys",
        deploy_body(definition("xkcd", name="Latest comic"), definition("weather", description="50% rain_fall")),
    )
    api.register("data/plain", description="a comic of old")
    assert listed(api, text="COMIC") == ["plain", "xkcd"]
    assert listed(api, text="comic latest") == ["xkcd"]
    assert listed(api, text="50%") == ["weather"]
    assert listed(api, text="%") == ["weather"]
    assert listed(api, text="_fall") == ["weather"]
    assert listed(api, text="weather xkcd") == []
    assert len(listed(api, text="  ")) == 3


def test_the_text_of_a_summary_is_in_descriptions_and_producers(api):
    api.register(description="first strip", task="Comic/1/s/1")
    api.register(description="second strip", task="Comic/2/s/1")

    def refs(text):
        return [row["ref"] for row in api.get(f"data/xkcd?{urlencode({'text': text})}").data["recent_instances"]]

    assert refs("strip") == ["v2", "v1"]
    assert refs("FIRST strip") == ["v1"]
    assert refs("comic/2") == ["v2"]


def test_filters_and_pages_go_together(api):
    for n in range(6):
        api.register("data/one", annotations={"n": n})
        api.register(f"data/many-{n}", annotations={"n": n})
    query = "?annotation=n%3E%3D2&page_size=2"
    first = api.get(f"data/one{query}").data
    second = api.get(f"data/one{query}&continuation={first['continuation']}").data
    assert [row["ref"] for row in first["recent_instances"] + second["recent_instances"]] == ["v6", "v5", "v4", "v3"]
    first = api.get(f"data{query}").data
    second = api.get(f"data{query}&continuation={first['continuation']}").data
    found = [item["asset"]["id"] for item in first["items"] + second["items"]]
    assert found == ["many-2", "many-3", "many-4", "many-5"]


def test_a_list_asks_the_newest_ready_instance(api):
    api.register(annotations={"n": 1}, tags=[{"key": "old", "value": "1"}])
    api.register(annotations={"n": 2})
    api.register(annotations={"n": 3}, state="pending")
    assert listed(api, annotation="n=2") == ["xkcd"]
    assert listed(api, annotation="n=1") == listed(api, annotation="n=3") == listed(api, tag="old") == []


def test_a_list_asks_the_instance_that_it_shows_for_a_state(api):
    api.register(annotations={"n": 2})
    api.register(annotations={"n": 3}, state="pending", task="F/2/s/1")
    assert listed(api, annotation="n=3", state="pending") == ["xkcd"]
    assert listed(api, annotation="n=3", state="any") == ["xkcd"]
    assert listed(api, annotation="n=2", state="any") == []
    assert listed(api, annotation="n=2", state="pending") == []
    assert listed(api, annotation="n=2", state="ready") == ["xkcd"]
    assert listed(api, annotation="n=2", state="failed") == []


def test_a_definition_answers_for_itself_while_nothing_else_exists(api):
    api.patch("data/llm", declaration(tags=[{"key": "tier", "value": "hosted"}]))
    api.register("data/pending", state="pending")
    for find in (listed, summarised):
        assert find(api, tag="tier=hosted") == ["llm"]
        assert find(api, tag="tier=local") == []
        assert find(api, kind="api") == ["llm"]
        assert find(api, kind="artifact") == []
        assert find(api, annotation="provider=xkcd.com") == ["llm"]
        assert find(api, annotation="provider!=xkcd.com") == []
        assert find(api, producer="deployer") == ["llm"]
        assert find(api, since="2000-01-01") == ["llm"]
        assert find(api, until="2000-01-01") == []
        assert find(api, state="failed") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("annotation=n", "annotation"),
        ("annotation=%3E5", "annotation"),
        ("annotation=%3D5", "annotation"),
        ("annotation=!%3D5", "annotation"),
        ("annotation=%22n%3D5", "annotation"),
        ("annotation=%22n%22", "annotation"),
        ("annotation=%22n%22x%3D5", "annotation"),
        ("annotation=%22n%22%3Ex", "annotation"),
        ("annotation=%22%5Cud800%22%3D5", "annotation"),
        ("tag=%3D5", "tag"),
        ("tag=%22a%3D5", "tag"),
        ("tag=%22a%22%3E5", "tag"),
        ("tag=%22%5Cu0000%22", "tag"),
        ("annotation=n%3Eabc", "annotation"),
        ("annotation=n%3C%3Dnan", "annotation"),
        ("annotation=n%3E1e999", "annotation"),
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=0001-01-01T00:00:00%2B14:00", "since"),
        ("until=9999-12-31T23:59:59-14:00", "until"),
        ("state=done", "state"),
        ("tag=a%00=b", "tag"),
        ("annotation=a%00=b", "annotation"),
        ("text=%00", "text"),
        ("kind=%00", "kind"),
        ("producer=%00", "producer"),
        ("anything=%00", "anything"),
    ],
)
def test_a_filter_that_cant_be_understood_is_400_and_named(api, query, field):
    api.register("data/typed")
    for path in ("data", "data/typed", "data/typed/instances/latest"):
        answer = api.get(f"{path}?{query}")
        assert answer.status_code == 400, path
        assert answer.data["detail"] == {"field": field}


def test_a_parameter_that_nothing_knows_is_400_with_those_that_are_known(api):
    api.register()
    filters = "text, tag, annotation, kind, producer, since, until, same_as, deprecated, late, state"
    lists = f"{filters}, page_size, continuation, format"
    for path, takes in (
        ("data", lists),
        ("models", lists),
        ("data/xkcd", lists),
        ("data/xkcd/instances/v1", "state, format"),
    ):
        answer = api.get(f"{path}?tga=env&state=any&more=1")
        assert answer.status_code == 400, path
        assert answer.data == {
            "error": "bad_request",
            "message": f"This address knows no parameter 'tga', 'more'; it takes {takes}.",
            "detail": {"field": "tga"},
        }
    assert api.put("data/xkcd/instances/latest?tag=env", {"entity_ref": TASK}).data["detail"] == {"field": "tag"}
    assert not Consumption.objects.exists()


def test_what_clients_send_is_known(api):
    api.register()
    token = api.register("data/abc") and api.get("data?page_size=1").data["continuation"]
    for path in (
        f"data?continuation={token}",
        "data?continuation=",
        "data/xkcd?page_size=1&state=any",
        "data?format=json",
    ):
        assert api.get(path).status_code == 200, path
    assert api.get("data/xkcd/instances/latest?state=any").status_code == 200


@pytest.mark.each
@pytest.mark.parametrize("query", ["text=%ED%A0%80", "tag=%FF%FE", "annotation=%ED%A0%80=1", "kind=%C3"])
def test_bytes_that_are_no_text_are_answered_without_an_error(api, query):
    api.register()
    assert api.get(f"data?{query}").status_code == 200
    assert api.get(f"data/xkcd?{query}").status_code == 200


# Keys that hold what separates keys from values

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
KEYS_AND_SIGNS = st.text(st.sampled_from('ab=<>!"\\ é\n'), max_size=8) | TEXTS


@given(KEYS_AND_SIGNS, KEYS_AND_SIGNS)
def test_a_tag_is_read_as_it_was_written(key, value):
    assert tag_of("tag", written_tag(key, value)) == (key, value)
    assert tag_of("tag", written_key(key)) == (key, None)


@given(KEYS_AND_SIGNS, st.sampled_from(["=", "!="]), KEYS_AND_SIGNS)
def test_an_annotation_is_read_as_it_was_written(key, operator, value):
    asked = annotation_of("annotation", f"{written_key(key)}{operator}{value}")
    assert (asked.key, asked.operator, asked.value) == (key, operator, value)


@given(KEYS_AND_SIGNS, st.sampled_from([">", "<", ">=", "<="]), st.floats(allow_nan=False, allow_infinity=False))
def test_a_comparison_is_read_as_it_was_written(key, operator, number):
    asked = annotation_of("annotation", f"{written_key(key)}{operator}{number!r}")
    assert (asked.key, asked.operator, asked.number) == (key, operator, number)


@pytest.mark.parametrize("key", ["env", "a.b", "é", "a b", " ", 'q"', "a!", "p>0.5", "a=b", "!=", '"', ""])
def test_keys_are_written_plainly_where_they_can_be(key):
    assert (written_key(key) == key) is (key in ("env", "a.b", "é", "a b", " ", 'q"'))


def test_a_key_with_signs_is_found_when_it_is_quoted(api):
    api.register("data/a", tags=[{"key": "a=b", "value": "c"}], annotations={"p>0.5": 3, "k=v": 2, 'say "hi"!': "x=y"})
    api.register("data/b", tags=[{"key": "a", "value": "b=c"}], annotations={"p": 1, "k": "v=2"})
    answers = [
        ({"tag": '"a=b"=c'}, ["a"]),
        ({"tag": '"a=b"'}, ["a"]),
        ({"tag": '"a=b"=d'}, []),
        ({"tag": "a=b=c"}, ["b"]),
        ({"tag": '"a"=b=c'}, ["b"]),
        ({"annotation": '"p>0.5">=3'}, ["a"]),
        ({"annotation": '"p>0.5"<3'}, []),
        ({"annotation": '"k=v"=2'}, ["a"]),
        ({"annotation": "k=v=2"}, ["b"]),
        ({"annotation": '"k=v"!=3'}, ["a"]),
        ({"annotation": '"say \\"hi\\"!"=x=y'}, ["a"]),
    ]
    assert [(asked, listed(api, **asked)) for asked, _ in answers] == answers
    assert [(asked, instances(**asked)) for asked, _ in answers] == answers


def test_a_key_of_blanks_is_found_and_an_empty_one_of_old_is_still_read(api):
    api.register("data/blank", tags=[{"key": " ", "value": "x"}], annotations={"\t": 1})
    api.register("data/old")
    Instance.objects.filter(asset__asset_id="old").update(tags={"": "x"}, annotations={"": 5})
    assert listed(api, tag=" =x") == listed(api, tag=" ") == listed(api, annotation="\t>=1") == ["blank"]
    assert listed(api, tag='""=x') == listed(api, tag='""') == listed(api, annotation='"">=5') == ["old"]
    assert api.get("data/old/instances/latest").data["tags"] == [{"key": "", "value": "x"}]


# The table is below the models, so that their managers import it like anything else

CATALOG = place("catalog")


def imported(nodes):
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom)}


def test_filters_and_states_know_no_models():
    for module in ("states", "limits", "json_lookups", "filter_values", "filters"):
        known = imported(ast.walk(ast.parse((CATALOG / f"{module}.py").read_text())))
        assert not known & {"catalog.models", "catalog.querysets"}, module


def test_querysets_and_models_import_nothing_late():
    for module in (CATALOG / "querysets.py", *(CATALOG / "models").glob("*.py")):
        tree = ast.parse(module.read_text())
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        assert not [late for function in functions for late in imported(ast.walk(function))], module


# What the filters mean, said once more in Python and compared on random values


KEYS = ["a", "a.b", "0", 'q"', "é"]
VALUES = [0, 1, -1, 2.5, 10, "0", "1", "2.5", "10", "1e1", "abc", "", True, False, None, "true", "null", [1], {"a": 1}]
SPELLED = ["0", "1", "-1", "2.5", "10", "1e1", "abc", "true", "false", "null"]


def holds(annotations, key, operator, text):
    if key not in annotations:
        return False
    value = annotations[key]
    if operator in ("=", "!="):
        try:
            spelled = json.loads(text)
        except ValueError:
            spelled = text
        same = any(type_of(value) == type_of(other) and value == other for other in (text, spelled))
        return same == (operator == "=")
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?(e\d+)?", value):
        value = float(value)
    if type_of(value) != "number":
        return False
    number = float(text)
    return {">": value > number, "<": value < number, ">=": value >= number, "<=": value <= number}[operator]


def type_of(value):
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_random_questions_have_the_answers_that_python_gives(api):
    chance = random.Random(7)
    said = {}
    for n in range(40):
        said[f"a{n:02}"] = {key: chance.choice(VALUES) for key in chance.sample(KEYS, 3)}
        api.register(f"data/a{n:02}", annotations=said[f"a{n:02}"])
    for _ in range(120):
        key, operator = chance.choice(KEYS), chance.choice(["=", "!=", ">", "<", ">=", "<="])
        text = chance.choice(SPELLED[:6] if operator not in ("=", "!=") else SPELLED)
        right = [name for name in sorted(said) if holds(said[name], key, operator, text)]
        assert instances(annotation=f"{key}{operator}{text}") == right, (key, operator, text)


def test_more_than_a_person_would_ask_for_is_refused(api):
    api.register()
    for query in ("text=" + "+".join("abcdefghijk"), "text=" + "x" * 201, "&".join(["tag=a"] * 21)):
        answer = api.get(f"data?{query}")
        assert answer.status_code == 400, query[:40]
        assert answer.data["detail"]["field"] in ("text", "tag")
    assert api.get("data?text=" + "+".join("abcdefghij")).status_code == 200


class TestSameContent:
    """v1, v3 and v5 have one content, v4 another; that of v2 and v6 is not known, and v7 has failed."""

    DIGESTS = ("a", None, "a", "b", "a", None, "a")

    @pytest.fixture
    def made(self, api):
        made = []
        for number, digest in enumerate(self.DIGESTS, start=1):
            said = {"digest": digest} if digest else {}
            made.append(api.register(**said, task=f"Flow/{number}/start/1", state="ready" if number < 7 else "pending"))
        failed = {"entity_ref": {"entity_kind": "task", "entity_id": "Flow/7/start/1"}, "state": "failed"}
        api.post("/v1/perimeters/default/confirmations", failed)
        api.put("data/xkcd/aliases/good", {"entity_ref": TASK, "instance_id": made[0]["id"]})
        api.put("data/xkcd/aliases/unknown", {"entity_ref": TASK, "instance_id": made[1]["id"]})
        return [row["id"] for row in made]

    def refs(self, api, reference, **more):
        asked = urlencode({"same_as": reference, **more}, safe="@")
        return [row["ref"] for row in api.get(f"data/xkcd?{asked}").data["recent_instances"]]

    @pytest.mark.parametrize("reference", ["v1", "v3", "v7", "@good", "latest-1", "latest-3", "latest-5"])
    def test_every_reference_finds_the_versions_with_the_content_of_what_it_means(self, api, made, reference):
        assert self.refs(api, reference) == ["v5", "v3", "v1"]

    def test_an_id_is_a_reference_too(self, api, made):
        assert self.refs(api, made[2]) == ["v5", "v3", "v1"]
        assert self.refs(api, made[3]) == ["v4"]

    @pytest.mark.each
    @pytest.mark.parametrize("reference", ["v2", "latest", "latest-4", "latest-99", "@unknown", "@nothing", "v99"])
    def test_what_is_unknown_has_the_content_of_none(self, api, made, reference):
        assert self.refs(api, reference, state="any") == []

    def test_other_filters_hold_as_well(self, api, made):
        assert self.refs(api, "v1", state="failed") == ["v7"]
        assert self.refs(api, "v1", producer="Flow/3/start/1") == ["v3"]

    def test_a_page_of_them_is_as_long_as_it_says_and_shows_none_twice(self, api, made):
        first = api.get("data/xkcd?same_as=v1&page_size=2").data
        assert [row["ref"] for row in first["recent_instances"]] == ["v5", "v3"]
        rest = api.get(f"data/xkcd?same_as=v1&continuation={first['continuation']}").data
        assert [row["ref"] for row in rest["recent_instances"]] == ["v1"]

    def test_in_a_list_each_asset_is_compared_with_itself(self, api):
        for name, digests in (("fresh", "ab"), ("same", "aba"), ("untold", ("", "")), ("other", "ba")):
            made = [api.register(f"data/{name}", **({"digest": digest} if digest else {})) for digest in digests]
            api.put(f"data/{name}/aliases/production", {"entity_ref": TASK, "instance_id": made[0]["id"]})
        assert listed(api, same_as="@production") == ["same"]
        assert listed(api, same_as="v2") == ["fresh", "other"]
        assert listed(api, same_as="latest") == ["fresh", "other", "same"]
        assert listed(api, same_as="v2", state="any") == ["fresh", "other"]

    def test_a_definition_has_the_content_of_none(self, api):
        api.post("deploys", deploy_body(definition("declared")))
        assert listed(api, same_as="latest") == []

    @pytest.mark.parametrize("reference", ["@", "latest-", "latest-101", "v0", "v99999999999", "a" * 300])
    def test_what_is_no_reference_is_refused_by_name(self, api, reference):
        answer = api.get(f"data?{urlencode({'same_as': reference})}")
        assert (answer.status_code, answer.data["detail"]) == (400, {"field": "same_as"})
