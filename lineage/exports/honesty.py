"""Whether an answer is all there is: in the headers of a response, and in the comments of a file."""

from catalog.wire.shapes import time_shape
from lineage.answers import Answer, LeftOut


def honesty_headers(answer: Answer) -> dict[str, str]:
    """What the headers of a response say of the answer in it.

    `X-Lineage-Complete` is `true` or `false`, `X-Lineage-As-Of` the moment that the answer is true of, and
    `X-Lineage-Left-Out` a list of reasons with how many nodes each has kept away, as structured fields (RFC 9651) are
    written: `depth;count=12, hidden;count=3;at-least`. Where nothing is left out it is not sent.
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
    """The same in lines that can stand in a comment of any format: none of them holds anything that a user wrote."""
    return [
        f"Lineage as of {time_shape(answer.as_of)}",
        "complete" if answer.complete else "not complete",
        *(f"left out: {cut.sentence}" for cut in answer.left_out),
    ]
