"""What the address of a comparison asks for, and the addresses of those beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from catalog.models import Asset
from catalog.pagekit.query import PageQuery
from comparing.found import Found, Version
from comparing.references import Asked, asked_in

OWN = ("of", "base", "equal", "metrics", "cards", "diff")
"""The parameters of the page."""
MOST_CARDS = 4
"""How many cards are alive at once."""


@dataclass(frozen=True)
class Question:
    query: PageQuery
    home: Asset

    @cached_property
    def asked(self) -> Asked:
        """All that is to be looked up: what is compared, with a base that is not among it before it."""
        return asked_in([*([self.base] if self.base not in self.texts else []), *self.texts])

    @cached_property
    def texts(self) -> list[str]:
        return list(dict.fromkeys(text for value in self.query.params.getlist("of") for text in split(value)))

    @property
    def base(self) -> str:
        return self.query.params.get("base", "").strip()

    @property
    def with_equal(self) -> bool:
        return self.query.params.get("equal") == "yes"

    @property
    def all_metrics(self) -> bool:
        return self.query.params.get("metrics") == "all"

    @property
    def with_diff(self) -> bool:
        return self.query.params.get("diff") == "readme"

    def place_of_base(self, found: Found) -> int:
        """The place of the base among the versions: the one that is asked for, else the one made first."""
        chosen = found.by_text.get(self.base)
        if chosen is not None:
            return found.versions.index(chosen)
        return min(range(len(found.versions)), key=lambda place: _age(found.versions[place]))

    def cards(self, versions: Sequence[Version], base: Version) -> list[Version]:
        """Whose cards are shown: those that are asked for, else the base's and the first others'."""
        texts = [text for value in self.query.params.getlist("cards") for text in split(value)]
        chosen = [version for version in versions if version.text in texts]
        first = [base, *(version for version in versions if version is not base)]
        shown = (chosen or first)[:MOST_CARDS]
        return [version for version in versions if version in shown]

    # addresses

    def url(self, **changes: object) -> str:
        """This page with some parameters set, or removed (None); what is compared in one parameter."""
        of = ",".join(self.texts) or None
        return self.query.url(**({"of": of} | changes))

    def with_base(self, version: Version) -> str:
        return self.url(base=version.text)

    def without(self, version: Version, found: Found) -> str:
        gone = {text for text, other in found.by_text.items() if other is version}
        left = [text for text in self.texts if text not in gone]
        base = self.base if self.base and self.base not in gone else None
        return self.url(of=",".join(left) or None, base=base)

    def with_card(self, version: Version, shown: Sequence[Version], base: Version) -> str:
        """With one card more; where there are too many, the first that is not the base's makes room."""
        stay = [other for other in shown if other is not base]
        room = MOST_CARDS - 1 - (base in shown)
        texts = [other.text for other in shown if other is base or other in stay[-room:]]
        return f"{self.url(cards=','.join([*texts, version.text]))}#cards"

    def beside(self, *texts: str, base: str = "") -> str:
        """What is compared, and some more."""
        return self.url(of=",".join(dict.fromkeys([*self.texts, *texts])), base=base or self.base or None)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a form sends along that adds a version."""
        others = [(name, value) for name in OWN[1:] if (value := self.query.params.get(name))]
        return [*(("of", text) for text in self.texts), *others]


def split(value: str) -> Iterable[str]:
    return (text for part in value.split(",") if (text := part.strip()))


def _age(version: Version) -> tuple[float, int]:
    instance, asset = version.instance, version.asset
    at = instance.created_at if instance else asset.declared_at or asset.created_at
    return at.timestamp(), instance.number if instance else 0
