"""The process beside the web processes is there for as long as it has something to do."""

import os
import time
from pathlib import Path

from catalog.supervising import beside
from catalog.supervising.beside import Beside
from catalog.supervising.forks import fork_off


def starts(monkeypatch, file: Path, status: int, *, within: float) -> int:
    """How often a process is started that ends at once with this status."""

    def ends(actor: str) -> None:
        with file.open("a") as noted:
            noted.write(f"{actor}\n")
        os._exit(status)

    monkeypatch.setattr(beside, "AGAIN_AFTER", 0.05)
    monkeypatch.setattr(beside, "_work_until_told", ends)
    fork_off()
    process = Beside("somebody")
    process.start()
    until = time.monotonic() + within
    while time.monotonic() < until and (not file.exists() or len(file.read_text().splitlines()) < 2):
        time.sleep(0.02)
    process.stop()
    lines = file.read_text().splitlines()
    assert set(lines) == {"somebody"}
    return len(lines)


def test_it_is_started_again_when_it_dies(monkeypatch, tmp_path, caplog):
    assert starts(monkeypatch, tmp_path / "starts", 3, within=20) > 1
    assert "has died (3)" in caplog.text


def test_it_is_not_when_it_is_done(monkeypatch, tmp_path):
    assert starts(monkeypatch, tmp_path / "starts", 0, within=0.5) == 1
