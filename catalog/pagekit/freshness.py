"""How pages show what is expected of assets: the state, and in a line why; and what is unusual of a version."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from catalog.addresses import asset_url_below, branch_url_by_names, component_url_below
from catalog.freshness import words
from catalog.freshness.learning import Expectation
from catalog.freshness.state import freshness_of
from catalog.models import Asset, Branch, Component, Instance
from catalog.pagekit.statements import KNOWN, known_of, unusual_text
from catalog.shown.times import span
from catalog.states import CauseKind, Freshness, Watch
from catalog.wire.shapes import freshness_shape, time_shape

Json = dict[str, Any]
LOOKS = {
    Freshness.FRESH: ("good", "ready"),
    Freshness.DUE: ("warn", "pending"),
    Freshness.LATE: ("bad", "late"),
    Freshness.LEARNING: ("", "learning"),
    Freshness.DORMANT: ("", "dormant"),
    Freshness.OFF: ("", ""),
}
"""The colour and the icon of each state."""
EXPLAINED = (
    "Learned from the versions so far; \N{PLUS-MINUS SIGN}: how far apart they came from that. "
    "How late it is counts from when it was expected; it is called late some time after that."
)
NOT_WATCHED = "not watched"
ALSO_KNOWN = {
    name: Cast(F(column), TextField())
    for name, column in zip(KNOWN, ("cadence__told", "cadence__cause", "newest_ready__unusual__reasons"), strict=True)
}
"""The same to annotate a queryset of assets with."""


class Part(NamedTuple):
    """Of a sentence: text, which may lead to `url`, or a moment.

    `look` is that of a text (`name`, `title`, `code`, `alias` or none), or `length` of a moment, to say how long ago it
    was without "ago".
    """

    text: str = ""
    url: str = ""
    at: datetime | None = None
    look: str = ""


class Here(NamedTuple):
    """A branch by names, from which links lead to what is on it, and on others of its perimeter."""

    perimeter: str
    project: str
    key: str

    @classmethod
    def of(cls, branch: Branch) -> "Here":
        return cls(branch.project.perimeter.name, branch.project.name, branch.key)

    @property
    def url(self) -> str:
        return branch_url_by_names(*self)


@dataclass(frozen=True)
class FreshnessShown:
    """How it stands with an asset at a moment. `told` and `why` are of its `Cadence`."""

    asset: Asset
    branch: Branch
    now: datetime
    told: Json
    why: Json

    @cached_property
    def expected(self) -> Expectation:
        asset = self.asset
        return Expectation(Watch(asset.watch), asset.usual, asset.due_at, asset.late_at, asset.dormant_at, self.told)

    @cached_property
    def state(self) -> Freshness:
        asset = self.asset
        return freshness_of(asset.watch, asset.due_at, asset.late_at, asset.dormant_at, self.now)

    @property
    def is_watched(self) -> bool:
        return self.state != Freshness.OFF

    @property
    def is_learned(self) -> bool:
        """Whether forgetting what is older changes what is expected."""
        return self.expected.watch == Watch.LEARNED

    @property
    def is_late(self) -> bool:
        return self.state == Freshness.LATE

    @property
    def needs_a_look(self) -> bool:
        """Whether a list of what was refreshed last says so."""
        return self.state in (Freshness.LATE, Freshness.DUE, Freshness.DORMANT)

    @property
    def look(self) -> str:
        return LOOKS[self.state][0]

    @property
    def icon(self) -> str:
        return LOOKS[self.state][1]

    @property
    def word(self) -> str:
        """What the badge says; of what is late, before by how much."""
        return "late by" if self.is_late else str(self.state.label)

    @property
    def since(self) -> datetime | None:
        """Of what is late: from when on that is counted."""
        return self.asset.due_at if self.is_late else None

    @property
    def explained(self) -> str:
        """What the numbers of the line mean."""
        return EXPLAINED if self.is_learned else ""

    @property
    def usually(self) -> str:
        return words.usually(self.expected)

    @cached_property
    def line(self) -> list[Part]:
        """Why, in a line."""
        state, asset = self.state, self.asset
        if state == Freshness.LATE:
            return joined([Part(self.usually)], self.cause)
        if state == Freshness.DUE:
            return [Part("expected "), Part(at=asset.due_at), Part(", late "), Part(at=asset.late_at)]
        if state == Freshness.FRESH:
            return joined([Part(self.usually)], [Part("next "), Part(at=asset.due_at)])
        return [part if isinstance(part, Part) else Part(str(part)) for part in self._quiet()]

    @property
    def not_watched(self) -> str:
        """Of what is not watched, that it is not, and why."""
        return "".join(part.text for part in self.line) if self.told or self.asset.watch != Watch.OFF else NOT_WATCHED

    def _quiet(self) -> Iterable[Any]:
        if self.state == Freshness.LEARNING:
            return [words.learning(self.told, self.now)]
        return words.sentence(self.expected, self.now, self.asset.refreshed_at)

    @cached_property
    def cause(self) -> list[Part]:
        """Why it is late, as far as that was found."""
        return cause_parts(self.why, Here.of(self.branch), self.now)

    @property
    def shape(self) -> Json:
        """As twins of pages have it."""
        asset = self.asset
        return {
            **freshness_shape(asset, self.now),
            "sentence": "".join(part.text or time_shape(part.at) or "" for part in self.line),
        }

    @property
    def how_known(self) -> list[list[Part]]:
        """How it is known, as sentences."""
        if self.is_watched and not self.told.get("rule"):
            return [[Part("It has come, or was declared, just now; how that is known is told within a minute.")]]
        said = words.how_known(self.expected)
        return [[Part(part) if isinstance(part, str) else Part(at=part) for part in parts] for parts in said]

    @property
    def toml(self) -> str:
        """What would declare what was learned; empty where that makes no sense."""
        return words.toml(self.expected)


def bring_known(asset: Asset) -> Asset:
    """The asset with what is `KNOWN`, as lists bring it along: one query."""
    for name, text in zip(KNOWN, known_of(asset), strict=False):
        setattr(asset, name, text)
    return asset


def unusual_of_instance(instance: Instance) -> dict[str, str]:
    """What is unusual of a version that was found without it: one query."""
    reasons: dict[str, str] = json.loads(unusual_text(instance))
    return reasons


def freshness_shown(asset: Asset, branch: Branch, now: datetime | None = None) -> FreshnessShown:
    """Of an asset of a list that brought along what is `KNOWN`."""
    told, why = getattr(asset, KNOWN[0], None), getattr(asset, KNOWN[1], None)
    return FreshnessShown(
        asset, branch, now or timezone.now(), json.loads(told) if told else {}, json.loads(why) if why else {}
    )


def unusual_of(asset: Asset) -> dict[str, str]:
    """What is unusual of its newest ready version: by the names of metrics, in words."""
    reasons: dict[str, str] = json.loads(getattr(asset, "known_unusual", None) or "{}")
    return reasons


def cause_parts(why: Json, here: Here, now: datetime) -> list[Part]:
    """The cause of a lateness, as `Cadence` keeps it, with links; of what is `here`."""
    if not why:
        return []
    kind, at = why.get("kind"), moment_in(why.get("since"))
    ended = [Part(" "), Part(at=at)] if at else []
    lasting = [Part(" for "), Part(at=at, look="length")] if at else []
    run = Part(why.get("run", ""), maker_url(why, here), look="name")
    if kind == CauseKind.INPUT and (given := why.get("input")):
        return _input(given, here, now)
    if kind == CauseKind.FAILED:
        failed = [Part("its last run "), run] if run.text else [Part("its last version")]
        return [*failed, Part(" failed"), *ended]
    if kind == CauseKind.MAKING:
        return [Part("it is being made"), *lasting, *([Part(" by "), run] if run.text else [])]
    if kind == CauseKind.NOT_MADE:
        return [run, Part(" ended"), *ended, Part(" without making it")]
    if kind == CauseKind.OLD_DATA:
        until = f" has data until {why['until']} only" if why.get("until") else " does not say until when its data is"
        return [Part("its newest version "), Part(f"v{why.get('number')}"), Part(until)]
    name = why.get("maker", "")
    maker = Part(name, maker_url(why, here), look="name") if name else Part("its flow")
    return [maker, Part(" has not run"), *lasting]


def maker_url(why: Json, here: Here) -> str:
    """The page of who should have made what is late; empty where there is none."""
    return component_url_below(here.url, why.get("maker_kind", Component.Kind.FLOW.value), why.get("maker", ""))


def input_url(given: Json, here: Here) -> str:
    there = Here(here.perimeter, given["project"], given["branch"])
    return asset_url_below(there.url, given["kind"], given["asset_id"])


def _input(given: Json, here: Here, now: datetime) -> list[Part]:
    late = span(datetime.fromisoformat(given["due_at"]), now)
    return [Part("its input "), Part(given["asset_id"], input_url(given, here), look="name"), Part(f" is {late} late")]


def moment_in(text: Any) -> datetime | None:
    """A moment as facts keep it."""
    return datetime.fromisoformat(text) if text else None


def joined(*sentences: list[Part]) -> list[Part]:
    """Clauses in one sentence, with semicolons between them; the empty ones are left out."""
    said = [parts for parts in sentences if any(part.text or part.at for part in parts)]
    found: list[Part] = []
    for parts in said:
        found += [Part("; "), *parts] if found else parts
    return found
