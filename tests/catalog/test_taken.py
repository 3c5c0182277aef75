"""What is taken of a body without its serializer is what the serializer makes of it, and it takes all that is right."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from catalog import limits
from catalog.wire.bodies import (
    AliasBody,
    AliasDeletion,
    Body,
    ConfirmationBody,
    ConsumptionBody,
    DeployBody,
    RegistrationBody,
    SpecBody,
)
from catalog.wire.highlight_bodies import HighlightBody

TASK = {"entity_kind": "task", "entity_id": "F/1/s/1"}
RIGHT: list[tuple[type[Body], dict[str, Any]]] = [
    (RegistrationBody, {"entity_ref": TASK, "data_asset_kind": "artifact"}),
    (
        RegistrationBody,
        {
            "entity_ref": TASK,
            "data_asset_kind": "s3",
            "model_asset_kind": None,
            "description": "",
            "tags": [{"key": "a", "value": ""}, {"key": "b", "value": "c"}],
            "blobs": [None, 1, {"a": []}],
            "annotations": {"loss": 0.5, "note": "ö"},
            "state": "pending",
            "digest": {"odd": 1},
            "datastore": {"type": "s3", "root": "s3://a", "cards": None},
            "branch_name": "feature/x",
            "id": f"i_{'0' * 20}",
            "run": 5,
            "position": None,
            "attempt": 0,
            "unknown": True,
        },
    ),
    (RegistrationBody, {"entity_ref": TASK, "data_asset_kind": "a", "tags": None, "blobs": [], "datastore": None}),
    (ConsumptionBody, {"entity_ref": TASK, "role": "baseline", "consumer": {"project": "p", "branch": "b"}}),
    (ConsumptionBody, {"entity_ref": TASK, "reference": "latest", "role": "input", "id": f"c_{'a' * 20}"}),
    (ConfirmationBody, {"entity_ref": TASK, "state": "failed", "reason": "", "instances": ["i"], "run_goes_on": True}),
    (AliasBody, {"entity_ref": TASK, "instance_id": "i", "expected_instance_id": None}),
    (AliasDeletion, {"id": f"a_{'1' * 20}"}),
    (AliasDeletion, {}),
    (SpecBody, {"project": "p", "branch": "b", "spec": {"a": 1}, "version_id": ""}),
    (
        DeployBody,
        {
            "entity_ref": TASK,
            "version_id": "1",
            "spec": {},
            "definitions": [{"kind": "data", "id": "a", "name": "A", "properties": {"a": "b"}, "blobs": [1]}],
        },
    ),
    (HighlightBody, {"entity_ref": TASK, "content": {}}),
    (
        HighlightBody,
        {
            "entity_ref": TASK,
            "content": {"highlight_type": "image", "highlight_body": {"src": "data:image/gif;base64,R0lGOA=="}},
        },
    ),
]
ODDITIES: list[Any] = [
    *(None, "", " ", "a", "é", "A/../b", "x" * 300, "\0", "data:image/png;base64,AA=="),
    *(0, -1, 1.5, True, 10**30, [], [None], {}, {"a": "b"}, {"": 1}, {"k" * (limits.KEY_LENGTH + 1): 1}),
    [{"key": "a", "value": "b"}] * 2,
]


def whole(body: type[Body], said: Any) -> Body:
    return body(data=said, context={"kind": "data"})


def by_serializer(body: type[Body], said: Any) -> Any:
    """What the serializer alone makes of a body; None if it refuses it."""
    checked: Any = whole(body, said)
    valid = serializers.Serializer.is_valid(checked)
    return dict(checked.validated_data) if valid else None


def spoilt(value: Any) -> Iterator[Any]:
    """The value with one part left out or made odd."""
    yield from ODDITIES
    if isinstance(value, dict):
        for name in value:
            yield {other: inner for other, inner in value.items() if other != name}
            yield from ({**value, name: inner} for inner in spoilt(value[name]))
    if isinstance(value, list):
        yield [*value, *value]
        for at, inner in enumerate(value):
            yield from ([*value[:at], odd, *value[at + 1 :]] for odd in spoilt(inner))


@pytest.mark.parametrize(("body", "said"), RIGHT)
def test_a_right_body_is_taken_as_its_serializer_takes_it(body, said):
    checked = whole(body, said)
    assert checked.is_valid()
    assert checked.taken == checked.validated_data == by_serializer(body, said)


@pytest.mark.parametrize(("body", "said"), RIGHT)
def test_of_a_spoilt_body_nothing_is_taken_that_the_serializer_refuses(body, said):
    cases = list(spoilt(said))
    for case in random.Random(1).sample(cases, min(len(cases), 60)):
        checked, right = whole(body, case), by_serializer(body, case)
        assert checked.is_valid() == (right is not None), case
        assert repr(checked.taken) == repr(right), case


def test_an_odd_body_is_refused_by_the_words_of_its_serializer():
    checked = whole(RegistrationBody, {"entity_ref": {"entity_kind": "task"}, "data_asset_kind": 5})
    assert not checked.is_valid()
    assert checked.errors == {
        "entity_ref": {"entity_id": ["This field is required."]},
        "data_asset_kind": ["must be a string."],
    }
    with pytest.raises(serializers.ValidationError, match="must be a string"):
        whole(RegistrationBody, {"entity_ref": TASK, "data_asset_kind": 5}).is_valid(raise_exception=True)
