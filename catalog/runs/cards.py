"""Find the cards of a task, and read them."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from catalog.runs import cache
from catalog.runs.card_document import document_of, new_nonce
from catalog.runs.datastore_layout import CardName, TaskPath, html_path, live_path
from catalog.runs.facts import Record, record_of
from catalog.runs.results import Card, CardList, CardPage, Datastore, LiveData, Reason, Unavailable, UnavailableError
from catalog.runs.roots import stores_for, stores_of_cards
from catalog.runs.stores import Store, StoredFile

MAX_LIVE_BYTES = 8 * 1024 * 1024


class CardLocation(NamedTuple):
    """The place of a card: below one of `TaskPath.card_folders` of a store. `version` changes with its content."""

    store: Store
    folder: str
    version: str


def find_cards(path: TaskPath, datastore: Datastore) -> CardList:
    """The cards of the task in the first store that has any; raises `UnavailableError` if a store can't be read."""
    stores = stores_for(datastore)
    store, folder, files = _card_files(path, stores_of_cards(datastore, stores))
    try:
        record = record_of(path, stores)
    except UnavailableError as error:
        if not files:
            return CardList(missing=_with_places(error.answer, datastore))
        record = None
    if not files:
        return CardList(missing=_with_places(_no_card(record), datastore))
    cards = [_card(path, CardLocation(store, folder, file.version), file, name, record) for file, name in files]
    newest = max((card.attempt for card in cards if card.attempt is not None), default=None)
    current = (card for card in cards if card.attempt in (None, newest))
    return CardList(tuple(sorted(current, key=lambda card: (card.id is not None, card.title, card.uuid))))


def _card_files(path: TaskPath, stores: list[Store]) -> tuple[Store, str, list[tuple[StoredFile, CardName]]]:
    for store in stores:
        for folder in path.card_folders:
            files = [(file, name) for file in store.files(f"{folder}/cards") if (name := CardName.parse(file.name))]
            if files:
                return store, folder, files
    return stores[0], "", []


def _card(path: TaskPath, location: CardLocation, file: StoredFile, name: CardName, record: Record | None) -> Card:
    attempt = record.card_attempts.get(name.uuid) if record else None
    return Card(
        task=path.folder,
        key=name.key,
        type=name.type,
        id=name.id,
        uuid=name.uuid,
        size=file.size,
        created=datetime.fromtimestamp(file.modified, UTC),
        live=record is not None and not record.settled and attempt in (None, record.facts.attempt),
        attempt=attempt,
        location=location,
    )


def _no_card(record: Record | None) -> Unavailable:
    if record is None or record.settled:
        return Unavailable(
            Reason.NO_CARD, "This task has no card here. With @card on its step, the next one makes one."
        )
    if record.facts.state == "running":
        return Unavailable(Reason.PENDING, "This task is still running and has not shown a card yet.")
    return Unavailable(Reason.PENDING, "This task ended a moment ago. If it makes a card, it will be here shortly.")


def _with_places(answer: Unavailable, datastore: Datastore) -> Unavailable:
    """The answer, and where nothing was found: of the places that were looked in, only those that the task itself
    named are told, as whoever sees the task may know them."""
    if answer.reason not in (Reason.NO_CARD, Reason.TASK_GONE):
        return answer
    named = " and ".join(dict.fromkeys(filter(None, (datastore.cards, datastore.root))))
    looked = f"Looked below {named}." if named else "Looked where this server is told to."
    remedy = "Whoever runs the server can add other places to ASSETSITE_CARD_ROOTS."
    return Unavailable(answer.reason, f"{answer.sentence} {looked} {remedy}")


def read_page(card: Card) -> CardPage:
    """The card's page for its frame; that of a finished card is cached on disk."""
    location: CardLocation = card.location
    name = cache.name_of(location.store.root, location.folder, card.key, location.version)
    kept = None if card.live else cache.get(name)
    if kept is not None:
        return kept
    html = location.store.read(html_path(location.folder, card.key))
    if html is None:
        raise UnavailableError(
            Reason.TASK_GONE, "This card is gone from where its task kept it. The next run makes another."
        )
    nonce = new_nonce()
    zipped = gzip.compress(document_of(html, nonce).encode(), compresslevel=1 if card.live else 6, mtime=0)
    page = CardPage(zipped, nonce, card.live)
    if not card.live:
        cache.put(name, page)
    return page


def read_live_data(card: Card) -> LiveData:
    """The newest data that the task wrote for its card to show."""
    location: CardLocation = card.location
    try:
        content: Any = json.loads(location.store.read(live_path(location.folder, card.key), MAX_LIVE_BYTES) or b"{}")
    except ValueError:  # it is being written
        content = {}
    content = content if isinstance(content, dict) else {}
    # The token does not say that the card is final: it may do so while the last rendering is still under way
    return LiveData(content.get("reload_token"), content.get("data"), final=not card.live)
