"""`python -m schemas.export DIR` writes the contract's documents into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.export.contract import write_contract


def main(arguments: list[str]) -> int:
    """Returns: 0, or 2 if there is not exactly one folder."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m schemas.export DIR", file=sys.stderr)
        return 2
    for path in write_contract(Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
