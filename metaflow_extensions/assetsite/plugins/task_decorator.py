"""The step decorator that settles a task's registrations when the task ends."""

from __future__ import annotations

from typing import Any

from metaflow.decorators import StepDecorator

_ELSEWHERE = ("batch", "kubernetes")
"""Decorators that send a step to another machine; orchestrators put one of them on every step."""


class AssetTaskDecorator(StepDecorator):
    """Opens the running task before the step, and settles its registrations when the artifacts are stored.

    Both hooks run in the process of the step: locally, in a pod and on a scheduler alike.
    """

    name = "assetsite_task"

    def step_init(
        self, flow: Any, graph: Any, step: str, decos: Any, environment: Any, flow_datastore: Any, logger: Any
    ) -> None:
        """Remember where the flow's artifacts and cards are stored, its parameters, and the step's decorators."""
        self._flow_datastore = flow_datastore
        self._decorators = decos
        # Before a task runs: then Metaflow puts their values in the place of these objects.
        self._parameters = tuple(flow._get_parameters())

    def package_init(self, flow: Any, step_name: str, environment: Any) -> None:
        """Say where a step that runs elsewhere can't reach the catalogue."""
        from obproject import settings, shipping

        if any(decorator.name in _ELSEWHERE for decorator in getattr(flow, step_name).decorators):
            shipping.warn_of_loopback(settings.find_settings().url)

    def add_to_package(self) -> list[tuple[Any, ...]]:
        """Give the code package the settings, for tasks that run elsewhere."""
        from metaflow.packaging_sys import ContentType

        from obproject import settings, shipping

        return [(shipping.file_of(settings.settings_to_ship()), shipping.FILE, ContentType.OTHER_CONTENT)]

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
        """Open the running task, unless the step is only tried out."""
        # Imported here because Metaflow imports this module while it is itself being imported.
        from obproject.task import running, spinning

        if spinning.is_spinning():
            return
        running.begin(
            running.RunningTask(
                flow=flow,
                run_id=run_id,
                step=step_name,
                task_id=task_id,
                attempt=retry_count,
                metadata=metadata,
                datastore=running.datastore_of(self._flow_datastore.TYPE, self._flow_datastore.datastore_root),
                graph=graph,
                parameters=self._parameters,
                content_keys=lambda: dict(task_datastore.items()),
            )
        )

    def task_exception(
        self,
        exception: BaseException,
        step_name: str,
        flow: Any,
        graph: Any,
        retry_count: int,
        max_user_code_retries: int,
    ) -> None:
        """Keep with the task that it is not successful, whatever another decorator makes of the exception."""
        from obproject.task import failures, running

        if task := running.running_task():
            is_caught = failures.catches(self._decorators, retry_count, max_user_code_retries)
            task.fail(failures.reason_of(exception, is_caught=is_caught))

    def task_finished(
        self, step_name: str, flow: Any, graph: Any, is_task_ok: bool, retry_count: int, max_user_code_retries: int
    ) -> None:
        """Settle what the task registered; the artifacts can be read from now on."""
        from obproject.task import failures, running

        running.end(ok=failures.is_successful(flow, is_task_ok), run_goes_on=bool(is_task_ok))
