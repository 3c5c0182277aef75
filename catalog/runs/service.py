"""A client of Metaflow's metadata service."""

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from catalog.runs.datastore_layout import TaskPath, metaflow_setting

TIMES = (2, 6)  # seconds to connect, and to wait for more of an answer
MAX_ANSWER_BYTES = 256 * 1024 * 1024


class ServiceUnavailable(Exception):
    """The service does not answer, or not like Metaflow's."""


class MetadataService:
    """A connection to a metadata service, with the credentials of Metaflow's own configuration."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._session = requests.Session()

    def __enter__(self) -> Self:
        try:
            self._session.headers.update(_headers())
        except ValueError:
            raise ServiceUnavailable("METAFLOW_SERVICE_HEADERS is no JSON object.") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session.close()

    def get(self, path: str) -> Any:
        """The parsed answer of an address such as `/flows`; None for 404."""
        try:
            with self._session.get(self.address + path, timeout=TIMES, stream=True, allow_redirects=False) as answer:
                if answer.status_code == requests.codes.not_found:
                    return None
                if answer.status_code != requests.codes.ok:
                    raise ServiceUnavailable(f"The metadata service answers with the status {answer.status_code}.")
                return json.loads(_whole(answer))
        except requests.RequestException as error:
            raise ServiceUnavailable("The metadata service does not answer.") from error
        except ValueError as error:
            raise ServiceUnavailable("The metadata service answers with something that is no JSON.") from error


def task_address(path: TaskPath) -> str:
    """The address of a task in the service."""
    flow, run, step, task = (quote(name, safe="") for name in path)
    return f"/flows/{flow}/runs/{run}/steps/{step}/tasks/{task}"


def _whole(answer: requests.Response) -> bytes:
    """The body, read in parts, so that an endless one is cut off."""
    parts, size = [], 0
    for part in answer.iter_content(1024 * 1024):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise ServiceUnavailable(f"The metadata service answers with more than {MAX_ANSWER_BYTES // 1024**2} MB.")
    return b"".join(parts)


def _headers() -> dict[str, str]:
    key = metaflow_setting("SERVICE_AUTH_KEY")
    headers = json.loads(metaflow_setting("SERVICE_HEADERS") or "{}")
    if not isinstance(headers, dict):
        raise ValueError("no object")
    return headers | ({"x-api-key": key} if key else {})
