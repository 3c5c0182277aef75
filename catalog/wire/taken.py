"""Bodies that are right, read by what the fields of their serializers declare, in a small part of the time.

Serializers describe the bodies, in the OpenAPI document too, and say what is wrong with one. Most have nothing wrong
with them: these are taken here. Whatever is odd is left to the serializer; what is taken here it would take as well.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from catalog import limits

Json = dict[str, Any]
Read = Callable[[Any], Any]
OF_CHARACTERS = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)


class Odd(Exception):
    """There is something that the serializer may refuse."""


class Text(serializers.CharField):
    """A JSON string, stored as sent: numbers and booleans are refused, blanks not trimmed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be a string.")
        return super().to_internal_value(data)


def taken(body: serializers.Serializer[Any], data: Any) -> Json | None:
    """What a body says, as its serializer would validate it; None if there is anything odd about it."""
    try:
        return _read(body, _members(type(body)), data)
    except (Odd, serializers.ValidationError, ValidationError):
        return None


@functools.cache
def _members(body: type[serializers.Serializer[Any]]) -> list[tuple[str, Any, Read]]:
    """The fields of a body by their names, and how each is read."""
    return [(name, field, reader_of(field)) for name, field in body().fields.items()]


def _read(body: serializers.Serializer[Any], members: list[tuple[str, Any, Read]], data: Any) -> Json:
    if not isinstance(data, dict):
        raise Odd
    said: Json = {}
    for name, field, read in members:
        if name in data:
            value = read(data[name])
        elif field.required:
            raise Odd
        elif (value := field.default) is serializers.empty:
            continue
        check = getattr(body, f"validate_{name}", None)
        said[name] = check(value) if check else value
    checked: Json = body.validate(said)
    return checked


def reader_of(field: Any) -> Read:
    """How the value of a field is read; it raises Odd or a ValidationError for what its serializer may refuse."""
    read = _reader_of_value(field)
    return (lambda value: None if value is None else read(value)) if field.allow_null else _not_null(read)


def _not_null(read: Read) -> Read:
    def some(value: Any) -> Any:
        if value is None:
            raise Odd
        return read(value)

    return some


def _reader_of_value(field: Any) -> Read:
    match field:
        case serializers.Serializer():
            return functools.partial(_read, field, _members(type(field)))
        case serializers.ListSerializer() | serializers.ListField():
            return functools.partial(_list, field, reader_of(field.child))
        case Text() if type(field).to_internal_value is Text.to_internal_value and field.min_length is None:
            return functools.partial(_text, field.max_length, field.allow_blank)
        case serializers.CharField():
            return functools.partial(_word, field, _checks_of(field))
    return functools.partial(_value, field, _checks_of(field))


def _checks_of(field: Any) -> list[Read]:
    """Its validators; what some of them look for in every character is found by one search."""
    checks = [check for check in field.validators if not isinstance(check, OF_CHARACTERS)]
    return checks if len(checks) == len(field.validators) else [*checks, _storable]


def _storable(value: Any) -> None:
    if limits.UNSTORABLE.search(str(value)):
        raise Odd


def _text(most: int | None, may_be_blank: bool, value: Any) -> str:
    """The same as `_word`, where there is nothing but a length to check."""
    fits = isinstance(value, str) and (most is None or len(value) <= most) and not limits.UNSTORABLE.search(value)
    if not fits or not (value or may_be_blank):
        raise Odd
    return str(value)


def _word(field: Any, checks: list[Read], value: Any) -> Any:
    if value == "":
        if not field.allow_blank:
            raise Odd
        return value
    return _value(field, checks, value)


def _list(field: Any, read: Read, values: Any) -> list[Any]:
    if not isinstance(values, list) or not (values or field.allow_empty):
        raise Odd
    if len(values) < (field.min_length or 0) or (field.max_length is not None and len(values) > field.max_length):
        raise Odd
    return [read(value) for value in values]


def _value(field: Any, checks: list[Read], value: Any) -> Any:
    inner = field.to_internal_value(value)
    for check in checks:
        check(inner)
    return inner
