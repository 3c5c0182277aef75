"""What is done again and again in the background: by the process beside of `assetsite serve`, by `assetsite work`.

`table.py` has a row for each job. `background.py` does them, each when it is due, in one thread but for those that
can't wait. A job is done by one process at a time, as its lease says (`catalog/reconciling/lease.py`), or each piece
of it is; and it may be killed at any moment: the next one goes on.
"""
