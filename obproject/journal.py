"""The journal that a task keeps of its writes in its own Metaflow metadata, so that a catalogue can be rebuilt from it.

Each write of a task is an :class:`Entry`: one datum whose value is JSON. What the catalogue answered is an
:class:`Outcome`; a task stores all outcomes in one datum at its end. The server reads both: an entry that it does not
know is a write that it has missed. A task that Metaflow does not count as successful also stores a :class:`Verdict`,
as soon as it is known: Metaflow itself notes only whether the run goes on. Standard library only, for client and server
alike.

Metaflow's metadata is written by whoever runs flows, so the server checks all that it reads here: :func:`parse_entry`,
:func:`parse_outcomes` and :func:`parse_verdict` raise ValueError for anything else than what :meth:`Entry.as_json`,
:func:`outcomes_as_json` and :meth:`Verdict.as_json` write, and the body of an entry is checked like the body of a
request.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

VERSION = 1
TYPE = "assetsite"
"""Metaflow's type of all these data."""
ENTRY_FIELD = "assetsite-"
"""Metaflow's field of an entry is this and the entry's id: Metaflow's local metadata keeps one datum per field and
millisecond."""
OUTCOMES_FIELD = "assetsite-outcomes-"
VERDICT = "assetsite_verdict"
"""Metaflow's type and field of a verdict. It is one of the facts of the task, and no write that could be missed."""

_ID = re.compile(r"[icadh]_[0-9a-f]{20}")
_RECEIPT = re.compile(r"[!-~]{0,512}")


class Operation(StrEnum):
    """What an entry is about; the first letter of its id says it too."""

    REGISTER = "register"
    """``body`` is that of ``PATCH B/K/A``; the entry's id is the id of the instance."""
    CONSUME = "consume"
    """``body`` is that of ``PUT B/K/A/instances/I``, ``instance`` is I, an id."""
    SET_ALIAS = "set_alias"
    """``body`` is that of ``PUT B/K/A/aliases/N``, ``alias`` is N. Kept only after the catalogue has done it."""
    DELETE_ALIAS = "delete_alias"
    """``body`` has the ``entity_ref``. Kept only after the catalogue has done it."""
    DELETE = "delete"
    """The deletion of the asset. Kept only after the catalogue has done it."""
    HIGHLIGHT = "highlight"
    """``body`` is that of ``POST B/highlights``, but without the image; ``kind`` and ``asset`` are empty."""


_LETTERS = {
    Operation.REGISTER: "i",
    Operation.CONSUME: "c",
    Operation.SET_ALIAS: "a",
    Operation.DELETE_ALIAS: "a",
    Operation.DELETE: "d",
    Operation.HIGHLIGHT: "h",
}


@dataclass(frozen=True)
class Process:
    """Where an entry was written, to find out whether that task is still alive."""

    host: str
    pid: int


@dataclass(frozen=True)
class Entry:
    """One write of a task."""

    id: str
    operation: Operation
    at: datetime
    """When the task did it, by its own clock."""
    perimeter: str
    project: str
    branch: str
    """The git name of the branch, or its key."""
    kind: str
    """``data`` or ``models``, as in addresses; empty for what concerns no asset, and so is ``asset``."""
    asset: str
    body: Mapping[str, Any] = field(default_factory=dict)
    instance: str = ""
    alias: str = ""
    process: Process | None = None

    @property
    def field(self) -> str:
        """Metaflow's name for the datum."""
        return f"{ENTRY_FIELD}{self.id}"

    def as_json(self) -> str:
        """Return the value of the datum."""
        content: dict[str, Any] = {
            "v": VERSION,
            "id": self.id,
            "op": self.operation.value,
            "at": self.at.isoformat(),
            "perimeter": self.perimeter,
            "project": self.project,
            "branch": self.branch,
            "kind": self.kind,
            "asset": self.asset,
            "body": dict(self.body),
            **({"instance": self.instance} if self.instance else {}),
            **({"alias": self.alias} if self.alias else {}),
            **({"host": self.process.host, "pid": self.process.pid} if self.process else {}),
        }
        return json.dumps(content)


@dataclass(frozen=True)
class Outcome:
    """What the catalogue made of an entry."""

    at: datetime | None = None
    """The catalogue's time of it: an instance's ``created_at``, a consumption's ``consumed_at``."""
    number: int | None = None
    """The number of a registered instance."""
    refused: str = ""
    """Why the catalogue refused it; empty if it did not. A refused entry is never backfilled."""
    receipt: str = ""
    """The catalogue's word that it moved an alias or promoted, by which whoever replays the entry is not asked again
    what gates say."""


@dataclass(frozen=True)
class Verdict:
    """Whether Metaflow counts an attempt as successful, by the attempt's own word."""

    success: bool
    reason: str = ""
    """Why it does not, as a phrase."""

    def as_json(self) -> str:
        """Return the value of the datum."""
        return json.dumps({"v": VERSION, "success": self.success, "reason": self.reason})


def new_id(operation: Operation) -> str:
    """Return an id for an entry: 80 random bits behind the letter of its operation."""
    return f"{_LETTERS[operation]}_{secrets.token_hex(10)}"


def id_from(operation: Operation, digest: str) -> str:
    """Return the id that all who do the same write give it, from a digest in hexadecimal of what makes it the same."""
    return f"{_LETTERS[operation]}_{digest[:20]}"


def parse_entry(text: str) -> Entry:
    """Read the value of a datum; raise ValueError if it is no entry of a version that is known here."""
    content = _object(text)
    operation = Operation(_text(content, "op"))
    entry_id = _text(content, "id")
    if not _ID.fullmatch(entry_id) or not entry_id.startswith(_LETTERS[operation]):
        raise ValueError(f"{entry_id!r} is no id of {operation.value}")
    of_no_asset = operation is Operation.HIGHLIGHT
    body = content.get("body")
    if not isinstance(body, dict):
        raise ValueError("'body' is no object")
    return Entry(
        id=entry_id,
        operation=operation,
        at=_moment(content.get("at")),
        perimeter=_text(content, "perimeter"),
        project=_text(content, "project"),
        branch=_text(content, "branch"),
        kind=_text(content, "kind", optional=of_no_asset),
        asset=_text(content, "asset", optional=of_no_asset),
        body=body,
        instance=_text(content, "instance", optional=True),
        alias=_text(content, "alias", optional=True),
        process=_process(content),
    )


def outcomes_as_json(outcomes: Mapping[str, Outcome]) -> str:
    """Return the value of the datum that keeps outcomes, by the ids of their entries."""
    return json.dumps({"v": VERSION, "outcomes": {key: _outcome_content(one) for key, one in outcomes.items()}})


def parse_outcomes(text: str) -> dict[str, Outcome]:
    """Read outcomes by the ids of their entries; raise ValueError if these are none."""
    outcomes = _object(text).get("outcomes")
    if not isinstance(outcomes, dict):
        raise ValueError("'outcomes' is no object")
    return {key: _outcome(content) for key, content in outcomes.items()}


def parse_verdict(text: str) -> Verdict:
    """Read the value of a datum; raise ValueError if it is no verdict."""
    content = _object(text)
    success = content.get("success")
    if not isinstance(success, bool):
        raise ValueError(f"'success' is {success!r}")
    return Verdict(success, _text(content, "reason", optional=True))


def _outcome_content(outcome: Outcome) -> dict[str, Any]:
    return {
        **({"at": outcome.at.isoformat()} if outcome.at else {}),
        **({"number": outcome.number} if outcome.number else {}),
        **({"refused": outcome.refused} if outcome.refused else {}),
        **({"receipt": outcome.receipt} if outcome.receipt else {}),
    }


def _outcome(content: Any) -> Outcome:
    if not isinstance(content, dict):
        raise ValueError("an outcome is no object")
    number = content.get("number")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31):
        raise ValueError(f"{number!r} is no number of an instance")
    at = content.get("at")
    return Outcome(
        at=None if at is None else _moment(at),
        number=number,
        refused=_text(content, "refused", optional=True),
        receipt=receipt_in(content),
    )


def receipt_in(content: Mapping[str, Any]) -> str:
    """Return the receipt in an answer, or in an outcome; empty if there is none that could be one."""
    receipt = content.get("receipt")
    return receipt if isinstance(receipt, str) and _RECEIPT.fullmatch(receipt) else ""


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(content, dict) or content.get("v") != VERSION:
        raise ValueError(f"it is not written in version {VERSION} of the journal")
    return content


def _text(content: Mapping[str, Any], key: str, *, optional: bool = False) -> str:
    value = content.get(key)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (value or optional):
        raise ValueError(f"{key!r} is no text")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{value!r} is no moment with a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value!r} is no moment of the calendar") from None


def _process(content: Mapping[str, Any]) -> Process | None:
    host, pid = content.get("host"), content.get("pid")
    if not isinstance(host, str) or not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
        return None
    return Process(host, pid)
