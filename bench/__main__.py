"""`python -m bench`: measure the site and print the tables; `--write` keeps them in docs/performance.md."""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import peers, report, rounds, say, sections
from bench.databases import KINDS
from bench.flows import measuring
from bench.servers import SIZES, environment, seeded, served

ROUNDS = 5
SECONDS = 0.4


def measured_on(kind: str, *, turns: int, seconds: float) -> report.Result:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        for size in SIZES:
            (home / size).mkdir()
        version, urls = stack.enter_context(KINDS[kind](home))
        team = kind == "PostgreSQL"
        envs = {size: environment(url, home / size, team=team) for size, url in urls.items()}
        say(f"{kind} {version}: writing the catalogues ...")
        seeded(envs)
        servers = {size: stack.enter_context(served(env)) for size, env in envs.items()}
        say(f"{kind} {version}: measuring ...")
        measured = rounds.run(servers, rounds=turns, seconds=seconds)
    return report.Result(kind, version, measured, judged_by_yardsticks=team)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="also keep it in docs/performance.md")
    parser.add_argument("--database", choices=KINDS, help="only this one; default: both")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    parser.add_argument("--mlflow", action="store_true", help="then also beside MLflow, as python -m bench.peers does")
    measuring.add_options(parser)
    options = parser.parse_args()
    kinds = [options.database] if options.database else list(KINDS)
    results = [measured_on(kind, turns=options.rounds, seconds=options.seconds) for kind in kinds]
    flows = measuring.run(say, tasks=options.tasks, rounds=options.flow_rounds)
    texts = {"bench": report.section(results, flows, rounds=options.rounds, seconds=options.seconds)}
    if options.mlflow:
        texts["bench.peers"] = peers.measured(peers.BLOCKS)
    for command, text in texts.items():
        print(text)
        if options.write:
            sections.keep(command, text)


if __name__ == "__main__":
    main()
