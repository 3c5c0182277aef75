"""Bringing the catalogue up to date from Metaflow: what tasks kept of their writes, and how those tasks ended.

    sources.py     where Metaflow's metadata is read, and for which perimeters
    collecting.py  what tasks kept since the last time, and what of it the catalogue has missed
    checking.py    a kept entry as a write that could have come from a client
    applying.py    backfilling what was missed, in the order in which it was done
    task_status.py what became of a task
    settling.py    settling what tasks registered as pending and never confirmed
    passes.py      one pass of all this, and a rebuild; by one process at a time
    background.py  passes every few minutes, beside the server

A pass may be killed at any moment: each write is backfilled in one transaction with the row that remembers it, and
the next pass goes on.
"""

ACTOR = "reconcile"
"""Who made the rows that are backfilled from Metaflow."""
