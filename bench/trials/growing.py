"""Give the asset of the trials a long history, of copies of its newest instance: `python -m bench.trials.growing N`.

One statement writes all of them, on both databases.
"""

import sys

import django
from django.db import connection, transaction

AT_ONCE = 50_000


def grow(count: int) -> None:
    from catalog.models import Asset, Instance

    newest = Instance.objects.order_by("-number")[0]
    table = Instance._meta.db_table
    changed = {
        "uid": "'i_' || n",
        "number": "n",
        "producer_id": "'TrialFlow/' || n || '/end/1'",
        "run": "'TrialFlow/' || n",
    }
    columns = [field.column for field in Instance._meta.concrete_fields if not field.primary_key]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f'made."{column}"') for column in columns)
    numbers = (
        "WITH RECURSIVE numbers(n) AS (SELECT CAST(%s AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
    )
    statement = f"""
        INSERT INTO {table} ({names})
        {numbers} SELECT {values} FROM numbers, {table} AS made WHERE made.id = %s
    """  # noqa: S608 (names of tables and columns, and no values)
    last = newest.number + count
    for first in range(newest.number + 1, last + 1, AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(statement, [first, min(first + AT_ONCE - 1, last), newest.pk])
    with transaction.atomic():
        top = Instance.objects.get(number=last)
        Asset.objects.filter(pk=newest.asset_id).update(
            last_number=last,
            ready_count=last,
            newest=top,
            newest_ready=top,
            newest_at=top.created_at,
            ready_number=last,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    django.setup()
    grow(int(sys.argv[1]))
