"""A world's file: what is wrong with it is said, and where; never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from deploy.cli import app
from deploy.policy_files import load_policy_book
from schemas.errors import ConfigError
from streams.simulation.planted.reading import world_of
from streams.simulation.planted.world import World

RUN = CliRunner()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weeks: many", "weeks"),
        ("wekes: 3", "wekes"),
        ("roles: {a: {}}", "at least two roles"),
        ("start: 2026-01-06", "not a Monday"),
        ("flows: [{giver: a, taker: b, items_per_week: 3}]", "not among the roles"),
        ("flows: [{giver: nurse, taker: nurse, items_per_week: 3}]", "two roles"),
        ("roles: {a: {calendar: x}, b: {}}", "calendar 'x'"),
        ("quality: {timeliness: .9, sd: .3}", "no shares"),
        ("clustering: {item: .6, actor: .4}", "leave nothing"),
        ("ties: [{communicator: nurse, experiencer: ward, accuracy: 1.5}]", "accuracy"),
        ("disturbances: {skew_s: {nobody: 3}}", "nobody"),
        ("items_per_week: .inf", "items_per_week"),
        ("- a list", "expected fields"),
        ("a: [", "line 1"),
        ("a: &a [*a, *a]", "a"),
        ("[" * 5000, "not YAML"),
        ("# " + "x" * 300_000, "longer"),
        ("start: 0000-00-00", "not YAML"),
        ("!!python/object/apply:os.system [id]", "not YAML"),
    ],
)
def test_a_wrong_world_is_refused_with_its_field(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"world\.yaml") as refused:
        world_of(text, "world.yaml")
    assert said in str(refused.value)


def test_an_empty_file_is_the_built_in_world() -> None:
    assert world_of("", "world.yaml") == World()


def test_a_written_world_reads_back() -> None:
    world = World.model_validate({"weeks": 3, "disturbances": {"skew_s": {"ward": 60}}})
    assert world_of(yaml.safe_dump(world.model_dump(mode="json")), "world.yaml") == world


def test_log_truth_and_policy_are_written_together(tmp_path: Path) -> None:
    config = tmp_path / "world.yaml"
    config.write_text("weeks: 2\nitems_per_week: 2\nroles: {a: {}, b: {}}\n")
    paths = {name: tmp_path / name for name in ("out", "truth", "policy")}
    given = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    done = RUN.invoke(app, ["simulate", "--config", str(config), *given])
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {"world.yaml", *paths}
    assert len(paths["out"].read_bytes().splitlines()) > 40
    truth = json.loads(paths["truth"].read_text())
    assert truth["seed"] == 1
    assert {(tie["communicator_role"], tie["experiencer_role"]) for tie in truth["ties"]} == {("a", "b"), ("b", "a")}
    policies = load_policy_book([paths["policy"]])
    assert policies.newest("planted").process.settle_s == 14400


@pytest.mark.parametrize(
    "arguments", [["--events", "3", "--weeks", "3"], ["--out", "x", "--to-kafka"], ["--events", "0"]]
)
def test_wrong_usage_is_said(arguments: list[str]) -> None:
    assert RUN.invoke(app, ["simulate", *arguments]).exit_code == 2


@pytest.mark.parametrize("path", ["missing.yaml", "folder", "latin.yaml"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"process: \xe9")
    done = RUN.invoke(app, ["simulate", "--config", str(tmp_path / path), "--events", "1"])
    assert isinstance(done.exception, ConfigError)
    assert path in str(done.exception)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["simulate", "--events", "1", "--out", str(tmp_path / "nowhere" / "log")])
    assert isinstance(done.exception, ConfigError)


def test_the_world_in_the_documents_is_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulating.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    world = world_of(text, "docs/simulating.md")
    assert world.disturbances.skew_s == {"ward-nurse": 240}
    assert world.interventions[0].ties == (("ward-nurse", "ed-nurse"),)
