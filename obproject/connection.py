"""The one place where the flow side touches the network.

One :class:`requests.Session` is kept per process and settings, so that calls reuse a connection, in threads too, and a
forked child opens its own. Every call has a time limit, and what may pass by itself (no connection, 429, 500, 502,
503, 504) is tried again with growing pauses until the number of tries or the time is used up. A catalogue that is there
and asks for patience (``Retry-After``) gets all of the time, whatever the number of tries. That holds for writes as
well: each carries an ``Idempotency-Key``, so the catalogue does a repeated call once.

Redirects are not followed: the address is configured, and a token must not travel to where a redirect points.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from obproject import errors
from obproject.settings import HOW_TO_CONFIGURE, Settings
from obproject.shipping import LOOPBACK

_CONNECT_TIMEOUT = 3.0
_FIRST_PAUSE = 0.5
_PAUSE_GROWTH = 4
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})

_REFUSALS: dict[int, tuple[type[errors.RequestRefused], str]] = {
    400: (errors.BadRequest, ""),
    401: (
        errors.WrongToken,
        "Set ASSETSITE_TOKEN to a token of this catalogue; a step on another machine gets it as a secret, by "
        "@kubernetes(secrets=...) or @secrets, for it doesn't travel with the code.",
    ),
    403: (errors.NotAllowed, "Ask an admin of the perimeter for a role or a token that may do this."),
    404: (errors.AssetNotFound, "Check the name and the branch, or register the asset first."),
    405: (errors.BadRequest, ""),
    409: (errors.Conflict, ""),
    413: (errors.BadRequest, "Keep large data in an artifact or in object storage, and register a reference to it."),
    415: (errors.BadRequest, ""),
    422: (errors.NotAccepted, ""),
}
_NARROWER: dict[str, type[errors.RequestRefused]] = {
    "all_deprecated": errors.AllDeprecated,
    "gate_refused": errors.GateRefused,
}
"""What a refusal with a code of its own is; its message says all that there is to say."""

Query = Mapping[str, str | int | Iterable[str]]

_sessions: dict[tuple[int, Settings], requests.Session] = {}


def path_of(*segments: str) -> str:
    """Join segments to a path below ``/v1``, percent-encoded; ``@`` stays as it is.

    Raises InvalidInput for a segment that can't stand in an address.
    """
    return "/".join(["/v1", *map(_segment, segments)])


def _segment(text: str) -> str:
    # Web servers resolve "." and ".." and decode %2F before they look at the path, so these would name something else.
    if text in ("", ".", "..") or "/" in text:
        raise errors.InvalidInput(f"{text!r} can't stand in an address.")
    try:
        return quote(text, safe="@")
    except UnicodeEncodeError:
        raise errors.InvalidInput(f"{text!r} can't be encoded as UTF-8.") from None


class _NoAnswer(Exception):
    """One try brought no answer, but the next one may."""

    def __init__(self, reason: str, wait: float = 0.0, response: requests.Response | None = None) -> None:
        super().__init__(reason)
        self.wait = wait
        self.response = response
        """What is worth reading all the same, if no try brings anything better."""


class Connection:
    """Calls to one catalogue, as one user."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        about: str = "",
    ) -> dict[str, Any]:
        """Make one call and return the JSON object of the answer, empty if the answer has no body.

        ``about`` names what the call is about, for the text of errors. Raises NoServer, ServerUnreachable,
        UnexpectedAnswer, or the RequestRefused that fits the answer.
        """
        about = about or f"{method} {path}"
        if self.settings.url is None:
            raise errors.NoServer(f"{about}: no asset catalogue is configured. {HOW_TO_CONFIGURE}")
        # Made once for all tries: that is what makes them one call.
        key = {} if method == "GET" else {"Idempotency-Key": uuid.uuid4().hex}
        response = self._send(
            method,
            self.settings.url + path,
            about,
            json=body,
            params=query,
            headers={**key, **(headers or {})},
        )
        return self._read(response, about)

    def text(self, path: str, media_type: str, *, about: str) -> str:
        """Get a text of one media type, such as ``text/markdown``; raises as :meth:`request` does."""
        response = self._send("GET", f"{self.settings.url}{path}", about)
        if response.ok and response.headers.get("Content-Type", "").partition(";")[0] == media_type:
            return response.content.decode("utf-8", "replace")
        self._read(response, about)
        raise errors.UnexpectedAnswer(f"{about}: {self.settings.url} answered with no {media_type}.")

    def _send(self, method: str, url: str, about: str, **arguments: Any) -> requests.Response:
        """Send until there is an answer that is worth reading, the tries are used up, or the time is."""
        deadline = time.monotonic() + self.settings.timeout
        pause, left = _FIRST_PAUSE, self.settings.retries
        tries = 0
        while True:
            tries += 1
            try:
                return self._try(method, url, about, deadline - time.monotonic(), **arguments)
            except _NoAnswer as last:
                failure = last
            wait = failure.wait or pause
            if (not left and not failure.wait) or time.monotonic() + wait >= deadline:
                break
            time.sleep(wait)
            if not failure.wait:
                pause, left = pause * _PAUSE_GROWTH, left - 1
        if failure.response is not None:
            return failure.response
        raise errors.ServerUnreachable(
            f"{about}: the catalogue at {self.settings.url} doesn't answer ({failure}; tries: {tries}). "
            "Check that it runs and that ASSETSITE_URL is its address."
        ) from failure.__cause__

    def _try(self, method: str, url: str, about: str, seconds: float, **arguments: Any) -> requests.Response:
        """Send once; raise _NoAnswer for what may pass by itself."""
        limits = (min(_CONNECT_TIMEOUT, seconds), seconds)
        try:
            response = self._session().request(method, url, timeout=limits, allow_redirects=False, **arguments)
        except requests.exceptions.SSLError as error:
            raise errors.ServerUnreachable(f"{about}: {_about_tls(self.settings.url, _innermost(error))}") from error
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _NoAnswer(_innermost(error)) from error
        except (requests.RequestException, UnicodeError) as error:
            raise errors.InvalidInput(f"{about}: can't be sent to {self.settings.url}: {error}") from error
        if response.status_code in _PASSING_STATUSES and not _was_stopped(response):
            # The answer of a catalogue that failed has a reason; that of a proxy whose catalogue is down has none.
            worth_reading = response if response.status_code == requests.codes.server_error else None
            raise _NoAnswer(_status_and_reason(response), _retry_after(response), worth_reading)
        return response

    def _session(self) -> requests.Session:
        key = (os.getpid(), self.settings)
        # setdefault is atomic, and no lock means none that a fork could leave locked.
        return _sessions.get(key) or _sessions.setdefault(key, _open_session(self.settings))

    def _read(self, response: requests.Response, about: str) -> dict[str, Any]:
        if 300 <= response.status_code < 400:
            target = response.headers.get("Location", "another address")
            raise errors.UnexpectedAnswer(
                f"{about}: {self.settings.url} redirects to {target}. If that is a sign-in page, set ASSETSITE_TOKEN "
                "to a token; if the catalogue has moved, set ASSETSITE_URL to its new address."
            )
        answer = _json_object(response)
        if response.status_code >= 400 and (answer is not None or response.status_code in (401, 403)):
            raise self._refusal(response, answer or {}, about)
        if answer is None:
            what = "a web page" if "html" in response.headers.get("Content-Type", "") else "no JSON object"
            raise errors.UnexpectedAnswer(
                f"{about}: {self.settings.url} answered with {what} (status {response.status_code}), as a sign-in page "
                "or another site would. Check that ASSETSITE_URL is the address of the catalogue."
            )
        return answer

    def _refusal(self, response: requests.Response, answer: dict[str, Any], about: str) -> errors.RequestRefused:
        return self.refusal(response.status_code, answer, about, response)

    def refusal(
        self, status: int, answer: Mapping[str, Any], about: str, response: requests.Response | None = None
    ) -> errors.RequestRefused:
        """Return the error that fits a refusal, of a whole request or of a part of one."""
        error_class, advice = _REFUSALS.get(status, (errors.ServerFault, ""))
        if response is not None and _was_stopped(response):
            error_class = errors.TookTooLong
        found = answer.get("detail")
        detail = found if isinstance(found, dict) else {}
        if error_class is errors.AssetNotFound and ("instance" in detail or "alias" in detail):
            error_class, advice = errors.InstanceNotFound, "The asset's page lists its instances and aliases."
        code = str(answer.get("error", ""))
        if narrower := _NARROWER.get(code):
            said = f"{about}: {answer.get('message')}"
            return narrower(said, response=response, code=code, detail=detail)
        said = str(answer.get("message") or found or (response.reason if response is not None else "") or status)
        sentence = said if said.endswith((".", "!", "?")) else said + "."
        text = f"{about}: {sentence} (status {status} from {self.settings.url})"
        return error_class(f"{text} {advice}".rstrip(), response=response, code=code, detail=detail)


def _open_session(settings: Settings) -> requests.Session:
    session = requests.Session()
    session.headers.update({"Accept": "application/json", "User-Agent": "assetsite-client", **settings.headers})
    # An explicit "no further authentication" keeps a netrc entry for the host from adding a second identity.
    session.auth = _keep_headers
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if urlsplit(settings.url or "").hostname in LOOPBACK:
        # A proxy that the environment names can't reach this machine's own loopback address.
        session.trust_env = False
        session.verify = next(filter(None, map(os.environ.get, _AUTHORITIES)), True)
    return session


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    """Return the JSON object of an answer, empty for an empty successful one; None if it is something else."""
    if not response.content and response.ok:
        return {}
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _was_stopped(response: requests.Response) -> bool:
    """Whether a catalogue that is there stopped this one call; it would do so again."""
    answer = _json_object(response) if response.status_code == requests.codes.unavailable else None
    detail = answer.get("detail") if answer else None
    return isinstance(detail, dict) and "stopped_after" in detail


def _status_and_reason(response: requests.Response) -> str:
    """Return the status, and the sentence of a catalogue that says why."""
    message = (_json_object(response) or {}).get("message")
    return f"status {response.status_code}" + (f": {message}" if isinstance(message, str) else "")


def _retry_after(response: requests.Response) -> float:
    """Return the seconds that the answer asks to wait; 0 if it doesn't say, or says it as a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0


def _about_tls(url: str | None, reason: str) -> str:
    if "CERTIFICATE" in reason:
        return (
            f"the certificate of {url} isn't trusted ({reason}). Set REQUESTS_CA_BUNDLE to the file of the authority "
            "that signed it, or check the address."
        )
    return f"{url} doesn't speak TLS ({reason}). Check http:// against https:// in ASSETSITE_URL."


def _innermost(error: BaseException) -> str:
    """Return the text of the exception at the bottom, without the objects that urllib3 wraps around it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
