"""The cards of versions side by side: at most four are alive at once, of the others there is a button."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from catalog.addresses import instance_url
from catalog.pagekit.cards import CardView, card_view
from catalog.pagekit.query import PageQuery
from comparing.found import Found, Version
from comparing.pages.question import Question

NO_TASK = CardView(sentence="A definition was made by no task, so it has no card.")


@dataclass(frozen=True)
class CardBeside:
    """`show_url` shows it, where it is not among those that are alive."""

    view: CardView
    show_url: str = ""

    @property
    def shown(self) -> tuple[Any, ...]:
        """What a page shows of it."""
        return (*self.view.shown, self.show_url)


def cards_beside(question: Question, found: Found, base: int) -> list[CardBeside]:
    """One for each version."""
    chosen = found.versions[base]
    alive = question.cards(found.versions, chosen)
    return [
        CardBeside(_view(version))
        if version in alive
        else CardBeside(CardView(), question.with_card(version, alive, chosen))
        for version in found.versions
    ]


def _view(version: Version) -> CardView:
    asset, instance = version.asset, version.instance
    if instance is None:
        return NO_TASK
    return card_view(asset, instance, PageQuery(instance_url(asset, instance), QueryDict()))
