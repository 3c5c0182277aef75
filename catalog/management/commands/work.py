"""`assetsite work`: the jobs of the background without a server, such as on another machine, or once by hand."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from catalog.jobs.background import Background
from catalog.jobs.table import Doing, Job, all_jobs
from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.starting.serving import noted_as_served

ACTOR = "assetsite work"


class Command(BaseCommand):
    help = "Do the jobs of the background, each when it is due, until it is stopped: " + "; ".join(
        f"{job.name} ({job.about})" for job in all_jobs()
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = [job.name for job in all_jobs()]
        parser.add_argument("--once", action="store_true", help="each job once")
        parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"only these: {', '.join(names)}")

    def handle(self, *args: Any, once: bool, only: list[str] | None, **options: Any) -> None:
        jobs = [job for job in all_jobs() if (job.name in only if only else job.every())]
        with noted_as_served(DEFAULT_DB_ALIAS):
            if once:
                self._once(jobs)
            else:
                self._until_told(jobs)

    def _once(self, jobs: list[Job]) -> None:
        failed = []
        for job in jobs:
            try:
                line = job.do(Doing(ACTOR, say=self.stdout.write))
            except (LeaseTaken, LeaseLost) as error:
                line = str(error)
                failed.append(job.name)
            self.stdout.write(f"{job.name}: {line or 'nothing to do'}")
        if failed:
            raise CommandError(f"Not done: {', '.join(failed)}.")

    def _until_told(self, jobs: list[Job]) -> None:
        if off := [job.name for job in jobs if not job.every()]:
            raise CommandError(f"By its settings it is never due: {', '.join(off)}. Use --once, or see the settings.")
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        background = Background(ACTOR, jobs)
        background.start()
        self.stdout.write(f"Doing, each when it is due: {', '.join(job.name for job in jobs)}  (Ctrl-C stops it)")
        while background.is_working() and not told.wait(0.2):
            pass
        background.stop()
