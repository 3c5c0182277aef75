"""What a task keeps of its writes, so that none is lost when the catalogue is away.

Before a task sends a registration or a consumption, it keeps it in its own Metaflow metadata; at its end it keeps what
the catalogue answered. A write that got no answer is made up for when the catalogue reads that metadata
(``manage.py reconcile``), and the flow goes on, unless ``ASSETSITE_STRICT`` says otherwise. A write that the catalogue
refused is an error of the flow, and is never made up for.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from obproject.errors import NoServer, RequestRefused, ServerFault, ServerUnreachable, UnexpectedAnswer
from obproject.journal import OUTCOMES_FIELD, TYPE, Entry, Operation, Outcome, outcomes_as_json
from obproject.notices import tell
from obproject.settings import HOW_TO_CONFIGURE, Settings

PAUSE = 60.0
"""Seconds for which writes are only kept after the catalogue gave no answer, so that each of them need not wait."""

_MOST_REASON = 500
AWAY = (NoServer, ServerUnreachable, UnexpectedAnswer, ServerFault)
"""What says that the catalogue gave no answer, whatever the reason."""

Answer = dict[str, Any]


class Journal:
    """The writes of one task attempt, as its metadata keeps them.

    ``register`` stores Metaflow's MetaDatum objects with the task, ``attempt`` is the attempt's number, ``place`` says
    where a catalogue finds them, and ``say_unpublished`` is asked once whether this task is to say that no catalogue
    is configured: the first one of a run says it.
    """

    def __init__(
        self,
        register: Callable[[list[Any]], None],
        attempt: int,
        place: Callable[[], str],
        say_unpublished: Callable[[], bool],
    ) -> None:
        self._register = register
        self._attempt = attempt
        self._place = place
        self._say_unpublished = say_unpublished
        self._outcomes: dict[str, Outcome] = {}
        self._away_until: dict[Settings, float] = {}
        self._told: set[type[Exception]] = set()
        self._process = os.getpid()
        self._sending: list[threading.Thread] = []

    def write(self, entry: Entry, settings: Settings, send: Callable[[], Answer]) -> Answer | None:
        """Keep a write, then send it; return the catalogue's answer, or None if it is only kept.

        Raises what the catalogue refuses; with ``settings.strict``, and where keeping failed, also that it is away.
        """
        self.finish()
        kept = self.keep(entry)
        if kept and not settings.strict and self.is_away(settings):
            return None
        return self._send(entry, settings, send, kept)

    def write_meanwhile(self, entry: Entry, settings: Settings, send: Callable[[], Answer]) -> None:
        """Keep a write, and send it while the task goes on; :meth:`finish` waits for that.

        What would be raised is printed, unless ``settings.strict`` makes this one wait.
        """
        self.finish()
        kept = self.keep(entry)
        if settings.strict or not kept:
            self._send(entry, settings, send, kept)
        elif not self.is_away(settings):
            sending = threading.Thread(target=self._send_and_tell, args=(entry, settings, send))
            self._sending.append(sending)
            sending.start()

    def finish(self) -> None:
        """Wait for what is being sent meanwhile, so that writes reach the catalogue in their order."""
        for sending in tuple(self._sending):
            if sending is not threading.current_thread():
                sending.join()
                with suppress(ValueError):  # another thread of the step has waited for it too
                    self._sending.remove(sending)

    def _send_and_tell(self, entry: Entry, settings: Settings, send: Callable[[], Answer]) -> None:
        try:
            self._send(entry, settings, send, kept=True)
        except Exception as error:
            tell(str(error))

    def _send(self, entry: Entry, settings: Settings, send: Callable[[], Answer], kept: bool) -> Answer | None:
        try:
            answer = send()
        except AWAY as error:
            if settings.strict or not kept:
                raise
            self.go_on(error, settings)
            return None
        except RequestRefused as refusal:
            self._note_now({entry.id: Outcome(refused=str(refusal)[:_MOST_REASON])})
            raise
        self.note(entry.id, outcome_of(entry.operation, answer))
        return answer

    def keep(self, entry: Entry) -> bool:
        """Store a write with the task; say whether that went well. Never raises: the catalogue may have it anyway."""
        return self._store(entry.field, entry.as_json())

    def note(self, entry_id: str, outcome: Outcome) -> None:
        """Remember what the catalogue answered, until :meth:`close`."""
        if os.getpid() == self._process:
            self._outcomes[entry_id] = outcome
        else:
            # A forked child's memory is gone before the task's end.
            self._note_now({entry_id: outcome})

    def close(self) -> None:
        """Store all answers with the task; a second call stores what came in between."""
        self.finish()
        outcomes, self._outcomes = self._outcomes, {}
        if outcomes and os.getpid() == self._process:
            self._note_now(outcomes)

    def is_away(self, settings: Settings) -> bool:
        """Say whether the catalogue gave no answer a moment ago."""
        return time.monotonic() < self._away_until.get(settings, 0.0)

    def _note_now(self, outcomes: Mapping[str, Outcome]) -> None:
        # Named after one of the entries: Metaflow keeps one datum per name and millisecond.
        self._store(f"{OUTCOMES_FIELD}{next(iter(outcomes))}", outcomes_as_json(outcomes))

    def _store(self, name: str, value: str) -> bool:
        from metaflow.metadata_provider import MetaDatum

        datum = MetaDatum(field=name, value=value, type=TYPE, tags=[f"attempt_id:{self._attempt}"])
        try:
            self._register([datum])
        except Exception as error:
            self._tell(type(error), f"What this task registers can't be kept with the run: {error}")
            return False
        return True

    def go_on(self, error: Exception, settings: Settings) -> None:
        """Take note that the catalogue is away, and say once what becomes of the writes."""
        self._away_until[settings] = time.monotonic() + PAUSE
        if not isinstance(error, NoServer):
            self._tell(
                type(error),
                f"{error} What this task registers is kept with the run; the catalogue takes it over by itself, or by: "
                f"manage.py reconcile{self._place()}",
            )
        elif NoServer not in self._told and self._say_unpublished():
            self._tell(
                NoServer,
                f"the assets of this run are kept with the run, and not published. {HOW_TO_CONFIGURE} "
                f"What was kept is published by: manage.py reconcile{self._place()}",
            )
        self._told.add(type(error))

    def _tell(self, about: type[Exception], text: str) -> None:
        """Print a line, once a task for each kind of trouble."""
        if about not in self._told:
            self._told.add(about)
            tell(text)


def outcome_of(operation: Operation, answer: Mapping[str, Any]) -> Outcome:
    """Return what an answer says of a write: when the catalogue did it, and the number of a registered instance."""
    if operation is Operation.HIGHLIGHT:
        return Outcome(moment(answer.get("at")))
    if operation is Operation.REGISTER:
        number = answer.get("number")
        return Outcome(moment(answer.get("created_at")), number if isinstance(number, int) else None)
    return Outcome(moment(answer.get("consumed_at")))


def now() -> datetime:
    """Return the present moment by the task's clock."""
    return datetime.now(UTC)


def moment(text: Any) -> datetime | None:
    """Return the moment that an answer names; None if it names none."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
