"""The card types that assetsite adds to Metaflow."""

from __future__ import annotations

from typing import Any

from metaflow.plugins.cards.card_modules.card import MetaflowCard


class HighlightCard(MetaflowCard):
    """A small page about the run, of what its step put into ``self.highlight``."""

    type = "highlight"

    def render(self, task: Any) -> str:
        """Return the page."""
        from metaflow_extensions.assetsite.plugins.cards.highlight_page import render_page

        return render_page(task["highlight_data"].data if "highlight_data" in task else None)


CARDS = [HighlightCard]
"""Read by Metaflow."""
