"""What happened lately, newest first: one bounded statement for an asset or a branch, whatever its size."""

from dataclasses import dataclass
from datetime import datetime

from catalog.addresses import asset_url_by_id, deleted_url
from catalog.models import Asset, Branch
from catalog.pagekit.uses import EntityLink
from catalog.pages.statements import FeedRow, Lately, last_of_asset
from catalog.states import Kind, State

ENTRIES = 20
ICONS = {"task": "flow", "deployment": "deployment", "user": "person", "ci": "ci"}


@dataclass(frozen=True)
class Happening:
    """One entry of a feed. `what`: registered, consumed, alias, declared, edited, deployed or deleted.

    `detail` is a state, the reference asked for, an alias, a property or a version of the code, as `what` asks;
    `elsewhere` is the branch of a consumer, or the id that an alias points to, empty for an alias that was removed;
    `home` is the branch whose feed it is.
    """

    what: str
    at: datetime
    who: EntityLink
    kind: str
    asset_id: str
    number: int | None
    detail: str
    elsewhere: str
    home: Branch

    @property
    def ref(self) -> str:
        return f"v{self.number}" if self.number else ""

    @property
    def asset_url(self) -> str:
        return asset_url_by_id(self.home, self.kind, self.asset_id)

    @property
    def deleted_url(self) -> str:
        """Where what was deleted can be recovered."""
        return deleted_url(self.home)

    @property
    def other_branch(self) -> str:
        """The branch of a consumer, if it is not the one at hand."""
        at_home = self.what != "consumed" or self.home.is_called(self.elsewhere)
        return "" if at_home else self.elsewhere

    @property
    def url(self) -> str:
        return f"{self.asset_url}/{self.ref}" if self.ref else self.asset_url

    @property
    def is_ready(self) -> bool:
        """Of a registration, as `is_pending`."""
        return self.detail == State.READY

    @property
    def is_pending(self) -> bool:
        return self.detail == State.PENDING

    @property
    def icon(self) -> str:
        """A registration is drawn as what was made, all else as who did it."""
        if self.what == "registered":
            return "model" if self.kind == Kind.MODELS else "data"
        return "ci" if self.what in ("deployed", "declared") else ICONS.get(self.who.kind, "other")


def activity_of_asset(asset: Asset, most: int = ENTRIES) -> list[Happening]:
    """Of an asset that the viewer was found to see."""
    return _feed(last_of_asset(asset, most), asset.branch, most)


def activity_of_branch(branch: Branch, lately: Lately, most: int = ENTRIES) -> list[Happening]:
    """Of each asset its newest registration, of each consumer and alias the last use and move: what is kept at hand."""
    return _feed(lately.feed, branch, most)


def _feed(rows: list[FeedRow], branch: Branch, most: int) -> list[Happening]:
    """The newest of all kinds."""
    newest = sorted(rows, key=lambda row: row.at, reverse=True)[:most]
    return [
        Happening(
            row.what,
            row.at,
            EntityLink.of(row.who_kind, row.who),
            row.kind,
            row.asset_id,
            row.number,
            row.detail,
            row.elsewhere,
            branch,
        )
        for row in newest
    ]
