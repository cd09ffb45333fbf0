"""`python -m tests.golden.connectors NAME …` writes golden files anew; without a name, those of every connector.

The shared data are looked for as the tests do: `TIELINE_SHARED`, else `shared` beside the checkout.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.golden.connectors.golden import names, rewrite


def main(chosen: list[str]) -> None:
    shared = Path(os.environ.get("TIELINE_SHARED") or Path(__file__).parents[4] / "shared")
    for name in chosen or names():
        print(f"{name}: {rewrite(name, shared)} files")


if __name__ == "__main__":
    main(sys.argv[1:])
