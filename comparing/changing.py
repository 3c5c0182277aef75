"""Which names are not compared: those that are other in every version, such as paths and times, and those that a
project says.

Learned from the base's last versions: a name always changes if it differed in every step between two versions that
follow each other, in at least five. Measures are what a comparison is about, so they never are among these, however
much they move. Pure: no Django, no database.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from catalog.metrics import may_be_metric, number_of
from comparing.table import Folded, same

FEWEST_STEPS = 5
ANNOTATION, BLOB = "annotation", "blob"
Table = Mapping[str, Any] | None
"""Values by their names; None where nobody told them."""


def is_metric(name: str, value: Any) -> bool:
    """Whether an annotation measures something: a number whose name is not that of an identity or a moment."""
    return may_be_metric(name) and number_of(value) is not None


def is_number(name: str, value: Any) -> bool:
    """Whether a parameter or a tag is a number, whatever its name."""
    return number_of(value) is not None


def changing_in_every_step(
    versions: Sequence[Mapping[str, Any]], measures: Callable[[str, Any], bool] = is_number
) -> set[str]:
    """The names that differed in every step between these, which are in the order of time. Between two of which one
    lacks the name there is no step."""
    steps: dict[str, int] = {}
    kept: set[str] = set()
    for before, after in pairwise(versions):
        for name in (before.keys() & after.keys()) - kept:
            if same(before[name], after[name]) or measures(name, after[name]):
                kept.add(name)
            steps[name] = steps.get(name, 0) + 1
    return {name for name, count in steps.items() if count >= FEWEST_STEPS} - kept


class NotCompared:
    """The names, and beginnings of names, that assets don't compare: "run_note", "path_*"."""

    def __init__(self, said: Iterable[Any] = ()) -> None:
        words = {word for word in said if isinstance(word, str) and word}
        self._names = {word for word in words if not word.endswith("*")}
        self._beginnings = tuple(sorted(word[:-1] for word in words if word.endswith("*")))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._names or name.startswith(self._beginnings))


@dataclass(frozen=True)
class LeftOut:
    """Of which names no rows are made: those that always change, by the table that they stand in, such as "tag", and
    those that the project doesn't compare."""

    changing: Mapping[str, Container[str]]
    by_project: NotCompared

    @classmethod
    def learned(cls, versions: Sequence[Mapping[str, Table]], by_project: NotCompared) -> "LeftOut":
        """From the tables of the base's last versions, in the order of time."""
        keys = dict.fromkeys(key for tables in versions for key in tables)
        changing = {}
        for key in keys:
            told = [tables.get(key) or {} for tables in versions]
            changing[key] = changing_in_every_step(told, is_metric if key == ANNOTATION else is_number)
        return cls(changing, by_project)

    def has(self, key: str, name: str) -> bool:
        return name in self.changing.get(key, ()) or name in self.by_project

    def folded(self, versions: Sequence[Mapping[str, Table]]) -> Folded:
        """The names that some versions have, and no row."""
        named = dict.fromkeys(
            (key, name) for tables in versions for key, table in tables.items() for name in table or ()
        )
        changing = [(key, name) for key, name in named if name in self.changing.get(key, ())]
        by_project = {name: None for key, name in named if name in self.by_project}
        return Folded(
            tuple(dict.fromkeys(f"{key} {name}" if key == BLOB else name for key, name in changing)), tuple(by_project)
        )
