"""The jobs of this room, for `catalog/jobs/table.py` (`MORE_JOBS` in the settings)."""

from catalog.jobs.table import Job

JOBS: tuple[Job, ...] = ()
