"""What can go wrong between a flow and the catalogue.

Everything that this package raises on purpose is an :class:`AssetError`::

    AssetError
    ├── InvalidInput           a name or value that no catalogue would take; nothing was sent   (also ValueError)
    │   ├── InvalidSettings        a setting can't be used
    │   └── InvalidAssetInstanceError   an answer that is no asset instance
    ├── ReadOnly               a write through an ``Asset(read_only=True)``                     (also RuntimeError)
    ├── MissingArtifact        the flow has no such artifact to register                        (also AttributeError)
    ├── NoServer               no setting says where the catalogue is
    ├── ServerUnreachable      no answer in the time allowed                       (also requests.ConnectionError)
    ├── UnexpectedAnswer       something answered, but not a catalogue
    ├── RequestRefused         the catalogue answered with an error                      (also requests.HTTPError)
    │   ├── BadRequest             400, 405, 413, 415: what was sent can't be right
    │   ├── WrongToken             401: no token, or one that is unknown or expired
    │   ├── NotAllowed             403: the token may not do this
    │   ├── AssetNotFound          404: no such asset, branch, project or perimeter, or not visible
    │   │   └── InstanceNotFound       the asset is there, the instance or alias is not
    │   │       └── AllDeprecated          every instance that ``latest`` could mean is deprecated
    │   ├── Conflict               409: somebody else was first; ``current`` says what holds now
    │   │   └── AliasConflict          the alias doesn't point to where its mover expected
    │   ├── NotAccepted            422: understood, but what the project declares stands against it
    │   │   └── GateRefused            the instance does not pass the gates of the alias, or of the branch
    │   ├── TookTooLong            503: the catalogue stopped it, so as not to hold up others
    │   └── ServerFault            any other status, such as 500
    ├── WrongKind              the asset holds no artifact, so there is nothing to load     (also AttributeError)
    ├── NotPromotable          the instance isn't ready, or there is nothing but a definition
    ├── InstancePending        the task that registered the instance has not finished
    └── ArtifactUnreachable    the catalogue knows the instance, but its artifact can't be read (also LookupError)

The parent classes in brackets are those that code written for other clients of the protocol catches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import requests

_T = TypeVar("_T")
_V = TypeVar("_V")


class AssetError(Exception):
    """Base class of everything that this package raises on purpose."""


class InvalidInput(AssetError, ValueError):
    """A name or value that no catalogue would take; nothing was sent."""


class InvalidSettings(InvalidInput):
    """A setting can't be used: the message names it and what is expected."""


class InvalidAssetInstanceError(InvalidInput):
    """A JSON object from the catalogue is no asset instance."""


class ReadOnly(AssetError, RuntimeError):
    """A write through an ``Asset`` that was opened with ``read_only=True``."""


class MissingArtifact(AssetError, AttributeError):
    """The flow has no artifact of the name that it wants to register."""


class NoServer(AssetError):
    """No setting says where the catalogue is."""


class ServerUnreachable(AssetError, requests.ConnectionError):
    """The catalogue gave no answer in the time allowed, after the configured number of tries."""


class UnexpectedAnswer(AssetError):
    """Something answered at the configured address, but not a catalogue."""


class RequestRefused(AssetError, requests.HTTPError):
    """The catalogue answered with an error.

    ``response`` is the ``requests.Response``, ``code`` the short name of the error (``not_found``) and ``detail`` the
    object that names the part at fault (``{"asset": "xkcd"}``).
    """

    def __init__(
        self,
        message: str,
        *,
        response: requests.Response | None = None,
        code: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, response=response)
        self.code = code
        self.detail = detail or {}


class BadRequest(RequestRefused):
    """What was sent can't be right (400, 405, 413, 415)."""


class WrongToken(RequestRefused):
    """No token, or one that is unknown or expired (401)."""


class NotAllowed(RequestRefused):
    """The token is good but may not do this (403)."""


class AssetNotFound(RequestRefused):
    """No such asset, branch, project or perimeter, or none that the token may see (404)."""


class InstanceNotFound(AssetNotFound):
    """The asset is there, the instance or alias that was asked for is not (404)."""


class AllDeprecated(InstanceNotFound):
    """Every instance that ``latest`` could mean is deprecated (404); the message names the newest one and why."""


class Conflict(RequestRefused):
    """Somebody else was first (409)."""

    @property
    def current(self) -> Any:
        """What holds now, where the catalogue says so: for an alias, the alias object or None."""
        return self.detail.get("current")


class AliasConflict(Conflict):
    """An alias doesn't point to where its mover expected (409); it was left alone.

    The message names the instance that it points to, and so does ``current_instance_id``.
    """

    @property
    def current_instance_id(self) -> str | None:
        """Id of the instance that the alias points to; None if the alias doesn't exist."""
        return self.current["instance_id"] if self.current else None


class NotAccepted(RequestRefused):
    """The catalogue understands what is wanted, but what the project declares stands against it (422)."""


class GateRefused(NotAccepted):
    """An instance does not pass the gates of an alias, or those for promotions into a branch (422); nothing was moved.

    The message says which rules refuse it, what it has and what it needs, each on a line. Trying again helps only when
    the instance, what it is compared with or the gates have changed.
    """

    def __init__(
        self,
        message: str,
        *,
        response: requests.Response | None = None,
        code: str = "gate_refused",
        detail: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, response=response, code=code, detail=detail)
        self.args = (_by_line(message, [rule for rule in self.rules if not rule.get("passes", True)]),)

    @property
    def alias(self) -> str | None:
        """The alias that stays where it is; None if it was a promotion into a branch."""
        return self.detail.get("alias")

    @property
    def rules(self) -> list[dict[str, Any]]:
        """What each rule said: ``rule``, ``says``, ``passes``, ``has``, ``needs``, ``reference``, ``short_by``."""
        found = self.detail.get("rules")
        return found if isinstance(found, list) else []


def _by_line(message: str, rules: list[dict[str, Any]]) -> str:
    """Return a message with a line for each of the rules that it speaks of, which are in their order there."""
    start = 0
    for rule in rules:
        if (found := message.find(f" {rule.get('rule')}: ", start)) >= 0:
            message = f"{message[:found]}\n  {message[found + 1 :]}"
            start = found + 3
    return message


class TookTooLong(RequestRefused):
    """The catalogue is there, and stopped this one call, so as not to hold up others (503); it says what to narrow."""


class ServerFault(RequestRefused):
    """The catalogue failed, or answered with a status that this package doesn't know."""


class WrongKind(AssetError, AttributeError):
    """The asset is not of kind ``artifact``, so there is no artifact to load."""


class NotPromotable(AssetError):
    """The instance is not ready, or there is nothing but a definition, which comes to a branch by its deploy."""


class InstancePending(AssetError):
    """The task that registered the instance has not finished, so its artifact can't be read yet."""


class ArtifactUnreachable(AssetError, LookupError):
    """The catalogue knows the instance, but the artifact behind it can't be read from here."""


def checked(check: Callable[[_V], _T], value: _V) -> _T:
    """Return what a check of the floor makes of a value; its ValueError is raised as an InvalidInput."""
    try:
        return check(value)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{error}") from None
