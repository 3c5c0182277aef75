"""Which values of a flow's parameters and configs the catalogue is told, and how.

Short ones as they are, long ones by digest and length, files by name. What may be a secret is never told: by its name,
because ``[runs] leave_out`` of ``obproject.toml`` names it, or because its text looks like one: an address with a
password in it, or ``password=…``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from obproject import lengths
from obproject.json_types import Json

_WORDS = "secret|token|password|key|credential"
_SECRET = re.compile(_WORDS, re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(rf"""://[^/\s@]*:[^/\s@]*@ | (?:{_WORDS})\w*["']?\s*[=:]""", re.IGNORECASE | re.VERBOSE)
"""An address with a password in it, or a text with a value behind one of these words."""
_UNSTORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")
"""What no database keeps, as it stands in JSON."""

_OF_THE_PROJECT = ("project_config", "project_deps", "project_spec")
"""The configs that every ProjectFlow has. They are files of the project, and no choice of a run."""
_LEFT_OUT = object()
"""Stands for a value that is left out."""


def values_of(flow: Any, parameters: Iterable[tuple[str, Any]]) -> Json:
    """Return the parameters and configs of a running flow, and the names of those that are left out.

    ``parameters`` are Metaflow's Parameter objects with the names of their attributes. If what is to be left out can't
    be told, no value is.
    """
    names = _names_to_leave_out(flow)
    if names is None:
        return {}
    told: dict[str, Json] = {"parameters": {}, "configs": {}}
    left_out: set[str] = set()
    for attribute, parameter in parameters:
        chooser = _Chooser(names, left_out)
        name = parameter.name
        if name in _OF_THE_PROJECT:
            continue
        if chooser.is_left_out(name, attribute):
            left_out.add(name)
            continue
        kind = "configs" if parameter.IS_CONFIG_PARAMETER else "parameters"
        try:
            value = _value_of(flow, attribute, parameter, chooser)
        except Exception:  # noqa: S112 - what can't be loaded is not told
            continue
        if value is not _LEFT_OUT:
            told[kind][name] = value
    return {**told, **({"left_out": sorted(left_out)[: lengths.LEFT_OUT_NAMES]} if left_out else {})}


def may_hold_secret(text: str) -> bool:
    """Say whether a text looks as if it held a secret: an address with a password in it, or ``password=…``."""
    return _SECRET_IN_TEXT.search(text) is not None


def short(value: Any) -> Any:
    """Return a value of JSON as it is if it is short, else its digest and length."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return _omitted(repr(value))
    if isinstance(value, list | tuple | Mapping):
        fits = len(json.dumps(value)) <= lengths.PARAMETER_BYTES
    else:
        fits = len(value if isinstance(value, str) else text) <= lengths.PARAMETER_LENGTH
    return value if fits and not _UNSTORABLE.search(text) else _omitted(text)


def _omitted(text: str) -> Json:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {"_omitted": {"digest": f"sha256:{digest}", "length": len(text)}}


def _value_of(flow: Any, attribute: str, parameter: Any, chooser: _Chooser) -> Any:
    from metaflow import IncludeFile

    if isinstance(parameter, IncludeFile):
        # Its attribute would load the file; the artifact only says where it is.
        described = flow._datastore[attribute]
        return None if described is None else {"_omitted": {"file": parameter.name}}
    value = chooser.without_secrets(getattr(flow, attribute), parameter.name)
    return value if value is _LEFT_OUT else short(value)


def _names_to_leave_out(flow: Any) -> frozenset[str] | None:
    """Return what ``[runs] leave_out`` names; None if that can't be told."""
    runs = (getattr(flow, "project_config", None) or {}).get("runs") or {}
    names = runs.get("leave_out") or () if isinstance(runs, Mapping) else None
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return None
    return frozenset(name.casefold() for name in names)


class _Chooser:
    """Leaves out what may be a secret, and notes the names of it."""

    def __init__(self, names: frozenset[str], left_out: set[str]) -> None:
        self._names = names
        self._left_out = left_out

    def is_left_out(self, *names: str) -> bool:
        return any(_SECRET.search(name) or name.casefold() in self._names for name in names)

    def without_secrets(self, value: Any, path: str) -> Any:
        """Return a value without what may be a secret in it; _LEFT_OUT, if that is the value itself.

        ``path`` is how it is called among what is left out: the name of the parameter and the keys that lead to it.
        """
        if isinstance(value, str) and may_hold_secret(value):
            self._left_out.add(path)
            return _LEFT_OUT
        if isinstance(value, Mapping):
            return self._kept(value, path)
        if isinstance(value, list | tuple):
            items = (self.without_secrets(item, path) for item in value)
            return [item for item in items if item is not _LEFT_OUT]
        return value

    def _kept(self, table: Mapping[Any, Any], path: str) -> dict[Any, Any]:
        kept = {}
        for key, item in table.items():
            inner = f"{path}.{key}"
            if self.is_left_out(str(key), inner):
                self._left_out.add(inner)
            elif (value := self.without_secrets(item, inner)) is not _LEFT_OUT:
                kept[key] = value
        return kept
