"""What the room that reads Metaflow answers: cards and facts, or a typed reason for "no" with a sentence for people."""

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
    """Where a task keeps its files, as its registration named it: type and root are None if the client did not say.

    `perimeter` is where the task was registered. Roots that are bound to a perimeter are read for that one only.
    """

    type: str | None = None
    root: str | None = None
    perimeter: str = ""


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
    """Carries an `Unavailable` up to the functions that others call; it never leaves this package."""

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
        """What to call the card where a task has several: its id, or else its type."""
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
    """The page of a card, ready for its frame: gzipped bytes of UTF-8 HTML. `live` pages must not be kept."""

    gzipped: bytes = field(repr=False)
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
    """What a running task's card shows now. `final`: it changes no more; load the card once more and stop asking."""

    reload_token: str | None
    data: Any
    final: bool

    def as_json(self) -> dict[str, Any]:
        """The object that static/card.js reads."""
        return {"reload_token": self.reload_token, "data": self.data, "final": self.final}


@dataclass(frozen=True)
class TaskFacts:
    """What Metaflow knows about a task. `state` "finished" means that it ended, and nobody noted how.

    `metadata` holds the newest attempt's fields by name, as text; `where` is a phrase, such as "in Kubernetes, pod x".
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

    @property
    def seconds(self) -> float | None:
        """How long the attempt ran, if it has ended."""
        return (self.finished - self.started).total_seconds() if self.started and self.finished else None
