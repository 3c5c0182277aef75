"""Calls to the APIs of CI platforms. They carry the tokens of jobs, and never follow a redirect with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

TIMEOUT = 10.0


class NoAnswer(Exception):
    """A platform did not do what it was asked for, in a sentence for the user."""


def call(method: str, address: str, headers: Mapping[str, str], body: Any = None, **query: Any) -> Any:
    """Make one call and return the answer's JSON; raise NoAnswer if it fails."""
    try:
        answer = requests.request(
            method, address, params=query, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        raise NoAnswer(f"{address} does not answer: {error}") from error
    if not 200 <= answer.status_code < 300:
        said = " ".join(answer.text[:200].split())
        raise NoAnswer(f"{method} {address} was answered with status {answer.status_code}: {said}")
    try:
        return answer.json()
    except ValueError:
        raise NoAnswer(f"{address} answered with no JSON") from None
