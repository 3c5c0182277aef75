"""PostgreSQL is restarted, fast and immediately, during 200 registrations by 32 writers.

Every registration must get in, the numbers have no gap, and no try may be answered by a 500.
"""

import sys
import tempfile
import time
from pathlib import Path

from bench.trials.postgresql import PostgreSQL, postgresql
from bench.trials.promises import verdict
from bench.trials.site import served_site
from bench.trials.writers import Outcome, numbers_kept, register

COUNT, WRITERS = 200, 32


def main() -> int:
    promises: dict[str, bool] = {}
    with postgresql() as server, tempfile.TemporaryDirectory() as home, served_site(server.url, Path(home)) as site:
        before = 0
        for mode in ("fast", "immediate"):
            outcome = register(site.url, COUNT, WRITERS, lambda now, mode=mode: restart(server, mode, now))
            print(f"{mode}: {dict(outcome.answers)}; the slowest registration took {max(outcome.seconds):.1f} s")
            promises |= {
                f"{mode}: all {COUNT} are in, without a gap": outcome.without_gap(before)
                and len(outcome.numbers) == COUNT,
                f"{mode}: no 500": not any(answer.startswith("500") for answer in outcome.answers),
            }
            before += len(outcome.numbers)
        promises["the catalogue has each of them once"] = numbers_kept(site.url) == list(range(1, before + 1))
        promises["no traceback in the log"] = site.tracebacks() == 0
    return verdict(promises)


def restart(server: PostgreSQL, mode: str, outcome: Outcome) -> None:
    """After a quarter of the registrations; it is away for two seconds."""
    while len(outcome.numbers) < COUNT // 4:
        time.sleep(0.01)
    server.stop(mode)
    time.sleep(2)
    server.start()


if __name__ == "__main__":
    sys.exit(main())
