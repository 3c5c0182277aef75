"""Reading settings from the environment: every value is checked, and all that is wrong is told at once.

A variable that is empty is not set. Blanks around a value, and around the entries of a list, don't count; an entry with
a comma or with blanks of its own stands in double quotes.
"""

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import environ

from assetsite.public_address import PublicAddress, trusted_origin

Value = TypeVar("Value")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "ASSETSITE_"
OTHERS = {
    *("ASSETSITE_URL", "ASSETSITE_TOKEN", "ASSETSITE_PERIMETER", "ASSETSITE_DEPLOYMENT", "ASSETSITE_TIMEOUT"),
    *("ASSETSITE_RETRIES", "ASSETSITE_STRICT", "ASSETSITE_WAIT", "ASSETSITE_EVENTS"),
}
"""The flow side's settings, which may stand in the same environment."""

ON, OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
POSTGRESQL = ("postgres", "postgresql", "pgsql", "psql")
ENTRY = re.compile(r'\s*+(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>(?!")[^,]*?))\s*(?:,|\Z)', re.DOTALL)
HOW_TO_QUOTE = "double quotes stand around a whole entry, and twice for one in it."
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
MAIL_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
HOST_NAME = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*|\*", re.IGNORECASE)
"""As Django takes it from a request; no other can be asked for."""


class Environment:
    """The variables of an environment, read one by one; what is wrong with them is collected until `refuse_if_wrong`.

    Each method answers the value of a variable, or the default if the variable is not set or wrong.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._asked: set[str] = set()
        self.problems: list[str] = []

    def wrong(self, name: str, problem: str) -> None:
        """Note a sentence, such as `is 'x'; expected is …`, about the value of a variable."""
        sentence = f"{name} {problem}"
        if sentence not in self.problems:
            self.problems.append(sentence)

    def refuse_if_wrong(self) -> None:
        """End the process with all sentences, as no command and no server can do without its settings."""
        if self.problems:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            raise SystemExit(f"The site can't run with these settings:{lines}\nSee docs/configuration.md.")

    def misspelt(self) -> dict[str, str]:
        """The variables that nobody reads and that look like the misspelt name of a setting, with that name."""
        known = self._asked | OTHERS
        strange = [name for name in self._variables if name.upper().startswith(PREFIX) and name not in known]
        close = {name: difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85) for name in strange}
        return {name: found[0] for name, found in close.items() if found}

    def secret(self, name: str) -> str:
        """A text that is never shown, as it is written."""
        self._asked.add(name)
        value = self._variables.get(name, "")
        return value if value.strip() else ""

    def text(self, name: str, default: str = "") -> str:
        return self.secret(name).strip() or default

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        return self._checked(name, default, _one_of(choices), f"one of: {', '.join(choices)}")

    def switch(self, name: str, default: bool) -> bool:
        return self._checked(name, default, _switch, "true or false")

    def whole_number(self, name: str, default: int, least: int, most: int) -> int:
        return self._checked(name, default, _within(int, least, most), f"a whole number from {least} to {most}")

    def number(self, name: str, default: float, least: float, most: float) -> float:
        return self._checked(name, default, _within(float, least, most), f"a number from {least:g} to {most:g}")

    def ip_address(self, name: str, default: str) -> str:
        """An address to listen on; that of IPv6 may stand in brackets."""
        return self._checked(name, default, _ip_address, "an IP address, such as 127.0.0.1 or ::")

    def networks(self, name: str) -> list[Network]:
        """Networks of IP addresses, separated by commas; a single address is one of them."""
        found = []
        for entry in self.entries(name):
            try:
                found.append(ipaddress.ip_network(entry))
            except ValueError:
                self.wrong(name, f"has {entry!r}; expected is a network such as 10.1.0.0/16, or an address.")
        return found

    def web_address(self, name: str) -> str:
        """An http or https address without a slash at its end; empty if it is not set."""
        expected = "an address that begins with http:// or https://"
        return self._checked(name, "", _web_address, expected).rstrip("/")

    def entries(self, name: str) -> list[str]:
        """The entries of a list, separated by commas; empty ones are left out."""
        found, rest = _entries(self.text(name))
        if rest:
            self.wrong(name, f"has {rest!r}; {HOW_TO_QUOTE}")
        return found

    def secrets(self, name: str) -> list[str]:
        """The same of texts that are never shown."""
        found, rest = _entries(self.text(name))
        if rest:
            self.wrong(name, f"has an entry that can't be read; {HOW_TO_QUOTE}")
        return found

    def host_names(self, name: str) -> list[str]:
        """Names of hosts as a request carries them: `a.example.org`, `.example.org` with all below it, `[::1]`, `*`."""
        hosts = self.entries(name)
        for host in hosts:
            if problem := _host_problem(host):
                self.wrong(name, f"has {host!r}; {problem}")
        return hosts

    def public_address(self, name: str) -> PublicAddress | None:
        """The address that people type; None if it is not set, as it is then what each request was sent to."""
        try:
            return PublicAddress.of(text) if (text := self.text(name)) else None
        except ValueError as error:
            self.wrong(name, str(error))
            return None

    def origins(self, name: str) -> list[str]:
        """Origins as browsers write them."""
        found = []
        for entry in self.entries(name):
            try:
                found.append(trusted_origin(entry))
            except ValueError as error:
                self.wrong(name, str(error))
        return found

    def file(self, name: str) -> str:
        """The path of a file that is there; empty if it is not set."""
        path = self.text(name)
        if path and not Path(path).is_file():
            self.wrong(name, f"is {path!r}, where there is no file.")
        return path

    def folder(self, name: str, default: Callable[[], Path]) -> Path:
        """An absolute folder; its name is taken as it is written. Each may be that of a user who has none."""
        given = self.secret(name)
        try:
            return (Path(given) if given else default()).expanduser().resolve()
        except (OSError, RuntimeError) as error:
            is_wrong = f"is {given!r}, which can't be a folder" if given else "is not set, and there is no other folder"
            self.wrong(name, f"{is_wrong}: {error}.")
            return Path()

    def database(self, name: str, default: Path) -> dict[str, Any]:
        """Django's description of the database at the address in a variable; that of the SQLite file at `default`."""
        try:
            if address := self.text(name):
                return _database(address)
        except ValueError as error:
            self.wrong(name, str(error))  # which does not show the address, as that has a password
        return _sqlite(default)

    def mail_server(self, name: str) -> dict[str, Any]:
        """Django's settings of a server that takes mail, from its address; none if it is not set."""
        try:
            return _mail_server(address) if (address := self.text(name)) else {}
        except ValueError as error:
            self.wrong(name, str(error))  # which does not show the address, as that has a password
            return {}

    def mail_address(self, name: str) -> str:
        """Such as `assets@example.org` or `Assets <assets@example.org>`; empty if it is not set."""
        return self._checked(name, "", _mail_address, "an address of mail, such as Assets <assets@example.org>")

    def _checked(self, name: str, default: Value, parse: Callable[[str], Value], expected: str) -> Value:
        text = self.text(name)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError:
            self.wrong(name, f"is {text!r}; expected is {expected}.")
            return default


def _entries(text: str) -> tuple[list[str], str]:
    """The entries of a list, and the rest from where it can't be read; then there are none."""
    found, at = [], 0
    while at < len(text):
        entry = ENTRY.match(text, at)
        if entry is None:
            return [], text[at:].strip()
        quoted, plain, at = entry["quoted"], entry["plain"], entry.end()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
    return [entry for entry in found if entry], ""


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    return lambda text: choices[choices.index(text)]


def _switch(text: str) -> bool:
    return (*OFF, *ON).index(text.lower()) >= len(OFF)


def _within(kind: Callable[[str], Value], least: Value, most: Value) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        value = kind(text)
        if not least <= value <= most:  # type: ignore[operator]  # not a number is not within either
            raise ValueError
        return value

    return parse


def _ip_address(text: str) -> str:
    return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # a port may be no number, too
        raise ValueError
    return text


def _host_problem(host: str) -> str:
    """What is wrong with the name of a host; empty if nothing is."""
    if HOST_NAME.fullmatch(host) or _is_ip_address_in_brackets(host):
        return ""
    if ":" in host and _is_ip_address_in_brackets(f"[{host}]"):
        return f"write [{host}]."
    try:
        plain = host.encode("idna").decode()
    except UnicodeError:
        plain = host
    if plain != host and HOST_NAME.fullmatch(plain):
        return f"browsers ask for {plain}: write that."
    return "expected is the name of a host, such as assets.example.org, without scheme, port and path."


def _is_ip_address_in_brackets(host: str) -> bool:
    try:
        return host[:1] + host[-1:] == "[]" and bool(ipaddress.IPv6Address(host[1:-1]))
    except ValueError:
        return False


def _sqlite(file: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}


def _mail_address(text: str) -> str:
    _, address = parseaddr(text)
    if not MAIL_ADDRESS.fullmatch(address) or re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError
    return text


def _mail_server(address: str) -> dict[str, Any]:
    """Django's settings of a server that takes mail; raises ValueError with what is wrong."""
    expected = "expected is smtp+tls://user:password@host:587, smtp+ssl://… or smtp://…."
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("can't be read; write %2F for /, %23 for #, %40 for @ and %25 for % in it.") from None
    if parts.scheme not in MAIL_PORTS or not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"is no address of a server for mail; {expected}")
    return {
        "EMAIL_HOST": host,
        "EMAIL_PORT": port or MAIL_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtp+ssl",
    }


def _database(address: str) -> dict[str, Any]:
    """Django's description of the database at an address; raises ValueError with what is wrong."""
    scheme, _, rest = address.partition("://")
    if scheme == "sqlite":
        if not rest.startswith("/") or rest == "/" or set("?#") & set(rest):
            raise ValueError(
                "is no address of a file; expected is sqlite:////folder/file, with %3F for ? and %23 for # in names."
            )
        return _sqlite(Path(unquote(rest[1:])).absolute())
    if scheme not in POSTGRESQL:
        raise ValueError(
            "is no address of a database; expected is postgres://user:password@host:5432/name or sqlite:////folder/file."
        )
    try:
        database: dict[str, Any] = environ.Env.db_url_config(address)
    except ValueError:
        raise ValueError(
            "can't be read; in user and password write %2F for /, %23 for #, %3F for ?, %40 for @ and %25 for %."
        ) from None
    if not database["NAME"]:
        raise ValueError("names no database; expected is postgres://user:password@host:5432/name.")
    return database
