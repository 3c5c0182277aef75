"""How names are compared when somebody searches by their beginning: folded, as bytes.

Bytes have one order in every database, whatever the collation of its text: all that begins with `a` lies between `a`
and `a` with a byte behind it that no UTF-8 text has.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

LONGEST = 100
"""How many characters of a folded name are kept."""
MOST_WORDS = 6
"""How many later words of a name it is found by, too."""
AFTER_ALL = b"\xff"

_BETWEEN_WORDS = re.compile(r"[\s_./:@+~,;()\[\]-]+")


def folded(text: str) -> str:
    """A name without case, marks and compatibility forms; what stands between its words is one space.

    `Churn_Modèl` and `churn-model` are both `churn model`. A name of nothing but such signs stays as it is.
    """
    letters = text if text.isascii() else _without_marks(text)
    return (_BETWEEN_WORDS.sub(" ", letters.casefold()).strip() or text.strip())[:LONGEST]


def _without_marks(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign) != "Mn")


def key_of(text: str) -> bytes:
    return folded(text).encode(errors="replace")


def beginnings(names: Iterable[str]) -> dict[bytes, bool]:
    """Each key by which something of these names is found, and whether it begins with a later word only.

    Words begin behind signs (`churn_model`) and with capitals (`TrainFlow`).
    """
    found: dict[bytes, bool] = {}
    for name in names:
        for place in _words_of(name):
            key = key_of(name[place:])
            if key:
                found[key] = found.get(key, True) and place > 0
    return found


def _words_of(name: str) -> list[int]:
    """Where a name and its later words begin."""
    later = (place for place in range(1, len(name)) if _begins_word(name[place - 1], name[place]))
    return [0, *islice(later, MOST_WORDS)]


def _begins_word(before: str, sign: str) -> bool:
    if _BETWEEN_WORDS.fullmatch(sign):
        return False
    return bool(_BETWEEN_WORDS.fullmatch(before)) or (before.islower() and sign.isupper())
