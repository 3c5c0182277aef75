"""What a name in Python code can stand for, as far as it is known without running the code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Known:
    """A string, a number, True, False or None."""

    value: object


@dataclass(frozen=True)
class Outside:
    """Something that is defined outside the project, or nowhere, and so is known by its name only."""

    name: str
    """Its own name, where it is defined."""
    path: str
    """The same, below its module."""


@dataclass(frozen=True)
class Unclear:
    """What only running the code would tell."""

    made_of: tuple[Value, ...] = ()
    """The classes and functions that it may have to do with."""


@dataclass(frozen=True)
class Either:
    """One of several things; which of them, only running the code would tell."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Items:
    """A list, tuple, set or dictionary that is written out."""

    values: tuple[Value, ...]
    keys: tuple[Value, ...] | None = None
    """The keys of a dictionary."""


@dataclass(frozen=True)
class Made:
    """What a call of something outside the project returns."""

    maker: Outside
    arguments: tuple[Value, ...]
    options: Mapping[str, Value] = field(hash=False)
    line: int = field(compare=False)

    def option(self, name: str, position: int) -> Value | None:
        """Return an argument that is given by its name or at a position."""
        if name in self.options:
            return self.options[name]
        return self.arguments[position] if position < len(self.arguments) else None


@dataclass(frozen=True)
class Function:
    """A function of the project, or a method with what it is called on."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    """The names around it."""
    decorators: tuple[Value, ...] = ()
    """From the bottom up."""
    bound: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Class:
    """A class of the project."""

    node: ast.ClassDef
    scope: Scope
    """The names of its body."""
    bases: tuple[Value, ...]
    decorators: tuple[Value, ...] = ()
    """From the bottom up."""

    @property
    def path(self) -> Path:
        """The file that it stands in."""
        return self.scope.path


@dataclass(frozen=True)
class Instance:
    """An object of a class of the project."""

    of: Class


@dataclass(frozen=True)
class ModuleName:
    """A module, of the project or not."""

    name: str
    folder: Path | None = None
    """The folder that a relative import starts from."""


Value = Known | Outside | Unclear | Either | Items | Made | Function | Class | Instance | ModuleName


@dataclass(eq=False)
class Scope:
    """The names of a file, of the body of a class, or of a function while it is called."""

    path: Path
    outer: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)
    """Where the names are that a function declares global or nonlocal."""
    made: list[Made] = field(default_factory=list)
    """What was returned to the code here from outside the project."""
    is_class: bool = False

    @property
    def of_file(self) -> Scope:
        return self.outer.of_file if self.outer else self

    @property
    def for_functions(self) -> Scope:
        """The names that functions see which are defined here: those of a class are not among them."""
        return self.outer if self.is_class and self.outer else self

    def find(self, name: str) -> Value | None:
        """Return what a name stands for here; None for one that is bound nowhere."""
        if name in self.elsewhere:
            return self.elsewhere[name].find(name)
        if name in self.names:
            return self.names[name]
        return self.outer.find(name) if self.outer else None

    def home_of(self, name: str) -> Scope:
        """Return the scope that an assignment to a name changes."""
        return self.elsewhere.get(name, self)

    def that_has(self, name: str) -> Scope:
        """Return the nearest scope around a function that has a name; that of the file if there is none."""
        return self if name in self.names or self.outer is None else self.outer.that_has(name)


@dataclass(frozen=True)
class Call:
    """A call of a class, or of something that is not known."""

    callee: Value
    arguments: tuple[Value, ...]
    options: Mapping[str, Value]
    line: int
    path: Path
    is_certain: bool
    """Whether it is reached whatever the code meets when it runs."""
    is_guarded: bool
    """Whether it stands below a test of ``__name__``, so that it is there for running the file."""


def either(values: Iterable[Value]) -> Value:
    """Return what is one of several values, each once: Either, the only one there is, or Unclear for none."""
    found: list[Value] = []
    for value in values:
        found += [one for one in alternatives(value) if one not in found]
    return found[0] if len(found) == 1 else Either(tuple(found)) if found else Unclear()


def alternatives(value: Value) -> tuple[Value, ...]:
    """Return the things that a value may be."""
    return value.values if isinstance(value, Either) else (value,)


def mentioned(values: Iterable[Value]) -> Iterator[Class | Function]:
    """Yield the classes and functions of the project that values are made of."""
    for value in values:
        if isinstance(value, Class | Function):
            yield value
        elif isinstance(value, Either | Items):
            yield from mentioned(value.values)
        elif isinstance(value, Unclear):
            yield from mentioned(value.made_of)
        elif isinstance(value, Made):
            yield from mentioned((*value.arguments, *value.options.values()))


def text(value: Value | None) -> str | None:
    """Return the string that a value is known to be; None for everything else."""
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def truth(value: Value) -> bool | None:
    """Return whether a value counts as true; None if only running the code would tell."""
    if isinstance(value, Known):
        return bool(value.value)
    if isinstance(value, Items):
        return bool(value.values)
    if isinstance(value, Class | Function | ModuleName):
        return True
    if isinstance(value, Outside) and value.path == "typing.TYPE_CHECKING":
        return False
    answers = {truth(one) for one in value.values} if isinstance(value, Either) else {None}
    return answers.pop() if len(answers) == 1 else None


def lineage(start: Class) -> tuple[list[Class], set[str]]:
    """Return a class with its bases in the project, nearest first, and the names of its bases from elsewhere."""
    found: list[Class] = []
    outside: set[str] = set()
    pending: list[tuple[Value, ast.expr | None]] = [(start, None)]
    while pending:
        value, written = pending.pop(0)
        if isinstance(value, Either):
            pending = [*((one, written) for one in value.values), *pending]
        elif not isinstance(value, Class):
            outside.add(value.name if isinstance(value, Outside) else ast.unparse(written) if written else "")
        elif value not in found:
            found.append(value)
            pending += zip(value.bases, value.node.bases, strict=True)
    return found, outside


def joined_text(parts: Sequence[Value]) -> Value:
    """Return the text that several values make together."""
    known = [part.value for part in parts if isinstance(part, Known)]
    return Known("".join(map(str, known))) if len(known) == len(parts) else Unclear()


def joined(operation: ast.operator, left: Value, right: Value) -> Value:
    """Return what an operator such as ``+`` makes of two values."""
    if isinstance(operation, ast.Add):
        if text(left) is not None and text(right) is not None:
            return joined_text([left, right])
        if isinstance(left, Items) and isinstance(right, Items) and left.keys is right.keys is None:
            return Items((*left.values, *right.values))
    return Unclear(tuple(mentioned([left, right])))


def item_of(value: Value) -> Value:
    """Return what an item of something is."""
    if isinstance(value, Items):
        return either(value.values if value.keys is None else value.keys)
    return Unclear(tuple(mentioned([value])))


def item_under(value: Value, key: Value) -> Value:
    """Return what stands under a key or number of something."""
    if isinstance(value, Outside | Class):
        # An annotation such as ``Base[int]``.
        return value
    if not isinstance(value, Items):
        return Unclear(tuple(mentioned([value])))
    if isinstance(key, Known):
        if value.keys is not None and key in value.keys:
            return value.values[value.keys.index(key)]
        if value.keys is None and isinstance(key.value, int) and -len(value.values) <= key.value < len(value.values):
            return value.values[key.value]
    return either(value.values)
