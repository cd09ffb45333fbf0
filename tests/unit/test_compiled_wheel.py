"""The compiled wheel: what it is called, and that its record says what it holds. Compiling is tried elsewhere."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from deploy import compiled_wheel as module
from deploy.compiled_wheel import COMPILED, NotCompiledError, compile_tree, compiled_wheel

ROOT = Path(__file__).parents[2]


def pure_wheel(folder: Path) -> Path:
    """A small one, as hatchling makes it."""
    wheel = folder / "tieline-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("schemas/making.py", "MADE = 1\n")
        packed.writestr("tieline-9.9.9.dist-info/METADATA", "Name: tieline\n")
        packed.writestr("tieline-9.9.9.dist-info/WHEEL", "Root-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr("tieline-9.9.9.dist-info/RECORD", "")
    return wheel


def test_compiled_modules_exist() -> None:
    assert all((ROOT / path).is_file() for path in COMPILED)


def test_compiled_wheel_is_for_this_python_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "compile_tree", lambda tree: (tree / "schemas/making.so").write_bytes(b"machine"))
    wheel = compiled_wheel(pure_wheel(tmp_path), tmp_path / "into")
    with zipfile.ZipFile(wheel) as packed:
        says = packed.read("tieline-9.9.9.dist-info/WHEEL").decode()
    assert "none-any" not in wheel.name + says
    assert "Root-Is-Purelib: false" in says
    assert f"Tag: {wheel.name.removesuffix('.whl').split('-', 2)[2]}" in says


def test_record_of_a_compiled_wheel_has_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "compile_tree", lambda tree: (tree / "schemas/making.so").write_bytes(b"machine"))
    with zipfile.ZipFile(compiled_wheel(pure_wheel(tmp_path), tmp_path / "into")) as packed:
        held = {name: packed.read(name) for name in packed.namelist()}
    listed = list(csv.reader(io.StringIO(held["tieline-9.9.9.dist-info/RECORD"].decode())))
    assert {row[0] for row in listed} == set(held)
    assert "schemas/making.so" in held
    for name, digest, size in listed:
        if digest:
            expected = base64.urlsafe_b64encode(hashlib.sha256(held[name]).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={expected}", len(held[name]))


def test_what_does_not_compile_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotCompiledError):
        compile_tree(tmp_path)  # there is nothing to compile
