"""What the source code of a flow's file declares, read without running it.

The flow is the one that ``python flow.py`` would run: the class that the file calls in the end, however it comes to it.
Bases are followed into other files of the project: ``from team import TeamFlow`` is looked up in the folders that are
on the path when the flow runs. Bases from elsewhere are known by their names only.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from obproject.project.code_values import (
    Call,
    Class,
    Either,
    Function,
    Instance,
    Known,
    Made,
    Outside,
    Scope,
    Value,
    alternatives,
    lineage,
    mentioned,
    text,
)
from obproject.project.followed_code import Follower

PROJECT_FLOW = "ProjectFlow"
PLAIN_FLOW = "FlowSpec"
EVALUATION_CARD = "project_eval"
DEFAULT_CARD_TYPE = "default"
PYPI, CONDA = "pypi", "conda"
_PACKAGE_DECORATORS = {"pypi": PYPI, "pypi_base": PYPI, "conda": CONDA, "conda_base": CONDA}
"""Metaflow's decorators for packages, with the environment that each of them needs."""


@dataclass(frozen=True)
class EvaluationCard:
    """The card of a step that shows how good the project's result is."""

    step: str
    card_type: str


@dataclass(frozen=True)
class FlowCode:
    """What the class of a flow declares, bases included."""

    name: str
    is_plain: bool
    """Whether it is certainly no ProjectFlow: all its bases are known, and end in Metaflow's FlowSpec."""
    highlight_step: str | None
    evaluation_card: EvaluationCard | None
    config_names: tuple[str, ...]
    unclear_config: int | None
    """The line of a Config whose name the code does not tell."""
    environment: str | None
    """The environment of Metaflow that its decorators for packages need; None without such decorators."""


class FlowCodeError(ValueError):
    """A flow's code can't be deployed as it is; ``line`` is where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


def read_flow(path: Path, folders: Sequence[Path]) -> FlowCode:
    """Describe the flow that a file runs; where nothing in it is called, the only flow that it defines.

    ``folders`` are where its imports are looked up, beside its own. Raises FlowCodeError, also where the code does not
    tell which flow it runs, SyntaxError and OSError.
    """
    follower = Follower(folders, _runs_flow)
    try:
        names = follower.follow(path)
        return _describe(_Choice(path, names, follower.calls).flow())
    except RecursionError:
        raise FlowCodeError("found code that is nested too deeply, or calls too much, to be followed") from None


def _describe(flow: Class) -> FlowCode:
    classes, outside = lineage(flow)
    steps, configs = list(_steps(classes)), list(_configs(classes))
    return FlowCode(
        name=flow.node.name,
        is_plain=PLAIN_FLOW in outside and PROJECT_FLOW not in outside and not outside - {PLAIN_FLOW, "object"},
        highlight_step=_only([step.name for step in steps if step.has("highlight")], steps, "@highlight"),
        evaluation_card=_evaluation_card(steps),
        config_names=tuple(dict.fromkeys(name for name, _ in configs if name)),
        unclear_config=next((line for name, line in configs if name is None), None),
        environment=_environment(classes, steps),
    )


# Which flow a file runs


def _is_flow(value: Value) -> bool:
    """Say whether something is certainly a flow: by its bases, or by its steps where those are not known."""
    if not isinstance(value, Class):
        return False
    classes, outside = lineage(value)
    return bool(outside & {PROJECT_FLOW, PLAIN_FLOW}) or any(True for _ in _steps(classes))


def _may_be_flow(value: Value) -> bool:
    """Say whether something is a class with bases that are not known."""
    return isinstance(value, Class) and any(not hasattr(builtins, name) for name in lineage(value)[1])


def _uses_command_line(call: Call) -> bool:
    use = call.options.get("use_cli") or (call.arguments[0] if call.arguments else Known(True))
    return use != Known(False)


def _runs_flow(call: Call) -> bool:
    """Say whether a call certainly runs a flow, with which the program ends."""
    return _is_flow(call.callee) and _uses_command_line(call)


@dataclass(frozen=True)
class _Candidate:
    """A class that may be what a file runs, and the line that runs it."""

    value: Value
    call: Call


class _Choice:
    """Finds the flow that a file runs, among the calls that it leads to."""

    def __init__(self, path: Path, names: Scope, calls: Sequence[Call]) -> None:
        self.path, self.names, self.calls = path, names, calls

    def flow(self) -> Class:
        """Return the flow; raise FlowCodeError where the code does not tell which it is."""
        given = self._given()
        if called := self._called(_is_flow):
            return self._only([*called, *(one for one in given if one.call.is_guarded)])
        if candidates := self._called(_may_be_flow) or given:
            return self._only(candidates)
        defined = self._defined()
        if unknown := next((call for call in self.calls if call.is_guarded and not _is_known(call.callee)), None):
            # What is called is not seen; without a flow in the file, it can be anything.
            raise self._error(
                f"found {_called_by_name(unknown)}, of which the code does not tell that it runs a flow; "
                f"expected the call of a flow's class, such as {defined[0].node.name if defined else 'TrainFlow'}()",
                unknown,
            )
        if not defined:
            raise FlowCodeError(f"found no flow, expected a class derived from {PROJECT_FLOW}")
        if len(defined) > 1:
            names = " and ".join(one.node.name for one in defined)
            raise FlowCodeError(
                f"found the flows {names}, none of which is called; "
                f"expected {defined[-1].node.name}(), or another of them, at the end of the file",
                defined[1].node.lineno,
            )
        return defined[0]

    def _called(self, fits: Callable[[Value], bool]) -> list[_Candidate]:
        """Return the classes that are called to run, with all else that the calls of a fitting one may mean."""
        found = []
        for call in self.calls:
            meant = [*alternatives(call.callee), *mentioned([call.callee])]
            if _uses_command_line(call) and any(fits(value) for value in meant):
                found += [_Candidate(value, call) for value in meant if not isinstance(value, Either | Function)]
        return found

    def _given(self) -> list[_Candidate]:
        """Return the flows that are handed to something that may run them, as in ``launch(TrainFlow)``."""
        found = [
            _Candidate(value, call)
            for call in self.calls
            for value in mentioned((*call.arguments, *call.options.values()))
            if _is_flow(value)
        ]
        return [candidate for candidate in found if candidate.call.is_guarded] or found

    def _defined(self) -> list[Class]:
        """Return the flows that the file itself defines."""
        values = [one for value in self.names.names.values() for one in alternatives(value)]
        flows = {one.node: one for one in values if isinstance(one, Class) and one.path == self.path and _is_flow(one)}
        return list(flows.values())

    def _only(self, candidates: Sequence[_Candidate]) -> Class:
        """Return the one class that the candidates are; raise FlowCodeError for several."""
        first, found = candidates[0], candidates[0].value
        other = next((one for one in candidates if _identity(one.value) != _identity(found)), None)
        if other is None and isinstance(found, Class):
            return found
        names = " and ".join(dict.fromkeys(_shown(one.value) for one in candidates))
        raise self._error(
            f"found a choice between {names}, and only running the code would tell which it runs; "
            "expected one flow in a file, whatever the circumstances",
            (other or first).call,
        )

    def _error(self, message: str, call: Call) -> FlowCodeError:
        if call.path == self.path:
            return FlowCodeError(message, call.line)
        return FlowCodeError(f"{message} (line {call.line} of {call.path.name}, which it imports)")


def _identity(value: Value) -> object:
    return value.node if isinstance(value, Class) else value


def _shown(value: Value) -> str:
    if isinstance(value, Class):
        return f"{value.node.name} (line {value.node.lineno})"
    return f"{value.path}, which is not of the project" if isinstance(value, Outside) else "something else"


def _is_known(callee: Value) -> bool:
    return isinstance(callee, Class | Function | Instance)


def _called_by_name(call: Call) -> str:
    return f"the call of {call.callee.path}" if isinstance(call.callee, Outside) else "a call"


# What it declares


@dataclass(frozen=True)
class _Step:
    """One step with its decorators."""

    name: str
    function: Function

    def has(self, name: str) -> bool:
        return any(_name_of(decorator) == name for decorator in self.function.decorators)

    def evaluation_types(self) -> Iterator[str]:
        """Yield the types of the step's evaluation cards."""
        made = (one for one in self.function.decorators if isinstance(one, Made))
        for card in made:
            if card.maker.name == "card" and text(card.options.get("id")) == EVALUATION_CARD:
                yield text(card.option("type", 0)) or DEFAULT_CARD_TYPE


def _name_of(decorator: Value) -> str | None:
    found = decorator.maker if isinstance(decorator, Made) else decorator
    return found.name if isinstance(found, Outside) else None


def _steps(classes: Sequence[Class]) -> Iterator[_Step]:
    """Yield the steps of a flow; a name hides the same one in its bases."""
    seen: set[str] = set()
    for found in classes:
        for name, value in found.scope.names.items():
            for function in alternatives(value):
                if name not in seen and isinstance(function, Function):
                    step = _Step(name, function)
                    if step.has("step"):
                        yield step
        seen |= found.scope.names.keys()


def _evaluation_card(steps: Sequence[_Step]) -> EvaluationCard | None:
    cards = [EvaluationCard(step.name, card_type) for step in steps for card_type in step.evaluation_types()]
    _only([card.step for card in cards], steps, f"@card(id={EVALUATION_CARD!r})")
    return cards[0] if cards else None


def _only(names: Sequence[str], steps: Sequence[_Step], what: str) -> str | None:
    """Return the one step that has something; raise FlowCodeError for several."""
    if len(names) > 1:
        line = next(step.function.node.lineno for step in steps if step.name == names[1])
        raise FlowCodeError(f"found {what} on the steps {' and '.join(names)}, expected it on one step at most", line)
    return names[0] if names else None


def _configs(classes: Sequence[Class]) -> Iterator[tuple[str | None, int]]:
    """Yield the name, as far as it is known, and the line of each Config that a flow declares."""
    for found in classes:
        for made in (*found.scope.made, *found.scope.names.values()):
            if isinstance(made, Made) and made.maker.name == "Config":
                yield text(made.option("name", 0)), made.line


def _environment(classes: Sequence[Class], steps: Sequence[_Step]) -> str | None:
    decorators = [one for found in classes for one in found.decorators]
    decorators += [one for step in steps for one in step.function.decorators]
    found = {
        _PACKAGE_DECORATORS[name] for one in decorators for name in _brought_by(one) if name in _PACKAGE_DECORATORS
    }
    return PYPI if PYPI in found else CONDA if found else None


def _brought_by(decorator: Value) -> Iterator[str]:
    """Yield the name of a decorator, or of those that a mutator of the project adds."""
    if name := _name_of(decorator):
        yield name
    of = decorator.of if isinstance(decorator, Instance) else decorator
    for mutator in lineage(of)[0] if isinstance(of, Class) else ():
        for node in ast.walk(mutator.node):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "add_decorator"
            ):
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    yield _added_name(argument, mutator.scope)


def _added_name(argument: ast.expr, scope: Scope) -> str:
    """Return the name of a decorator that is added by its name, such as ``"pypi:python=3.12"``, or itself."""
    if isinstance(argument, ast.Constant):
        return str(argument.value).partition(":")[0]
    found = scope.find(argument.id) if isinstance(argument, ast.Name) else None
    return found.name if isinstance(found, Outside) else ast.unparse(argument).rpartition(".")[2]
