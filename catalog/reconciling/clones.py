"""What a run resumes: by what Metaflow notes about its tasks, each of which it has run itself or taken over."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from catalog.models import ClonedTask, Run
from catalog.reconciling.task_records import NONE, TaskRecord
from catalog.runs.datastore_layout import TaskPath

NOT_KNOWN: Final = None


class Clones(NamedTuple):
    """The run that one resumes, empty if it is known to resume none; and the originals of tasks by step and name."""

    origin: str | None
    originals: dict[str, str]

    @classmethod
    def of(cls, run: str, tasks: Mapping[TaskPath, TaskRecord]) -> "Clones":
        """As far as these tasks of the run tell. What can't be the name of a run is not believed."""
        flow, _, name = run.partition("/")
        originals: dict[str, str] = {}
        origins: set[str] = set()
        for path, record in tasks.items():
            if record.origin_run == NONE:
                origins.add("")
                continue
            original = TaskPath.parse(f"{flow}/{record.origin_run}/{path.step}/{record.origin_task or NONE}")
            if original is None or original.run == name or len(original.run_folder) > ORIGIN_LENGTH:
                continue
            origins.add(original.run_folder)
            if record.is_cloned and len(original.folder) <= TASK_LENGTH:
                originals[f"{path.step}/{path.task}"] = original.folder
        named = sorted(filter(None, origins))
        return cls(named[0] if named else "" if origins else NOT_KNOWN, originals)


ORIGIN_LENGTH = Run._meta.get_field("origin").max_length or 0
TASK_LENGTH = ClonedTask._meta.get_field("origin").max_length or 0
