"""Sending one message to an address of somebody's: a POST, and the beginning of the answer. Nothing is followed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from urllib3.exceptions import HTTPError

from telling.bounded import Bounds, TooMuch, pools_within
from telling.networks import PORTS, Refused, check_url, resolved

SECONDS = 10.0
"""For all of it: the name, the connection, and the answer."""
MOST_BYTES = 64 * 1024
"""Of an answer, with its headers."""
PIECE = 4096
OVER_HTTP = (requests.RequestException, HTTPError, OSError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What came back. `status` None: nothing did, and `error` says why in a sentence."""

    status: int | None = None
    text: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more messages, ever."""
        return self.status == 410

    @property
    def sentence(self) -> str:
        if self.status is None:
            return self.error
        if 300 <= self.status < 400:
            return f"It answered {self.status} and wants to send the message elsewhere, which is not followed."
        return f"It answered {self.status}."


def post(url: str, headers: Mapping[str, str], body: bytes, seconds: float = SECONDS) -> Answer:
    """Send; whatever goes wrong is in the answer."""
    began = time.monotonic()
    bounds = Bounds(began + seconds, MOST_BYTES)
    status, text, error = _sent(url, headers, body, bounds, seconds)
    return Answer(status, text, error, time.monotonic() - began)


def _sent(
    url: str, headers: Mapping[str, str], body: bytes, bounds: Bounds, seconds: float
) -> tuple[int | None, str, str]:
    status, read = None, b""
    try:
        check_url(url)
        with _session(bounds) as session:
            answer = session.post(url, data=body, headers=dict(headers), timeout=seconds, stream=True)
            status = answer.status_code
            while piece := answer.raw.read(PIECE, decode_content=False):
                read += piece
    except Refused as refused:
        return None, "", str(refused)
    except OVER_HTTP as error:
        return status, _text(read), _said(error, bounds, seconds)
    return status, _text(read), ""


def _session(bounds: Bounds) -> HTTPSession:
    """Without redirects, cookies, netrc and proxies: a proxy would ask for the name by itself, which nobody checks."""
    session = HTTPSession(Config(False, False, never_redirect=True, default_timeout=SECONDS))
    session.trust_env = False
    session.verify = settings.WEBHOOK_CA or True
    for scheme in PORTS:
        session.mount(f"{scheme}://", CheckedAdapter(bounds))
    return session


class CheckedAdapter(HTTPAdapter):
    """Connects to the address that was checked, not to one that the name has a moment later.

    The adapter of requests-hardened does the same for the first address of a name, and allows no networks.
    """

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(max_retries=0)
        self._bounds = bounds
        self.poolmanager.pool_classes_by_scheme = pools_within(bounds)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        asked: Any = super().build_connection_pool_key_attributes(request, verify, cert)
        host_params, pool = asked
        host, scheme = str(host_params["host"]), host_params["scheme"]
        port = host_params["port"] or PORTS[scheme]
        request.headers["Host"] = urlsplit(request.url).netloc
        if scheme == "https":
            pool["assert_hostname"] = pool["server_hostname"] = host
        checked = resolved(host, port, scheme)
        self._bounds.seconds_left()
        return {**host_params, "host": checked.address}, pool


def _text(read: bytes) -> str:
    return read.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _said(error: Exception, bounds: Bounds, seconds: float) -> str:
    """What went wrong, in a sentence, without what libraries say of their own parts."""
    causes = _causes(error)
    if any(isinstance(one, TooMuch) for one in causes) or bounds.bytes_left <= 0:
        return f"It answered with more than {MOST_BYTES // 1024} kB, of which no more was read."
    if any(isinstance(one, TimeoutError | requests.Timeout) for one in causes):
        return f"It did not answer within {seconds:g} seconds."
    if any(isinstance(one, requests.exceptions.SSLError) for one in causes):
        return f"There is no safe connection: {_in_brief(causes[-1])}"
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return "Nothing listens at that address."
    if any(isinstance(one, ConnectionError) for one in causes):
        return "It ended the connection before it had answered."
    return f"It did not answer as a web server does: {_in_brief(causes[-1])}"


def _causes(error: BaseException) -> list[BaseException]:
    """An error and all that it was made from, the first one last."""
    found: list[BaseException] = []
    left: list[object] = [error]
    while left:
        one = left.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            left += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _in_brief(error: BaseException) -> str:
    text = " ".join(_text(str(error).encode("utf-8", "replace")).split())
    return f"{text[:200]}." if text else f"{type(error).__name__}."
