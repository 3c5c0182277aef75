"""Missed writes among what needs attention: one row for each branch that lacks some, after every pass."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, Q

from access.models import Perimeter
from catalog.attention import attention, of_missed, raise_all, settle_attention, still_raised
from catalog.models import Attention, Branch, MissedWrite
from catalog.states import AttentionKind

Place = tuple[str, str, str]
"""The names of a perimeter and a project, and the key of a branch."""
ERROR_LENGTH = 512


@dataclass
class Missed:
    """What a branch lacks: `stuck` of it can't be backfilled, for a reason such as `error`; the rest waits."""

    since: datetime
    task: str
    count: int = 0
    stuck: int = 0
    error: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        waiting = self.count - self.stuck
        return {"waiting": waiting, "stuck": self.stuck, "task": self.task, "error": self.error[:ERROR_LENGTH]}


def missed_by_place() -> dict[Place, Missed]:
    """What is lacking, by branches, as far as it is known where it belongs."""
    found: dict[Place, Missed] = {}
    rows = MissedWrite.objects.exclude(address="").order_by("address").values_list("address")
    facts = [Min("found_at"), Min("task"), Count("pk"), Count("pk", filter=~Q(error="")), Max("error")]
    counted: Any = rows.annotate(**{f"fact{number}": fact for number, fact in enumerate(facts)}).iterator()
    for address, since, task, count, stuck, error in counted:
        perimeter, project, branch = [*str(address).split("/"), "", ""][:3]
        missed = found.setdefault((perimeter, project, branch), Missed(since, task))
        missed.since, missed.task, missed.error = (
            min(since, missed.since),
            min(task, missed.task),
            error or missed.error,
        )
        missed.count, missed.stuck = missed.count + count, missed.stuck + stuck
    return found


@transaction.atomic
def raise_missed() -> None:
    """Raise what is lacking now, and settle what is lacking no more."""
    missed = missed_by_place()
    perimeters = dict(Perimeter.objects.filter(name__in={place[0] for place in missed}).values_list("name", "pk"))
    branches = _branches({place for place in missed if place[0] in perimeters})
    rows: dict[str, Attention] = {}
    for place, about in missed.items():
        if place[0] in perimeters:
            subject = of_missed(*place)
            rows[subject] = attention(
                AttentionKind.MISSED,
                subject,
                perimeter_id=perimeters[place[0]],
                branch_id=branches.get(place),
                since=about.since,
                facts={**about.facts, "project": place[1], "branch": place[2]},
                matter=["stuck", "error"],
            )
    if over := still_raised(AttentionKind.MISSED) - rows.keys():
        settle_attention(AttentionKind.MISSED, *over)
    raise_all(rows.values())


def _branches(places: set[Place]) -> dict[Place, int]:
    """The keys of the branches that are there."""
    keys = {key for _, _, key in places}
    there = Branch.objects.filter(key__in=keys) if keys else Branch.objects.none()
    names = there.values_list("project__perimeter__name", "project__name", "key", "pk")
    return {(perimeter, project, key): pk for perimeter, project, key, pk in names}
