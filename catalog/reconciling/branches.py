"""The branch that a run writes to, from its tags in Metaflow."""

from access.models import Perimeter
from catalog.runs import Datastore, TaskFacts, task_facts

TAG = "asset_write_branch:"


def tagged_branch(perimeter: int, task: str) -> str:
    """The branch in the tags of a task's run; empty if there is none, or Metaflow can't be reached."""
    name = Perimeter.objects.values_list("name", flat=True).get(pk=perimeter)
    facts = task_facts(task, Datastore(perimeter=name))
    tags = (*facts.tags, *facts.system_tags) if isinstance(facts, TaskFacts) else ()
    return next((tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)), "")
