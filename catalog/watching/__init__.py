"""What the background keeps of how assets are watched: what is usual of them, what is unusual, what is late and why.

`looking.py` learns anew from whatever came (`Asset.to_look_at`). `lates.py` tells what has become late, once.
`causes.py` finds out why. The jobs that do it are in `catalog/jobs/watching.py`. What follows from a few moments, and
needs no database, is in `catalog/freshness/` and `catalog/unusual.py`.
"""
