"""Where the catalogue is and who is asking: the settings of the flow side.

Each value is looked up in this order, and the first one that is there and not empty wins:

1. the argument given in code,
2. the environment: ``ASSETSITE_URL``, ``ASSETSITE_TOKEN``, ``ASSETSITE_PERIMETER``, ``ASSETSITE_TIMEOUT``,
   ``ASSETSITE_RETRIES``, ``ASSETSITE_STRICT``, ``ASSETSITE_WAIT``, ``ASSETSITE_EVENTS``,
3. Metaflow's configuration: the same names after ``METAFLOW_``, in the environment or in Metaflow's configuration file
   (``~/.metaflowconfig/config.json``, ``METAFLOW_PROFILE`` included),
4. the names of the reference protocol's own clients: ``OBP_API_SERVER`` or ``OBP_INTEGRATIONS_URL`` for the address,
   ``OBP_PERIMETER``, and the headers of Metaflow's service (``METAFLOW_SERVICE_HEADERS``,
   ``METAFLOW_SERVICE_AUTH_KEY``),
5. for the perimeter, ``perimeter`` in the project's ``obproject.toml``.

In a task that runs elsewhere, each name that is not set there has the value that it had where the flow was started or
deployed: the code package carries it (:mod:`obproject.shipping`), but for the token and the headers.

The service headers are credentials for another service, so they go along only where the address comes from that
service's own names too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from obproject.branches import check_perimeter
from obproject.errors import InvalidSettings
from obproject.shipping import carried

DEFAULT_PERIMETER = "default"
DEFAULT_TIMEOUT = 10.0
DEFAULT_RETRIES = 2
DEFAULT_WAIT = 60.0

_ON = ("1", "true", "yes", "on")
_OFF = ("0", "false", "no", "off")

_CREDENTIALS = ("token", "service_headers")
_PLAIN_NAMES = ("OBP_API_SERVER", "OBP_INTEGRATIONS_URL", "OBP_PERIMETER", "OBPROJECT_SKIP_PYPI_BASE")

_EVENTS = "ASSETSITE_EVENTS"

_Number = TypeVar("_Number", int, float)

HOW_TO_CONFIGURE = (
    "Set ASSETSITE_URL to the address of the catalogue, such as http://127.0.0.1:8000, in the environment, "
    "or METAFLOW_ASSETSITE_URL in ~/.metaflowconfig/config.json."
)


@dataclass(frozen=True)
class Settings:
    """How to reach one catalogue. Equal settings share one connection."""

    url: str | None
    """Address without a trailing slash; None if no catalogue is configured."""
    token: str | None = field(default=None, repr=False)
    perimeter: str = DEFAULT_PERIMETER
    timeout: float = DEFAULT_TIMEOUT
    """Seconds that one call may take in all, its retries included."""
    retries: int = DEFAULT_RETRIES
    """How often a call that got no answer is repeated."""
    strict: bool = False
    """Whether a write that got no answer fails the task, instead of being kept with the run."""
    wait: float = DEFAULT_WAIT
    """Seconds to wait for an instance whose task is still running."""
    service_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Headers of Metaflow's service, where the address comes from the same place."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that say who is asking."""
        token = {"x-api-key": self.token} if self.token else {}
        return {**dict(self.service_headers), **token}


def find_settings(
    url: str | None = None,
    token: str | None = None,
    perimeter: str | None = None,
    project_perimeter: str | None = None,
) -> Settings:
    """Look up the settings; see the module's text for the order. ``project_perimeter`` is what the project's file says.

    Raises InvalidSettings for a value that can't be used. No address at all is no error: ``Settings.url`` is None.
    """
    own_url = _first(url, "URL")
    vendor_url = None if own_url else _vendor_url()
    found_perimeter = _first(perimeter, "PERIMETER") or plain("OBP_PERIMETER") or _text(project_perimeter)
    return Settings(
        url=_check_url(own_url or vendor_url),
        token=_first(token, "TOKEN"),
        perimeter=_check_perimeter(found_perimeter or DEFAULT_PERIMETER),
        timeout=_number("TIMEOUT", float, DEFAULT_TIMEOUT, at_least=0.1),
        retries=_number("RETRIES", int, DEFAULT_RETRIES, at_least=0),
        strict=_switch("STRICT"),
        wait=_number("WAIT", float, DEFAULT_WAIT, at_least=0),
        service_headers=tuple(sorted(_service_headers().items())) if vendor_url else (),
    )


def settings_to_ship() -> dict[str, str]:
    """Return what is set here, by the names that it is looked up by, without credentials.

    Raises InvalidSettings for what can't be used: here it can still be put right.
    """
    find_settings()
    names = [f"ASSETSITE_{one.name.upper()}" for one in fields(Settings) if one.name not in _CREDENTIALS]
    names.append(_EVENTS)
    found = {name: _own(name) for name in names} | {name: plain(name) for name in _PLAIN_NAMES}
    return {name: value for name, value in found.items() if value}


def events_are_optional() -> bool:
    """Say whether publishing an event where no webhook is configured is no error."""
    return (_own(_EVENTS) or "").lower() == "optional"


def _first(argument: str | None, name: str) -> str | None:
    """Return the argument, else the setting of our own name."""
    return _text(argument) or _own(f"ASSETSITE_{name}")


def _own(name: str) -> str | None:
    """Return the environment's value, else that of Metaflow's configuration, else that of the code package."""
    return _text(os.environ.get(name)) or _text(_metaflow(name)) or carried().get(name)


def plain(name: str) -> str | None:
    """Return what stands under a name without a prefix in the environment or in Metaflow's configuration file."""
    from metaflow.metaflow_config_funcs import init_config

    return _text(os.environ.get(name)) or _text(init_config().get(name)) or carried().get(name)


def _text(value: Any) -> str | None:
    """Return a value as text without white space around it; None if nothing is left."""
    return (str(value).strip() or None) if value is not None else None


def _metaflow(name: str, default: Any = None) -> Any:
    from metaflow.metaflow_config_funcs import from_conf

    return from_conf(name, default)


def _vendor_url() -> str | None:
    if server := plain("OBP_API_SERVER"):
        return server if "://" in server else f"https://{server}"
    if integrations := plain("OBP_INTEGRATIONS_URL"):
        # The integrations service is a folder of the same server.
        return integrations.rpartition("/")[0]
    return None


def _service_headers() -> dict[str, str]:
    try:
        headers = _metaflow("SERVICE_HEADERS", {})
    except ValueError:
        raise InvalidSettings("METAFLOW_SERVICE_HEADERS is no JSON object of headers.") from None
    key = _text(_metaflow("SERVICE_AUTH_KEY"))
    found = {str(name): str(value) for name, value in headers.items()}
    return {**found, "x-api-key": key} if key else found


def _check_url(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSettings(f"The catalogue's address {url!r} is no web address. {HOW_TO_CONFIGURE}")
    if parts.username or parts.password:
        raise InvalidSettings(
            "The catalogue's address holds a user or password; give a token in ASSETSITE_TOKEN instead."
        )
    return url.rstrip("/")


def _check_perimeter(perimeter: str) -> str:
    try:
        return check_perimeter(perimeter)
    except ValueError as error:
        raise InvalidSettings(f"{error}. Set ASSETSITE_PERIMETER, or perimeter in obproject.toml.") from None


def _number(name: str, read: Callable[[str], _Number], default: _Number, *, at_least: float) -> _Number:
    text = _first(None, name)
    if text is None:
        return default
    try:
        value = read(text)
    except ValueError:
        value = None
    if value is None or not at_least <= value < float("inf"):
        raise InvalidSettings(f"ASSETSITE_{name} is {text!r}; a number of at least {at_least:g} is expected.")
    return value


def _switch(name: str) -> bool:
    text = (_first(None, name) or "0").lower()
    if text not in (*_ON, *_OFF):
        raise InvalidSettings(f"ASSETSITE_{name} is {text!r}; 1 or 0 is expected.")
    return text in _ON
