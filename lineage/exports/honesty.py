"""Report whether an answer is complete: in the headers of a response, and in the comments of a file."""

from catalog.wire.shapes import time_shape
from lineage.answers import Answer, LeftOut


def honesty_headers(answer: Answer) -> dict[str, str]:
    """The headers of a response that say how complete the answer in it is.

    `X-Lineage-Complete` is `true` or `false`. `X-Lineage-As-Of` is the time for which the answer is true.
    `X-Lineage-Left-Out` lists the reasons with the number of nodes that each left out, as structured fields (RFC 9651):
    `depth;count=12, hidden;count=3;at-least`. It is not sent if nothing is left out.
    """
    headers = {
        "X-Lineage-Complete": "true" if answer.complete else "false",
        "X-Lineage-As-Of": time_shape(answer.as_of) or "",
    }
    if answer.left_out:
        headers["X-Lineage-Left-Out"] = ", ".join(_reason(cut) for cut in answer.left_out)
    return headers


def _reason(cut: LeftOut) -> str:
    return f"{cut.reason.value};count={cut.count}{';at-least' if cut.at_least else ''}"


def comments(answer: Answer) -> list[str]:
    """The same as lines for comments in any format; none of them has text that a user wrote."""
    return [
        f"Lineage as of {time_shape(answer.as_of)}",
        "complete" if answer.complete else "not complete",
        *(f"left out: {cut.sentence}" for cut in answer.left_out),
        *filter(None, [answer.outdated]),
    ]
