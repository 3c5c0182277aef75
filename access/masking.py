"""Secrets of private addresses in what is logged. No Django, as logging is set up before it."""

import logging
import re

FEED_KEY_START = "af_"
SECRET = re.compile(rf"{FEED_KEY_START}[0-9a-f]{{4,}}", re.IGNORECASE)
"""A key of feeds, or the beginning of one."""
HIDDEN = f"{FEED_KEY_START}…"


def masked(text: str) -> str:
    return SECRET.sub(HIDDEN, text)


class Masking(logging.Formatter):
    """Writes whatever is logged without keys of feeds, also what comes with it: arguments, tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
