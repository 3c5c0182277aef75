"""The WSGI environment of a request, as PEP 3333 has it, from the scope that Granian's RSGI gives."""

import sys
from functools import lru_cache
from io import BytesIO
from typing import Any

SAME_FOR_ALL: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
NOT_HTTP = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(scope: Any, path: str, headers: Any, body: bytes) -> dict[str, Any]:
    """Of a request whose body has been read, with the `path` and `headers` of its scope, which are costly to ask for.

    `CONTENT_LENGTH` is what was read, also of a chunked body. Header names with an underscore are left out, as they
    would pass for others with a hyphen. A header whose value is no ASCII is there, and empty.
    """
    environ = SAME_FOR_ALL.copy()
    values = 0
    for name, value in headers.items():
        key = key_of(name)
        if key in environ:
            environ[key] += f"; {value}" if key == "HTTP_COOKIE" else f",{value}"
        else:
            environ[key] = value
            values += 1
    if values < len(headers):
        for name in headers.keys():  # noqa: SIM118 (no mapping)
            environ.setdefault(key_of(name), "")
    environ.pop("", None)
    environ.setdefault("HTTP_HOST", "")  # who names no host asks for none, not for the address that we listen on
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = path if path.isascii() else path.encode().decode("latin-1")
    query = scope.query_string
    environ["QUERY_STRING"] = query if query.isascii() else query.encode().decode("latin-1")
    environ["SERVER_PROTOCOL"] = f"HTTP/{scope.http_version}"
    environ["wsgi.url_scheme"] = scope.scheme
    environ["SERVER_NAME"], environ["SERVER_PORT"] = address_and_port(scope.server)
    environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = address_and_port(scope.client)
    environ["CONTENT_LENGTH"] = str(len(body)) if body else ""
    environ["wsgi.input"] = BytesIO(body)
    return environ


@lru_cache(maxsize=256)
def key_of(name: str) -> str:
    """The key of a header; empty for one that is left out."""
    if "_" in name:
        return ""
    return NOT_HTTP.get(name) or f"HTTP_{name.upper().replace('-', '_')}"


def address_and_port(socket: str) -> tuple[str, str]:
    """Of `127.0.0.1:8000` and `[::1]:8000`."""
    address, _, port = socket.rpartition(":")
    return address.strip("[]"), port
