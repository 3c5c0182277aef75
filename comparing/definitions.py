"""How two definitions of an asset differ: what each of two branches declares of it. Pure: no database."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comparing.branch_rows import DefinitionRow
from comparing.sentences import Name, Sentence

LONGEST = 160
MOST_CHANGES = 50
"""How much of what is declared otherwise is told of one asset; the rest is counted."""
WORDS = {"name": "name", "description": "description", "icon": "icon"}
KEYED = {"properties": "", "tags": "tag "}


@dataclass(frozen=True)
class Change:
    """One thing that is declared otherwise. `what` says which; None: nothing is declared on that side."""

    what: Sentence
    before: str | None
    after: str | None

    @property
    def shape(self) -> dict[str, Any]:
        return {"what": str(self.what), "base": self.before, "head": self.after}


@dataclass(frozen=True)
class Definition:
    """An asset that both branches declare, each in its way. `lines`: how many of its README were added and removed;
    `more`: how many changes were too many."""

    kind: str
    asset_id: str
    title: str
    source: str
    changes: tuple[Change, ...]
    lines: tuple[int, int] = (0, 0)
    more: int = 0

    @property
    def said(self) -> Sentence:
        """ "min_auc: 0.78 → 0.80; README: 4 lines added, 1 removed"."""
        parts: list[str | Sentence] = []
        for change in self.changes:
            before, after = (_shown(value) for value in (change.before, change.after))
            parts += ["; " if parts else "", change.what, ": ", before, " → ", after]
        parts += [f"; and {self.more:,} more"] if self.more else []
        if any(self.lines):
            parts += ["; " if parts else "", self.readme_said]
        return Sentence(*parts)

    @property
    def readme_said(self) -> str:
        added, removed = self.lines
        if not any(self.lines):
            return ""
        return f"README: {added:,} line{'' if added == 1 else 's'} added, {removed:,} removed"

    @property
    def shape(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "asset": self.asset_id,
            "name": self.title,
            "source": self.source or None,
            "changes": [change.shape for change in self.changes],
            "changes_left_out": self.more,
            "readme_lines": {"added": self.lines[0], "removed": self.lines[1]},
        }


def definition_of(row: DefinitionRow) -> Definition:
    """The README is counted by its lines, in whatever order they stand."""
    base, head = row.base, row.head
    changes = [
        Change(Sentence(word), _text(base[name]), _text(head[name]))
        for name, word in WORDS.items()
        if base[name] != head[name]
    ]
    for name, word in KEYED.items():
        changes += _of_keys(word, _object(base[name]), _object(head[name]))
    changes += _of_keys("metric ", _by_name(base["metrics"]), _by_name(head["metrics"]))
    changes += _order_of_metrics(base["metrics"], head["metrics"])
    for name, word in (("blobs", "blob"), ("not_compared", "not compared")):
        changes += _of_lists(word, base[name], head[name])
    title = head["name"] or base["name"] or row.asset_id
    lines, more = _lines(base["readme"], head["readme"]), len(changes[MOST_CHANGES:])
    return Definition(row.kind, row.asset_id, title, row.source, tuple(changes[:MOST_CHANGES]), lines, more)


def _of_keys(word: str, base: Mapping[str, Any], head: Mapping[str, Any]) -> list[Change]:
    return [
        Change(Sentence(word, Name(key)), _value(base, key), _value(head, key))
        for key in sorted({*base, *head})
        if (key in base) != (key in head) or base.get(key) != head.get(key)
    ]


def _of_lists(word: str, base: Any, head: Any) -> list[Change]:
    """What only one of two lists has."""
    ours, theirs = ([_written(one) for one in each] if isinstance(each, list) else [] for each in (head, base))
    here, there = set(ours), set(theirs)
    gone = [Change(Sentence(word), _cut(one), None) for one in theirs if one not in here]
    return gone + [Change(Sentence(word), None, _cut(one)) for one in ours if one not in there]


def _order_of_metrics(base: Any, head: Any) -> list[Change]:
    """The order counts, where the same metrics are declared."""
    before, after = list(_by_name(base)), list(_by_name(head))
    if before == after or set(before) != set(after):
        return []
    return [Change(Sentence("order of metrics"), _cut(", ".join(before)), _cut(", ".join(after)))]


def _by_name(metrics: Any) -> dict[str, Any]:
    entries = metrics if isinstance(metrics, list) else []
    return {
        str(entry.get("name", "")): {key: value for key, value in entry.items() if key != "name"}
        for entry in entries
        if isinstance(entry, dict)
    }


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _value(values: Mapping[str, Any], key: str) -> str | None:
    return _text(values[key]) if key in values else None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return _cut(_written(value))


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: str | None) -> str:
    return "nothing" if value is None else Name(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _lines(before: str, after: str) -> tuple[int, int]:
    ours, theirs = Counter(after.splitlines()), Counter(before.splitlines())
    return (ours - theirs).total(), (theirs - ours).total()
