"""The file: whole or not at all, and never over another one unless told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.whole_file import whole_file
from schemas.errors import ConfigError


def _write(path: Path, text: str, replace: bool = False) -> None:
    with whole_file(path, replace=replace) as file:
        file.write(text.encode())


def test_a_file_is_written_whole_and_alone(tmp_path: Path) -> None:
    _write(tmp_path / "r.html", "<p>é")
    assert (tmp_path / "r.html").read_text("utf-8") == "<p>é"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_nothing_is_left_of_a_file_that_broke_off(tmp_path: Path) -> None:
    def broken() -> None:
        with whole_file(tmp_path / "r.html") as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        _write(tmp_path / "r.html", "new")
    assert (tmp_path / "r.html").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_replacing_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    _write(tmp_path / "r.html", "new", replace=True)
    assert (tmp_path / "r.html").read_text() == "new"


def test_a_folder_that_is_not_there_is_a_clear_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        _write(tmp_path / "no" / "r.html", "new")
