"""The Kafka Streams program: built once by Maven into the cache folder."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from benchmarks.frameworks.contract import COMMIT_EVERY_S, Entry
from benchmarks.frameworks.environments import CannotRunError, cache_folder
from benchmarks.frameworks.pairs_job import PAIRS

_SOURCE = Path(__file__).with_name("kafka_streams")
_BUILD_TIMEOUT_S = 600


def built() -> str:
    """Its class path, built if it is not there yet.

    Raises: CannotRunError: Java or Maven is missing, or Maven failed.
    """
    files = sorted(path for path in _SOURCE.rglob("*") if path.suffix in {".xml", ".java"})
    digest = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = cache_folder() / f"kafka-streams-{digest}"
    paths = folder / "classpath.txt"
    if not paths.exists():
        _build(folder, paths)
    return f"{folder / 'target' / 'classes'}:{paths.read_text().strip()}"


def command(classpath: str) -> list[str]:
    """How it is started, without `arguments`."""
    return ["java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath, "Pairs"]


def arguments(entry: Entry) -> list[str]:
    """What it is told."""
    where = [entry.name, entry.broker, entry.source, entry.topic(PAIRS), str(entry.folder)]
    return [*where, str(int(COMMIT_EVERY_S * 1000)), str(entry.events)]


def _build(folder: Path, paths: Path) -> None:
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    if missing:
        raise CannotRunError(f"not found: {', '.join(missing)}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_SOURCE, folder, ignore=shutil.ignore_patterns("target"))
    partial = paths.with_suffix(".part")
    maven = ["mvn", "--quiet", "--batch-mode", f"--file={folder / 'pom.xml'}"]
    maven += [f"-Dmaven.repo.local={cache_folder() / 'repository'}", f"-Dmdep.outputFile={partial}"]
    done = subprocess.run(
        [*maven, "compile", "dependency:build-classpath"],
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise CannotRunError(f"Maven: {(done.stdout + done.stderr)[-300:]}")
    partial.replace(paths)
