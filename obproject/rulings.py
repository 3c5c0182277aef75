"""What the rules of gates said of a version, as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MARKS = {"passes": "✓", "refuses": "✗", "warns": "!", "exempt": "·"}


def ruling_lines(rules: Sequence[Mapping[str, Any]], indent: str = "  ") -> list[str]:
    """Return a line for each rule: what it says as a mark, the rule, and what it found, in columns."""
    width = max((len(_plain(one.get("rule"))) for one in rules), default=0)
    return [
        f"{indent}{MARKS.get(str(one.get('says')), '?')} {_plain(one.get('rule')):<{width}}  {found_by(one)}".rstrip()
        for one in rules
    ]


def found_by(ruling: Mapping[str, Any]) -> str:
    """Return what a rule found: "0.7991, needs 0.8004 (v3 has 0.8024), 0.0013 short"."""
    has, needs, reference, short, reason = (
        _plain(ruling.get(name)) for name in ("has", "needs", "reference", "short_by", "reason")
    )
    beside = f"({reference})" if reference else ""
    needed = " ".join(filter(None, [f"needs {needs}" if needs else "", beside]))
    return ", ".join(filter(None, [has, needed, _shortfall(needs, short), reason]))


def _shortfall(needs: str, short_by: str) -> str:
    """Return how much is lacking, or too much, in the words of the site."""
    if not short_by:
        return ""
    if needs.startswith(("at most ", "less than ")):
        return f"{short_by} too much"
    return f"{short_by} {'too far' if ' to ' in needs else 'short'}"


def lacks_only_approvals(rules: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether nothing refuses but that people have yet to approve."""
    refusing = [str(one.get("rule", "")) for one in rules if one.get("says") == "refuses"]
    return bool(refusing) and all(rule.startswith("approvals =") for rule in refusing)


def _plain(value: Any) -> str:
    """Return a text on one line; what could steer a terminal becomes ``\\ufffd``."""
    words = " ".join(str(value or "").split())
    return "".join(character if character.isprintable() else "\ufffd" for character in words)
