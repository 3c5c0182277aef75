"""Parse a body: strict JSON, bounded in size and depth, with only values that both databases can store."""

import json
from collections.abc import Collection, Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from access.errors import BadRequest, TooLarge
from catalog import limits

MAY_BE_LEFT_OUT = ("run", "position", "session", "digest", "digests")
"""The members of a write that may cost nobody the write: `catalog.wire.told` checks them."""


class StrictJSONParser(BaseParser):
    media_type = "application/json"
    lenient: Collection[str] = ()
    """The members of a body that are not checked here."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(limits.BODY_BYTES + 1)
        if len(body) > limits.BODY_BYTES:
            raise TooLarge(f"The body is larger than {limits.BODY_BYTES // 1024**2} MiB.", most=limits.BODY_BYTES)
        try:
            parsed = json.loads(body.decode(), parse_constant=float if self.lenient else _no_constant)
        except RecursionError:
            raise BadRequest("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}.") from None
        check_storable(without(parsed, self.lenient))
        return parsed


class LenientJSONParser(StrictJSONParser):
    """Of writes that say something of the run that makes them."""

    lenient = MAY_BE_LEFT_OUT


def without(body: Any, members: Collection[str]) -> Any:
    return {name: value for name, value in body.items() if name not in members} if isinstance(body, dict) else body


def check_storable(value: Any, depth: int = 0) -> None:
    """Refuse values that can't be stored exactly: NUL, lone surrogates, infinite numbers, too deep nesting."""
    if depth > limits.JSON_DEPTH:
        raise BadRequest(f"The JSON is nested more than {limits.JSON_DEPTH} deep.")
    match value:
        case str():
            if limits.UNSTORABLE.search(value):
                raise BadRequest("A string in the body has a NUL or a lone surrogate, which can't be stored.")
        case int() | float():
            if limits.is_too_large(value):
                raise BadRequest("A number in the body is too large.")
        case dict():
            for key, inner in value.items():
                check_storable(key, depth)
                check_storable(inner, depth + 1)
        case list():
            for inner in value:
                check_storable(inner, depth + 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
