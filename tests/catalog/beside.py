"""The jobs of the background, done beside a test."""

import threading

from django.db import connections

from catalog.jobs.background import Background
from catalog.jobs.table import Job, all_jobs


class Beside(Background):
    """Knows which jobs were done, of those that share a thread.

    A test waits for that, and reads nothing meanwhile: of threads that share a SQLite in memory, the second is refused
    at once ("table is locked"), where with a file it would wait for the first.
    """

    def __init__(self, actor: str = "assetsite serve") -> None:
        one_thread = [job for job in all_jobs() if not job.apart and job.every()]
        super().__init__(actor, one_thread)
        self._done = {job.name: threading.Event() for job in one_thread}

    def _do(self, job: Job) -> None:
        super()._do(job)
        self._done[job.name].set()

    def done_once(self, name: str) -> None:
        """Begin, and end when this job has been done, or tried."""
        self.start()
        assert self._done[name].wait(20)
        self.stop()
        assert not self.is_working()
        connections.close_all()
