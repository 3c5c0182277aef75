"""What running a file of Python would call, as far as its code tells. Nothing is run.

The statements of the file are followed in their order, into the functions that they call and the other files of the
project that they import. Where only running the code would tell how it goes on, as after ``if args.fast:``, every way
is followed, and a name may stand for one of several things. Code from outside the project is known by its names.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from obproject.project.code_values import (
    Call,
    Class,
    Either,
    Function,
    Instance,
    Items,
    Known,
    Made,
    ModuleName,
    Outside,
    Scope,
    Unclear,
    Value,
    alternatives,
    either,
    item_of,
    item_under,
    joined,
    joined_text,
    lineage,
    mentioned,
    text,
    truth,
)

_MOST_CALLS = 2_000
_DEEPEST_CALL = 30
_MOST_RECURSIONS = 3
_EXITS = frozenset({"exit", "quit", "sys.exit", "os._exit"})
_STARTS_NOTHING = {
    *("bool", "callable", "dict", "enumerate", "hasattr", "id", "int", "isinstance", "issubclass", "iter", "len"),
    *("list", "next", "print", "repr", "set", "sorted", "str", "tuple", "type", "vars", "zip"),
}
"""Functions of Python itself that call nothing that they are given."""
_READING = {"copy", "count", "get", "index", "items", "keys", "values"}
"""Methods of lists and dictionaries that leave them as they are."""
_COMPARISONS: dict[type[ast.cmpop], Callable[[object, object], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_NONE = Known(None)

_Names = dict[str, Value]


class _Then(Enum):
    """What comes after a statement."""

    NEXT = auto()
    """The next statement."""
    LOOP = auto()
    """The next round of a loop, or its end."""
    CALLER = auto()
    """The code that called the function."""


class _Ended(Exception):
    """The program ends here."""


class _Raised(Exception):
    """An exception is raised here."""


class Follower:
    """Follows what one file does when it is run.

    ``folders`` are where its imports are looked up, beside its own. ``ends`` says of a call whether the program ends
    with it.
    """

    def __init__(self, folders: Sequence[Path], ends: Callable[[Call], bool]) -> None:
        self.calls: list[Call] = []
        """The calls of classes, and of what is not known, in their order."""
        self._folders = list(folders)
        self._ends = ends
        self._files: dict[Path, Scope | None] = {}
        self._calls_left = _MOST_CALLS
        self._forks = self._guards = 0
        self._active: list[ast.AST] = []
        """The functions that are being followed, the outermost first."""
        self._returned: list[list[Value]] = []

    def follow(self, path: Path) -> Scope:
        """Follow a file and return its names.

        Raises SyntaxError, ValueError or OSError if it can't be read, and RecursionError if it is too much to follow.
        """
        tree = ast.parse(path.read_bytes(), filename=str(path))
        self._folders.insert(0, path.parent)
        scope = self._files[path] = Scope(path, names={"__name__": Known("__main__")})
        with suppress(_Ended):
            self._run_file(tree, scope)
        return scope

    # Statements

    def _run_file(self, tree: ast.Module, scope: Scope) -> None:
        for statement in tree.body:
            # What is raised here is for Python to tell; the names that follow are there all the same.
            with suppress(_Raised):
                self._statement(statement, scope)

    def _run(self, statements: Iterable[ast.stmt], scope: Scope) -> _Then:
        for statement in statements:
            then = self._statement(statement, scope)
            if then is not _Then.NEXT:
                return then
        return _Then.NEXT

    def _statement(self, node: ast.stmt, scope: Scope) -> _Then:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(Function(node, scope.for_functions), node, scope)
            case ast.ClassDef():
                self._define(self._class(node, scope), node, scope)
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Assign():
                value = self._value(node.value, scope)
                for target in node.targets:
                    self._bind(target, value, scope)
            case ast.AnnAssign(value=ast.expr() as assigned):
                self._bind(node.target, self._value(assigned, scope), scope)
            case ast.AugAssign():
                value = joined(node.op, self._value(node.target, scope), self._value(node.value, scope))
                self._bind(node.target, value, scope)
            case ast.If():
                return self._if(node, scope)
            case ast.For() | ast.AsyncFor():
                items = self._value(node.iter, scope)
                self._bind(node.target, item_of(items), scope)
                return self._loop(node, truth(items) if isinstance(items, Items) else None, scope)
            case ast.While():
                return self._loop(node, truth(self._value(node.test, scope)), scope)
            case ast.Try() | ast.TryStar():
                return self._try(node, scope)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self._value(item.context_expr, scope)
                    if item.optional_vars:
                        self._bind(item.optional_vars, Unclear(tuple(mentioned([value]))), scope)
                return self._run(node.body, scope)
            case ast.Match():
                self._value(node.subject, scope)
                return self._fork([*(case.body for case in node.cases), []], scope)
            case ast.Return():
                value = self._value(node.value, scope) if node.value else _NONE
                # One outside a function is an error, which is for Python to say.
                if self._returned:
                    self._returned[-1].append(value)
                return _Then.CALLER
            case ast.Break() | ast.Continue():
                return _Then.LOOP
            case ast.Raise():
                if node.exc:
                    self._value(node.exc, scope)
                raise _Raised
            case ast.Global():
                scope.elsewhere |= dict.fromkeys(node.names, scope.of_file)
            case ast.Nonlocal() if scope.outer:
                scope.elsewhere |= {name: scope.outer.that_has(name) for name in node.names}
            case ast.Assert():
                self._value(node.test, scope)
            case ast.Expr():
                self._value(node.value, scope)
        return _Then.NEXT

    def _define(self, defined: Function | Class, node: _Definition, scope: Scope) -> None:
        """Bind the name of a function or class, once its decorators are applied."""
        met = len(self.calls)
        decorators = [self._value(decorator, scope) for decorator in node.decorator_list]
        # ``@Mutator()`` makes no object that runs.
        del self.calls[met:]
        for decorator in reversed(decorators):
            defined = self._decorated(decorator, defined, node, scope)
        self._set(scope, node.name, defined)

    def _decorated(self, decorator: Value, target: Function | Class, node: ast.AST, scope: Scope) -> Function | Class:
        """Return a function or class with one more decorator; one of the project may also put a class in its place."""
        if not isinstance(decorator, Function):
            return replace(target, decorators=(*target.decorators, decorator))
        result = self._apply(decorator, (target,), {}, node, scope)
        if isinstance(result, Class) and isinstance(target, Class):
            return result
        more = result.decorators if isinstance(result, Function) else ()
        return replace(target, decorators=tuple(dict.fromkeys((*target.decorators, *more))))

    def _class(self, node: ast.ClassDef, scope: Scope) -> Class:
        bases = tuple(self._value(base, scope) for base in node.bases)
        body = Scope(scope.path, scope, is_class=True)
        self._run(node.body, body)
        return Class(node, body, bases)

    def _bind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                self._set(scope, name, value)
            case ast.Attribute(value=owner, attr=name):
                self._set_attribute(self._value(owner, scope), name, value)
            case ast.Subscript(value=owner, slice=key):
                self._set_item(owner, self._value(key, scope), value, scope)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                values = value.values if isinstance(value, Items) and not value.keys else ()
                whole = Unclear(tuple(mentioned([value])))
                for position, part in enumerate(parts):
                    self._bind(part, values[position] if len(values) == len(parts) else whole, scope)
            case ast.Starred(value=inner):
                self._bind(inner, Unclear(tuple(mentioned([value]))), scope)

    def _set(self, scope: Scope, name: str, value: Value) -> None:
        home = scope.home_of(name)
        # What a function changes outside itself stays, whichever way is taken then.
        is_kept = home is not scope and self._forks and name in home.names
        home.names[name] = either([home.names[name], value]) if is_kept else value

    def _set_attribute(self, owner: Value, name: str, value: Value) -> None:
        for one in alternatives(owner):
            of = one.of if isinstance(one, Instance) else one
            scope = of.scope if isinstance(of, Class) else self._file_of(of) if isinstance(of, ModuleName) else None
            if scope:
                is_certain = one is of and not self._forks
                scope.names[name] = value if is_certain else either([scope.names.get(name, value), value])

    def _set_item(self, owner: ast.expr, key: Value, value: Value, scope: Scope) -> None:
        names = scope.of_file.names
        if isinstance(owner, ast.Name):
            if isinstance(items := scope.find(owner.id), Items | Unclear):
                self._set(scope, owner.id, Unclear(tuple(mentioned([items, value]))))
        elif ast.unparse(owner) == "globals()" and (name := text(key)):
            names[name] = either([names.get(name, value), value]) if self._forks else value

    # Ways that only running the code would choose

    def _if(self, node: ast.If, scope: Scope) -> _Then:
        answer = truth(self._value(node.test, scope))
        with self._guarded(_tests_name(node.test)):
            if answer is None:
                return self._fork([node.body, node.orelse], scope)
            return self._run(node.body if answer else node.orelse, scope)

    @contextmanager
    def _guarded(self, is_guard: bool) -> Iterator[None]:
        self._guards += is_guard
        try:
            yield
        finally:
            self._guards -= is_guard

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, is_entered: bool | None, scope: Scope) -> _Then:
        if is_entered is False:
            return self._run(node.orelse, scope)
        then = self._run(node.body, scope) if is_entered else self._fork([node.body, []], scope)
        return self._run(node.orelse, scope) if then is not _Then.CALLER else then

    def _try(self, node: ast.Try | ast.TryStar, scope: Scope) -> _Then:
        then, before = _Then.NEXT, dict(scope.names)
        ways: list[list[ast.stmt]] = [handler.body for handler in node.handlers]
        try:
            then = self._run(node.body, scope)
            if _imports_from_project(node.body, scope):
                ways = []
            ways.insert(0, node.orelse)
        except _Raised:
            if not ways:
                raise
        if len(ways) == 1:
            after = self._run(ways[0], scope)
        else:
            # What went wrong may have done so before a name was bound, or after.
            begin = [scope.names, *([_merged([before, scope.names])] * (len(ways) - 1))]
            after = self._fork(ways, scope, begin)
        then = after if then is _Then.NEXT else then
        last = self._run(node.finalbody, scope)
        return then if last is _Then.NEXT else last

    def _fork(self, ways: Sequence[Sequence[ast.stmt]], scope: Scope, begin: Sequence[_Names] = ()) -> _Then:
        """Follow several ways, one of which the program takes, and let each name stand for all that it may then be.

        ``begin`` has the names that each way starts with, where they are not those of now.
        """
        ends, left = [], []
        for way, names in zip(ways, begin or [scope.names] * len(ways), strict=True):
            scope.names = dict(names)
            with self._unsure():
                ends.append(then := self._run(way, scope))
                if then is not _Then.CALLER:
                    left.append(scope.names)
        if not ends:
            raise _Ended
        scope.names = _merged(left)
        return ends[0] if len(set(ends)) == 1 else _Then.NEXT

    @contextmanager
    def _unsure(self) -> Iterator[None]:
        """Follow what may not be reached; if it ends the program, others go on."""
        self._forks += 1
        try:
            with suppress(_Ended, _Raised):
                yield
        finally:
            self._forks -= 1

    # Imports

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._file_of(ModuleName(alias.name))
                first = alias.name.partition(".")[0]
                self._set(scope, alias.asname or first, ModuleName(alias.name if alias.asname else first))
            return
        above = scope.path.parents
        module = ModuleName(node.module or "", above[min(node.level, len(above)) - 1] if node.level else None)
        for alias in node.names:
            if alias.name != "*":
                self._set(scope, alias.asname or alias.name, self._member(module, alias.name))
            elif found := self._file_of(module):
                for name, value in list(found.names.items()):
                    if not name.startswith("_"):
                        self._set(scope, name, value)

    def _member(self, module: ModuleName, name: str) -> Value:
        """Return what a name of a module stands for: something in its file, or a module below it."""
        found = self._file_of(module)
        if found and name in found.names:
            return found.names[name]
        below = ModuleName(f"{module.name}.{name}".lstrip("."), module.folder)
        if self._file_of(below) or self._is_folder(below):
            return below
        return Outside(name, below.name)

    def _file_of(self, module: ModuleName) -> Scope | None:
        """Follow the file of a module once, and return its names; None if the project has no such file."""
        for place in self._places(module):
            for path in (place / "__init__.py", place.parent / f"{place.name}.py"):
                if path.is_file():
                    return self._followed(path, module.name)
        return None

    def _is_folder(self, module: ModuleName) -> bool:
        return any(place.is_dir() for place in self._places(module))

    def _places(self, module: ModuleName) -> Iterator[Path]:
        for folder in [module.folder] if module.folder else self._folders:
            yield folder.joinpath(*module.name.split("."))

    def _followed(self, path: Path, name: str) -> Scope | None:
        if path not in self._files:
            try:
                tree = ast.parse(path.read_bytes(), filename=str(path))
            except (OSError, RecursionError, SyntaxError, ValueError):
                # Whoever runs it is told.
                self._files[path] = None
                return None
            scope = self._files[path] = Scope(path, names={"__name__": Known(name)})
            self._run_file(tree, scope)
        return self._files[path]

    # Expressions

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        """Return what an expression stands for, and follow the calls in it."""
        match node:
            case ast.Constant():
                return Known(node.value)
            case ast.Name(id=name):
                return scope.find(name) or Outside(name, name)
            case ast.Attribute():
                return self._attribute(self._value(node.value, scope), node.attr, node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.Lambda():
                return Function(node, scope.for_functions)
            case ast.NamedExpr():
                value = self._value(node.value, scope)
                self._bind(node.target, value, scope)
                return value
            case ast.IfExp():
                return self._chosen(node, scope)
            case ast.BoolOp():
                return self._first_or_last(node, scope)
            case ast.UnaryOp(op=ast.Not()):
                answer = truth(self._value(node.operand, scope))
                return Unclear() if answer is None else Known(not answer)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
                return Known(-number)
            case ast.Compare():
                return self._compared(node, scope)
            case ast.BinOp():
                return joined(node.op, self._value(node.left, scope), self._value(node.right, scope))
            case ast.JoinedStr():
                return joined_text([self._value(part, scope) for part in node.values])
            case ast.FormattedValue(conversion=-1, format_spec=None):
                return self._value(node.value, scope)
            case ast.List() | ast.Tuple() | ast.Set():
                return Items(tuple(self._values(node.elts, scope)))
            case ast.Dict():
                values = tuple(self._value(value, scope) for value in node.values)
                keys = tuple(self._value(key, scope) if key else Unclear() for key in node.keys)
                return Items(values, keys)
            case ast.Subscript():
                return item_under(self._value(node.value, scope), self._value(node.slice, scope))
            case ast.Await():
                return self._value(node.value, scope)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, scope)
        parts = [self._value(part, scope) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return Unclear(tuple(mentioned(parts)))

    def _values(self, nodes: Iterable[ast.expr], scope: Scope) -> Iterator[Value]:
        for node in nodes:
            value = self._value(node.value if isinstance(node, ast.Starred) else node, scope)
            if isinstance(node, ast.Starred):
                yield from value.values if isinstance(value, Items) else [Unclear(tuple(mentioned([value])))]
            else:
                yield value

    def _chosen(self, node: ast.IfExp, scope: Scope) -> Value:
        answer = truth(self._value(node.test, scope))
        with self._guarded(_tests_name(node.test)):
            if answer is not None:
                return self._value(node.body if answer else node.orelse, scope)
            found: list[Value] = []
            for way in (node.body, node.orelse):
                with self._unsure():
                    found.append(self._value(way, scope))
        return either(found)

    def _first_or_last(self, node: ast.BoolOp, scope: Scope) -> Value:
        """Return the operand of ``and`` or ``or`` that decides."""
        stops_at = isinstance(node.op, ast.Or)
        first, *others = node.values
        value = self._value(first, scope)
        with self._guarded(_tests_name(first)):
            for other in others:
                answer = truth(value)
                if answer is stops_at:
                    return value
                if answer is None:
                    with self._unsure():
                        value = either([value, self._value(other, scope)])
                else:
                    value = self._value(other, scope)
        return value

    def _compared(self, node: ast.Compare, scope: Scope) -> Value:
        left, rights = self._value(node.left, scope), [self._value(right, scope) for right in node.comparators]
        if len(rights) == 1 and isinstance(left, Known):
            operation, right = node.ops[0], rights[0]
            if isinstance(right, Known) and type(operation) in _COMPARISONS:
                return Known(_COMPARISONS[type(operation)](left.value, right.value))
            if isinstance(right, Items) and isinstance(operation, ast.In | ast.NotIn):
                among = right.values if right.keys is None else right.keys
                if all(isinstance(one, Known) for one in among):
                    return Known((left in among) is isinstance(operation, ast.In))
        return Unclear()

    def _comprehension(self, node: _Comprehension, scope: Scope) -> Value:
        inner = Scope(scope.path, scope.for_functions)
        for generator in node.generators:
            self._bind(generator.target, item_of(self._value(generator.iter, scope)), inner)
        value: Value = Unclear()
        with self._unsure():
            value = self._value(node.value if isinstance(node, ast.DictComp) else node.elt, inner)
        return Unclear(tuple(mentioned([value])))

    def _attribute(self, value: Value, name: str, node: ast.AST, scope: Scope) -> Value:
        match value:
            case ModuleName():
                return self._member(value, name)
            case Outside():
                return Outside(name, f"{value.path}.{name}")
            case Class() | Instance():
                return self._member_of_class(value, name, node, scope)
            case Either():
                return either(self._attribute(one, name, node, scope) for one in value.values)
        return Unclear()

    def _member_of_class(self, value: Class | Instance, name: str, node: ast.AST, scope: Scope) -> Value:
        of = value if isinstance(value, Class) else value.of
        if name == "__name__" and isinstance(value, Class):
            return Known(of.node.name)
        found = next((one.scope.names[name] for one in lineage(of)[0] if name in one.scope.names), None)
        if not isinstance(found, Function):
            return found or Unclear()
        kinds = {one.name for one in found.decorators if isinstance(one, Outside)}
        if "classmethod" in kinds:
            return replace(found, bound=(of,))
        if "staticmethod" in kinds or isinstance(value, Class):
            return found
        method = replace(found, bound=(value,))
        return self._apply(method, (), {}, node, scope) if kinds & {"property", "cached_property"} else method

    # Calls

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        callee = self._value(node.func, scope)
        arguments = tuple(self._values(node.args, scope))
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if method not in _READING:
                if isinstance(items := scope.find(name), Items):
                    # A list or dictionary that is changed.
                    self._set(scope, name, Unclear(tuple(mentioned([items, *arguments]))))
        options: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self._value(keyword.value, scope)
            if keyword.arg:
                options[keyword.arg] = value
            elif isinstance(value, Items):
                pairs = zip(map(text, value.keys or ()), value.values, strict=False)
                options |= {key: one for key, one in pairs if key}
        return self._apply(callee, arguments, options, node, scope)

    def _apply(
        self, callee: Value, arguments: tuple[Value, ...], options: Mapping[str, Value], node: ast.AST, scope: Scope
    ) -> Value:
        """Follow a call and return what it returns."""
        match callee:
            case Function():
                return self._call_function(callee, arguments, options)
            case Outside() if callee.path in _EXITS:
                raise _Ended
            case Outside(path="globals"):
                names = scope.of_file.names
                return Items(tuple(names.values()), tuple(map(Known, names)))
            case Outside(path="getattr") if len(arguments) > 1 and isinstance(arguments[1], Known):
                return self._attribute(arguments[0], str(arguments[1].value), node, scope)
            case Outside(path="setattr") if len(arguments) > 2 and isinstance(arguments[1], Known):
                self._set_attribute(arguments[0], str(arguments[1].value), arguments[2])
                return _NONE
            case Outside() if callee.path in _STARTS_NOTHING:
                return Unclear(tuple(mentioned(arguments)))
        call = Call(
            callee, arguments, options, getattr(node, "lineno", 1), scope.path, self._forks == 0, self._guards > 0
        )
        self.calls.append(call)
        if call.is_certain and self._ends(call):
            raise _Ended
        return self._returned_by(call, node, scope)

    def _returned_by(self, call: Call, node: ast.AST, scope: Scope) -> Value:
        callee, arguments = call.callee, call.arguments
        if isinstance(callee, Class):
            made = Instance(callee)
            start = self._member_of_class(made, "__init__", node, scope)
            if isinstance(start, Function):
                self._apply(start, arguments, call.options, node, scope)
            return made
        if isinstance(callee, Either):
            found: list[Value] = []
            for one in callee.values:
                with self._unsure():
                    is_function = isinstance(one, Function)
                    found.append(self._apply(one, arguments, call.options, node, scope) if is_function else Unclear())
            return either(found)
        if isinstance(callee, Outside | Made) and len(arguments) == 1 and isinstance(arguments[0], Function | Class):
            self._start_given(call)
            return replace(arguments[0], decorators=(*arguments[0].decorators, callee))
        self._start_given(call)
        if isinstance(callee, Outside):
            result = Made(callee, arguments, call.options, call.line)
            scope.made.append(result)
            return result
        return Unclear(tuple(mentioned([callee, *arguments])))

    def _start_given(self, call: Call) -> None:
        """Follow the functions that are handed to what is not known, as ``typer.run(main)`` does."""
        if call.is_guarded:
            for given in (*call.arguments, *call.options.values()):
                if isinstance(given, Function):
                    with self._unsure():
                        self._call_function(given, (), {})

    def _call_function(self, function: Function, arguments: tuple[Value, ...], options: Mapping[str, Value]) -> Value:
        if self._active.count(function.node) == _MOST_RECURSIONS or len(self._active) == _DEEPEST_CALL:
            return Unclear(tuple(mentioned(arguments)))
        self._calls_left -= 1
        if self._calls_left < 0:
            raise RecursionError
        scope = Scope(function.scope.path, function.scope)
        self._bind_parameters(function, arguments, options, scope)
        if isinstance(function.node, ast.Lambda):
            return self._value(function.node.body, scope)
        self._active.append(function.node)
        self._returned.append([])
        try:
            self._run(function.node.body, scope)
        finally:
            self._active.pop()
            returned = self._returned.pop()
        return either(returned or [_NONE])

    def _bind_parameters(
        self, function: Function, arguments: tuple[Value, ...], options: Mapping[str, Value], scope: Scope
    ) -> None:
        given, declared = (*function.bound, *arguments), function.node.args
        named = [*declared.posonlyargs, *declared.args]
        defaults = dict(zip([one.arg for one in named][-len(declared.defaults) :], declared.defaults, strict=False))
        defaults |= {
            one.arg: value for one, value in zip(declared.kwonlyargs, declared.kw_defaults, strict=True) if value
        }
        for one in (*named, *declared.kwonlyargs):
            default = defaults.get(one.arg)
            scope.names[one.arg] = self._value(default, function.scope) if default else Unclear()
        scope.names |= {one.arg: value for one, value in zip(named, given, strict=False)}
        known = {one.arg for one in (*named, *declared.kwonlyargs)}
        scope.names |= {name: value for name, value in options.items() if name in known}
        if declared.vararg:
            scope.names[declared.vararg.arg] = Items(given[len(named) :])
        if declared.kwarg:
            rest = {name: value for name, value in options.items() if name not in known}
            scope.names[declared.kwarg.arg] = Items(tuple(rest.values()), tuple(map(Known, rest)))


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def _merged(ways: Sequence[_Names]) -> _Names:
    names = dict.fromkeys(name for found in ways for name in found)
    return {name: either(found[name] for found in ways if name in found) for name in names}


def _tests_name(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _imports_from_project(body: Sequence[ast.stmt], scope: Scope) -> bool:
    """Say whether statements are imports of what the project has, so that none of them can fail."""
    for node in body:
        if not isinstance(node, ast.ImportFrom):
            return False
        if any(isinstance(scope.find(alias.asname or alias.name), Outside | None) for alias in node.names):
            return False
    return True
