"""Settings of sources: what is wrong is named with its place, what is secret is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from schemas.errors import ConfigError
from streams.gateway.connectors.catalogue import CONNECTORS, connector, entry
from streams.gateway.source_files import parse_sources, read_sources
from streams.gateway.sources import SecretRef, Sources

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "deploy" / "sources" / "example.yaml"
SOURCE = "sources: {lab: {connector: github, process: p, verify: {kind: token}, "


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_sources(text, "s.yaml")
    return str(refused.value)


def test_example_is_right_and_has_every_connector() -> None:
    sources = read_sources(EXAMPLE)
    assert {each.connector for each in sources.sources.values()} == set(CONNECTORS)


def test_options_of_the_example_are_those_of_its_connectors(monkeypatch: pytest.MonkeyPatch) -> None:
    from deploy.composition.gateway import checked_options

    monkeypatch.chdir(ROOT)
    for name, source in read_sources(EXAMPLE).sources.items():
        options = checked_options(name, source, connector(source.connector))
        assert options.keys() == source.options.keys()


@pytest.mark.parametrize("name", CONNECTORS)
def test_connector_of_the_catalogue_can_be_loaded_and_knows_its_name(name: str) -> None:
    loaded = connector(name)  # type: ignore[arg-type]
    assert loaded.name == name
    assert entry(name).media_types  # type: ignore[arg-type]


def test_source_has_a_urn_of_its_own_name_unless_it_is_given_one() -> None:
    sources = parse_sources(SOURCE + "}, x: {connector: json, process: p, source: 'urn:x', verify: {kind: token}}}")
    assert [each.uri(name) for name, each in sources.sources.items()] == ["urn:tieline:lab", "urn:x"]


def test_misspelt_field_is_guessed() -> None:
    said = refusal(SOURCE + "limits: {max_body_byte: 5000}}}")
    assert said == "s.yaml: sources.lab.limits.max_body_byte: unknown field; did you mean `max_body_bytes`?"


def test_field_at_a_wrong_place_is_told_with_those_that_are_known() -> None:
    assert "expected one of version, events, sources" in refusal("zzz: 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: {lab: {connector: github, process: p}}", "sources.lab.verify: required, but missing"),
        (
            "sources: {lab: {connector: gitlab, process: p, verify: {kind: token}}}",
            "sources.lab.connector: Input should",
        ),
        (SOURCE + "limits: {per_s: -1}}}", "sources.lab.limits.per_s"),
        (SOURCE + "limits: {per_s: .nan}}}", "sources.lab.limits.per_s"),
        ("sources: {Lab Two: {}}", "a name is 1 to 64 of a-z"),
        ("sources: {lab: {connector: json, process: p, verify: {kind: github}}}", "needs at least one of `secrets`"),
        ("sources: {lab: {connector: json, process: a/b, verify: {kind: token}}}", "sources.lab.process"),
        ("version: 2", "version"),
        ("[]", "expected fields such as `sources:`"),
        ("a: [", "s.yaml, line 1"),
        ("sources: {}\nsources: {}", "s.yaml, line 2, column 1: `sources` occurs twice"),
        ("!!python/object:os.system {}", "s.yaml"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_mistake_is_named_with_its_place(text: str, said: str) -> None:
    assert said in refusal(text)


def test_two_sources_never_share_a_urn() -> None:
    said = refusal(SOURCE + "}, b: {connector: json, process: p, source: 'urn:tieline:lab', verify: {kind: token}}}")
    assert "same `source` as lab" in said


@pytest.mark.parametrize(
    "secrets", ["[hunter2]", "[{env: hunter2!}]", "[{value: hunter2}]", "hunter2", "[{env: A, file: hunter2}]"]
)
def test_secret_in_the_settings_is_refused_and_not_repeated(secrets: str) -> None:
    text = f"sources: {{lab: {{connector: github, process: p, verify: {{kind: github, secrets: {secrets}}}}}}}"
    said = refusal(text)
    assert "sources.lab.verify.secrets" in said
    assert "hunter2" not in said.replace("unknown field", "")


def test_secret_comes_from_a_variable_or_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    for ref in (SecretRef(env="S"), SecretRef(file=tmp_path / "secret")):
        secret = ref.read({"S": "hunter2"})
        assert secret.get_secret_value() == "hunter2"
        assert "hunter2" not in repr(secret)


def test_secret_that_is_not_there_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "large").write_text("hunter2" * 1000)
    (tmp_path / "binary").write_bytes(b"\xffhunter2")
    for ref in (
        SecretRef(env="S"),
        *(SecretRef(file=tmp_path / name) for name in ("none", "empty", "large", "binary")),
    ):
        with pytest.raises(ConfigError) as refused:
            ref.read({})
        assert str(ref.env or ref.file) in str(refused.value)
        assert "hunter2" not in str(refused.value)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for content in (None, b"\xff", b"#" * 2_000_000):
        path = tmp_path / "s.yaml"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"s\.yaml"):
            read_sources(path)


def test_settings_without_sources_are_right() -> None:
    assert parse_sources(yaml.safe_dump({"version": 1})) == Sources()
