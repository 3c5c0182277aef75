"""Fill an empty database with the projects of `bench.large.shape`: `python -m bench.large.loading large` (or `small`).

Written are the events alone; what is derived from them is left to `Recount` and to the jobs, so it is right by
construction.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import django
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from bench.large import bulk, names, shape
from bench.large.bulk import Row
from bench.large.events import Events, asset_row
from bench.large.journal import Journal
from bench.large.names import FEATURE, JOURNAL, JOURNAL_PROJECT, MAIN, PERIMETER, PROJECT
from bench.large.shape import ASSETS, COMPONENTS, FLOWS, Scale

CHECKED = 20
"""So many assets, the last ones, are recounted a second time, when nothing may be wrong any more."""


def load(size: str) -> None:
    from bench.models import Row as BareRow

    call_command("migrate", verbosity=0, run_syncdb=True)
    BareRow(name="bare", at=timezone.now()).save()
    fill(shape.SCALES[size])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def fill(scale: Scale) -> None:
    """Write all that there is at a scale into migrated tables without assets."""
    from access.models import Perimeter
    from catalog.counters import Recount
    from catalog.jobs.packing import pack_series
    from catalog.models import Asset

    begin = timezone.now().replace(microsecond=0) - timedelta(days=scale.nights)
    perimeter, _ = Perimeter.objects.get_or_create(name=PERIMETER)
    with transaction.atomic():
        _plant(perimeter, scale, begin)
        _journal(perimeter, scale, timezone.now() - timedelta(days=shape.NIGHTS))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    Recount().run()
    pack_series()
    last = Asset.objects.order_by("-pk").values_list("pk", flat=True)[0]
    if wrong := Recount().run(after=last - CHECKED).corrections:
        raise SystemExit("What was loaded is not what the site counts: " + "; ".join(wrong[:20]))


def _plant(perimeter: Any, scale: Scale, begin: datetime) -> None:
    from catalog.models import Alias, AliasMove, Asset, Component, Consumption, Instance, Project, Run

    project = Project.objects.create(perimeter=perimeter, name=PROJECT, title="A large plant", created_at=begin)
    branches = {branch: _branch(project, branch) for branch in (MAIN, FEATURE)}
    events = Events(scale, begin)
    bulk.write(Component, _components(perimeter.pk, scale))
    bulk.write(Asset, events.assets(branches))
    bulk.write(Run, events.runs(perimeter.pk))
    bulk.write(Instance, events.instances())
    bulk.write(Consumption, events.consumptions())
    bulk.write(Alias, events.aliases(branches))
    bulk.write(AliasMove, events.alias_moves(branches))


def _journal(perimeter: Any, scale: Scale, begin: datetime) -> None:
    from catalog.models import Asset, Component, Consumption, Instance, Project

    project = Project.objects.create(perimeter=perimeter, name=JOURNAL_PROJECT, title="Kept", created_at=begin)
    asset, component = scale.modules * ASSETS + 1, scale.modules * COMPONENTS + 1
    flows = {component: "JournalFlow", component + 1: "ReportFlow"}
    rows = {"perimeter": perimeter.pk, "project_name": JOURNAL_PROJECT, "kind": "flow"}
    bulk.write(Component, ({"id": pk, "name": name} | rows for pk, name in flows.items()))
    bulk.write(Asset, [asset_row(asset, _branch(project, MAIN), *JOURNAL, begin)])
    offset = scale.modules * scale.nights * ASSETS
    journal = Journal(asset, component, component + 1, offset, scale.journal, begin)
    bulk.write(Instance, journal.instances())
    bulk.write(Consumption, journal.consumptions())


def _branch(project: Any, named: names.Branch) -> int:
    """The key of a new branch with a deployed spec."""
    from catalog.models import Branch, SpecVersion

    at = project.created_at
    branch = Branch.objects.create(project=project, key=named.key, git_name=named.name, created_at=at)
    document = json.dumps({"title": project.title, "markdown": "", "data": [], "models": []})
    SpecVersion.objects.create(branch=branch, version_id="5eed", document=document, at=at, actor="bench")
    return int(branch.pk)


def _components(perimeter: int, scale: Scale) -> Iterator[Row]:
    for module in range(scale.modules):
        flows = [("flow", names.flow(module, number)) for number in range(FLOWS)]
        others = [("deployment", names.deployment(module)), ("person", names.person(module))]
        for number, (kind, name) in enumerate([*flows, *others]):
            pk = names.component_pk(module, number)
            yield {"id": pk, "perimeter": perimeter, "project_name": PROJECT, "kind": kind, "name": name}


if __name__ == "__main__":
    django.setup()
    load(sys.argv[1])
