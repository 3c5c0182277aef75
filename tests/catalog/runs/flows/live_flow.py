"""A task under control of files: it shows a live card when `show` appears, and ends when `finish` does."""

import os
import time
from pathlib import Path

from metaflow import FlowSpec, card, current, step
from metaflow.cards import Markdown

SIGNS = Path(os.environ["SIGNS"])


def seen(sign: str) -> bool:
    return (SIGNS / sign).exists()


class LiveFlow(FlowSpec):
    @card(type="blank", id="live", refresh_interval=0)
    @step
    def start(self):
        (SIGNS / "started").touch()
        while not seen("show"):
            time.sleep(0.1)
        counter = Markdown("Counted to 0")
        current.card["live"].append(counter)
        current.card["live"].refresh()
        count = 0
        while not seen("finish"):
            time.sleep(0.5)
            count += 1
            counter.update(f"Counted to {count}")
            current.card["live"].refresh()
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    LiveFlow()
