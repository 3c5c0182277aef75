"""The calls of the reference protocol as functions, for code that was written for its own client.

Each takes the address and the headers that an :class:`obproject.Asset` has as ``base_url`` and ``service_headers``, and
returns what the catalogue answers. :class:`~obproject.Asset` is the shorter way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from obproject.catalogue.client import CatalogueClient
from obproject.catalogue.reader import parsed_reference
from obproject.connection import Query
from obproject.errors import InvalidInput
from obproject.instances import json_value, tag_pairs, tell_if_deprecated, with_text
from obproject.json_types import Json
from obproject.settings import find_settings
from obproject.task import spinning

Headers = Mapping[str, str] | None


def register_asset(
    base_url: str,
    service_headers: Headers,
    *,
    perimeter: str,
    project: str,
    branch: str,
    name: str,
    kind: str,
    entity_ref: Mapping[str, str],
    description: str = "",
    data_asset_kind: str | None = None,
    model_asset_kind: str | None = None,
    blobs: list[Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Json:
    """Register an instance and return it; an empty dictionary in a step that is only tried out.

    ``kind`` is ``data`` or ``models``, and one of the asset kinds fits it.
    """
    if not (data_asset_kind or model_asset_kind):
        raise InvalidInput(f"Registering {name!r} needs data_asset_kind or model_asset_kind.")
    body = {
        "entity_ref": entity_ref,
        "branch_name": branch,
        "data_asset_kind": data_asset_kind,
        "model_asset_kind": model_asset_kind,
        "description": description,
        "blobs": json_value(blobs),
        "annotations": json_value(annotations),
        "tags": None if tags is None else tag_pairs(tags),
    }
    if spinning.holds_back():
        return {}
    address = (base_url, service_headers, perimeter, project, branch)
    return with_text(_call("PATCH", address, kind, name, body=body))


def _read(answer: Json) -> Json:
    tell_if_deprecated(answer)
    return with_text(answer)


def _get(
    kind: str,
    base_url: str,
    service_headers: Headers,
    *,
    perimeter: str,
    project: str,
    branch: str,
    asset: str,
    instance: str,
) -> Json:
    address = (base_url, service_headers, perimeter, project, branch)
    return _read(_call("GET", address, kind, asset, "instances", str(parsed_reference(instance))))


def _consume(
    kind: str,
    base_url: str,
    service_headers: Headers,
    *,
    perimeter: str,
    project: str,
    branch: str,
    asset: str,
    entity_ref: Mapping[str, str],
    instance: str,
) -> Json:
    address = (base_url, service_headers, perimeter, project, branch)
    reference = str(parsed_reference(instance))
    if spinning.holds_back():
        return _read(_call("GET", address, kind, asset, "instances", reference))
    return _read(_call("PUT", address, kind, asset, "instances", reference, body={"entity_ref": entity_ref}))


def _delete(
    kind: str, base_url: str, service_headers: Headers, *, perimeter: str, project: str, branch: str, asset: str
) -> Json:
    if spinning.holds_back():
        return {}
    return _call("DELETE", (base_url, service_headers, perimeter, project, branch), kind, asset)


def _list(
    kind: str,
    base_url: str,
    service_headers: Headers,
    *,
    perimeter: str,
    project: str,
    branch: str,
    continuation: str | None = None,
) -> Json:
    query = {"continuation": continuation} if continuation else None
    return _call("GET", (base_url, service_headers, perimeter, project, branch), kind, query=query)


def _summary(
    kind: str, base_url: str, service_headers: Headers, *, perimeter: str, project: str, branch: str, asset: str
) -> Json:
    return _call("GET", (base_url, service_headers, perimeter, project, branch), kind, asset)


get_data_asset, get_model_asset = partial(_get, "data"), partial(_get, "models")
consume_data_asset, consume_model_asset = partial(_consume, "data"), partial(_consume, "models")
delete_data_asset, delete_model_asset = partial(_delete, "data"), partial(_delete, "models")
list_data_assets, list_model_assets = partial(_list, "data"), partial(_list, "models")
get_data_asset_summary, get_model_asset_summary = partial(_summary, "data"), partial(_summary, "models")


def _call(
    method: str,
    address: tuple[str, Headers, str, str, str],
    *rest: str,
    body: Json | None = None,
    query: Query | None = None,
) -> Json:
    base_url, service_headers, perimeter, project, branch = address
    # The given headers identify the caller, so no token of the environment is sent to the given address.
    headers = tuple(sorted((service_headers or {}).items()))
    settings = replace(find_settings(base_url, None, perimeter), token=None, service_headers=headers)
    client = CatalogueClient(project, lambda: settings)
    about = f"{'/'.join(rest)} on {client.branch_label(branch)}"
    return client.request(method, branch, *rest, body=body, query=query, about=about)
