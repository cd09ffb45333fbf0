"""The shape of the code: which packages there are, what they are called, what the inner rooms may use."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ["schemas", "streams", "sinks", "deploy"]
FORBIDDEN_WORDS = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "stuff", "tools"}
# What reaches outside or differs from call to call.
IMPURE = {
    "asyncio",
    "concurrent",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}


def test_wheel_holds_exactly_the_four_packages() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES


def test_wheel_holds_every_package_of_the_checkout() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found - {"tests", "benchmarks"} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_a_package_of_ours(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"tieline"}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_imported_from_one_place(package: str) -> None:
    found = [folder for folder in sys.path if (Path(folder) / package / "__init__.py").is_file()]
    assert len({Path(folder).resolve() for folder in found}) == 1


def test_folder_with_modules_is_a_package() -> None:
    for path in _modules():
        assert (path.parent / "__init__.py").is_file(), path.parent


def test_module_is_named_after_what_it_holds() -> None:
    for path in _modules():
        words = set(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "_").split("_"))
        assert not words & FORBIDDEN_WORDS, path


def test_name_on_the_wire_is_no_module_path() -> None:
    from schemas.topics import TOPICS

    assert all(topic.name.startswith("tieline.") for topic in TOPICS)


def test_contract_uses_the_standard_library_and_pydantic_only() -> None:
    for path in _modules("schemas"):
        foreign = _imported(path) - sys.stdlib_module_names - {"schemas", "pydantic", "pydantic_core"}
        assert not foreign, f"{path}: {foreign}"


def test_inference_uses_the_standard_library_and_the_contract_only() -> None:
    for path in _modules("streams/inference"):
        imported = {name for name in _imported_modules(path) if not name.startswith("streams.inference")}
        foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {"schemas"}
        # Effects are linear algebra, and nothing of the live fold needs them.
        foreign -= {"numpy", "scipy"} if path.parent.name == "effect" else set()
        assert not foreign, f"{path}: {foreign}"


def test_inference_is_pure() -> None:
    for path in _modules("streams/inference"):
        assert not _imported(path) & IMPURE, f"{path}: {_imported(path) & IMPURE}"


def test_inference_asks_no_clock() -> None:
    clocks = {"now", "utcnow", "today"}
    for path in _modules("streams/inference"):
        asked = {node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute)} & clocks
        assert not asked, f"{path}: {asked}"


def _modules(folder: str = "") -> list[Path]:
    roots = [ROOT / folder] if folder else [ROOT / package for package in PACKAGES]
    return [path for root in roots for path in sorted(root.rglob("*.py"))]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imported(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in _imported_modules(path)}


def _imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield node.module or ""
