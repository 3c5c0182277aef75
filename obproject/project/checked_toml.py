"""TOML files as people write them, read so that every problem is noted with its file, line or key.

:class:`Table` gives typed access to the keys of a file. What doesn't fit is added to a list of problems, with what was
found and what is expected, and reading goes on. Standard library only.
"""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from obproject import lengths

# Control characters, but for those that a text of several lines has, and lone surrogates, which no encoding can hold.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
_TOML_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a project folder."""

    source: str
    """The file or folder, relative to the project."""
    where: str
    """``line 3`` or ``key 'name'``; empty if the file as a whole is meant."""
    message: str
    """What was found and what is expected."""

    def __str__(self) -> str:
        return f"{self.source}: {self.where}: {self.message}" if self.where else f"{self.source}: {self.message}"


class DefinitionError(ValueError):
    """A project folder has problems: all of them, in ``problems``."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


# Reading files


def read_toml(path: Path, source: str, problems: list[Problem]) -> dict[str, Any] | None:
    """Return what a TOML file holds; None, with a problem noted, if it can't be read or parsed."""
    text = read_text(path, source, problems, missing=f"a file {path.name} there")
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(_syntax_problem(source, text, str(error)))
    except RecursionError:
        problems.append(mismatch(source, "", "values nested too deeply", "a TOML file"))
    return None


def _syntax_problem(source: str, text: str, message: str) -> Problem:
    """Make a problem of a parser's message, which ends with the position."""
    position = _TOML_POSITION.search(message)
    line = (position and position[1]) or str(text.count("\n") + 1)
    return mismatch(source, f"line {line}", f"a syntax error ({_TOML_POSITION.sub('', message)})", "valid TOML")


def read_text(path: Path, source: str, problems: list[Problem], *, missing: str) -> str | None:
    """Return the text of a file; None, with a problem noted, if there is none. ``missing`` says what is expected."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        problems.append(mismatch(source, "", "nothing", missing))
    except OSError as error:
        problems.append(mismatch(source, "", reason_of(error), "a file that can be read"))
    else:
        try:
            # Some editors begin a file with a byte order mark, which TOML does not allow.
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                problems.append(mismatch(source, "", "UTF-16 text", "UTF-8 text"))
                return None
            line = content[: error.start].count(b"\n") + 1
            problems.append(mismatch(source, f"line {line}", f"the byte 0x{content[error.start]:02x}", "UTF-8 text"))
    return None


def line_of(text: str, position: int) -> str:
    """Return the line of a position, as a problem names it."""
    return f"line {text.count(chr(10), 0, position) + 1}"


def reason_of(error: OSError) -> str:
    """Return why a file can't be read or written, without its path."""
    return (error.strerror or str(error)).lower()


# Checking values


class Table:
    """One TOML table: typed access to its keys, which notes a problem for each value that does not fit."""

    def __init__(self, values: dict[str, Any], source: str, problems: list[Problem], name: str = "") -> None:
        self._values = values
        self._source = source
        self._problems = problems
        self._name = name

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def report(self, key: str, found: str, expected: str) -> None:
        self._problems.append(mismatch(self._source, self._place(key), found, expected))

    def _place(self, key: str) -> str:
        return f"[{self._name}] key {shorten(key)}" if self._name else f"key {shorten(key)}"

    def text(self, key: str, *, required: bool = False, check: Callable[[str], str] | None = None) -> str | None:
        """Return a string that is not blank and passes ``check``; None if it is absent or wrong."""
        if key not in self._values:
            if required:
                self.report(key, "nothing", "a string, for this key is mandatory")
            return None
        return self._checked(key, self._values[key], check)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a boolean; the default if it is absent or wrong."""
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            self.report(key, _describe(value), "true or false")
            return default
        return value

    def number(self, key: str, *, check: Callable[[float], float]) -> float | None:
        """Return a number that passes ``check``; None if it is absent or wrong."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.report(key, _describe(value), "a number")
            return None
        try:
            return check(value)
        except ValueError as error:
            self._problems.append(Problem(self._source, self._place(key), f"found {_describe(value)}, {error}"))
            return None

    def check_keys(self, check: Callable[[str], str]) -> None:
        """Note a problem for every key of this table that does not pass ``check``."""
        for key in self._values:
            self._passed(key, key, check)

    def refuse_others(self, known: Sequence[str], if_a_table: str = "") -> None:
        """Note a problem for every key of this table that is not known; ``if_a_table`` goes on where it is a table."""
        for key, value in self._values.items():
            if key not in known:
                further = if_a_table if isinstance(value, dict) else ""
                self.report(key, "a key that is not known here", f"only {', '.join(known)}{further}")

    def texts(self, key: str, *, check: Callable[[str], str] | None = None) -> list[str]:
        """Return a list of strings that pass ``check``; those that don't are left out."""
        found = self._values.get(key, [])
        if not isinstance(found, list):
            self.report(key, _describe(found), "a list of strings")
            return []
        checked = (self._checked(key, value, check) for value in found)
        return [value for value in checked if value is not None]

    def dates(self, key: str) -> list[str]:
        """Return a list of dates as strings, whether they are written as dates of TOML or as strings."""
        found = self._values.get(key, [])
        if not isinstance(found, list):
            self.report(key, _describe(found), "a list of dates, such as [2026-12-24]")
            return []
        written = (value.isoformat() if isinstance(value, date) else value for value in found)
        checked = (self._checked(key, value, None) for value in written)
        return [value for value in checked if value is not None]

    def table(self, key: str) -> Table:
        """Return a table below this one, empty if it is absent or wrong."""
        found = self._values.get(key, {})
        if not isinstance(found, dict):
            self.report(key, _describe(found), "a table")
            found = {}
        name = key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
        return Table(found, self._source, self._problems, f"{self._name}.{name}" if self._name else name)

    def tables(self) -> list[tuple[str, Table]]:
        """Return every key of this table with the table that it holds."""
        return [(key, self.table(key)) for key in self._values]

    def text_table(self, key: str, *, check: Callable[[str], str]) -> dict[str, str]:
        """Return a table of strings that pass ``check``; an empty string is a value like any other here."""
        return self.table(key).all_texts(check=check, check_key=_check_key, blank=True)

    def all_texts(
        self,
        *,
        check: Callable[[str], str] | None = None,
        check_key: Callable[[str], str] | None = None,
        blank: bool = False,
    ) -> dict[str, str]:
        """Return this whole table of strings that pass ``check``; ``blank`` says whether they may be empty."""
        if check_key:
            self.check_keys(check_key)
        checked = {name: self._checked(name, value, check, blank=blank) for name, value in self._values.items()}
        return {name: value for name, value in checked.items() if value is not None}

    def json_list(self, key: str, *, most: int) -> list[Any]:
        """Return a list of at most so many elements, which JSON can carry."""
        found = self._values.get(key, [])
        if not isinstance(found, list):
            self.report(key, _describe(found), "a list")
            return []
        if len(found) > most:
            self.report(key, f"{len(found):,} elements", f"at most {most:,}")
        for value in found:
            if (misfit := _find_unportable(value)) is not None:
                self.report(
                    key, _describe(misfit), "only strings, finite numbers, booleans, lists and tables in the list"
                )
        return found

    def _checked(
        self, key: str, value: object, check: Callable[[str], str] | None, *, blank: bool = False
    ) -> str | None:
        if not isinstance(value, str):
            self.report(key, _describe(value), f"a string{_quoting_hint(value)}")
        elif not value.strip() and not blank:
            self.report(key, "an empty string", "a string with something in it")
        elif self._passed(key, value, check_characters) is not None:
            return self._passed(key, value, check) if check else value
        return None

    def _passed(self, key: str, text: str, check: Callable[[str], str]) -> str | None:
        """Return what a check makes of a text; None, with a problem noted, if it does not pass."""
        try:
            return check(text)
        except ValueError as error:
            self._problems.append(Problem(self._source, self._place(key), str(error)))
            return None


def _find_unportable(value: object) -> object | None:
    """Return the first part of a TOML value that JSON or the catalogue's databases can't carry."""
    if isinstance(value, list):
        return next((misfit for item in value if (misfit := _find_unportable(item)) is not None), None)
    if isinstance(value, dict):
        return _find_unportable([*value.keys(), *value.values()])
    unfit = (
        isinstance(value, date | time)
        or (isinstance(value, float) and value - value != 0)
        or (isinstance(value, str) and _UNFIT.search(value) is not None)
    )
    return value if unfit else None


def _quoting_hint(value: object) -> str:
    """Say how a plain value looks as a string, where that is what the user must have meant."""
    return f' (write "{value}")' if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _describe(value: object) -> str:
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the string {shorten(value)}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def shorten(text: str) -> str:
    """Return a text in quotes, cut where it is long."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def mismatch(source: str, where: str, found: str, expected: str) -> Problem:
    """Return the problem that something else was found than is expected."""
    return Problem(source, where, f"found {found}, expected {expected}")


def _check_key(key: str) -> str:
    try:
        return up_to(lengths.KEY_LENGTH)(check_characters(key))
    except ValueError as error:
        raise ValueError(f"in the key itself: {error}") from None


def up_to(longest: int) -> Callable[[str], str]:
    """Return a check that a text has at most this many characters."""

    def check(text: str) -> str:
        if len(text) > longest:
            raise ValueError(f"found {len(text):,} characters, expected at most {longest:,}")
        return text

    return check


def check_characters(text: str) -> str:
    """Return a text that every encoding can hold and people can see; otherwise raise ValueError."""
    if unfit := _UNFIT.search(text):
        raise ValueError(
            f"found the character U+{ord(unfit[0]):04X}, expected no control characters and no lone surrogates"
        )
    return text
