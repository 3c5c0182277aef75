"""Pages of finished cards, cached in a folder of bounded size: the least recently used are evicted first.

A file holds a line with the page's nonce, and the gzipped page. Safe for any number of threads and processes: a name
stands for one content, and files appear whole. If the folder can't be written to, reading is only slower.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from catalog.runs.card_document import VERSION
from catalog.runs.results import CardPage

MAX_BYTES = 512 * 1024 * 1024


def name_of(*parts: str) -> str:
    """The name under which the page of one version of a card is cached."""
    return hashlib.sha256("\0".join([*parts, VERSION]).encode()).hexdigest()


def get(name: str) -> CardPage | None:
    """The cached page of a finished card, marked as just used; None if there is none."""
    path = _path(name)
    try:
        nonce, _, gzipped = path.read_bytes().partition(b"\n")
        os.utime(path)
    except OSError:
        return None
    return CardPage(gzipped, nonce.decode(), live=False)


def put(name: str, page: CardPage) -> None:
    """Cache the page of a finished card, and evict others if the folder is full."""
    path = _path(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            part.write(page.nonce.encode() + b"\n" + page.gzipped)
        Path(part.name).replace(path)
        _trim(path.parent)
    except OSError:
        return


def _path(name: str) -> Path:
    return Path(settings.HOME) / "cards" / f"{name}.card"


def _trim(folder: Path) -> None:
    """Delete the least recently used pages until the rest fits."""
    with os.scandir(folder) as entries:
        kept = sorted(((entry.stat(), entry.path) for entry in entries), key=lambda item: -item[0].st_mtime)
    total = 0
    for info, path in kept:
        total += info.st_size
        if total > MAX_BYTES:
            Path(path).unlink(missing_ok=True)
