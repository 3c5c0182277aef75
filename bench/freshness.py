"""`python -m bench.freshness`: how well lates and unusual values are found in made-up worlds; `--write` keeps it in
docs/freshness.md."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench import sections
from tests.catalog import unusual_worlds
from tests.catalog.freshness import worlds

PAGE = Path(__file__).resolve().parent.parent / "docs" / "freshness.md"
CHANGES = list(unusual_worlds.CHANGES)


def lates(seeds: Sequence[int]) -> str:
    total, means, rows = worlds.Measured(), [], []
    for kind in worlds.KINDS.values():
        measured = worlds.measure(kind, seeds)
        found = f"{measured.found:,} of {measured.outages:,}" if measured.outages else ""
        holidays = f"{measured.holiday_alarms} of {measured.holidays}" if measured.holidays else ""
        rows.append([kind.words, found, f"{measured.false_a_year:.2f}", holidays])
        if kind.asked:
            total += measured
            means.append(measured.false_a_year)
    asked = sum(kind.asked for kind in worlds.KINDS.values())
    found = f"**{total.found:,} of {total.outages:,}, {total.share:.1%}**"
    average = sum(means) / len(means)
    rows.insert(
        asked, [f"**these {asked}**", found, f"**{total.false_a_year:.2f}**; mean of the rows {average:.2f}", ""]
    )
    columns = ["Versions come", "outages found", "false alarms an asset and year", "holidays called late"]
    return f"Seeds {seeds[0]} to {seeds[-1]}:\n\n{sections.table(columns, rows)}"


def unusuals(seeds: Sequence[int]) -> str:
    rows = []
    for kind in unusual_worlds.KINDS.values():
        measured = unusual_worlds.measure(kind, seeds)
        found = [f"{measured.share(change):.0%}" for change in CHANGES]
        rows.append([kind.words, f"{measured.false_a_year:.2f}", *found])
    slow = (
        f"Of a slow fall from 100 to 50 in 100 steps, {unusual_worlds.drifts_found(seeds)} of {len(seeds)} are found."
    )
    columns = ["Values", "false alarms in 365 values", *(f"{change} found" for change in CHANGES)]
    return f"Seeds {seeds[0]} to {seeds[-1]}, a year of daily values each:\n\n{sections.table(columns, rows)}\n\n{slow}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.freshness", description=__doc__)
    parser.add_argument("--write", action="store_true", help="also keep it in docs/freshness.md")
    options = parser.parse_args()
    texts = {
        "bench.freshness lates": lates(worlds.MEASURED_ON),
        "bench.freshness unusual": unusuals(unusual_worlds.MEASURED_ON),
    }
    for command, text in texts.items():
        print(text)
        if options.write:
            sections.keep(command, text, PAGE)


if __name__ == "__main__":
    main()
