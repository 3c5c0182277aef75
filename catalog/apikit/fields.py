"""Fields of answers, for the OpenAPI document only; answers themselves are made by `*_shape`."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

Answer = serializers.Serializer[Any]


def text(**options: Any) -> serializers.CharField:
    return serializers.CharField(**options)


def integer(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(**options)


def time(**options: Any) -> serializers.DateTimeField:
    return serializers.DateTimeField(**options)


def one_of(values: Iterable[Any], **options: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[str(value) for value in values], **options)
