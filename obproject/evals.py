"""The evaluation log of a project: what evaluations found, in the output of tasks and in the catalogue.

Each logged message is one line of output, for programs that collect logs, and one instance of the data asset
``evaluation_log`` on the branch that is written to. The instance's annotations are the message, so numbers in it are
metrics like any other: charted, compared and asked for by filters.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from obproject.assets import Asset
from obproject.errors import AssetNotFound, NoServer, ServerUnreachable
from obproject.evaluation_log import EVALUATION, EVALUATION_LOG
from obproject.instances import AssetInstance, json_value
from obproject.notices import tell
from obproject.task import spinning

_MARK = "usm0jrb3"
"""The first word of each line, by which log collectors find it."""

_PAUSE = 60.0
"""Seconds without a request after a catalogue did not answer: an evaluation logs often, and must not wait each time."""


class EvalsLogger:
    """Logs evaluations of one project and branch; ``self.prj.evals`` in a flow.

    ``project`` and ``branch`` default as for :class:`~obproject.Asset`; ``asset`` is one to use instead.
    """

    def __init__(self, project: str | None = None, branch: str | None = None, *, asset: Asset | None = None) -> None:
        self._asset = asset or Asset(project, branch)
        self._quiet_until = 0.0

    @property
    def project(self) -> str:
        """The project's name."""
        return self._asset.project

    @property
    def branch(self) -> str:
        """Key of the branch that is logged to."""
        return self._asset.branch

    def log(self, message: Any) -> None:
        """Log a message: best a dictionary of what was evaluated and its scores; any other value is taken as well.

        Never raises. If the catalogue does not take the message, the output has it, and the reason.
        """
        try:
            content = json_value(message)
            if spinning.holds_back():
                return
            self._print(content)
            self._register(content)
        except Exception as error:
            others = ", nor are those of the next minute" if time.monotonic() < self._quiet_until else ""
            tell(f"this evaluation is not in the catalogue{others}: {error}")

    def entries(self) -> Iterator[AssetInstance]:
        """Yield what was logged on the branch, the newest first; a message is in ``values``.

        What a running task logs is there when the task has succeeded.
        """
        try:
            yield from self._asset.list_data_asset_instances(EVALUATION_LOG)
        except AssetNotFound:
            return

    def _print(self, content: Any) -> None:
        """Print the line. Readers of older logs know the entity by ``entity_reg``."""
        who = self._asset.entity_ref
        line = {
            "project": self.project,
            "branch": self.branch,
            "entity_ref": who,
            "entity_reg": who,
            "content": content,
        }
        print(f"{_MARK} {self.project} {self.branch} evals {json.dumps(line)}", flush=True)

    def _register(self, content: Any) -> None:
        if time.monotonic() < self._quiet_until:
            return
        annotations = content if isinstance(content, Mapping) else {"message": content}
        try:
            self._asset.register_data_asset(
                EVALUATION_LOG, "What evaluations logged", EVALUATION, annotations=annotations
            )
        except (NoServer, ServerUnreachable):
            self._quiet_until = time.monotonic() + _PAUSE
            raise
