"""What hadolint, which knows how files for images are written well, says of ours."""

import re
import subprocess
import sys
from pathlib import Path

from tests.places import CHECKOUT

HADOLINT = [str(Path(sys.executable).with_name("hadolint")), "--no-color", "--config", str(CHECKOUT / ".hadolint.yaml")]


def findings(text: str) -> set[str]:
    told = subprocess.run([*HADOLINT, "-"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert told.stderr == ""
    return set(re.findall(r"\bDL\d{4}\b|\bSC\d{4}\b", told.stdout))


def test_our_containerfile_is_written_well() -> None:
    assert findings((CHECKOUT / "Containerfile").read_text()) == set()


def test_one_that_is_not_is_found() -> None:
    assert findings("FROM debian\nUSER root\nRUN cd /tmp && apt-get install curl\nCMD serve\n") >= {
        "DL3002",  # it ends as root
        "DL3006",  # any version of the base
        "DL3014",  # a question that nobody answers
        "DL3025",  # a shell that takes no signals
    }
