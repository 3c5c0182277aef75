"""What a deployment would change, found by comparing the project with what the catalogue has.

What the last deployment declared is in its spec. An asset that another tool declared is compared with what the
catalogue tells of it, which is less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from obproject.catalogue.branch import BranchCatalogue
from obproject.deploy.plan import Plan
from obproject.json_types import Json
from obproject.kinds import COLLECTIONS
from obproject.project.record import declaration, live_flows

_LABELS = {"display_name": "name", "card_markdown": "README", "markdown": "README"}
_KNOWN_OF_ASSETS = ("display_name", "description", "icon", "properties")
_COMPARED_IN_SPEC = ("title", "markdown")


@dataclass(frozen=True)
class Change:
    """One value that would change; None stands for no value."""

    what: str
    before: Any
    after: Any


@dataclass
class Difference:
    """What a deployment would change. Assets are named ``data/xkcd``."""

    created: list[str] = field(default_factory=list)
    updated: dict[str, list[Change]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    overridden: list[Json] = field(default_factory=list)
    """Declared values that would change beneath the value that a person set, which stays."""
    not_declared: list[str] = field(default_factory=list)
    spec: list[Change] = field(default_factory=list)
    flows_added: list[str] = field(default_factory=list)
    flows_removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Flows that are live, and that the project lacks."""

    @property
    def document(self) -> Json:
        """The difference for programs."""
        return asdict(self)


def compare(plan: Plan, *, skip_assets: bool = False) -> Difference:
    """Compare a project with its branch in the catalogue; raises AssetError if that can't be read."""
    catalogue = BranchCatalogue(plan.settings, plan.name, plan.branch)
    spec = catalogue.spec() or {}
    difference = Difference()
    if not skip_assets:
        existing = {f"{folder}/{item['asset']['id']}": item["asset"] for folder, item in catalogue.assets()}
        _compare_assets(plan, existing, _declared(spec), difference)
    _compare_spec(plan, spec, difference)
    return difference


def _declared(spec: Json) -> dict[str, Json]:
    """Return what the last deployment declared, by name of the asset."""
    entries = {folder: spec[folder] for folder in COLLECTIONS if isinstance(spec.get(folder), list)}
    return {
        f"{folder}/{entry['id']}": {"icon": None, "card_markdown": None, **entry}
        for folder, listed in entries.items()
        for entry in listed
        if isinstance(entry, dict) and isinstance(entry.get("properties"), dict)
    }


def _compare_assets(plan: Plan, existing: dict[str, Json], declared: dict[str, Json], difference: Difference) -> None:
    names = set()
    for asset in plan.project.assets:
        name = f"{asset.folder}/{asset.id}"
        names.add(name)
        if name not in existing:
            difference.created.append(name)
            continue
        after = declaration(asset)
        before = declared.get(name) or {key: existing[name][key] for key in _KNOWN_OF_ASSETS}
        if changes := list(_changes(before, after)):
            difference.updated[name] = changes
        else:
            difference.unchanged.append(name)
        if name in declared:
            difference.overridden += _beneath_overrides(name, before, after, existing[name]["properties"])
    difference.not_declared = sorted((declared.keys() & existing.keys()) - names)


def _changes(before: Json, after: Json) -> Iterator[Change]:
    """Yield the values that differ. What a project does not say stays as it is, so it is no difference."""
    for key, value in after.items():
        if key == "properties":
            yield from _changed_properties(before["properties"], value)
        elif key in before and before[key] != value:
            yield Change(_LABELS.get(key, key), before[key], value)


def _changed_properties(before: Json, after: Json) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield Change(f"property {key}", before.get(key), after.get(key))


def _beneath_overrides(name: str, before: Json, after: Json, effective: Json) -> list[Json]:
    was, will = before["properties"], after["properties"]
    return [
        {"asset": name, "key": key, "declared": will.get(key), "previously_declared": was.get(key), "override": value}
        for key, value in sorted(effective.items())
        if value != was.get(key) and was.get(key) != will.get(key)
    ]


def _compare_spec(plan: Plan, spec: Json, difference: Difference) -> None:
    new = plan.record["spec"]
    difference.spec = [
        Change(_LABELS.get(key, key), spec.get(key), new.get(key))
        for key in _COMPARED_IN_SPEC
        if spec.get(key) != new.get(key)
    ]
    listed = spec.get("workflows")
    entries = listed if isinstance(listed, list) else []
    was = {str(entry.get("flow_name")) for entry in entries if isinstance(entry, dict)}
    will = {flow.flow_name for flow in plan.workflows}
    difference.flows_added = sorted(will - was)
    difference.flows_removed = sorted(was - will)
    difference.left = sorted(live_flows(spec).keys() - will)
