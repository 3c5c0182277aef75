"""How far the demo is: a small file beside its runs, which the site shows on every page while the demo is at work.

Whether it is at work is told by a lock and not by the file, so that a demo that was killed leaves no bar behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

FILE, LOCK = "progress.json", "progress.lock"
FORMAT = 1
LARGEST = 16 * 1024
"""Bytes; the file of the longest demo has a tenth of them."""
LOOKED_AT = 0.5
"""Seconds within which whoever only looks whether there is a lock has let it go."""
PATH = re.compile(r"(/[\w.-]+)*", re.ASCII)
NOT_FOLLOWED = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Progress:
    """How many of the runs are in the catalogue, and what is running now. No run is known until the plan is read."""

    runs: int = 0
    done: int = 0
    running: tuple[str, ...] = ()
    over: bool = False
    failed: str = ""
    """Why the demo has stopped, as a sentence."""
    log: str = ""
    """The file that says more of it."""
    look_at: str = ""
    """The path of the page to look at first."""
    turn: int = 0
    """How often it was told."""

    @property
    def mark(self) -> str:
        """What a page knows of it."""
        return f"{self.done}-{self.turn}"


class AtWork:
    """A demo that is at work in a folder, until `end` or the end of its process."""

    def __init__(self, folder: Path) -> None:
        """Raise SystemExit with a sentence if another one is at work there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = (folder / LOCK).open("a")
        if not _locked(self._lock):
            raise SystemExit(
                f"Another demo is filling {folder.parent} already. Wait until it is done, or give this one a folder "
                "and a port of its own: ASSETSITE_HOME=… PORT=8080 assetsite demo"
            )
        self._told = Progress()
        self._write(self._told)

    def tell(self, progress: Progress) -> None:
        """Write it down, if it is not what was told before."""
        if progress != replace(self._told, turn=0):
            self._told = replace(progress, turn=self._told.turn + 1)
            self._write(self._told)

    def fail(self, why: str, log: str = "") -> None:
        """Tell that the demo stops here."""
        self.tell(replace(self._told, running=(), failed=why, log=log, turn=0))

    def end(self) -> None:
        self._lock.close()

    def _write(self, progress: Progress) -> None:
        """Nobody ever sees a part of it; where it can't be written there is no bar, which is no reason to stop."""
        draft = self._folder / f"{FILE}.draft"
        with suppress(OSError):
            draft.write_text(json.dumps({"format": FORMAT, **asdict(progress)}))
            draft.replace(self._folder / FILE)


def _locked(file: IO[str]) -> bool:
    """Whether the lock of an open file is taken for this process."""
    until = time.monotonic() + LOOKED_AT
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        else:
            return True


def is_at_work(folder: Path) -> bool:
    """Whether a demo is at work in a folder. Ask this first: once it is not, what `read` tells is the last word."""
    try:
        file = os.open(folder / LOCK, os.O_RDONLY | NOT_FOLLOWED)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(file)


def read(folder: Path) -> Progress | None:
    """What the demo in a folder has told; None if there is nothing that makes sense."""
    try:
        told = json.loads(_text_of(folder / FILE))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
        return None
    if isinstance(told.get("running"), list):
        told["running"] = tuple(told["running"])
    return Progress(**told) if _makes_sense(told) else None


def _text_of(path: Path) -> str:
    """The text of a file that is no link and no pipe; of a large one the beginning, which makes no sense."""
    file = os.open(path, os.O_RDONLY | NOT_FOLLOWED)
    try:
        return os.read(file, LARGEST).decode() if stat.S_ISREG(os.fstat(file).st_mode) else ""
    finally:
        os.close(file)


def _makes_sense(told: dict[str, Any]) -> bool:
    kinds = {name: type(value) for name, value in asdict(Progress()).items()}
    if {name: type(value) for name, value in told.items()} != kinds or not PATH.fullmatch(told["look_at"]):
        return False
    texts = (*told["running"], told["failed"], told["log"])
    are_texts = all(isinstance(one, str) and one.isprintable() for one in texts)
    return are_texts and 0 <= told["done"] <= told["runs"] and told["turn"] >= 0
