"""A task with a default card, one with two cards, one with a hostile card and one without."""

import base64

from metaflow import FlowSpec, card, current, step
from metaflow.cards import Image, Markdown, Table

DOT = base64.b64decode("R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")


class CardsFlow(FlowSpec):
    @card
    @step
    def start(self):
        self.rows = 12
        self.next(self.pair)

    @card(type="blank", id="picture")
    @card(type="blank", id="numbers")
    @step
    def pair(self):
        current.card["picture"].append(Markdown("# A dot"))
        current.card["picture"].append(Image(DOT))
        current.card["numbers"].append(Table([[i, i * i] for i in range(100)], headers=["n", "squared"]))
        self.next(self.hostile)

    @card(type="hostile")
    @step
    def hostile(self):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    CardsFlow()
