"""What a flow's code package carries for this package: the settings, so that tasks elsewhere find the same catalogue.

Metaflow unpacks the package wherever a task runs, whoever starts it. The file holds settings by the names that they are
looked up by, and no credentials: who can read the datastore could read them.
"""

from __future__ import annotations

import atexit
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from obproject.notices import tell

FILE = "assetsite.json"
"""The file's name among what Metaflow itself ships beside the code."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@cache
def carried() -> Mapping[str, str]:
    """Return the settings in the package that this process runs from; none where its code came another way."""
    from metaflow.packaging_sys import ContentType, MetaflowCodeContent

    path = MetaflowCodeContent.get_filename(FILE, ContentType.OTHER_CONTENT)
    return json.loads(Path(path).read_text()) if path else {}


def file_of(settings: Mapping[str, str]) -> str:
    """Return the path of a file that holds these settings; the same one for the same settings."""
    return _file_of(json.dumps(settings, sort_keys=True))


@cache
def _file_of(text: str) -> str:
    # Metaflow reads the file some time after it was named, so it stays until this process ends.
    folder = tempfile.mkdtemp(prefix="assetsite-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / FILE
    path.write_text(text)
    return str(path)


@cache
def warn_of_loopback(url: str | None) -> None:
    """Say once that tasks on other machines can't reach an address of this one."""
    if urlsplit(url or "").hostname in LOOPBACK:
        # Standard output may be a workflow template.
        tell(
            f"{url} is an address of this machine; tasks that run elsewhere can't reach the catalogue "
            "there. Set ASSETSITE_URL to an address that they can reach.",
            sys.stderr,
        )
