"""A card that tries to reach whatever it can: the page around it, its cookies, and another host."""

import os
from pathlib import Path

from metaflow.cards import MetaflowCard


class HostileCard(MetaflowCard):
    type = "hostile"

    def render(self, task):
        page = Path(__file__).with_name("page.html").read_text()
        return page.replace("{{elsewhere}}", os.environ["ELSEWHERE"])


CARDS = [HostileCard]
