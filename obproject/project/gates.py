"""What ``asset_config.toml`` declares under ``[gates]``: what a version must meet before an alias moves to it.

Only the shape is looked at. What the rules mean, the catalogue knows: it parses them, and a deploy that it can't
parse is refused as a whole. A key that is not known is a problem here too, as a misspelt ``requier`` would let all
pass.
"""

from __future__ import annotations

from obproject.json_types import Json
from obproject.project.checked_toml import Table, check_characters

GATE_KEYS = ("require", "warn", "approvals", "approvers")
"""What may be declared of a gate."""


def read_gates(asset: Table) -> Json | None:
    """Return what is under ``[gates]``, as it is written, by alias and in the order of the file.

    None if the file does not speak of gates; empty for the bare header, which takes away what an earlier deploy
    declared.
    """
    if "gates" not in asset:
        return None
    table = asset.table("gates")
    table.check_keys(check_characters)
    return {name: _read_gate(inner) for name, inner in table.tables()}


def _read_gate(table: Table) -> Json:
    table.refuse_others(GATE_KEYS)
    found: Json = {key: table.texts(key) for key in ("require", "warn", "approvers") if key in table}
    approvals = table.number("approvals", check=_check_count)
    return found if approvals is None else {**found, "approvals": int(approvals)}


def _check_count(number: float) -> float:
    if isinstance(number, float) or number < 0:
        raise ValueError("expected a whole number, 0 or more")
    return number
