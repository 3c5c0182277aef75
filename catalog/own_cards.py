"""Where the cards of a version are, and whether there is one. Metaflow's datastore is asked, so never under a lock."""

from catalog import runs
from catalog.gates.facts import Told
from catalog.models import Highlight, Instance
from catalog.runs import Reason

TOLD = (Reason.NO_CARD, Reason.NOT_A_TASK)
"""Why there is no card, where that is known; else it can't be told whether there is one."""


def task_of(instance: Instance, perimeter: str) -> tuple[str, runs.Datastore]:
    """The task and datastore of the producer, for `catalog.runs`; the task is empty if the producer is none."""
    task = instance.producer_id if instance.producer_kind == "task" else ""
    return task, datastore_of(instance, perimeter)


def datastore_of(row: Instance | Highlight, perimeter: str) -> runs.Datastore:
    """The datastore of the task of an instance or a highlight of this perimeter."""
    return runs.Datastore(row.datastore_type or None, row.datastore_root or None, perimeter, row.datastore_cards)


def card_of(instance: Instance | None, perimeter: str) -> Told:
    """Whether a version has a card, for rules."""
    if instance is None:
        return Told(False, "a definition has no card")
    cards = runs.cards_of(*task_of(instance, perimeter))
    if cards:
        return Told(True)
    if cards.missing is None:
        return Told(False, "its task made no card")
    sentence = cards.missing.sentence.rstrip(".")
    return Told(False, f"{sentence[:1].lower()}{sentence[1:]}", known=cards.missing.reason in TOLD)
