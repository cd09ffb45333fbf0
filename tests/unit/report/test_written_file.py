"""The file: whole or not at all, and never over another one unless told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.composition.report import write_page
from schemas.errors import ConfigError


def test_a_page_is_written_whole_and_alone(tmp_path: Path) -> None:
    write_page(tmp_path / "r.html", "<p>é")
    assert (tmp_path / "r.html").read_text("utf-8") == "<p>é"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        write_page(tmp_path / "r.html", "new")
    assert (tmp_path / "r.html").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_force_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    write_page(tmp_path / "r.html", "new", force=True)
    assert (tmp_path / "r.html").read_text() == "new"


def test_a_folder_that_is_not_there_is_a_clear_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_page(tmp_path / "no" / "r.html", "new")
