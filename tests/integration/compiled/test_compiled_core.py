"""Compiled or not, the core gives the same rows. Needs a C compiler and three minutes: `TIELINE_COMPILED=1`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.compiled_wheel import COMPILED, compile_tree
from tests.integration.compiled.said_rows import said, write_items

ROOT = Path(__file__).parents[3]
LAWS = ("tests/property/test_facts.py", "tests/property/test_fold.py", "tests/property/test_rows.py")
CANONICAL = ("tests/unit/schemas/test_canonical_form.py", "tests/unit/schemas/test_decoding_laws.py")
SAYS_ROWS = "tests.integration.compiled.said_rows"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.environ.get("TIELINE_COMPILED") != "1", reason="compiles the core: set TIELINE_COMPILED=1"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with its core compiled."""
    tree = tmp_path_factory.mktemp("compiled") / "checkout"
    tree.mkdir()
    for name in ("schemas", "streams", "sinks", "deploy", "benchmarks", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    compile_tree(tree)
    shutil.copy(ROOT / "pyproject.toml", tree)
    (tree / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "contract.md", tree / "docs")
    return tree


def _run(tree: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tree)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_compiled_modules_are_those_that_are_used(compiled: Path) -> None:
    names = [module.removesuffix(".py").replace("/", ".") for module in COMPILED]
    code = f"import importlib\nfor name in {names!r}: print(importlib.import_module(name).__file__)"
    files = _run(compiled, "-c", code).splitlines()
    assert len(files) == len(COMPILED)
    assert all(file.startswith(str(compiled)) and not file.endswith(".py") for file in files)


def test_compiled_core_keeps_the_laws_of_facts_and_of_decoding(compiled: Path) -> None:
    _run(compiled, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *LAWS, *CANONICAL)


def test_compiled_core_gives_the_same_rows(compiled: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.ndjson"
    write_items(items)
    assert _run(compiled, "-m", SAYS_ROWS, str(items)) == f"{said(items)}\n"
