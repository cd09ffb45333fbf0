"""`python -m deploy.compiled_wheel WHEEL --into FOLDER`: the same wheel with the pure core compiled by mypyc.

Nothing needs it: the core is plain Python, and a module that is not compiled is imported as it stands. Compiled, the
same source folds about twice as fast (docs/adr/0030-speed.md). Needs a C compiler, mypy, setuptools and pydantic.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.errors import TielineError

COMPILED = (
    "schemas/canonical_form.py",
    "schemas/making.py",
    "streams/inference/acts.py",
    "streams/inference/calendar.py",
    "streams/inference/chain.py",
    "streams/inference/due.py",
    "streams/inference/exchanges.py",
    "streams/inference/facts.py",
    "streams/inference/handoffs.py",
    "streams/inference/observation.py",
    "streams/inference/offers.py",
    "streams/inference/ownership.py",
    "streams/inference/problems.py",
    "streams/inference/rules/handoff.py",
    "streams/inference/rules/message.py",
    "streams/inference/rules/waiting.py",
    "streams/inference/timeline.py",
    "streams/replay/known.py",
)
"""Decode and fold: pure functions and plain classes. Models stay as they are: pydantic needs to see them.

`schemas/decoding.py` must stay interpreted: compiled, `raise … from None` keeps the error it is meant to hide, and
a traceback would show what was sent.
"""
GROUP = "tieline_core"
"""Names the one shared library that all compiled modules are in."""

_SETUP = f"""
from mypyc.build import mypycify
from setuptools import setup

modules = mypycify(["--config-file", "mypy.ini", *{list(COMPILED)!r}], opt_level="3", group_name={GROUP!r})
setup(name="tieline-core", packages=[], ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""
_MYPY = "[mypy]\nplugins = pydantic.mypy\n"


class NotCompiledError(TielineError):
    """The compiler gave up. Operator action: install a C compiler, mypy and setuptools, or use the wheel as it is."""


def compiled_wheel(wheel: Path, into: Path) -> Path:
    """Writes a wheel for this Python and platform; returns where.

    Raises: NotCompiledError: with the last lines of what the compiler said.
    Cost: about a minute of one core.
    """
    with TemporaryDirectory(prefix="tieline-compiled-") as folder:
        tree = Path(folder)
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(tree)
        compile_tree(tree)
        return _pack(tree, into / _name(wheel))


def compile_tree(tree: Path) -> None:
    """Puts compiled modules beside the sources of an unpacked wheel, or of a copy of the checkout.

    Raises: NotCompiledError: as `compiled_wheel`.
    """
    build = {"setup.py": _SETUP, "mypy.ini": _MYPY}
    for name, text in build.items():
        (tree / name).write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "setup.py"], cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotCompiledError("\n".join((done.stdout + done.stderr).splitlines()[-15:]))
    for name in build:
        (tree / name).unlink()


def _name(wheel: Path) -> str:
    distribution, version = wheel.name.split("-")[:2]
    return f"{distribution}-{version}-{_tag()}.whl"


def _tag() -> str:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def _pack(tree: Path, wheel: Path) -> Path:
    """As the wheel format wants it: the tag in WHEEL, every file with its hash in RECORD."""
    (info,) = tree.glob("*.dist-info")
    says = (info / "WHEEL").read_text(encoding="utf-8").replace("Root-Is-Purelib: true", "Root-Is-Purelib: false")
    lines = [f"Tag: {_tag()}" if line.startswith("Tag: ") else line for line in says.splitlines()]
    (info / "WHEEL").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (info / "RECORD").unlink()
    listed = io.StringIO()
    csv.writer(listed, lineterminator="\n").writerows([*_hashed(tree), (f"{info.name}/RECORD", "", "")])
    (info / "RECORD").write_text(listed.getvalue(), encoding="utf-8")
    wheel.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in _files(tree):
            packed.write(path, path.relative_to(tree))
    return wheel


def _hashed(tree: Path) -> Iterator[tuple[str, str, int]]:
    for path in _files(tree):
        content = path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        yield path.relative_to(tree).as_posix(), f"sha256={digest}", len(content)


def _files(tree: Path) -> list[Path]:
    """Without what the compiler left behind."""
    left = {"build", ".mypy_cache", "__pycache__"}
    found = (path for path in tree.rglob("*") if path.is_file() and not left & set(path.relative_to(tree).parts))
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.compiled_wheel", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("wheel", type=Path, help="a wheel of Tieline, as `pip wheel --no-deps .` makes it")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="where the compiled wheel goes")
    given = parser.parse_args()
    try:
        print(compiled_wheel(given.wheel, given.into))
    except (OSError, ValueError, zipfile.BadZipFile, NotCompiledError) as error:
        print(f"not compiled: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
