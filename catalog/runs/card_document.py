"""The document of a card's frame: the card with a guard before all of its scripts, and the frame's script behind them.

The policy of the document lets only scripts with its nonce run. The guard knows the nonce, gives it to the scripts of
the card's own page, and takes away what reaches the network in spite of the policy. Of a page in which the guard does
not come first, nothing runs.
"""

import hashlib
import re
import secrets
from pathlib import Path

GUARD = Path(__file__).with_name("guard.js").read_text()
FRAME_SCRIPT = Path(__file__).with_name("frame.html").read_text()
VERSION = hashlib.sha256((GUARD + FRAME_SCRIPT).encode()).hexdigest()
"""Changes with what is put around cards."""
# Without it the browser would take the page for an older one, and lay it out in another way
DOCTYPE = re.compile(r"(?:\s|<!--.*?-->|<\?[^>]*>)*(?P<doctype><!doctype[^>]*>)", re.IGNORECASE | re.DOTALL)
# A browser makes trees of these that the guard doesn't see
DECLARED_SHADOW = re.compile("shadowrootmode", re.IGNORECASE)


def new_nonce() -> str:
    """A nonce for one document, which nobody could know when the card was written."""
    return secrets.token_urlsafe(16)


def document_of(card: bytes, nonce: str) -> str:
    """The document that shows `card`; its policy must name the nonce."""
    text = DECLARED_SHADOW.sub("data-shadow", card.decode("utf-8-sig", errors="replace"))
    doctype = DOCTYPE.match(text)
    before = f'{doctype["doctype"] if doctype else ""}<script nonce="{nonce}">{GUARD}</script>'
    at = text.lower().rfind("</body>")
    at = len(text) if at < 0 else at
    return before + text[:at] + FRAME_SCRIPT + text[at:]
