"""Parse a body: strict JSON, bounded in size and depth, with only values that both databases can store."""

import json
import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from access.errors import BadRequest, TooLarge
from catalog import limits

MAY_BE_LEFT_OUT = ("run", "position", "session", "digest", "digests")
"""The members of a write that may cost nobody the write: `catalog.wire.told` checks them."""

KEEP_ELSEWHERE = "Keep large data in an artifact or a file, and register what refers to it."
TOO_DEEP = f"The body is nested more than {limits.JSON_DEPTH} deep. Send what is below as a string of JSON."
WRITABLE_DEPTH = 200
"""How deep a body of many writes may be nested as a whole: what is deeper is not sure to be written again."""
PATH_DEPTH, PATH_NAME = 8, 40
"""How much of a path a refusal shows: so many names, of so many characters."""
READABLE_DIGITS = 4_000
PECULIAR = re.compile(rb"\\u|[0-9]{19}")
"""What may be a NUL, a lone surrogate or a whole number of more than 64 bits. A body without them that orjson reads is
what Python's module makes of it, and can be stored but for its depth: orjson refuses bytes that are no UTF-8, control
characters, NaN and numbers that are not finite."""


class StrictJSONParser(BaseParser):
    media_type = "application/json"
    lenient: Collection[str] = ()
    """The members of a body that are not checked here."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(limits.BODY_BYTES + 1)
        if len(body) > limits.BODY_BYTES:
            most = f"{limits.BODY_BYTES // 1024**2} MiB"
            raise TooLarge(f"The body is larger than {most}. {KEEP_ELSEWHERE}", most=limits.BODY_BYTES)
        if PECULIAR.search(body) is None:
            with suppress(orjson.JSONDecodeError):  # what is wrong with it is said below
                parsed = orjson.loads(body)
                if body.count(b"{") + body.count(b"[") > limits.JSON_DEPTH:
                    self.check(parsed)
                return parsed
        parsed = _parsed(body)
        self.check(parsed)
        return parsed

    def check(self, parsed: Any) -> None:
        check_storable(without(parsed, self.lenient))


class LenientJSONParser(StrictJSONParser):
    """Of writes that say something of the run that makes them."""

    lenient = MAY_BE_LEFT_OUT


class EntriesJSONParser(StrictJSONParser):
    """Of many writes at once, each of which is checked by itself: one that can't be stored costs no other.

    What is nested so deep that it can't be written again is refused here, in any of them.
    """

    def check(self, parsed: Any) -> None:
        if _is_deeper(parsed, WRITABLE_DEPTH):
            raise BadRequest(TOO_DEEP)


def without(body: Any, members: Collection[str]) -> Any:
    return {name: value for name, value in body.items() if name not in members} if isinstance(body, dict) else body


def check_storable(value: Any) -> None:
    """Refuse values that can't be stored exactly, and say where they are and what to do.

    These are NUL, lone surrogates, numbers that are not finite, and too deep nesting.
    """
    try:
        _check(value, 0)
    except _Unstorable as found:
        raise BadRequest(f"{found.where or 'The body'} {found.why}", field=found.where) from None


class _Unstorable(Exception):
    """A value that can't be stored: why, with what to do, and its path, which those around it put together."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.path: list[str] = []

    @property
    def where(self) -> str:
        """The path with dots, such as `annotations.loss`, shortened where it is deep or has long names."""
        names = [limits.UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", name[:PATH_NAME]) for name in self.path[::-1]]
        return ".".join([*names[:PATH_DEPTH], "\N{HORIZONTAL ELLIPSIS}"] if len(names) > PATH_DEPTH else names)


def _check(value: Any, depth: int) -> None:
    if depth > limits.JSON_DEPTH:
        raise _Unstorable(f"is nested more than {limits.JSON_DEPTH} deep. Send what is below as a string of JSON.")
    inside: Any = None
    try:
        match value:
            case str():
                if limits.UNSTORABLE.search(value):
                    raise _Unstorable("has a NUL or a lone surrogate, which can't be stored. Take it out of the text.")
            case int() | float():
                if limits.is_too_large(value):
                    raise _Unstorable(_why_not_finite(value))
            case dict():
                for inside, inner in value.items():
                    if limits.UNSTORABLE.search(inside):
                        raise _Unstorable(
                            "has a NUL or a lone surrogate in its name, which can't be stored. Rename it."
                        )
                    _check(inner, depth + 1)
            case list():
                for inside, inner in enumerate(value):  # noqa: B007 (named where it is caught)
                    _check(inner, depth + 1)
    except _Unstorable as found:
        if inside is not None:
            found.path.append(str(inside))
        raise


def _is_deeper(value: Any, most: int) -> bool:
    """Whether something stands below so many levels of objects and lists."""
    level = [value]
    for _ in range(most + 1):
        inner = (row.values() if isinstance(row, dict) else row for row in level if isinstance(row, dict | list))
        level = [below for row in inner for below in row]
    return bool(level)


def _why_not_finite(value: float) -> str:
    if value != value:
        return "is NaN, which JSON does not have. Send null or a string, or leave it out."
    return "is a number beyond 1.8e308, and too large for those who read it. Send it as a string, or leave it out."


def _parsed(body: bytes) -> Any:
    """The JSON; NaN and infinities stand in it, so that the check can say where."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not text in UTF-8: {error.reason} at byte {error.start}.") from None
    try:
        return json.loads(text, parse_constant=float)
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    except ValueError:  # a whole number of more digits than Python reads
        return json.loads(text, parse_constant=float, parse_int=_whole)


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= READABLE_DIGITS else math.inf
