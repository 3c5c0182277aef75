"""Refusals of bodies and queries name what is refused, and what to do about it."""

import json

import pytest

from access.errors import BadRequest
from catalog.wire.parsing import check_storable
from tests.catalog.wire import TASK

DEEP = {"a": 1}
for _ in range(60):
    DEEP = {"a": DEEP}

REFUSED = [
    # what is sent, the field that is named, how the sentence goes on
    ({"annotations": {"loss": 10**400}}, "annotations.loss", "is a number beyond 1.8e308, and too large"),
    ({"annotations": {"loss": float("inf")}}, "annotations.loss", "is a number beyond 1.8e308, and too large"),
    ({"annotations": {"auc": float("nan")}}, "annotations.auc", "is NaN, which JSON does not have. Send null or"),
    ({"annotations": {"a": [0, {"b": float("nan")}]}}, "annotations.a.1.b", "is NaN, which"),
    ({"tags": [{"key": "k", "value": "a\0"}]}, "tags.0.value", "has a NUL or a lone surrogate"),
    ({"annotations": {"k\ud800": 1}}, "annotations.k\ufffd", "has a NUL or a lone surrogate in its name"),
    (
        {"annotations": {"a": DEEP}},
        "annotations" + 7 * ".a" + ".\N{HORIZONTAL ELLIPSIS}",
        "is nested more than 40 deep.",
    ),
    ({"annotations": {"x" * 99: 10**400}}, f"annotations.{40 * 'x'}", "is a number beyond"),
]


@pytest.mark.parametrize(("body", "field", "sentence"), REFUSED)
def test_what_cant_be_stored_is_refused_by_its_path(body, field, sentence):
    with pytest.raises(BadRequest) as refusal:
        check_storable(body)
    assert refusal.value.detail == {"field": field}
    assert refusal.value.message.startswith(f"{field} {sentence}")
    assert refusal.value.message.count(".") > field.count(".") + sentence.count(".") - 1
    check_storable({"annotations": {"big": 1.7e308, "whole": 10**300, "text": "NaN", "ok": True, "none": None}})


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ('{"annotations": {"loss": 1e999}}', "annotations.loss", "annotations.loss is a number beyond"),
        ('{"annotations": {"loss": -Infinity}}', "annotations.loss", "annotations.loss is a number beyond"),
        ('{"annotations": {"auc": NaN}}', "annotations.auc", "annotations.auc is NaN"),
        (f'{{"annotations": {{"n": {"1" * 5000}}}}}', "annotations.n", "annotations.n is a number beyond"),
        ('{"annotations": ', None, "The body is not JSON: "),
        (b'{"a": "\xff"}', None, "The body is not text in UTF-8: invalid start byte at byte 7."),
        ("[" * 100_000, None, "The body is nested more than 40 deep."),
    ],
)
def test_a_body_is_refused_with_the_place(api, text, field, sentence):
    for method, path in (("patch", "data/xkcd"), ("post", "deploys")):
        url = f"/v1/perimeters/default/projects/churn/branches/main/{path}"
        answer = getattr(api.client, method)(url, text, content_type="application/json")
        assert answer.status_code == 400, path
        assert answer.json()["message"].startswith(sentence)
        assert answer.json()["detail"].get("field") == field


def registered(api, **said):
    return api.patch("data/xkcd", {"entity_ref": TASK, "data_asset_kind": "artifact", **said})


def test_members_are_refused_with_a_remedy(api):
    tag = {"key": "env", "value": "prod"}
    answers = [
        ({"state": "done"}, "state: done is none of pending, ready."),
        ({"tags": [tag, tag]}, "tags: name the key 'env' twice: a key has one value."),
        (
            {"annotations": {"k" * 300: 1}},
            f"annotations: has a key longer than 255 characters, which begins '{40 * 'k'}'.",
        ),
        (
            {"annotations": {"big": "x" * 70_000}},
            "annotations: 'big' has 70000 bytes; at most 65536. Keep large data in an artifact or a file, and register "
            "what refers to it.",
        ),
        ({"project": "other"}, "The project in the body is not 'churn', as the address says. Leave it out."),
    ]
    assert [registered(api, **said).data["message"] for said, _ in answers] == [sentence for _, sentence in answers]


def test_the_entry_of_a_spec_is_named(api):
    spec = {"data": [{"id": "a"}, {"id": "b", "description": 7}]}
    body = {"entity_ref": TASK, "version_id": "v", "definitions": [], "spec": spec}
    answer = api.post("deploys", body)
    assert (answer.data["message"], answer.data["detail"]["field"]) == (
        "'spec.data.1.description' must be a string.",
        "spec.data.1.description",
    )


def test_a_body_that_is_no_json_is_told_what_to_send(api):
    url = "/v1/perimeters/default/projects/churn/branches/main/data/xkcd"
    answer = api.client.patch(url, json.dumps({}), content_type="text/plain")
    assert answer.status_code == 415
    assert "Send JSON, with `Content-Type: application/json`." in answer.json()["message"]
