"""The gates of a project as the catalogue sees them: what it can't parse, what would change, what they would have done.

The catalogue has the parser. It is asked before anything is compiled or changed, so that what it can't parse is found
with everything else that is wrong with a project; so is what a project declares of freshness, and its time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from obproject.catalogue.branch import BranchCatalogue
from obproject.catalogue.client import is_unknown_address
from obproject.deploy.plan import Plan
from obproject.errors import AssetNotFound, BadRequest
from obproject.json_types import Json
from obproject.project.checked_toml import DefinitionError, Problem
from obproject.project.definitions import AssetDefinition
from obproject.rulings import found_by

_GATES_OF = {"*": "every alias", "into branch": "promotions into the branch"}
_DEFAULT_APPROVERS = ["role:admin"]


@dataclass(frozen=True)
class GateChange:
    """A rule that is added, or one that goes; the other one of the two is None."""

    gate: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.gate} - {self.before}" if self.after is None else f"{self.gate} + {self.after}"


@dataclass(frozen=True)
class NewGates:
    """The gates of an asset that a deployment changes."""

    asset: str
    """Its name, such as ``models/xkcd``."""
    changes: list[GateChange] = field(default_factory=list)
    looked_back: list[str] = field(default_factory=list)
    """What each new gate would have done, in a sentence."""

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return f"Gates of {self.asset} changed. {' '.join(f'{one}.' for one in self.looked_back)}".rstrip()


def declaring(plan: Plan) -> list[AssetDefinition]:
    """Return the assets whose files speak of gates, or of freshness."""
    return [asset for asset in plan.project.assets if asset.gates is not None or asset.freshness is not None]


def new_gates(plan: Plan) -> list[NewGates]:
    """Ask the catalogue about the gates of a project, and return those that a deployment changes.

    Raises DefinitionError with all that it can't parse, also of freshness, and AssetError if it does not answer. One of
    an older version, which knows no gates, changes none.
    """
    declared = {f"{asset.folder}/{asset.id}": asset for asset in declaring(plan)}
    timezone = plan.project.config.timezone
    if not declared and timezone is None:
        return []
    catalogue = BranchCatalogue(plan.settings, plan.name, plan.branch)
    try:
        said = catalogue.check_gates([_entry(asset) for asset in declared.values()], timezone)
    except AssetNotFound as error:
        if is_unknown_address(error) or "perimeter" in error.detail:
            # What the perimeter lacks, the deployment itself says.
            return []
        raise
    except BadRequest as error:
        if problems := list(_problems(error.detail, declared)):
            raise DefinitionError(problems) from error
        raise
    found = []
    for one in said["definitions"]:
        if one["differs"]:
            name = f"{one['kind']}/{one['id']}"
            before = catalogue.gates_of(one["kind"], one["id"])
            changes = list(changed_gates(before, declared[name].gates or {}))
            found.append(NewGates(name, changes, [_looked_back(gate) for gate in one["gates"]]))
    return found


def _entry(asset: AssetDefinition) -> Json:
    said = {"gates": asset.gates, "freshness": asset.freshness}
    known = {name: value for name, value in said.items() if value is not None}
    return {"kind": asset.folder, "id": asset.id, "source": asset.source, **known}


# What can't be parsed


def _problems(detail: Json, declared: Mapping[str, AssetDefinition]) -> Iterator[Problem]:
    sources = {asset.source: asset for asset in declared.values()}
    for problem in detail.get("problems") or ():
        source, key = str(problem.get("file")), str(problem.get("key"))
        rule, column = problem.get("rule"), problem.get("column")
        where = [key, *([f"rule {rule}"] if rule else []), *([f"column {column}"] if column else [])]
        text = _rule_text(sources[source], key, rule) if source in sources and rule else None
        lines = [str(problem.get("message")), *_pointed(text, column)]
        expected = [word for word in problem.get("expected") or () if word not in lines[0]]
        if expected:
            lines.append(f"    What could stand there: {', '.join(expected)}")
        yield Problem(source, ", ".join(where), "\n".join(lines))


def _rule_text(asset: AssetDefinition, key: str, rule: int) -> str | None:
    """Return the rule that a problem is about; its key is such as ``gates."into branch".require``."""
    for name, gate in (asset.gates or {}).items():
        for part, texts in gate.items():
            if isinstance(texts, list) and key in (f"gates.{name}.{part}", f'gates."{name}".{part}'):
                return str(texts[rule - 1]) if rule <= len(texts) else None
    return None


def _pointed(text: str | None, column: int | None) -> list[str]:
    """Return a rule with a caret below the column, counted from 1."""
    if text is None or "\n" in text or not text.isprintable():
        return []
    return [f"    {text}", *([f"    {' ' * (column - 1)}^"] if column else [])]


# What would change


def changed_gates(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[GateChange]:
    """Yield the rules that go and those that come, gate by gate."""
    for name in [*after, *(name for name in before if name not in after)]:
        was, will = (_rules(gates.get(name) or {}) for gates in (before, after))
        for rule in was:
            if rule not in will:
                yield GateChange(_name(name), rule, None)
        for rule in will:
            if rule not in was:
                yield GateChange(_name(name), None, rule)


def _rules(gate: Mapping[str, Any]) -> list[str]:
    """Return what a gate asks, a line for each; whoever approves by default is not said."""
    approvals, approvers = gate.get("approvals") or 0, gate.get("approvers") or []
    people = f" by {', '.join(approvers)}" if approvers and approvers != _DEFAULT_APPROVERS else ""
    return [
        *(rule.strip() for rule in gate.get("require") or ()),
        *(f"warn {rule.strip()}" for rule in gate.get("warn") or ()),
        *([f"approvals = {approvals}{people}"] if approvals else []),
    ]


def _name(gate: str) -> str:
    return _GATES_OF.get(gate, f"@{gate}")


# What it would have done


def _looked_back(gate: Json) -> str:
    """Return what a gate would have done to the last versions, and to what holds its alias now."""
    parts = [_of_versions(gate), *_of_holder(gate["holder"])]
    left_out = [*gate["left_out"], *(["approvals"] if gate["approvals"] else [])]
    if left_out:
        parts.append(f"not looked at: {', '.join(left_out)}")
    return f"{_name(gate['gate'])}: {'; '.join(parts)}"


def _of_versions(gate: Json) -> str:
    versions, refused = gate["versions"], gate["refused"]
    if not versions:
        return "there is no version yet that it would have judged"
    last = "the only version" if versions == 1 else f"the last {versions} versions"
    if not refused:
        return f"would have let {last} pass"
    rules = ", ".join(f"{rule['rule']}: {rule['refused']}" for rule in gate["by_rule"])
    return f"would have refused {last if versions == 1 else f'{refused} of {last}'} ({rules})"


def _of_holder(holder: Json | None) -> Iterator[str]:
    if holder is None:
        return
    if holder["passes"]:
        yield f"{holder['ref']}, which holds it now, would pass"
        return
    refusing = [f"{rule['rule']}: {found_by(rule)}" for rule in holder["rules"] if rule["says"] == "refuses"]
    yield f"{holder['ref']}, which holds it now, would not pass: {', '.join(refusing)}"
