"""Which values of parameters and configs are told, and which never."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from metaflow import IncludeFile
from metaflow.user_configs.config_parameters import ConfigValue

from obproject.task.run_values import values_of


def told(
    parameters: dict[str, Any], configs: dict[str, Any] | None = None, *, runs: Any = None, **attributes: Any
) -> dict[str, Any]:
    """What is told of a flow with these values."""
    configs = configs or {}
    declared = [
        (name, SimpleNamespace(name=name, IS_CONFIG_PARAMETER=name in configs)) for name in (parameters | configs)
    ]
    flow = SimpleNamespace(**parameters, **configs, **attributes, project_config={"project": "p", "runs": runs or {}})
    return values_of(flow, declared)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.25, "", "é" * 256, [1, "a", None], {"a": {"b": [1.5]}}, ["x" * 1000], 10**255],
)
def test_short_values_are_told_as_they_are(value: Any) -> None:
    assert told({"alpha": value}) == {"parameters": {"alpha": value}, "configs": {}}


@pytest.mark.parametrize("value", ["é" * 257, 10**256, ["x" * 1021], {"a": "é" * 170}])
def test_long_ones_are_told_by_digest_and_length(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert told({"alpha": value})["parameters"] == {"alpha": {"_omitted": {"digest": digest, "length": len(text)}}}


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", float("nan"), [float("inf")], {(1, 2): 3}, object, 1j])
def test_what_is_no_json_is_told_by_digest_and_length_of_how_python_writes_it(value: Any) -> None:
    digest = f"sha256:{hashlib.sha256(repr(value).encode()).hexdigest()}"
    omitted = {"_omitted": {"digest": digest, "length": len(repr(value))}}
    assert told({"alpha": value})["parameters"] == {"alpha": omitted}


@pytest.mark.parametrize("value", ["a\0b", "\ud800", ["\udfff"], {"a\0": 1}])
def test_what_no_database_keeps_is_told_by_digest(value: Any) -> None:
    assert list(told({"alpha": value})["parameters"]["alpha"]) == ["_omitted"]


@pytest.mark.parametrize(
    "name",
    ["secret", "mySecret", "API_KEY", "apikey", "token", "HF_TOKEN", "dbPassword", "credentials", "CREDENTIAL_file"],
)
def test_what_is_named_like_a_secret_is_left_out_and_named(name: str) -> None:
    secret = "hush"
    assert told({name: secret, "alpha": 1}) == {"parameters": {"alpha": 1}, "configs": {}, "left_out": [name]}
    nested = {"a": [{name: secret, "b": 1}], "c": {"d": {name: {"e": secret}}}}
    answer = told({}, {"cfg": ConfigValue(nested)})
    assert answer["configs"] == {"cfg": {"a": [{"b": 1}], "c": {"d": {}}}}
    assert answer["left_out"] == [f"cfg.a.{name}", f"cfg.c.d.{name}"]
    assert secret not in json.dumps(answer)


@pytest.mark.parametrize(
    "text",
    [
        "postgres://ada:hush@db.example/x",
        "see https://x:hush@h, please",
        "https://:hush@h",
        "Server=db;Password=hush;",
        "https://h/?access_token=hush",
        '{"api_key": "hush"}',
        "SECRET_WORD : hush",
        "token: hush",
    ],
)
def test_text_with_a_password_in_it_is_left_out(text: str) -> None:
    answer = told({"database": text, "nested": {"deep": [text, "shown"]}})
    assert answer["parameters"] == {"nested": {"deep": ["shown"]}}
    assert answer["left_out"] == ["database", "nested.deep"]


@pytest.mark.parametrize("text", ["https://h/a@b:c", "a key", "tokens are words", "ada@example.org", "s3://bucket/key"])
def test_other_text_is_told(text: str) -> None:
    assert told({"alpha": text})["parameters"] == {"alpha": text}


def test_what_the_project_leaves_out_is_not_told() -> None:
    runs = {"leave_out": ["Customer", "cfg.inner.host", "port"]}
    answer = told(
        {"customer": "acme", "alpha": 1, "host": "shown"},
        {"cfg": {"inner": {"host": "hidden", "port": 1, "a": 2}}, "port": {"x": 1}},
        runs=runs,
    )
    assert answer == {
        "parameters": {"alpha": 1, "host": "shown"},
        "configs": {"cfg": {"inner": {"a": 2}}},
        "left_out": ["cfg.inner.host", "cfg.inner.port", "customer", "port"],
    }


@pytest.mark.parametrize("runs", [{"leave_out": "customer"}, {"leave_out": [1]}, ["leave_out"], "x"])
def test_where_that_can_not_be_told_nothing_is(runs: Any) -> None:
    assert told({"customer": "acme"}, runs=runs) == {}


def test_a_parameter_goes_by_its_own_name_and_either_name_may_be_secret() -> None:
    names = [("alpha", "learning-rate"), ("x", "api-key"), ("api_key", "y")]
    declared = [(attribute, SimpleNamespace(name=name, IS_CONFIG_PARAMETER=False)) for attribute, name in names]
    answer = values_of(SimpleNamespace(alpha=0.1, x=1, api_key=2), declared)
    assert answer == {"parameters": {"learning-rate": 0.1}, "configs": {}, "left_out": ["api-key", "y"]}


def test_a_file_is_told_by_its_name_and_never_loaded() -> None:
    class Flow:
        project_config: dict[str, Any] = {"project": "p"}
        _datastore = {"notes": object(), "absent": None}

        @property
        def notes(self) -> str:
            raise AssertionError("the file was loaded")

    files = [(name, IncludeFile(name)) for name in ("notes", "absent", "missing")]
    assert values_of(Flow(), files)["parameters"] == {"notes": {"_omitted": {"file": "notes"}}, "absent": None}


def test_a_value_that_can_not_be_had_is_not_told() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    deep: list[Any] = []
    deep.append(deep)
    assert told({"alpha": Broken(), "deep": deep, "beta": 1})["parameters"] == {"beta": 1}


def test_the_names_of_what_is_left_out_are_not_too_many() -> None:
    secrets = {f"token{at:03}": at for at in range(300)}
    assert told({}, {"cfg": {"deep": [secrets, secrets]}})["left_out"] == [
        f"cfg.deep.token{at:03}" for at in range(200)
    ]
