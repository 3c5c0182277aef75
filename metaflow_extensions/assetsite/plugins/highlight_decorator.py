"""The step decorator behind ``@highlight``: ``self.highlight`` while the step runs, then the data of its card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from metaflow.decorators import StepDecorator
from metaflow.metadata_provider import MetaDatum

if TYPE_CHECKING:
    from obproject.highlights import Highlight

TAG = "highlight"
"""Stands on the runs that have something to show."""
METADATA_FIELD = "highlight_card"


class HighlightDecorator(StepDecorator):
    """Gives a step ``self.highlight``, and records on the task and its run where the card is."""

    name = "assetsite_highlight"

    def step_init(
        self, flow: Any, graph: Any, step_name: str, decorators: Any, environment: Any, datastore: Any, logger: Any
    ) -> None:
        """Remember the step's other decorators, of which one is the card."""
        self._decorators = decorators

    def task_pre_step(
        self,
        step_name: str,
        task_datastore: Any,
        metadata: Any,
        run_id: str,
        task_id: str,
        flow: Any,
        graph: Any,
        retry_count: int,
        max_user_code_retries: int,
        ubf_context: Any,
        inputs: Any,
    ) -> None:
        """Remember which task runs."""
        self._metadata, self._run_id, self._task_id = metadata, run_id, task_id
        self._has_content = False

    def task_decorate(
        self,
        step_func: Callable[..., Any],
        flow: Any,
        graph: Any,
        retry_count: int,
        max_user_code_retries: int,
        ubf_context: Any,
    ) -> Callable[..., Any]:
        """Return the step with ``self.highlight``, which is data of its own when the step is done."""
        # Imported here because Metaflow imports this module while it is itself being imported.
        from obproject.highlights import Highlight

        def highlighted(*inputs: Any) -> Any:
            flow.highlight = content = Highlight()
            try:
                return step_func(*inputs)
            finally:
                vars(flow).pop("highlight", None)
                # None hides what an earlier step of the run has left under this name.
                flow.highlight_data = content.as_data()
                self._has_content = flow.highlight_data is not None
                self._publish_on_success(flow, content)

        return highlighted

    def _publish_on_success(self, flow: Any, content: Highlight) -> None:
        """Let the catalogue show it when the task has succeeded; flows that belong to no project have none."""
        from obproject.task import running

        task = running.running_task()
        if self._has_content and task and hasattr(type(flow), "prj"):
            task.on_success(lambda: _publish(flow, content))

    def task_finished(
        self, step_name: str, flow: Any, graph: Any, is_task_ok: bool, retry_count: int, max_user_code_retries: int
    ) -> None:
        """Mark the task and its run, for those who look for highlights."""
        from obproject.task import failures, spinning

        if self._has_content and failures.is_successful(flow, is_task_ok) and not spinning.holds_back():
            try:
                self._mark(flow.name, step_name, retry_count)
            except Exception as error:
                from obproject.notices import tell

                # The card is there all the same, and no task should fail for want of a mark.
                tell(f"the highlight of this task can't be announced: {error}")

    def _mark(self, flow: str, step: str, attempt: int) -> None:
        card = MetaDatum(METADATA_FIELD, self._card_uuid(), METADATA_FIELD, [f"attempt_id:{attempt}"])
        self._metadata.register_metadata(self._run_id, step, self._task_id, [card])
        self._metadata.mutate_user_tags_for_run(flow, self._run_id, tags_to_add=[TAG])

    def _card_uuid(self) -> str:
        cards = (one for one in self._decorators if one.name == "card" and one.attributes["type"] == "highlight")
        uuid: str = next(cards)._card_uuid
        return uuid


def _publish(flow: Any, content: Highlight) -> None:
    """Show a highlight on the branch that the flow writes to; no task fails because that can't be done."""
    try:
        flow.prj.asset.show_highlight(content)
    except Exception as error:
        from obproject.notices import tell

        tell(f"the highlight of this task is not in the catalogue: {error}")
