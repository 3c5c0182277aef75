"""The answers that are made without Django, in the shapes that the site's own have."""

import json

from access.errors import error_body, json_at

Headers = list[tuple[str, str]]
PROBES = ("/healthz", "/readyz")
ALWAYS = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]


class Refused(Exception):
    """A request that Django does not get to see: its status and a sentence for who sent it."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        """`retry_after` is in seconds, where trying again helps."""
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after


def refusal(path: str, refused: Refused) -> tuple[int, Headers, bytes]:
    """Status, headers and body of the answer: JSON where errors are and for probes, else plain text."""
    headers = ALWAYS if refused.retry_after is None else [*ALWAYS, ("retry-after", str(refused.retry_after))]
    if json_at(path) or path in PROBES:
        body = json.dumps(error_body(refused.status, refused.message))
        return refused.status, [*headers, ("content-type", "application/json")], body.encode()
    return refused.status, [*headers, ("content-type", "text/plain; charset=utf-8")], f"{refused.message}\n".encode()
