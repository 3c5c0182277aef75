"""Fill an empty PostgreSQL database with the project of `bench.large.shape`: `python -m bench.large.loading large`."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import django
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

from bench.large import names, shape
from bench.large.events import Events, Row
from bench.large.names import FEATURE, MAIN, PERIMETER, PROJECT
from bench.large.shape import ASSETS, FLOWS, MODULES, NIGHTS
from bench.large.tallies import Tallies

SAMPLE = 97
"""Of a large catalogue, one asset of so many is recounted."""


def load(size: str) -> None:
    from bench.models import Row as BareRow

    call_command("migrate", verbosity=0, run_syncdb=True)
    begin = timezone.now().replace(microsecond=0) - timedelta(days=NIGHTS)
    with transaction.atomic():
        BareRow(name="bare", at=begin).save()
        _load_project(MODULES[size], begin)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    _check(size)


def _load_project(modules: int, begin: datetime) -> None:
    from access.models import Perimeter
    from catalog.models import Asset, Component, Consumption, Edge, Instance, Project, Promotion

    perimeter, _ = Perimeter.objects.get_or_create(name=PERIMETER)
    project = Project.objects.create(perimeter=perimeter, name=PROJECT, title="A large plant", created_at=begin)
    branches = {branch: _branch(project, branch, modules) for branch in (MAIN, FEATURE)}
    events, tallies = Events(modules, begin), Tallies(modules)
    with connection.cursor() as cursor:
        # what refers to what is arithmetic; to look up each of twelve million references would take minutes
        cursor.execute("SET LOCAL session_replication_role = replica")
    _copy(Component, _components(perimeter.pk, modules))
    _copy(Instance, tallies.registered(events.instances()))
    _copy(Consumption, tallies.consumed(events.consumptions()))
    _copy(Edge, tallies.edges())
    _copy(Promotion, tallies.promotions())
    _copy(Asset, tallies.assets(branches, begin))


def _branch(project: Any, named: names.Branch, modules: int) -> int:
    """The key of a new branch with a deployed spec."""
    from catalog.models import Branch, SpecVersion

    at = project.created_at
    places = [place for place in range(ASSETS) if names.branch_of(place) == named]
    models_count = sum(map(shape.is_model, places))
    branch = Branch.objects.create(
        project=project,
        key=named.key,
        git_name=named.name,
        created_at=at,
        models_count=modules * models_count,
        data_count=modules * (len(places) - models_count),
    )
    document = json.dumps({"title": project.title, "markdown": "", "data": [], "models": []})
    branch.spec = SpecVersion.objects.create(branch=branch, version_id="5eed", document=document, at=at, actor="bench")
    branch.save()
    return int(branch.pk)


def _components(perimeter: int, modules: int) -> Iterator[Row]:
    for module in range(modules):
        flows = [("flow", names.flow(module, number)) for number in range(FLOWS)]
        others = [("deployment", names.deployment(module)), ("person", names.person(module))]
        for number, (kind, name) in enumerate([*flows, *others]):
            pk = names.component_pk(module, number)
            yield {"id": pk, "perimeter": perimeter, "project_name": PROJECT, "kind": kind, "name": name}


def _copy(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Write rows by COPY, given by the names of the model's fields; fields that are left out have their defaults."""
    rows = iter(rows)
    first = next(rows)
    fields = {field.name: field for field in model._meta.concrete_fields}
    others = [field for name, field in fields.items() if name not in first]
    constants = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others)
    columns = ", ".join(f'"{field.column}"' for field in [*(fields[name] for name in first), *others])
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
            for row in chain((first,), rows):
                copy.write_row((*row.values(), *constants))
        for reset in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(reset)


def _check(size: str) -> None:
    """Stop if the site would have counted otherwise: everything if it is small, else a sample of the assets."""
    from catalog.counters import Recount
    from catalog.models import Asset

    recount = Recount()
    if size == "small":
        recount.run()
    else:
        for asset in Asset.objects.filter(pk__in=range(1, MODULES[size] * ASSETS + 1, SAMPLE)):
            with transaction.atomic():
                recount._asset(asset)
    if recount.corrections:
        raise SystemExit("What was loaded is not what the site counts: " + "; ".join(recount.corrections[:20]))


if __name__ == "__main__":
    django.setup()
    load(sys.argv[1])
