"""A task that shows a card while it runs and fails, twice."""

import time
from pathlib import Path

from metaflow import FlowSpec, card, current, retry, step, timeout
from metaflow.cards import Markdown


class FailingFlow(FlowSpec):
    @timeout(seconds=30)
    @retry(times=1, minutes_between_retries=0)
    @card(type="blank", refresh_interval=0)
    @step
    def start(self):
        current.card.append(Markdown(f"# Attempt {current.retry_count}"))
        current.card.refresh()
        while len(list(Path(".metaflow/mf.cards/FailingFlow").rglob("*.html"))) <= current.retry_count:
            time.sleep(0.05)  # another process renders the card
        raise ValueError("no")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    FailingFlow()
