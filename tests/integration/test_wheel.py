"""What is installed is what was tested: the wheel alone, outside the checkout, is a working Tieline."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "schemas",
        "streams",
        "sinks",
        "deploy",
    }
    for needed in ("0001_archive.sql", "demo.yaml", "volvo-problems.yaml", "pom.xml", "LICENSE", "entry_points.txt"):
        assert any(name.endswith(needed) for name in names), needed


@pytest.mark.slow
def test_the_installed_wheel_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIELINE_")}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "demo", "--once", "--data", str(tmp_path / "data")],
        cwd=tmp_path,
        env={**env, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("Open handoffs (", "Ties of ed-to-ward", "Ties of incident", "everything ended"):
        assert said in done.stdout
    for answer in ("not observed", "hidden: too", "not enough", "[0."):
        assert answer in done.stdout, "every kind of answer is in the scenario"
