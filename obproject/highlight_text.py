"""Lines of a highlight: plain text, in which ``**words**`` are bold. Card and server both read them so.

Standard library only.
"""

from __future__ import annotations

import re

_BOLD = re.compile(r"\*\*(.+?)\*\*")


def bold_parts(line: str) -> list[tuple[str, bool]]:
    """Return the parts of a line in their order, without the asterisks, each with whether it is bold."""
    return [(text, index % 2 == 1) for index, text in enumerate(_BOLD.split(line)) if text]
