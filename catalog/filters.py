"""The filter vocabulary of lists: what a query string may ask, in the API and on the pages alike."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from access.errors import BadRequest
from catalog import limits
from catalog.limits import UNSTORABLE
from catalog.states import ANY_STATE, State

COMPARISON = re.compile(r"^(?P<key>.+?)(?P<operator>>=|<=|!=|=|>|<)(?P<value>.*)$", re.DOTALL)


@dataclass(frozen=True)
class AnnotationFilter:
    key: str
    operator: str
    value: str

    @property
    def number(self) -> float:
        return float(self.value)


@dataclass(frozen=True)
class Filters:
    """All must hold. `states` empty means the default of the list that is asked: ready ones."""

    text: str = ""
    tags: tuple[tuple[str, str | None], ...] = ()
    annotations: tuple[AnnotationFilter, ...] = ()
    kind: str = ""
    producer: str = ""
    since: datetime | None = None
    until: datetime | None = None
    states: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> "Filters":
        """Read the filters of a query string; what can't be understood is refused by name, never passed over."""
        for name, values in query.lists():
            _check_values(name, values)
        return cls(
            text=search_text("text", query.get("text", "")),
            tags=tuple(_tag(text) for text in query.getlist("tag") if text),
            annotations=tuple(_annotation(text) for text in query.getlist("annotation") if text),
            kind=query.get("kind", ""),
            producer=query.get("producer", ""),
            since=time_of("since", query.get("since", "")),
            until=time_of("until", query.get("until", "")),
            states=_states(value for value in query.getlist("state") if value),
        )


def _check_values(name: str, values: list[str]) -> None:
    if any(UNSTORABLE.search(value) for value in values):
        raise BadRequest(f"The filter '{name}' has a character that can't be stored.", field=name)
    if len(values) > limits.FILTERS_OF_A_KIND:
        raise BadRequest(f"The filter '{name}' may be given {limits.FILTERS_OF_A_KIND} times at most.", field=name)


def search_text(name: str, text: str) -> str:
    """The words of a search; more than a person would type is refused, as each one is looked for in every row."""
    words = text.split()
    if len(text) > limits.SEARCH_LENGTH or len(words) > limits.SEARCH_WORDS:
        most = f"{limits.SEARCH_WORDS} words and {limits.SEARCH_LENGTH} characters"
        raise BadRequest(f"A search takes at most {most}.", field=name)
    return " ".join(words)


def _tag(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    return key, value if equals else None


def _annotation(text: str) -> AnnotationFilter:
    match = COMPARISON.match(text)
    if not match:
        raise BadRequest(
            f"The filter annotation={text!r} is not understood: write key=value, or key>=number.", field="annotation"
        )
    found = AnnotationFilter(**match.groupdict())
    if found.operator in (">", "<", ">=", "<="):
        _number_of(found)
    return found


def _number_of(asked: AnnotationFilter) -> float:
    try:
        number = asked.number
    except ValueError:
        number = float("nan")
    if number - number != 0:
        raise BadRequest(
            f"The filter on annotation '{asked.key}' compares with {asked.value!r}, which is no finite number.",
            field="annotation",
        )
    return number


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


def _states(values: Iterable[str]) -> tuple[str, ...]:
    states: list[str] = []
    for value in values:
        for state in value.split(","):
            if state == ANY_STATE:
                states.extend(State.values)
            elif state in State.values:
                states.append(state)
            else:
                raise BadRequest(f"'{state}' is no state: write {ANY_STATE}, {', '.join(State.values)}.", field="state")
    return tuple(dict.fromkeys(states))
