"""The only package that reads Metaflow: cards and task facts, from the datastore that a task itself names.

    cards = cards_of("TrainFlow/17/train/42", Datastore("local", "/home/ada/project/.metaflow", "default"))
    if cards:
        return frame_response(request, card_page(cards[0]))
    print(cards.missing.sentence)

Nothing here touches Metaflow's process-global client state, so any number of threads may read any number of stores.
If there is nothing to show, the answer is an `Unavailable` with a `Reason` and a sentence for people. The content of a
store never makes these functions raise.
"""

from catalog.runs.cards import find_cards, read_live_data, read_page
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.facts import record_of
from catalog.runs.results import (
    Card,
    CardList,
    CardPage,
    Datastore,
    LiveData,
    Reason,
    TaskFacts,
    Unavailable,
    UnavailableError,
)
from catalog.runs.roots import stores_for

_NOT_A_TASK = Unavailable(Reason.NOT_A_TASK, "This was not made by a Metaflow task, so there is no card.")


def cards_of(task: str, datastore: Datastore) -> CardList:
    """The cards of `task` (Flow/run/step/task), the unnamed one first, or the reason why there are none."""
    path = TaskPath.parse(task)
    if path is None:
        return CardList(missing=_NOT_A_TASK)
    try:
        return find_cards(path, datastore)
    except UnavailableError as error:
        return CardList(missing=error.answer)


def card_of(task: str, datastore: Datastore, key: str) -> Card | Unavailable:
    """The card of `task` that an address names by its `key`."""
    cards = cards_of(task, datastore)
    unknown = Unavailable(
        Reason.NO_CARD, "This task has no such card. The page that leads here shows those that it has."
    )
    return next((card for card in cards if card.key == key), cards.missing or unknown)


def card_page(card: Card) -> CardPage | Unavailable:
    """The page of `card`, with the script that talks to the page around its frame."""
    try:
        return read_page(card)
    except UnavailableError as error:
        return error.answer


def live_data(card: Card) -> LiveData | Unavailable:
    """The data that the task writes into its `card` while it runs."""
    try:
        return read_live_data(card)
    except UnavailableError as error:
        return error.answer


def task_facts(task: str, datastore: Datastore) -> TaskFacts | Unavailable:
    """State, times, tags and place of `task`."""
    path = TaskPath.parse(task)
    if path is None:
        return _NOT_A_TASK
    try:
        return record_of(path, stores_for(datastore)).facts
    except UnavailableError as error:
        return error.answer


__all__ = [
    "Card",
    "CardList",
    "CardPage",
    "Datastore",
    "LiveData",
    "Reason",
    "TaskFacts",
    "Unavailable",
    "card_of",
    "card_page",
    "cards_of",
    "live_data",
    "task_facts",
]
