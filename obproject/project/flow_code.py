"""What the source code of flows declares, read without running it.

A class is followed through its bases, also into other files of the project: ``from team import TeamFlow`` is looked up
in the folders that are on the path when the flow runs. Bases from elsewhere are known by their names only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT_FLOW = "ProjectFlow"
PLAIN_FLOW = "FlowSpec"
EVALUATION_CARD = "project_eval"
DEFAULT_CARD_TYPE = "default"


@dataclass(frozen=True)
class Import:
    """Where a name of a file comes from."""

    module: str
    level: int = 0
    """The number of dots of a relative import."""
    attribute: str | None = None
    """What is taken from the module; None for the module itself."""


class Module:
    """One parsed file: its classes, constants and imports by name."""

    def __init__(self, path: Path) -> None:
        """Parse a file; raise SyntaxError, ValueError or OSError."""
        self.path = path
        self.tree = ast.parse(path.read_bytes(), filename=str(path))
        self.classes = {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}
        self.constants = {name: value for node in self.tree.body for name, value in _constants(node)}
        self.imports: dict[str, Import] = {}
        self.starred: list[Import] = []
        for node in ast.walk(self.tree):
            self._note_import(node)

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                self.imports[bound] = Import(alias.name if alias.asname else bound)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                source = Import(node.module or "", node.level, alias.name)
                if alias.name == "*":
                    self.starred.append(source)
                else:
                    self.imports[alias.asname or alias.name] = source

    def original_name(self, expression: ast.expr) -> str:
        """Return what a name is called where it is defined: ``step`` for ``metaflow.step``, or for its alias here."""
        dotted = ast.unparse(expression)
        imported = self.imports.get(dotted)
        return (imported and imported.attribute) or dotted.rpartition(".")[2]

    def called_when_run(self) -> list[str]:
        """Return the names called without arguments below ``if __name__ == "__main__":``."""
        blocks = [node for node in self.tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
        calls = [node for block in blocks for node in ast.walk(block) if isinstance(node, ast.Call) and not node.args]
        return [call.func.id for call in calls if isinstance(call.func, ast.Name)]

    def text_of(self, expression: ast.expr | None) -> str | None:
        """Return the string that an expression is, or that a constant of the file names."""
        if isinstance(expression, ast.Name):
            return self.constants.get(expression.id)
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
            return expression.value
        return None


def _constants(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value.value


@dataclass(frozen=True)
class ClassCode:
    """A class, and the file that it stands in."""

    node: ast.ClassDef
    module: Module


class Library:
    """The files that a flow can import, parsed when they are first needed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._modules: dict[Path, Module | None] = {}

    def lineage(self, start: ClassCode) -> tuple[list[ClassCode], set[str]]:
        """Return a class with its bases in the project, nearest first, and the names of its bases from elsewhere."""
        found: list[ClassCode] = []
        outside: set[str] = set()
        pending = [start]
        while pending:
            current = pending.pop(0)
            if current in found:
                continue
            found.append(current)
            for base in current.node.bases:
                definition = self._resolve(ast.unparse(base), current.module, set())
                if isinstance(definition, ClassCode):
                    pending.append(definition)
                else:
                    outside.add(definition)
        return found, outside

    def _resolve(self, dotted: str, module: Module, seen: set[tuple[Path, str]]) -> ClassCode | str:
        """Return the class that a name of a file means; its plain name if the class is not in the project."""
        head, *rest = dotted.split(".")
        if (module.path, dotted) in seen:
            return dotted.rpartition(".")[2]
        seen.add((module.path, dotted))
        if not rest and head in module.classes:
            return ClassCode(module.classes[head], module)
        if imported := module.imports.get(head):
            return self._follow(imported, rest, module, seen)
        for starred in module.starred:
            definition = self._follow(Import(starred.module, starred.level), [head, *rest], module, seen)
            if isinstance(definition, ClassCode):
                return definition
        return dotted.rpartition(".")[2]

    def _follow(
        self, imported: Import, rest: list[str], importer: Module, seen: set[tuple[Path, str]]
    ) -> ClassCode | str:
        """Look a name up in the module that it is imported from, or in a module below that."""
        parts = [*([imported.attribute] if imported.attribute else []), *rest]
        name = imported.module
        while parts:
            module = self._find(name, imported.level, importer)
            if module and (parts[0] in module.classes or parts[0] in module.imports or module.starred):
                return self._resolve(".".join(parts), module, seen)
            if len(parts) == 1:
                return parts[0]
            name = f"{name}.{parts.pop(0)}" if name else parts.pop(0)
        return name.rpartition(".")[2]

    def _find(self, name: str, level: int, importer: Module) -> Module | None:
        folders = [importer.path.parents[level - 1]] if level else [importer.path.parent, *self._folders]
        relative = Path(*name.split(".")) if name else Path()
        for folder in folders:
            for path in ((folder / relative).with_suffix(".py") if name else None, folder / relative / "__init__.py"):
                if path and path.is_file():
                    return self._parsed(path)
        return None

    def _parsed(self, path: Path) -> Module | None:
        """Parse a file once; None if it can't be, which is for whoever runs it to say."""
        if path not in self._modules:
            try:
                self._modules[path] = Module(path)
            except (OSError, SyntaxError, ValueError):
                self._modules[path] = None
        return self._modules[path]


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


class FlowCodeError(ValueError):
    """A flow's code can't be deployed as it is; ``line`` is where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


def read_flow(path: Path, folders: Sequence[Path]) -> FlowCode:
    """Describe the flow that a file runs: the class called at its end, else the first that looks like a flow.

    ``folders`` are where its imports are looked up, beside its own. Raises FlowCodeError, SyntaxError and OSError.
    """
    module, library = Module(path), Library(folders)
    lines = {name: library.lineage(ClassCode(node, module)) for name, node in module.classes.items()}
    flows = [name for name, (_, outside) in lines.items() if outside & {PROJECT_FLOW, PLAIN_FLOW}]
    # A class that is called may derive from a flow outside the project, which can't be seen here.
    called = [name for name in module.called_when_run() if name in module.classes]
    candidates = [name for name in called if name in flows] or called or flows
    if not candidates:
        raise FlowCodeError("found no flow, expected a class derived from ProjectFlow")
    name = candidates[0]
    classes, outside = lines[name]
    steps = list(_steps(classes))
    return FlowCode(
        name=name,
        is_plain=PLAIN_FLOW in outside and PROJECT_FLOW not in outside and not outside - {PLAIN_FLOW, "object"},
        highlight_step=_only([step.name for step in steps if step.has("highlight")], steps, "@highlight"),
        evaluation_card=_evaluation_card(steps),
        config_names=tuple(dict.fromkeys(_config_names(classes))),
    )


@dataclass(frozen=True)
class _Step:
    """One step with its decorators, in the file that it stands in."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    module: Module

    @property
    def name(self) -> str:
        return self.node.name

    def decorators(self, name: str) -> Iterator[ast.expr]:
        """Yield the decorators of a name, called or not."""
        for decorator in self.node.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self.module.original_name(function) == name:
                yield decorator

    def has(self, name: str) -> bool:
        return any(True for _ in self.decorators(name))

    def evaluation_types(self) -> Iterator[str]:
        """Yield the types of the step's evaluation cards."""
        for card in self.decorators("card"):
            if isinstance(card, ast.Call):
                arguments = {keyword.arg: keyword.value for keyword in card.keywords}
                card_type = arguments.get("type") or (card.args[0] if card.args else None)
                if self.module.text_of(arguments.get("id")) == EVALUATION_CARD:
                    yield self.module.text_of(card_type) or DEFAULT_CARD_TYPE


def _steps(classes: list[ClassCode]) -> Iterator[_Step]:
    """Yield the steps of a flow; a method hides those of the same name in its bases."""
    seen: set[str] = set()
    for found in classes:
        methods = [node for node in found.node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for node in methods:
            step = _Step(node, found.module)
            if node.name not in seen and step.has("step"):
                yield step
        seen |= {node.name for node in methods}


def _evaluation_card(steps: list[_Step]) -> EvaluationCard | None:
    cards = [EvaluationCard(step.name, card_type) for step in steps for card_type in step.evaluation_types()]
    _only([card.step for card in cards], steps, f"@card(id={EVALUATION_CARD!r})")
    return cards[0] if cards else None


def _only(names: list[str], steps: list[_Step], what: str) -> str | None:
    """Return the one step that has something; raise FlowCodeError for several."""
    if len(names) > 1:
        line = next(step.node.lineno for step in steps if step.name == names[1])
        raise FlowCodeError(f"found {what} on the steps {' and '.join(names)}, expected it on one step at most", line)
    return names[0] if names else None


def _config_names(classes: list[ClassCode]) -> Iterator[str]:
    """Yield the names of the Configs that a flow declares."""
    for found in classes:
        for node in (inner for statement in found.node.body for inner in ast.walk(statement)):
            if isinstance(node, ast.Call) and found.module.original_name(node.func) == "Config":
                named = next((keyword.value for keyword in node.keywords if keyword.arg == "name"), None)
                if name := found.module.text_of(named or (node.args[0] if node.args else None)):
                    yield name
