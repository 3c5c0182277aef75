"""What somebody should look at on a branch."""

from dataclasses import dataclass

from catalog.addresses import asset_url
from catalog.models import Asset, Branch, PropertyOverride
from catalog.pages.statements import failed_assets, last_overrides

MOST, MOST_OVERRIDES = 10, 100


@dataclass(frozen=True)
class Alarm:
    asset: Asset
    url: str
    sentence: str


def alarms_of(branch: Branch) -> list[Alarm]:
    """Assets whose last registration failed, and properties whose declared value has changed beneath an edit.

    Of a branch that the viewer was found to see.
    """
    return [*_failures(branch), *_surprises(branch)][:MOST]


def _failures(branch: Branch) -> list[Alarm]:
    return [Alarm(row, asset_url(row), _failure(row)) for row in failed_assets(branch, MOST)]


def _failure(asset: Asset) -> str:
    assert asset.newest is not None  # only such assets were asked for
    reason = f" ({asset.newest.state_reason})" if asset.newest.state_reason else ""
    still = f"the latest is still {asset.newest_ready.ref}" if asset.newest_ready else "none is ready yet"
    return f"{asset.newest.ref} failed{reason}; {still}."


def _surprises(branch: Branch) -> list[Alarm]:
    changed = [row for row in last_overrides(branch, MOST_OVERRIDES) if row.declared_has_changed]
    return [Alarm(row.asset, asset_url(row.asset), _surprise(row)) for row in changed[:MOST]]


def _surprise(override: PropertyOverride) -> str:
    return f"The declared value of {override.key} has changed since {override.actor} edited it."
