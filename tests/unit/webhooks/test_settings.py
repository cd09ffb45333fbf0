"""`signals.yaml`: a mistake is found before anything runs on it, and no secret is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.composition.signals import read_signals_file, receiver_named, signals_path
from schemas.errors import ConfigError
from schemas.signal import KINDS
from streams.apps.signals.settings import Kinds
from streams.webhooks.settings import SignalsFile, receivers

EXAMPLE = Path(__file__).parents[3] / "deploy" / "signals" / "example.yaml"
SECRET = "whsec_b25lLXNlY3JldC1vbmUtc2VjcmV0LW9uZS1zZWNyZXQ="
ALWAYS = ", ".join(f"{day}: ['00:00-24:00']" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
HOOK = "webhooks: {a: {url: 'https://example.org/x', secrets: [{env: A}]}}"


def written(tmp_path: Path, text: str) -> SignalsFile:
    path = tmp_path / "signals.yaml"
    path.write_text(text)
    return read_signals_file(path)


def test_the_example_is_right_and_its_values_are_the_defaults_but_for_what_it_says() -> None:
    example = read_signals_file(EXAMPLE)
    given = example.kinds.model_dump()
    assert given.pop("handoff_overdue") == Kinds().handoff_overdue.model_dump() | {"urgent": frozenset({"emergent"})}
    assert given == {name: value for name, value in Kinds().model_dump().items() if name in given}
    (told,) = receivers(example, {"TIELINE_TEAM_WEBHOOK_SECRET": SECRET})
    assert (told.name, told.secrets) == ("team-channel", (SECRET.encode(),))


def test_without_a_file_everything_is_said_and_nobody_is_told() -> None:
    assert read_signals_file(None) == SignalsFile()
    assert all(SignalsFile().kinds.of(kind).enabled for kind in KINDS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kinds: {handoff_overdu: {}}", "did you mean `handoff_overdue`"),
        ("kinds: {handoff_overdue: {after: 3}}", "kinds.handoff_overdue.after: unknown field"),
        ("kinds: {handoff_overdue: {after_s: -3}}", "kinds.handoff_overdue.after_s"),
        ("kinds: {data_quality: {dead_letters: 1.5}}", "kinds.data_quality.dead_letters"),
        ("quiet: {zone: Mars/Olympus, hours: {mon: ['00:00-07:00']}}", "quiet.zone"),
        ("quiet: {zone: UTC, hours: {}}", "quiet hours have to begin, and to end"),
        (f"quiet: {{zone: UTC, hours: {{{ALWAYS}}}}}", "quiet hours have to begin, and to end"),
        ("webhooks: {a: {url: 'https://example.org/x', secrets: []}}", "webhooks.a.secrets"),
        ("webhooks: {a: {url: 'https://example.org/x', secrets: [{env: A, file: b}]}}", "either `env:`"),
        ("webhooks: {a: {url: 'https://u:hunter2@example.org/x', secrets: [{env: A}]}}", "without user and password"),
        ("webhooks: {a: {url: 'http://example.org/hunter2', secrets: [{env: A}]}}", "expected https://"),
        ("webhooks: {a: {url: 'https://169.254.169.254/hunter2', secrets: [{env: A}]}}", "no receiver has"),
        ("webhooks: {a: {url: hunter2, secrets: [{env: A}]}}", "webhooks.a.url"),
        ("webhooks: {'A b': {url: 'https://example.org/x', secrets: [{env: A}]}}", "a name is 1 to 64"),
        ("webhooks: {a: {}, a: {}}", "occurs twice"),
        ("- 1", "expected fields such as `kinds:`"),
        ("\t", "signals.yaml"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_never_with_its_value(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, text)
    assert said in str(caught.value)
    assert "signals.yaml" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "secret", ["", "hunter2", "whsec_hunter2", "whsec_aHVudGVyMg==", SECRET.removeprefix("whsec_")]
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(tmp_path: Path, secret: str) -> None:
    settings = written(tmp_path, HOOK)
    with pytest.raises(ConfigError) as caught:
        receivers(settings, {"A": secret})
    assert "webhooks.a" in str(caught.value)
    assert not secret or secret not in str(caught.value)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    settings = written(tmp_path, HOOK.replace("env: A", f"file: {tmp_path / 'secret'}"))
    assert receivers(settings)[0].secrets == (SECRET.encode(),)


def test_a_private_address_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    hook = HOOK.replace("example.org", "10.1.2.3")
    with pytest.raises(ConfigError, match=r"webhooks\.a: it is at a private address"):
        receivers(written(tmp_path, hook), {"A": SECRET})
    allowed = hook.replace("secrets:", "allow_private: true, secrets:")
    assert receivers(written(tmp_path, allowed), {"A": SECRET})[0].url == "https://10.1.2.3/x"


def test_an_unknown_webhook_is_said_with_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", SECRET)
    with pytest.raises(ConfigError, match="no webhook b; known: a"):
        receiver_named(written(tmp_path, HOOK), "b")


def test_the_file_is_as_given_else_of_the_environment_else_in_the_data_folder(tmp_path: Path) -> None:
    assert signals_path(None, tmp_path, {}) is None
    (tmp_path / "signals.yaml").touch()
    assert signals_path(None, tmp_path, {}) == tmp_path / "signals.yaml"
    assert signals_path(None, tmp_path, {"TIELINE_SIGNALS": "/a"}) == Path("/a")
    assert signals_path(Path("/b"), tmp_path, {"TIELINE_SIGNALS": "/a"}) == Path("/b")
