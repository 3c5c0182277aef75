"""Which versions of an asset a film-strip shows: a page of them, up to a version or a date; of each day one, or of an
alias those that held it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from catalog.models import Asset, Instance
from catalog.pagekit.days import LAST_DAY, day_in, end_of
from catalog.pagekit.query import PageQuery
from catalog.pages.statements import newest_of_each_day
from catalog.querysets import InstanceQuerySet
from obproject.branches import check_alias

MOST = 50
"""How many versions a strip shows."""
PINNED = 2
"""How many versions are pinned at most."""
MOST_PINS = 8
"""So many words are read that should be pinned."""
MOVES = 500
"""How many of an alias's last moves are looked through for the versions that held it."""
VERSION = re.compile(r"v?([1-9][0-9]{0,8})")
BULK = ("blobs", "tags", "description")


@dataclass(frozen=True)
class Asked:
    """What an address asks of the strip. `before`: versions below a number; `until`: those made before a moment;
    `only`: "day", "@" and the name of an alias, or empty for all. `unclear` is said of what can't be understood."""

    before: int | None = None
    until: datetime | None = None
    only: str = ""
    unclear: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: PageQuery) -> "Asked":
        asked, unclear = cls(query.number("before")), []
        only, at = query.params.get("only", ""), query.params.get("at", "").strip()
        try:
            asked = replace(asked, only=_only_in(only))
        except ValueError:
            unclear.append(f"'{only}' is no choice of versions, such as 'day' or '@production'; all are shown.")
        found = VERSION.fullmatch(at)
        day = None if found else day_in(at)
        if found:
            asked = replace(asked, before=int(found[1]) + 1)
        elif day:
            asked = replace(asked, until=end_of(day))
        elif at:
            unclear.append(f"'{at}' is neither a version, such as v900, nor a date, such as 2026-11-24.")
        return replace(asked, unclear=tuple(unclear))


def _only_in(text: str) -> str:
    """A choice of versions, of an alias in the form in which it is kept; raise ValueError if it is none."""
    if text in ("", "day"):
        return text
    if not text.startswith("@"):
        raise ValueError(text)
    return f"@{check_alias(text[1:])}"


@dataclass(frozen=True)
class Pins:
    """The versions that are pinned, as `v11`; `unclear` is said of what can't be."""

    refs: Sequence[str] = ()
    unclear: Sequence[str] = ()

    @classmethod
    def of(cls, query: PageQuery) -> "Pins":
        given = [part.strip() for text in query.params.getlist("pin") for part in text.split(",")]
        texts = [text for text in given if text][:MOST_PINS]
        refs = list(dict.fromkeys(f"v{found[1]}" for text in texts if (found := VERSION.fullmatch(text))))
        unclear = [f"'{text}' can't be pinned; a version can, as v11." for text in texts if not VERSION.fullmatch(text)]
        if len(refs) > PINNED:
            unclear.append(f"{PINNED} versions can be pinned at a time; {', '.join(refs[PINNED:])} is left out.")
        return cls(refs[:PINNED], unclear)

    @property
    def numbers(self) -> list[int]:
        return [int(ref.removeprefix("v")) for ref in self.refs]

    def url(self, query: PageQuery, ref: str) -> str:
        """The page with a version pinned, in place of the first if two are; or let go, if it is pinned."""
        others = [other for other in self.refs if other != ref]
        refs = others if ref in self.refs else [*others, ref][-PINNED:]
        return f"{query.url(pin=','.join(refs) or None)}#{ref}"


@dataclass(frozen=True)
class Filmed:
    """Versions, the oldest first, and what leads to those around them: changes of the query, None at the ends.

    `before_them` and `after_them` are such changes. `cut`: of an alias only the last moves were looked through.
    """

    rows: Sequence[Any] = ()
    before_them: dict[str, object] | None = None
    after_them: dict[str, object] | None = None
    cut: bool = False


def filmed(asset: Asset, asked: Asked) -> Filmed:
    if asked.only == "day":
        return _of_days(asset, asked)
    found = Instance.objects.of(asset).defer(*BULK)
    cut = False
    if asked.only:
        uids = _holders(asset, asked.only[1:])
        found, cut = found.filter(uid__in=uids), len(uids) == MOVES
    rows = list(_up_to(found, asset, asked).newest_first()[: MOST + 1])
    shown = rows[:MOST][::-1]
    older = {"before": shown[0].number, "at": None} if len(rows) > MOST else None
    newer = _newer(asset, shown, asked) if not asked.only else None
    return Filmed(shown, older, newer, cut)


def _up_to(found: InstanceQuerySet, asset: Asset, asked: Asked) -> InstanceQuerySet:
    if asked.until is not None:
        made = Instance.objects.of(asset).filter(created_at__lt=asked.until).latest_first()
        found = found.filter(number__lte=made.values("number")[:1])
    return found.before(asked.before)


def _newer(asset: Asset, shown: Sequence[Any], asked: Asked) -> dict[str, object] | None:
    """The versions above those shown; numbers follow each other."""
    last = shown[-1].number if shown else (asked.before or 1) - 1
    if last >= asset.last_number:
        return None
    return {"before": last + 1 + MOST if last + MOST < asset.last_number else None, "at": None}


def _holders(asset: Asset, alias: str) -> list[str]:
    moves = asset.alias_moves.filter(name=alias).exclude(to_uid="").order_by("-pk")
    return list(moves.values_list("to_uid", flat=True)[:MOVES])


def _of_days(asset: Asset, asked: Asked) -> Filmed:
    """The last version of each of the last days that have any; only whole days are before others."""
    rows = newest_of_each_day(asset, asked.until or end_of(LAST_DAY), MOST + 1)
    shown = rows[:MOST][::-1]
    if len(rows) <= MOST:
        return Filmed(shown)
    return Filmed(shown, {"at": rows[MOST].created_at.astimezone(UTC).date(), "before": None})
