"""The cards of an instance as pages show them: their list, and the chosen one in its frame."""

from dataclasses import dataclass, replace
from typing import Any

from catalog import own_cards, runs
from catalog.addresses import instance_url
from catalog.models import Asset, Instance
from catalog.pagekit.query import PageQuery
from catalog.pagekit.routes import TWIN

TYPES = {"default": "Artifacts of the step", "blank": "Card of the step", "highlight": "Highlight"}
"""The types of cards that Metaflow and this project bring, in words."""


@dataclass(frozen=True)
class CardView:
    """The cards of a task on a page: the chosen one, or (`sentence`) why there is none."""

    instance: Instance | None = None
    sentence: str = ""
    title: str = ""
    url: str = ""
    live_url: str = ""
    choices: tuple[dict[str, Any], ...] = ()

    @property
    def shown(self) -> tuple[Any, ...]:
        """What a page shows of it."""
        return self.sentence, self.title, self.url, self.live_url, self.choices


def task_of(asset: Asset, instance: Instance) -> tuple[str, runs.Datastore]:
    """The task and datastore of the producer, for `catalog.runs`; the task is empty if the producer is none."""
    return own_cards.task_of(instance, asset.branch.project.perimeter.name)


def card_view(asset: Asset, instance: Instance, query: PageQuery) -> CardView:
    """The card of an instance named by `?card=`, else the first."""
    cards, address = runs.cards_of(*task_of(asset, instance)), instance_url(asset, instance)
    return replace(view_of(cards, query, of=f"{asset.title} {instance.ref}", address=address), instance=instance)


def view_of(cards: runs.CardList, query: PageQuery, *, of: str, address: str) -> CardView:
    """The card named by `?card=`, else the first. For an unknown name a sentence, and the others to choose from."""
    if cards.missing:
        return CardView(sentence=cards.missing.sentence)
    if not cards:
        return CardView(sentence="This task made no card.")
    asked = query.params.get("card", "")
    chosen = next((card for card in cards if asked in ("", card.key, card.title)), None)
    choices = tuple(
        {"label": label_of(card), "url": query.url(card=card.key), "current": card == chosen} for card in cards
    )
    if chosen is None:
        return CardView(sentence="This task has no card of that name.", choices=choices)
    url = f"{address}/cards/{chosen.key}"
    return CardView(
        title=f"Card of {of}",
        url=f"{url}?embed=true",
        live_url=f"{url}{TWIN}" if chosen.live else "",
        choices=choices if len(choices) > 1 else (),
    )


def label_of(card: runs.Card) -> str:
    """What people call the card: the id that its step gave it, else what its type is for."""
    return card.id or TYPES.get(card.type, card.type)
