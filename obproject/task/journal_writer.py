"""The journal of a task's writes, so that none is lost while the catalogue is unavailable.

Before a task sends a registration or a consumption, it stores an entry in its own Metaflow metadata; at its end it
stores what the catalogue answered. A write without an answer is backfilled when the catalogue reads that metadata
(``assetsite reconcile``), and the flow goes on, unless ``ASSETSITE_STRICT`` is set. A write that the catalogue refused
is an error of the flow, and is never backfilled. :mod:`obproject.journal` has the format.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from obproject.errors import NoServer, RequestRefused, ServerFault, ServerUnreachable, TookTooLong, UnexpectedAnswer
from obproject.journal import (
    OUTCOMES_FIELD,
    TYPE,
    VERDICT,
    Entry,
    Operation,
    Outcome,
    Verdict,
    outcomes_as_json,
    receipt_in,
)
from obproject.json_types import Json
from obproject.notices import tell
from obproject.settings import HOW_TO_CONFIGURE, Settings

PAUSE = 60.0
"""Seconds after a call without an answer during which writes are only stored, so that not each of them waits."""

_MOST_REASON = 500
Answer = Json | RequestRefused
"""What the catalogue says to one of several writes."""
UNAVAILABLE = (NoServer, ServerUnreachable, UnexpectedAnswer, ServerFault)
"""The errors that mean that the catalogue gave no answer."""
KEEPING = (*UNAVAILABLE, TookTooLong)
"""The errors after which a write that is stored with the task is not lost."""


class JournalWriter:
    """Writes the journal of one task attempt.

    ``register`` stores Metaflow's MetaDatum objects with the task, ``attempt`` is the attempt's number. For messages:
    ``root_option`` returns the option of ``assetsite reconcile`` that names this metadata, and ``claim_notice`` whether
    this task is the one of its run that reports that no catalogue is configured.
    """

    def __init__(
        self,
        register: Callable[[list[Any]], None],
        attempt: int,
        root_option: Callable[[], str],
        claim_notice: Callable[[], bool],
    ) -> None:
        self._register = register
        self._attempt = attempt
        self._root_option = root_option
        self._claim_notice = claim_notice
        self._outcomes: dict[str, Outcome] = {}
        self._unavailable_until: dict[Settings, float] = {}
        self._reported: set[type[Exception]] = set()
        self._process = os.getpid()
        self._sending: list[threading.Thread] = []

    def write(self, entry: Entry, settings: Settings, send: Callable[[], Json]) -> Json | None:
        """Store a write, then send it; return the catalogue's answer, or None if the write is only stored.

        Raises the refusal of the catalogue. That it is unavailable is raised only with ``settings.strict``, or if the
        write could not be stored either.
        """
        self.finish()
        is_stored = self.store(entry)
        if is_stored and not settings.strict and self.is_unavailable(settings):
            return None
        answers = self._send([entry], settings, lambda: [send()], is_stored)
        return next((answer for answer in answers or () if not isinstance(answer, RequestRefused)), None)

    def write_together(
        self, entries: Sequence[Entry], settings: Settings, send: Callable[[], Sequence[Answer]]
    ) -> Sequence[Answer] | None:
        """The same for writes that are sent together, each of which has an answer or a refusal of its own."""
        self.finish()
        is_stored = self._store_data([(entry.field, entry.as_json()) for entry in entries])
        if is_stored and not settings.strict and self.is_unavailable(settings):
            return None
        return self._send(entries, settings, send, is_stored)

    def write_in_background(self, entry: Entry, settings: Settings, send: Callable[[], Json]) -> None:
        """Store a write, and send it in the background; :meth:`finish` waits for it.

        Errors of the background are printed. With ``settings.strict``, the write is sent at once and they are raised.
        """
        self.finish()
        is_stored = self.store(entry)
        if settings.strict or not is_stored:
            self._send([entry], settings, lambda: [send()], is_stored)
        elif not self.is_unavailable(settings):
            sending = threading.Thread(target=self._send_in_background, args=(entry, settings, send))
            self._sending.append(sending)
            sending.start()

    def finish(self) -> None:
        """Wait for what is sent in the background, so that writes reach the catalogue in their order."""
        for sending in tuple(self._sending):
            if sending is not threading.current_thread():
                sending.join()
                with suppress(ValueError):  # another thread of the step has waited for it too
                    self._sending.remove(sending)

    def _send_in_background(self, entry: Entry, settings: Settings, send: Callable[[], Json]) -> None:
        try:
            self._send([entry], settings, lambda: [send()], is_stored=True)
        except Exception as error:
            tell(str(error))

    def _send(
        self, entries: Sequence[Entry], settings: Settings, send: Callable[[], Sequence[Answer]], is_stored: bool
    ) -> Sequence[Answer] | None:
        try:
            answers = send()
        except UNAVAILABLE as error:
            if settings.strict or not is_stored:
                raise
            self.note_unavailable(error, settings)
            return None
        except TookTooLong as error:
            if settings.strict or not is_stored:
                raise
            self._report(TookTooLong, f"{error} {self._what_becomes_of_it()}")
            return None
        except RequestRefused as refusal:
            self._store_outcomes({entry.id: _refused(refusal) for entry in entries})
            raise
        self._note(
            {
                entry.id: _refused(answer)
                if isinstance(answer, RequestRefused)
                else outcome_of(entry.operation, answer)
                for entry, answer in zip(entries, answers, strict=True)
            }
        )
        return answers

    def store(self, entry: Entry) -> bool:
        """Store a write with the task; return whether it is stored. Never raises: the catalogue may have it anyway."""
        return self._store_datum(entry.field, entry.as_json())

    def keep_verdict(self, verdict: Verdict) -> None:
        """Store with the task how it goes; a later verdict of the same attempt is the one that holds. Never raises."""
        self._store_datum(VERDICT, verdict.as_json(), VERDICT)

    def store_done(self, entry: Entry, outcome: Outcome) -> None:
        """Store a write that the catalogue has done; with a receipt of it in one go, so that a kill parts no two."""
        if outcome.receipt:
            self._store_data([(entry.field, entry.as_json()), _datum_of({entry.id: outcome})])
        else:
            self.store(entry)
            self._note({entry.id: outcome})

    def _note(self, outcomes: Mapping[str, Outcome]) -> None:
        """Remember what the catalogue answered, until :meth:`close`.

        Stored at once is what would be missed if the task were killed: a refusal, and a receipt.
        """
        # A forked child's memory is gone before the task's end.
        is_own = os.getpid() == self._process
        waiting = {key: one for key, one in outcomes.items() if is_own and not one.refused and not one.receipt}
        self._outcomes |= waiting
        if at_once := {key: one for key, one in outcomes.items() if key not in waiting}:
            self._store_outcomes(at_once)

    def close(self) -> None:
        """Store all answers with the task; a second call stores what came in between."""
        self.finish()
        outcomes, self._outcomes = self._outcomes, {}
        if outcomes and os.getpid() == self._process:
            self._store_outcomes(outcomes)

    def is_unavailable(self, settings: Settings) -> bool:
        """Return whether the catalogue gave no answer a moment ago."""
        return time.monotonic() < self._unavailable_until.get(settings, 0.0)

    def _store_outcomes(self, outcomes: Mapping[str, Outcome]) -> None:
        self._store_data([_datum_of(outcomes)])

    def _store_datum(self, name: str, value: str, kind: str = TYPE) -> bool:
        return self._store_data([(name, value)], kind)

    def _store_data(self, named: Iterable[tuple[str, str]], kind: str = TYPE) -> bool:
        from metaflow.metadata_provider import MetaDatum

        tags = [f"attempt_id:{self._attempt}"]
        try:
            self._register([MetaDatum(field=name, value=value, type=kind, tags=tags) for name, value in named])
        except Exception as error:
            self._report(type(error), f"What this task registers can't be kept with the run: {error}")
            return False
        return True

    def note_unavailable(self, error: Exception, settings: Settings) -> None:
        """Stop sending for a while, and report once what becomes of the writes."""
        self._unavailable_until[settings] = time.monotonic() + PAUSE
        if not isinstance(error, NoServer):
            self._report(
                type(error),
                f"{error} {self._what_becomes_of_it()}",
            )
        elif NoServer not in self._reported and self._claim_notice():
            self._report(
                NoServer,
                f"the assets of this run are kept with the run, and not published. {HOW_TO_CONFIGURE} "
                f"What was kept is published by: assetsite reconcile{self._root_option()}",
            )
        self._reported.add(type(error))

    def _what_becomes_of_it(self) -> str:
        return (
            "What this task registers is kept with the run; the catalogue takes it over by itself, or by: "
            f"assetsite reconcile{self._root_option()}"
        )

    def _report(self, about: type[Exception], text: str) -> None:
        """Print a line, once in a task for each kind of error."""
        if about not in self._reported:
            self._reported.add(about)
            tell(text)


def _datum_of(outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    # Named after one of the entries: Metaflow keeps one datum per name and millisecond.
    return f"{OUTCOMES_FIELD}{next(iter(outcomes))}", outcomes_as_json(outcomes)


def _refused(refusal: RequestRefused) -> Outcome:
    return Outcome(refused=str(refusal)[:_MOST_REASON])


def outcome_of(operation: Operation, answer: Mapping[str, Any]) -> Outcome:
    """Return the outcome that an answer reports: when the write was done, and the number of a registered instance."""
    if operation is Operation.HIGHLIGHT:
        return Outcome(parse_time(answer.get("at")))
    if operation is Operation.REGISTER:
        number = answer.get("number")
        made = number if isinstance(number, int) else None
        return Outcome(parse_time(answer.get("created_at")), made, receipt=receipt_in(answer))
    return Outcome(parse_time(answer.get("consumed_at")))


def now() -> datetime:
    """Return the time by the task's clock."""
    return datetime.now(UTC)


def parse_time(text: Any) -> datetime | None:
    """Return a time of an answer; None if the text is none."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
