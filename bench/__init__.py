"""How fast the site is, and whether that depends on how much is in it: `python -m bench`. It is no part of the site."""

import os
import sys
import time

SMOKE = "ASSETSITE_BENCH_SMOKE" in os.environ
"""To see whether the benchmarks run, not how fast anything is."""


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
