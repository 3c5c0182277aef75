"""`[gates]` of an asset: which rules hold for an alias, or for a promotion into the branch.

`checked` is for what somebody declares, and refuses what can't be read; `Gates.of` is for what is kept, and makes rules
of it that refuse.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.gates.grammar import CantParse, parse, visible
from catalog.gates.rules import Rule, Unreadable
from obproject.branches import check_alias

EVERY_ALIAS, INTO_BRANCH = "*", "into branch"
"""What stands for every alias, and for a promotion into the branch, where the name of an alias stands."""
KEYS = ("require", "warn", "approvals", "approvers")
MOST_RULES = 50
"""The most rules of an asset, and the most aliases for which it declares some."""
MOST_APPROVALS = 20
SHOWN = 60
"""How much is repeated of what can't be read."""
MOST_PROBLEMS = 50
"""How many problems are told at once."""
ROLES = ("role:admin", "role:editor")
"""Roles whose people may approve: an admin is an editor, too."""
DEFAULT_APPROVERS = ("role:admin",)
USER = re.compile(r"[\w.@+-]{1,150}")
"""Names of users, as they are made here."""


@dataclass(frozen=True)
class Gate:
    """What is asked of a version: rules that refuse, rules that are only told, and how many must approve."""

    require: tuple[Rule, ...] = ()
    warn: tuple[Rule, ...] = ()
    approvals: int = 0
    approvers: tuple[str, ...] = ()

    @property
    def asks_nothing(self) -> bool:
        return not (self.require or self.warn or self.approvals)


@dataclass(frozen=True)
class Gates:
    """All gates of an asset, by what they are for: the name of an alias, `*` or `into branch`."""

    by_name: Mapping[str, Gate] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Any) -> "Gates":
        """Those that are kept as JSON. What this version can't read becomes a rule that refuses, and says so."""
        if not isinstance(kept, Mapping):
            unreadable = Gate((Unreadable("[gates]", "this version of the site can't read these gates"),))
            return cls({EVERY_ALIAS: unreadable, INTO_BRANCH: unreadable} if kept is not None else {})
        return cls({name: _kept(gate) for name, gate in kept.items()})

    def for_alias(self, name: str) -> Gate | None:
        """What is asked of a version that is to hold an alias: by the gate of the alias and by that of every alias.

        The larger number of approvals counts, given by the approvers of the alias, if it names any. None: nothing is
        asked.
        """
        own = self.by_name.get(unicodedata.normalize("NFC", name))
        return _together([gate for gate in (self.by_name.get(EVERY_ALIAS), own) if gate])

    @property
    def into_branch(self) -> Gate | None:
        """What is asked of a version that is to be promoted into the branch. None: nothing."""
        return _together([gate for gate in (self.by_name.get(INTO_BRANCH),) if gate])


def _together(gates: list[Gate]) -> Gate | None:
    approving = [gate for gate in gates if gate.approvals]
    gate = Gate(
        tuple(rule for one in gates for rule in one.require),
        tuple(rule for one in gates for rule in one.warn),
        max((one.approvals for one in approving), default=0),
        approving[-1].approvers if approving else (),
    )
    return None if gate.asks_nothing else gate


# What is kept


def _kept(gate: Any) -> Gate:
    if not isinstance(gate, Mapping):
        return Gate((_unreadable(gate),))
    approvals, approvers = gate.get("approvals", 0), gate.get("approvers", [])
    require = [*_rules_kept(gate.get("require", []))]
    require += [_unreadable(f"{key} = {gate[key]}") for key in gate if key not in KEYS]
    if problems := [message for _, message in _approval_problems(approvals, approvers)]:
        require.append(Unreadable("approvals", problems[0]))
        approvals, approvers = 0, []
    approvers = approvers or (DEFAULT_APPROVERS if approvals else ())
    return Gate(tuple(require), tuple(_rules_kept(gate.get("warn", []))), approvals, tuple(approvers))


def _rules_kept(texts: Any) -> Iterable[Rule]:
    return map(_rule_kept, texts if isinstance(texts, list) else [texts])


def _rule_kept(text: Any) -> Rule:
    try:
        return parse(text) if isinstance(text, str) else _unreadable(text)
    except CantParse as error:
        return Unreadable(_cut(text), f"this version of the site can't read the rule: {error}")


def _unreadable(found: Any) -> Rule:
    return Unreadable(_cut(str(found)), "this version of the site can't read the rule")


# What somebody declares


@dataclass(frozen=True)
class GateProblem:
    """What is wrong at one place. `key` is such as `gates.production.require`; `rule` counts from 1, as does `column`;
    each is 0 where it says nothing."""

    key: str
    message: str
    rule: int = 0
    column: int = 0
    expected: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = ", ".join(
            [self.key, *([f"rule {self.rule}"] * bool(self.rule)), *([f"column {self.column}"] * bool(self.column))]
        )
        return f"{place}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        at = {"key": self.key, "rule": self.rule or None, "column": self.column or None}
        return {**at, "message": self.message, "expected": list(self.expected)}


class GateProblems(ValueError):
    """Why gates can't be declared so: all problems, each with its place. `source` is where they stand, such as
    `asset_config.toml`."""

    def __init__(self, problems: Iterable[GateProblem], source: str = "") -> None:
        self.problems, self.source = tuple(problems), source
        super().__init__(self.problems, source)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" if self.source else str(problem) for problem in self.problems)


def checked(gates: Any, source: str = "") -> dict[str, Any]:
    """The gates as they are to be kept; raises GateProblems, which has all that is wrong with them.

    Of `{}` nothing is kept: no gates hold. What asks nothing is left out, and approvals name their approvers.
    """
    if not isinstance(gates, Mapping):
        raise GateProblems([GateProblem("gates", "a table is expected")], source)
    problems = list(_size_problems(gates))
    found: dict[str, Any] = {}
    for name, gate in gates.items() if not problems else ():
        alias, wrong = _checked_name(name)
        if not wrong and alias in found:
            wrong = [GateProblem(_key(name), "the same alias stands here twice")]
        normal, more = _checked_gate(_key(name), gate)
        problems += [*wrong, *more]
        found[alias] = normal
    if len(problems) > MOST_PROBLEMS:
        others = GateProblem("gates", f"and {len(problems) - MOST_PROBLEMS:,} more")
        problems = [*problems[:MOST_PROBLEMS], others]
    if problems:
        raise GateProblems(problems, source)
    return {alias: gate for alias, gate in found.items() if gate}


def _size_problems(gates: Mapping[str, Any]) -> Iterable[GateProblem]:
    rules = sum(
        len(gate[key])
        for gate in gates.values()
        if isinstance(gate, Mapping)
        for key in ("require", "warn")
        if isinstance(gate.get(key), list)
    )
    if rules > MOST_RULES:
        yield GateProblem("gates", f"an asset has at most {MOST_RULES} rules; here are {rules:,}")
    if len(gates) > MOST_RULES:
        yield GateProblem("gates", f"at most {MOST_RULES} aliases have gates; here are {len(gates):,}")


def _checked_name(name: Any) -> tuple[str, list[GateProblem]]:
    """The name of an alias as it is kept, or what stands for others."""
    if name in (EVERY_ALIAS, INTO_BRANCH):
        return str(name), []
    try:
        return check_alias(name), []
    except ValueError as error:
        hint = f"; write {_cut(name.removeprefix('@'))}" if name.startswith("@") and len(name) > 1 else ""
        known = f'; "{INTO_BRANCH}" is for promotions, "{EVERY_ALIAS}" for every alias'
        return str(name), [GateProblem(_key(name), f"{error}{hint or known}")]


def _checked_gate(key: str, gate: Any) -> tuple[dict[str, Any], list[GateProblem]]:
    if not isinstance(gate, Mapping):
        return {}, [GateProblem(key, f"a table is expected, with some of {', '.join(KEYS)}")]
    unknown = [name for name in gate if name not in KEYS]
    problems = [GateProblem(f"{key}.{_part(name)}", f"not known here; known are {', '.join(KEYS)}") for name in unknown]
    normal: dict[str, Any] = {}
    for name in ("require", "warn"):
        texts, more = _checked_rules(f"{key}.{name}", gate.get(name, []))
        problems += more
        normal |= {name: texts} if texts else {}
    approvals, approvers = gate.get("approvals", 0), gate.get("approvers", [])
    wrong = [GateProblem(f"{key}.{name}", message) for name, message in _approval_problems(approvals, approvers)]
    if not wrong and approvals:
        normal |= {"approvals": approvals, "approvers": list(dict.fromkeys(approvers)) or [*DEFAULT_APPROVERS]}
    return normal, problems + wrong


def _checked_rules(key: str, texts: Any) -> tuple[list[str], list[GateProblem]]:
    if not isinstance(texts, list):
        return [], [GateProblem(key, 'a list of rules is expected, such as ["auc >= 0.78"]')]
    problems = [problem for number, text in enumerate(texts, 1) if (problem := _rule_problem(key, number, text))]
    return [text.strip() for text in texts if isinstance(text, str)], problems


def _rule_problem(key: str, number: int, text: Any) -> GateProblem | None:
    if not isinstance(text, str):
        return GateProblem(key, 'a text is expected, such as "auc >= 0.78"', number)
    try:
        parse(text)
    except CantParse as error:
        return GateProblem(key, error.message, number, error.column, error.expected)
    return None


def _approval_problems(approvals: Any, approvers: Any) -> Iterable[tuple[str, str]]:
    if type(approvals) is not int or not 0 <= approvals <= MOST_APPROVALS:
        yield "approvals", f"a whole number from 0 to {MOST_APPROVALS} is expected"
        return
    if not isinstance(approvers, list):
        yield "approvers", f"a list of {', '.join(ROLES)} and names of users is expected"
        return
    for one in approvers:
        if one not in ROLES and not (isinstance(one, str) and USER.fullmatch(one)):
            yield "approvers", f"{_cut(str(one))} is neither the name of a user nor one of {', '.join(ROLES)}"
    if approvers and not approvals:
        yield "approvers", "nobody is asked to approve; write approvals = 1, or more"
    people = set(map(str, approvers))
    if approvers and approvals > len(people) and people.isdisjoint(ROLES):
        yield "approvers", f"{approvals} approvals are asked for, and {len(people)} can be given"


def _key(name: Any) -> str:
    return f"gates.{_part(name)}"


def _part(name: Any) -> str:
    """A key as TOML writes it: in quotes, if it is no bare word; what can't be shown is escaped."""
    text = _cut(str(name))
    if re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return text
    return f'"{text}"'


def _cut(text: str) -> str:
    return visible(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…")
