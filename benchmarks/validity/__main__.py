"""`python -m benchmarks.validity [STUDY…]`: run studies, write their figures, pictures and docs/validity.md."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks.validity.catalogue import STUDIES, written
from benchmarks.validity.page import FIGURES, PAGE, PICTURES, draw, read, write_figures
from benchmarks.validity.study import Plan


def main() -> int:
    given = _arguments()
    console = Console(stderr=True, highlight=False)
    began_s = time.process_time()
    plan = Plan(given.quick, lambda what: console.print(f"{time.process_time() - began_s:6.0f} CPU-s  {what}"))
    chosen = [study for study in STUDIES if not given.names or study.name in given.names]
    folder = given.out or FIGURES
    for study in chosen:
        if not given.page:
            write_figures(study, study.run(plan), folder)
        found = read(study, folder)  # as written, rounded: pictures and page are the same whenever they are made
        pictures = given.out or PICTURES
        pictures.mkdir(parents=True, exist_ok=True)
        draw(study, found, pictures)
        for verdict in study.verdicts(found):
            print(f"{'kept  ' if verdict.kept else 'MISSED'}  {verdict.promise}: {verdict.found}")
    if given.out is None:
        PAGE.write_text(written(), encoding="utf-8")
    console.print(f"{time.process_time() - began_s:6.0f} CPU-s  done")
    return 0


def _arguments() -> argparse.Namespace:
    names = [study.name for study in STUDIES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="STUDY", help=f"what to run: {', '.join(names)}; all, if none")
    parser.add_argument("--quick", action="store_true", help="one tiny run of each: shows that it works, no figures")
    parser.add_argument("--page", action="store_true", help="run nothing: write page and pictures from kept figures")
    parser.add_argument("--out", type=Path, help="folder for figures and pictures; docs/ is then left alone")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in names]:
        parser.error(f"no study {', '.join(unknown)}; there are {', '.join(names)}")
    if given.quick and given.out is None:
        parser.error("--quick needs --out: its figures are not for docs/")
    return given


if __name__ == "__main__":
    sys.exit(main())
