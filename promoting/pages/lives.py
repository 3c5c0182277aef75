"""What the pages share on which a version is deprecated, an asset is deleted, or one is recovered."""

from dataclasses import dataclass

from django.http import HttpRequest

from catalog.limits import REASON_LENGTH, UNSTORABLE

NO_REASON = "Say why: it is shown to everybody."
LONG_REASON = f"That is longer than {REASON_LENGTH} characters."
ODD_REASON = "It has a character that can't be stored."


@dataclass(frozen=True)
class Reason:
    """A reason as it was typed, and what is wrong with it; empty if nothing is."""

    text: str = ""
    problem: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Reason":
        text = request.POST.get("reason", "").replace("\r\n", "\n").strip()
        if not text:
            return cls(text, NO_REASON)
        if len(text) > REASON_LENGTH:
            return cls(text, LONG_REASON)
        return cls(text, ODD_REASON if UNSTORABLE.search(text) else "")


NOT_TYPED = Reason()
