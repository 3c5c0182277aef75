"""The parameters of a question about lineage. Values out of range are clamped, invalid ones ignored; both are noted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from lineage.graph import Kind
from lineage.reading_roles import role_named
from obproject.roles import check_role

DIRECTIONS = ("both", "up", "down")
DEPTH_MOST = 50
BUDGET, BUDGET_MOST = 250, 2_000
KINDS = tuple(kind.value for kind in Kind if kind not in (Kind.HIDDEN, Kind.GROUP))


@dataclass(frozen=True)
class Scope:
    """Direction, depth and time of a question, and the filters of its answer."""

    direction: str = "both"
    depth: int = 1
    budget: int = BUDGET
    """The most nodes in the answer."""
    as_of: datetime | None = None
    """None: now."""
    kinds: frozenset[str] = frozenset()
    """Show nodes of these kinds only; empty: all."""
    branches: frozenset[str] = frozenset()
    """Show nodes on these branches only, by key; empty: all."""
    roles: frozenset[str] = frozenset()
    """Only readings in these roles; empty: in all."""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryDict, *, depth: int, direction: str = "both") -> "Scope":
        """From a query string: `direction`, `depth`, `limit`, `as_of`, `kind`, `branch` and `role` (repeatable)."""
        reader = _Reader(query)
        return cls(
            direction=reader.choice("direction", DIRECTIONS, direction),
            depth=reader.number("depth", depth, least=0, most=DEPTH_MOST),
            budget=reader.number("limit", BUDGET, least=1, most=BUDGET_MOST),
            as_of=reader.moment("as_of"),
            kinds=frozenset(reader.choices("kind", KINDS)),
            branches=frozenset(name for name in query.getlist("branch") if name),
            roles=frozenset(reader.roles("role")),
            notes=tuple(reader.notes),
        )


class _Reader:
    def __init__(self, query: QueryDict) -> None:
        self.query = query
        self.notes: list[str] = []

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        text = self.query.get(name, "")
        if text and text not in allowed:
            self.notes.append(f"The {name} '{text[:40]}' is unknown; taken as {default}.")
        return text if text in allowed else default

    def choices(self, name: str, allowed: tuple[str, ...]) -> list[str]:
        values = [value for value in self.query.getlist(name) if value]
        for value in values:
            if value not in allowed:
                self.notes.append(f"The {name} '{value[:40]}' is unknown; passed over.")
        return [value for value in values if value in allowed]

    def roles(self, name: str) -> Iterator[str]:
        for value in filter(None, self.query.getlist(name)):
            try:
                yield role_named(check_role(value))
            except ValueError:
                self.notes.append(f"'{value[:40]}' is no role; passed over.")

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        text = self.query.get(name, "").strip()
        if not text:
            return default
        try:
            wanted = int(text[:12])
        except ValueError:
            self.notes.append(f"The {name} '{text[:40]}' is no whole number; taken as {default}.")
            return default
        number = min(max(wanted, least), most)
        if number != wanted:
            self.notes.append(f"The {name} {wanted} is out of bounds; taken as {number}.")
        return number

    def moment(self, name: str) -> datetime | None:
        text = self.query.get(name, "").strip()
        if not text:
            return None
        moment = _moment(text)
        if moment is None:
            self.notes.append(f"'{text[:40]}' is no time; taken as now.")
            return None
        if moment > timezone.now():
            self.notes.append("The time asked for is still to come; taken as now.")
            return None
        return moment


def _moment(text: str) -> datetime | None:
    """A time from ISO 8601, in UTC if it has no offset; for a day, its end. None if it is neither."""
    try:
        day = parse_date(text)
        if day:
            return datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, tzinfo=UTC)
        moment = parse_datetime(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
        if moment and moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment else None
    except (ValueError, OverflowError):
        return None
