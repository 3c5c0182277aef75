"""`manage.py learn_branches`: find out the branches of consumers whose client did not say them."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from access.models import Perimeter
from catalog.recording import learn_branches
from catalog.runs import Datastore, TaskFacts, task_facts

TAG = "asset_write_branch:"


class Command(BaseCommand):
    help = "Find out which branch consumers write to whose client did not say so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how far to look back")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        learnt = learn_branches(timezone.now() - timedelta(days=days), tagged_branch)
        self.stdout.write(f"{learnt} runs found out.")


def tagged_branch(perimeter: int, task: str) -> str:
    """What the tags of a task's run say, where Metaflow can be reached."""
    name = Perimeter.objects.values_list("name", flat=True).get(pk=perimeter)
    facts = task_facts(task, Datastore(perimeter=name))
    tags = (*facts.tags, *facts.system_tags) if isinstance(facts, TaskFacts) else ()
    return next((tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)), "")
