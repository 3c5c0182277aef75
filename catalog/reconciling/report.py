"""The result of a pass, as lines for people."""

from collections.abc import Iterator

from catalog.models import MetadataSource, MissedWrite, Reconciliation
from catalog.reconciling.progress import counted, line_about

SHOWN = 20


def lines_about(done: Reconciliation) -> Iterator[str]:
    """The counts first, then the writes that wait and those that could not be backfilled, with the reasons."""
    yield f"{line_about(done)}."
    if not MetadataSource.objects.exists():
        yield "No metadata of Metaflow is known here; name its folder with --root."
    waiting = MissedWrite.objects.filter(error="").count()
    if waiting:
        yield f"{counted(waiting, 'write')} will be backfilled once their tasks have ended."
    for row in MissedWrite.objects.exclude(error="").order_by("at", "pk")[:SHOWN]:
        yield f"  {row.task} {row.operation} {row.address} {row.uid}: {row.error}"
    if done.stuck > SHOWN:
        yield f"  and {done.stuck - SHOWN:,} more; the administration lists them all."
