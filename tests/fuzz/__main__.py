"""`python -m tests.fuzz TARGET [--inputs N] [--first N] [--guided]`; exit code 1 with findings.

An input is named by its number and made again from it: `--first 4711 --inputs 1`.
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.coverage_guided import guided
from tests.fuzz.run import fuzz
from tests.fuzz.target import names, target


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Gives hostile bytes to what reads bytes."
    )
    parser.add_argument("target", choices=names())
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--guided", action="store_true", help="by coverage; needs atheris")
    chosen = parser.parse_args()
    if chosen.guided:
        guided(chosen.target, chosen.inputs)
        return 0
    report = fuzz(target(chosen.target), chosen.inputs, chosen.first)
    print(report)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
