"""`assetsite manage learn_branches`: find out the branches of consumers whose client did not say them."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from catalog.reconciling.branches import tagged_branch
from catalog.recording import learn_branches


class Command(BaseCommand):
    help = "Find out which branch consumers write to whose client did not say so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how far to look back")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        learnt = learn_branches(timezone.now() - timedelta(days=days), tagged_branch)
        self.stdout.write(f"{learnt} runs found out.")
