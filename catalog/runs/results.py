"""The results of reading Metaflow: cards and facts, or a typed reason with a sentence why there are none."""

import enum
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

State = Literal["running", "succeeded", "failed", "finished"]


class Datastore(NamedTuple):
    """The datastore of a task, from its registration; type and root are None if the client did not report them.

    `cards` is the root of the task's cards, if it is neither `root` nor in the folder of cards below it.
    `perimeter` is that of the registration. Roots that are bound to a perimeter are read for that one only.
    """

    type: str | None = None
    root: str | None = None
    perimeter: str = ""
    cards: str | None = None


class Reason(enum.StrEnum):
    """Why there is nothing to show."""

    NOT_A_TASK = "not-a-task"
    NO_CARD = "no-card"
    PENDING = "pending"
    TASK_GONE = "task-gone"
    UNREACHABLE = "unreachable"
    NOT_ALLOWED = "not-allowed"
    TOO_LARGE = "too-large"


@dataclass(frozen=True)
class Unavailable:
    """There is nothing to show: `reason` for programs, `sentence` for people."""

    reason: Reason
    sentence: str


class UnavailableError(Exception):
    """Carries an `Unavailable` up to the public functions of `catalog.runs`, which return it."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.answer = Unavailable(reason, sentence)


@dataclass(frozen=True)
class Card:
    """One card of one task. `key` names it in an address; `live` says that its task is still writing to it."""

    task: str
    key: str
    type: str
    id: str | None
    uuid: str
    size: int
    created: datetime
    live: bool
    attempt: int | None
    location: Any = field(repr=False, compare=False)  # for this package only

    @property
    def title(self) -> str:
        """The name of the card among several of a task: its id, or else its type."""
        return self.id or self.type


@dataclass(frozen=True)
class CardList:
    """The cards of a task, oldest first; if there are none, `missing` says why. True if there are cards."""

    cards: tuple[Card, ...] = ()
    missing: Unavailable | None = None

    def __iter__(self) -> Iterator[Card]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def __getitem__(self, index: int) -> Card:
        return self.cards[index]


@dataclass(frozen=True)
class CardPage:
    """The page of a card, ready for its frame: gzipped bytes of UTF-8 HTML. `live` pages must not be cached.

    Only scripts with the `nonce` may run in it; see `catalog.runs.card_document`.
    """

    gzipped: bytes = field(repr=False)
    nonce: str = field(repr=False)
    live: bool

    @cached_property
    def etag(self) -> str:
        """The entity tag of these bytes, with its quotes."""
        return f'"{hashlib.sha256(self.gzipped).hexdigest()[:32]}"'

    @property
    def html(self) -> str:
        """The page as text."""
        return gzip.decompress(self.gzipped).decode(errors="replace")


@dataclass(frozen=True)
class LiveData:
    """The data that a running task's card shows now. `final`: no more will come; load the card once more and stop."""

    reload_token: str | None
    data: Any
    final: bool

    def as_json(self) -> dict[str, Any]:
        """The object that static/card.js reads."""
        return {"reload_token": self.reload_token, "data": self.data, "final": self.final}


@dataclass(frozen=True)
class TaskFacts:
    """Facts about a task, from Metaflow. `state` "finished" means that it ended, and it is not recorded how.

    "succeeded" means that its run could go on. `failure`: why Metaflow does not count it as successful all the same, by
    the word of our client; empty if it does, or if another client ran the task. `metadata` holds the newest attempt's
    fields by name, as text; `where` is a phrase, such as "in Kubernetes, pod x".
    """

    task: str
    state: State
    attempt: int
    started: datetime | None
    finished: datetime | None
    user: str | None
    where: str | None
    tags: tuple[str, ...]
    system_tags: tuple[str, ...]
    metadata: dict[str, str]
    failure: str = ""

    @property
    def seconds(self) -> float | None:
        """How long the attempt ran, in seconds; None if it has not ended."""
        return (self.finished - self.started).total_seconds() if self.started and self.finished else None
