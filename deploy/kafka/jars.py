"""The jars of Apache Kafka, fetched once with Maven and kept in a cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from schemas.errors import ConfigError

_POM = Path(__file__).with_name("pom.xml")
_FETCH_TIMEOUT_S = 600


def cache_folder() -> Path:
    """Where jars are kept: `TIELINE_KAFKA_CACHE`, else `tieline/kafka` in the user's cache folder."""
    chosen = os.environ.get("TIELINE_KAFKA_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).expanduser() / "tieline" / "kafka"


def missing_tools() -> list[str]:
    """The programs needed and not found: Java always, Maven until the jars are there."""
    wanted = ["java"] if _cached_classpath() else ["java", "mvn"]
    return [tool for tool in wanted if shutil.which(tool) is None]


def classpath() -> str:
    """The broker's class path, fetching jars if they are not cached (64 MB, about ten seconds).

    Raises: ConfigError: Java or Maven is missing, or Maven failed.
    Operator action: install Java 17 and Maven, check the connection to the Maven repository.
    """
    missing = missing_tools()
    if missing:
        raise ConfigError(f"needed to run Apache Kafka and not found: {', '.join(missing)}")
    return _cached_classpath() or _fetch()


def _classpath_file() -> Path:
    # Named after the pom's content, so that another version never meets the jars of this one.
    return cache_folder() / f"classpath-{sha256(_POM.read_bytes()).hexdigest()[:12]}.txt"


def _cached_classpath() -> str | None:
    try:
        cached = _classpath_file().read_text().strip()
    except FileNotFoundError:
        return None
    return cached if cached and all(Path(jar).exists() for jar in cached.split(os.pathsep)) else None


def _fetch() -> str:
    target = _classpath_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    command = ["mvn", "--quiet", "--batch-mode", f"--file={_POM}"]
    command += [f"-Dmaven.repo.local={target.parent / 'repository'}", f"-Dmdep.outputFile={partial}"]
    done = subprocess.run(
        [*command, "dependency:build-classpath"], capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise ConfigError(f"Maven could not fetch Apache Kafka: {(done.stdout + done.stderr)[-2000:]}")
    partial.replace(target)
    return target.read_text().strip()
