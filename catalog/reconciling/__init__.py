"""Bring the catalogue up to date from Metaflow: from the journals of tasks, and from how those tasks ended.

    sources.py       where Metaflow's metadata is read, and for which perimeters
    collecting.py    new journal entries of tasks, and which of them the catalogue has missed
    checking.py      a journal entry, checked like a client's request
    applying.py      missed writes are backfilled, in the order in which the tasks did them
    writes.py        how each kind of write is backfilled
    wishes.py        what gates are told of it: a receipt, or its card
    task_records.py  the places with metadata, and the records of tasks, each read once in a pass
    task_status.py   how the attempt of a task ended
    settling.py      instances that stayed pending are settled
    run_facts.py     what Metaflow says of the runs that the catalogue knows
    clones.py        which run one resumes, and which tasks it took over
    digests.py       the digests of artifacts
    passes.py        one pass of all this, and a rebuild; by one process at a time
    recounting.py    the recount of a catalogue that an older version has written
    background.py    both beside the server: the recount once, passes every few minutes

A pass may be killed at any moment: each write is backfilled and its `MissedWrite` row deleted in one transaction, and
the next pass continues.
"""

from catalog.querysets import RECONCILER as ACTOR

__all__ = ["ACTOR"]
