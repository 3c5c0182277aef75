"""The address that people type (ASSETSITE_PUBLIC_URL), and what the site has to know of it behind a proxy.

A proxy may speak another scheme, listen on another port, rewrite the host and serve the site below a path. With the
address set, none of that has to be guessed from what the proxy sends: every request is taken as one for this address.
Nothing here knows Django, as the settings are made from it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_SEGMENT = re.compile(r"(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_KEPT = "~!$&'()*+,;=:@"
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f/\\?#%]")
"""What a decoded segment may not hold: proxies and browsers disagree on whether it is still the same path."""


@dataclass(frozen=True)
class PublicAddress:
    """An address without its defaults: `https://host.example.org:8443/assets/` has all the parts."""

    scheme: str
    host: str
    """In lower case; in letters a-z, as browsers send it; an IPv6 address in brackets."""
    port: int | None
    """None if it is that of the scheme."""
    path: str
    """Below which the site is served, percent-encoded and without a slash at its end; empty for the whole host."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Read the value of ASSETSITE_PUBLIC_URL. Raises ValueError with what it is, and what is wrong with that."""
        parts = _split(text, text, "https://host.example.org/assets/")
        if parts.query or parts.fragment or text.endswith(("?", "#")):
            raise ValueError(f"is {text!r}, which goes on after its path: leave out the '?' or '#'.")
        return cls(parts.scheme, _host_of(parts, text), _port_of(parts), _path_of(parts.path, text))

    @property
    def netloc(self) -> str:
        """The host with its port, as browsers send it in `Host`."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The whole address, with a slash at its end."""
        return f"{self.origin}{self.path}/"

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def script_name(self) -> str:
        """The path as plain text, as Django wants it."""
        return unquote(self.path)

    def asked(self, environ: Environ) -> Environ:
        """The WSGI environment of a request, as if it had been sent to this address."""
        script_name = self.script_name.encode().decode("latin-1")  # as PEP 3333 has it
        path = without(script_name, environ.get("PATH_INFO", ""))
        here = {"wsgi.url_scheme": self.scheme, "HTTP_HOST": self.netloc, "PATH_INFO": path}
        return environ | here | {"SCRIPT_NAME": script_name}


def without(script_name: str, path: str) -> str:
    """`path` below `script_name`, whether or not the proxy has taken that off."""
    if script_name and (path == script_name or path.startswith(f"{script_name}/")):
        return path[len(script_name) :] or "/"
    return path


def behind(address: PublicAddress | None, application: Application) -> Application:
    """The WSGI application with its requests taken as sent to `address`; as it is, if there is none."""
    if address is None:
        return application
    return lambda environ, start_response: application(address.asked(environ), start_response)


def trusted_origin(text: str) -> str:
    """One of ASSETSITE_TRUSTED_ORIGINS as browsers write it: `https://host:port` or `https://*.example.org`.

    Raises ValueError with what it is, and what is wrong with that.
    """
    wildcard = "*." if "://*." in text else ""
    parts = _split(text.replace("://*.", "://", 1), text, "https://host.example.org:8443")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"has {text!r}; an origin ends with its host or port.")
    return PublicAddress(parts.scheme, wildcard + _host_of(parts, text), _port_of(parts), "").origin


def _split(text: str, shown: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"has {shown!r}, whose host or port is none; write such as {example}") from None
    if re.search(r"[\s\x00-\x1f\x7f]", text) or parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise ValueError(f"has {shown!r}, which is no http or https address; write such as {example}")
    if "@" in parts.netloc:
        raise ValueError("holds a user or password, which an address of the site has not.")
    return parts


def _host_of(parts: SplitResult, text: str) -> str:
    name = parts.hostname or ""
    if "[" in parts.netloc:
        return f"[{ipaddress.IPv6Address(name).compressed}]"
    try:
        host = name.encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise ValueError(f"has {text!r}, in which {name!r} is no name of a host.")
    return host


def _port_of(parts: SplitResult) -> int | None:
    return None if parts.port == _PORTS[parts.scheme] else parts.port


def _path_of(path: str, text: str) -> str:
    segments = path.strip("/").split("/") if path.strip("/") else []
    for segment in segments:
        plain = unquote(segment, errors="replace")
        if not _SEGMENT.fullmatch(segment) or plain in (".", "..") or "\ufffd" in plain or _UNUSABLE.search(plain):
            raise ValueError(f"is {text!r}, in whose path {segment!r} can't stand.")
    return "".join(f"/{quote(unquote(segment), safe=_KEPT)}" for segment in segments)
