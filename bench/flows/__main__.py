"""`python -m bench.flows`: measure the flow side alone and print its table."""

import argparse

from bench import report, say
from bench.flows import measuring


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flows", description=__doc__)
    measuring.add_options(parser)
    options = parser.parse_args()
    print(report.flow_side(measuring.run(say, tasks=options.tasks, rounds=options.flow_rounds)))


if __name__ == "__main__":
    main()
