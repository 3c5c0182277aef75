"""`/v1/docs`: the OpenAPI document as a page of the site, without scripts.

The pages that draw such documents in the browser write styles into the page, which the site's policy forbids.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator

from catalog.addresses import home_url

Json = dict[str, Any]
_SCHEMA = "#/components/schemas/"


class Member(NamedTuple):
    """A parameter, or a member of an object. `schema`: the name of the object that it is, or that its list is of."""

    name: str
    type: str
    schema: str
    is_required: bool
    description: str


class Operation(NamedTuple):
    """One method of an address. `body` and `answer` are names of objects; empty for none."""

    name: str
    method: str
    summary: str
    description: str
    parameters: list[Member]
    body: str
    status: str
    answer: str


class Address(NamedTuple):
    path: str
    operations: list[Operation]


class Shape(NamedTuple):
    """An object in a body or answer, or (`values`) the texts of which one is given."""

    name: str
    members: list[Member]
    values: list[str]


@login_not_required  # else the answer would be JSON, as everywhere below /v1
@login_required  # a page for people, so who is not signed in is sent to do so
def api_page(request: HttpRequest) -> HttpResponse:
    addresses, shapes = reference()
    context = {"addresses": addresses, "shapes": shapes, "base": request.build_absolute_uri(home_url()).rstrip("/")}
    return render(request, "catalog/api.html", context)


@lru_cache(maxsize=1)
def reference() -> tuple[list[Address], list[Shape]]:
    """The document of this version of the site: every address, and every object."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    addresses = [
        Address(path, [_operation(method, told) for method, told in methods.items()])
        for path, methods in document["paths"].items()
    ]
    return addresses, list(_shapes(document["components"]["schemas"]))


def _operation(method: str, told: Json) -> Operation:
    status, answer = next(iter(told["responses"].items()))
    parameters = [_member(row["name"], row, row.get("required", False)) for row in told.get("parameters", [])
                  if row["in"] != "path"]  # fmt: skip
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        summary=told["summary"],
        description=told.get("description", ""),
        parameters=parameters,
        body=_schema_in(told.get("requestBody", {})),
        status=status,
        answer=_schema_in(answer),
    )


def _schema_in(holder: Json) -> str:
    for content in holder.get("content", {}).values():
        return _type(content["schema"])[1]
    return ""


def _member(name: str, told: Json, is_required: bool) -> Member:
    return Member(name, *_type(told.get("schema", told)), is_required, told.get("description", ""))


def _type(schema: Json) -> tuple[str, str]:
    """What a value is, in words, and the name of the object that it is or is made of."""
    words, name = _plain_type(schema)
    return (f"{words} or null".strip() if schema.get("nullable") else words), name


def _plain_type(schema: Json) -> tuple[str, str]:
    for part in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])):
        if "$ref" in part:
            return "", part["$ref"].removeprefix(_SCHEMA)
    if schema.get("type") == "array":
        words, name = _type(schema["items"])
        return f"list of {words}".strip(), name
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"])), ""
    return schema.get("format") or schema.get("type") or "any value", ""


def _shapes(schemas: Json) -> Iterator[Shape]:
    for name, schema in schemas.items():
        required = schema.get("required", [])
        members = [_member(key, told, key in required) for key, told in schema.get("properties", {}).items()]
        yield Shape(name, members, [str(value) for value in schema.get("enum", [])])
