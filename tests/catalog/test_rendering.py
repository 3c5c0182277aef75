"""Answers as JSON: the same values as Python's own module writes, by way of orjson."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.renderers import JSONRenderer

from catalog.states import State
from catalog.wire.rendering import FastJSONRenderer, as_json

TEXT = st.text('ab \0\x1f\x7f"\\/\u00e9\u2028\ufeff\U0001f600')
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_writes_the_same_value_as_python_does(value: Any) -> None:
    assert json.loads(as_json(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        10**40,
        -(2**63) - 1,
        {1: "a", None: "b"},
        datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        UUID(int=7),
        State.READY,
        ("a", ["b"]),
        {"a\u2028": "\u2029"},
    ],
)
def test_writes_what_the_framework_did(value: Any) -> None:
    assert as_json({"a": value}) == JSONRenderer().render({"a": value})


def test_writes_a_lone_surrogate_as_an_escape() -> None:
    assert as_json(["\ud800"]) == rb'["\ud800"]'


def test_writes_what_is_nested_deeper_than_orjson_takes() -> None:
    deep: Any = 0
    for _ in range(300):
        deep = [deep]
    assert as_json(deep) == b"[" * 300 + b"0" + b"]" * 300


@pytest.mark.parametrize("beside", [1, 10**40])
def test_passes_on_what_is_json_already(beside: int) -> None:
    written = as_json({"a": orjson.Fragment(f'{{"k":"\u00e9\u2028","n":{10**30}}}'), "b": beside})
    assert json.loads(written) == {"a": {"k": "\u00e9\u2028", "n": 10**30}, "b": beside}
    assert "\u2028".encode() not in written


def test_gives_lines_to_whom_asks_for_them() -> None:
    data = {"a": orjson.Fragment("[1]")}
    indented = FastJSONRenderer().render(data, "application/json; indent=2", {})
    assert indented == b'{\n  "a": [\n    1\n  ]\n}'
    assert FastJSONRenderer().render(None) == b""


@pytest.mark.django_db
def test_the_api_and_its_errors_are_written_so(client: Client) -> None:
    answer = client.get("/v1/me", REMOTE_ADDR="127.0.0.1", SERVER_NAME="localhost")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == as_json(answer.json())
