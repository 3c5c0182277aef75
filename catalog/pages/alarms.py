"""What somebody should look at on a branch."""

from dataclasses import dataclass

from catalog.addresses import asset_url_by_id
from catalog.models import Branch
from catalog.pages.statements import Edited, Failure, Lately

MOST, MOST_EDITS = 10, 100


@dataclass(frozen=True)
class Alarm:
    """`asset` has its title and its id."""

    asset: Failure | Edited
    url: str
    sentence: str


def alarms_of(branch: Branch, lately: Lately) -> list[Alarm]:
    """Assets whose last registration failed, and properties whose declared value has changed beneath an edit."""
    said: list[tuple[Failure | Edited, str]] = [(row, _failure(row)) for row in lately.failures]
    said += [(row, _surprise(row)) for row in lately.edits if row.declared_now.get(row.key) != row.declared_then]
    return [Alarm(row, asset_url_by_id(branch, row.kind, row.asset_id), sentence) for row, sentence in said[:MOST]]


def _failure(row: Failure) -> str:
    reason = f" ({row.reason})" if row.reason else ""
    still = f"the latest is still v{row.ready_number}" if row.ready_number else "none is ready yet"
    return f"v{row.number} failed{reason}; {still}."


def _surprise(row: Edited) -> str:
    return f"The declared value of {row.key} has changed since {row.actor} edited it."
