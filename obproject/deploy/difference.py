"""What a deployment would change, found by comparing the project with what the catalogue has.

What the last deployment declared is in its spec. An asset that another tool declared is compared with what the
catalogue tells of it, which is less.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from obproject.catalogue.branch import BranchCatalogue
from obproject.deploy.gates import NewGates
from obproject.deploy.plan import Plan
from obproject.json_types import Json
from obproject.kinds import COLLECTIONS
from obproject.metric_rules import METRIC_KEYS
from obproject.project.record import declaration, live_flows

_LABELS = {
    "display_name": "name",
    "card_markdown": "README",
    "markdown": "README",
    "compare_ignore": "left out of comparisons",
    "timezone": "time zone",
}
_KNOWN_OF_ASSETS = ("display_name", "description", "icon", "properties", "metrics")
_NOT_IN_OLDER_SPECS: Json = {
    "icon": None,
    "card_markdown": None,
    "metrics": [],
    "compare_ignore": [],
    "freshness": {},
}
_COMPARED_IN_SPEC = ("title", "timezone", "markdown")


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
    gates: list[NewGates] = field(default_factory=list)
    """Assets whose gates would be others."""

    @property
    def document(self) -> Json:
        """The difference for programs."""
        return asdict(self)


def compare(plan: Plan, gates: Sequence[NewGates] = (), *, skip_assets: bool = False) -> Difference:
    """Compare a project with its branch in the catalogue, which has told which gates would be others.

    Raises AssetError if that can't be read.
    """
    catalogue = BranchCatalogue(plan.settings, plan.name, plan.branch)
    spec = catalogue.spec() or {}
    difference = Difference(gates=list(gates))
    if not skip_assets:
        existing = {f"{folder}/{item['asset']['id']}": item["asset"] for folder, item in catalogue.assets()}
        _compare_assets(plan, existing, _declared(spec), difference)
    _compare_spec(plan, spec, difference)
    return difference


def _declared(spec: Json) -> dict[str, Json]:
    """Return what the last deployment declared, by name of the asset."""
    entries = {folder: spec[folder] for folder in COLLECTIONS if isinstance(spec.get(folder), list)}
    return {
        f"{folder}/{entry['id']}": {**_NOT_IN_OLDER_SPECS, **entry}
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
        before = declared.get(name) or _known_of(existing[name])
        if (changes := list(_changes(before, after))) or any(gates.asset == name for gates in difference.gates):
            difference.updated[name] = changes
        else:
            difference.unchanged.append(name)
        if name in declared:
            difference.overridden += _beneath_overrides(name, before, after, existing[name]["properties"])
    difference.not_declared = sorted((declared.keys() & existing.keys()) - names)


def _known_of(asset: Json) -> Json:
    """Return what a catalogue tells of an asset; an older one does not know of metrics."""
    return {key: asset[key] for key in _KNOWN_OF_ASSETS if key in asset}


def _changes(before: Json, after: Json) -> Iterator[Change]:
    """Yield the values that differ. What a project does not say stays as it is, so it is no difference."""
    for key, value in after.items():
        if key == "gates":
            # The catalogue knows which hold, whoever declared them.
            continue
        if key == "properties":
            yield from _changed_members("property", before["properties"], value)
        elif key == "freshness":
            yield from _changed_members("freshness", _members_in(before.get(key)), value)
        elif key == "metrics" and key in before:
            yield from _changed_metrics(before[key], value)
        elif key in before and before[key] != value:
            yield Change(_LABELS.get(key, key), before[key], value)


def _changed_members(what: str, before: Json, after: Json) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield Change(f"{what} {key}", before.get(key), after.get(key))


def _members_in(value: Any) -> Json:
    """Return an object in a spec that may come from any tool."""
    return value if isinstance(value, dict) else {}


def _changed_metrics(before: Any, after: list[Json]) -> Iterator[Change]:
    was, will = ({metric["name"]: metric for metric in metrics} for metrics in (_metrics_in(before), after))
    for name in [*was, *(name for name in will if name not in was)]:
        if was.get(name) != will.get(name):
            yield Change(f"metric {name}", _said_of(was.get(name)), _said_of(will.get(name)))
    if was.keys() == will.keys() and list(was) != list(will):
        yield Change("order of metrics", ", ".join(was), ", ".join(will))


def _metrics_in(value: Any) -> list[Json]:
    """Return the metrics in a spec that may come from any tool."""
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str)]


def _said_of(metric: Json | None) -> str | None:
    """Return what is declared of a metric as ``asset_config.toml`` has it; None if it is not declared."""
    if metric is None:
        return None
    return ", ".join(f"{key} = {json.dumps(metric[key])}" for key in METRIC_KEYS if key in metric) or "named only"


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
