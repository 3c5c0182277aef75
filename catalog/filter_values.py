"""The values of filters: how the text of a query is read. How keys are written is in `obproject.filter_keys`."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from access.errors import BadRequest
from catalog import limits
from catalog.limits import UNSTORABLE
from catalog.states import ANY_STATE, State
from obproject.references import Reference, parse_reference

COMPARISON = re.compile(r"(?P<operator>>=|<=|!=|=|>|<)(?P<value>.*)", re.DOTALL)
JSON = json.JSONDecoder()
Values = tuple[Any, ...]


@dataclass(frozen=True)
class AnnotationFilter:
    key: str
    operator: str
    value: str

    @property
    def number(self) -> float:
        return float(self.value)


def time_of(name: str, text: str) -> datetime | None:
    """A moment in a query string; None for an empty one."""
    if not text:
        return None
    try:
        time = parse_datetime(text.replace(" ", "+") if "T" in text else text)
        if time is not None:
            return (time if timezone.is_aware(time) else timezone.make_aware(time)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(f"'{name}' is not a time: write it like 2026-01-31T12:00:00Z.", field=name)


def each(parse: Callable[[str, str], Any]) -> Callable[[str, list[str]], Values]:
    return lambda name, texts: tuple(parse(name, text) for text in texts)


def as_written(name: str, text: str) -> str:
    return text


def words_of(name: str, texts: list[str]) -> Values:
    """The words of a search; more than a person would type is refused, as each one is looked for in every row."""
    text = " ".join(texts)
    words = text.split()
    if len(text) > limits.SEARCH_LENGTH or len(words) > limits.SEARCH_WORDS:
        most = f"{limits.SEARCH_WORDS} words and {limits.SEARCH_LENGTH} characters"
        raise BadRequest(f"A search takes at most {most}.", field=name)
    return tuple(words)


def tag_of(name: str, text: str) -> tuple[str, str | None]:
    key, rest = _key_and_rest(name, text, "=")
    if rest and not rest.startswith("="):
        raise _not_understood(name, text, 'write "key"=value')
    return key, rest[1:] if rest else None


def annotation_of(name: str, text: str) -> AnnotationFilter:
    key, rest = _key_and_rest(name, text, ">=|<=|!=|=|>|<")
    match = COMPARISON.fullmatch(rest)
    if not match:
        raise _not_understood(name, text, "write key=value, or key>=number")
    found = AnnotationFilter(key, **match.groupdict())
    if found.operator in (">", "<", ">=", "<="):
        _check_number(name, found)
    return found


def _key_and_rest(name: str, text: str, operators: str) -> tuple[str, str]:
    """The key at the beginning, and what stands behind it: nothing, or what begins with one of the operators."""
    if not text.startswith('"'):
        key = re.split(operators, text, maxsplit=1)[0]
        if not key:
            raise _not_understood(name, text, 'it names no key; the empty key is written as ""')
        return key, text[len(key) :]
    try:
        key, end = JSON.raw_decode(text)
    except ValueError:
        raise _not_understood(name, text, "what begins with a quotation mark must be a JSON string") from None
    if UNSTORABLE.search(key):
        raise BadRequest(
            f"The filter '{name}' has a NUL or a lone surrogate, which nothing has. Take it out.", field=name
        )
    return key, text[end:]


def _not_understood(name: str, text: str, why: str) -> BadRequest:
    return BadRequest(f"The filter {name}={text!r} is not understood: {why}.", field=name)


def _check_number(name: str, asked: AnnotationFilter) -> None:
    try:
        number = asked.number
    except ValueError:
        number = float("nan")
    if number - number != 0:
        raise BadRequest(
            f"The filter on annotation '{asked.key}' compares with {asked.value!r}, which is no finite number.",
            field=name,
        )


YES, NO = ("true", "yes"), ("false", "no")


def reference_of(name: str, text: str) -> Reference:
    """A reference to an instance of the same asset; each row is compared, so it may not count back far."""
    try:
        reference = parse_reference(text)
    except ValueError as error:
        raise _not_understood(name, text, str(error)) from None
    if reference.offset > limits.SAME_AS_BACK:
        raise _not_understood(name, text, f"it counts back at most {limits.SAME_AS_BACK} versions; write 'v12'")
    return reference


def yes_or_no(name: str, text: str) -> bool:
    if text not in (*YES, *NO):
        raise _not_understood(name, text, "write true or false")
    return text in YES


def states_of(name: str, texts: list[str]) -> Values:
    states: list[str] = []
    for state in ",".join(texts).split(","):
        if state == ANY_STATE:
            states.extend(State.values)
        elif state in State.values:
            states.append(state)
        else:
            raise BadRequest(f"'{state}' is no state: write {ANY_STATE}, {', '.join(State.values)}.", field=name)
    return tuple(dict.fromkeys(states))
