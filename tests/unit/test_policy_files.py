"""Policy files: what is refused says which file, which field, and what was expected."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.policy_files import load_policy_book
from schemas.errors import ConfigError, PolicyError

DEMO = Path(__file__).parents[2] / "deploy" / "policies" / "demo.yaml"
HEAD = "version: v1\neffective_from: 2026-01-01T00:00:00Z\n"


def refusal(folder: Path, text: str) -> str:
    """The message with which a policy file of this text is refused."""
    file = folder / "wrong.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        load_policy_book([file])
    assert str(file) in str(refused.value)
    return str(refused.value)


def test_the_demonstration_policy_loads() -> None:
    book = load_policy_book([DEMO])
    assert book.newest("ed-to-ward").version == "demo-1"
    assert book.newest("ed-to-ward").role("ED RN") == "ed-nurse"
    assert book.newest("incident").process.observed_dimensions() == ("timeliness", "problem_solving")
    assert book.newest("ed-to-ward").process.observed_dimensions() == (
        "frequency",
        "timeliness",
        "accuracy",
        "problem_solving",
    )


def test_a_folder_means_all_policy_files_in_it_and_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD)
    (tmp_path / "b.yml").write_text(HEAD.replace("v1", "v2").replace("2026", "2027"))
    (tmp_path / "notes.txt").write_text("not a policy")
    book = load_policy_book([tmp_path, tmp_path / "a.yaml"])
    assert [policy.version for policy in book.policies] == ["v1", "v2"]


def test_one_file_may_hold_several_versions(tmp_path: Path) -> None:
    file = tmp_path / "policies.yaml"
    file.write_text(f"{HEAD}---\n{HEAD.replace('v1', 'v2').replace('2026', '2027')}---\n")
    assert [policy.version for policy in load_policy_book([file]).policies] == ["v1", "v2"]


def test_no_paths_is_the_built_in_policy() -> None:
    assert load_policy_book([]).newest("any").version == "built-in"


def test_times_are_read_in_utc(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: v1\neffective_from: 2026-07-01 02:00:00 +02:00\n")
    assert load_policy_book([file]).policies[-1].effective_from == datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2026-01-01T00:00:00", "2026-01-01 00:00", "'2026-01-01T00:00:00'"])
def test_a_time_without_zone_is_refused(tmp_path: Path, written: str) -> None:
    message = refusal(tmp_path, f"version: v1\neffective_from: {written}\n")
    assert "zone" in message
    assert "2026-01-01" in message


def test_a_bare_date_is_no_time(tmp_path: Path) -> None:
    assert "effective_from" in refusal(tmp_path, "version: v1\neffective_from: 2026-01-01\n")


@pytest.mark.parametrize(
    ("text", "field", "meant"),
    [
        ("verison: v2\n", "verison", "version"),
        ("processes: {p: {observe: []}}\n", "processes.p.observe", "observes"),
        ("processes: {p: {observes: [{sources: x, rules: []}]}}\n", "processes.p.observes.0.sources", "source"),
        ("processes: {p: {targets: {acept_s: {}}}}\n", "processes.p.targets.acept_s", "accept_s"),
        ("processes: {p: {pauses: {reason: []}}}\n", "processes.p.pauses.reason", "reasons"),
        ("processes: {p: {publish: {min_actor: 5}}}\n", "processes.p.publish.min_actor", "min_actors"),
        ("processes: {p: {contact_band: {lo: 1, high: 2}}}\n", "processes.p.contact_band.lo", "low"),
        ("calendars: {c: {zone: UTC, hour: {}}}\n", "calendars.c.hour", "hours"),
        ("processes: {p: {observes: [{source: x, rules: [handoff_acceptence]}]}}\n", "rules", "handoff_acceptance"),
        ("processes: {p: {period: weeks}}\n", "processes.p.period", "week"),
    ],
)
def test_a_misspelt_name_is_named_with_what_was_meant(tmp_path: Path, text: str, field: str, meant: str) -> None:
    message = refusal(tmp_path, HEAD + text)
    assert field in message
    assert f"did you mean `{meant}`" in message


def test_a_field_unlike_any_other_gets_the_list_of_fields(tmp_path: Path) -> None:
    assert "expected one of version, effective_from, aliases" in refusal(tmp_path, HEAD + "qqq: 1\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processes: {p: {settle_s: -1}}\n", "processes.p.settle_s: Input should be greater than or equal to 0"),
        ("processes: {p: {publish: {min_actors: 2}}}\n", "processes.p.publish.min_actors"),
        ("processes: {a/b: {}}\n", "processes.a/b"),
        ("processes: {p: {calendars: {r: nights}}}\n", "unknown calendar 'nights'"),
        ("processes: {p: {contact_band: {low: 3, high: 1}}}\n", "low is above high"),
        ("calendars: {c: {zone: Mars/Base, hours: {mon: ['08:00-09:00']}}}\n", "not an IANA time zone"),
        ("aliases: {a: b, b: c}\n", "itself an alias"),
    ],
)
def test_a_wrong_value_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refusal(tmp_path, HEAD + text)


def test_every_mistake_of_a_document_is_reported_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "verison: v1\nprocesses: {p: {settle_s: -1}}\n")
    assert "version: required" in message
    assert "effective_from: required" in message
    assert "processes.p.settle_s" in message


@pytest.mark.parametrize(
    ("text", "line"),
    [("version: v1\nversion: v2\n", 2), (HEAD + "processes:\n  p: {period: week}\n  p: {period: month}\n", 5)],
)
def test_a_repeated_key_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    message = refusal(tmp_path, text)
    assert "twice" in message
    assert f"line {line}," in message


def test_an_anchor_may_be_merged_and_overridden(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        HEAD + "processes:\n  a: &both {period: week, settle_s: 60}\n  b: {<<: *both, settle_s: 90}\n  c: *both\n"
    )
    book = load_policy_book([file])
    assert [book.newest(name).process.settle_s for name in "abc"] == [60, 90, 60]


def test_yaml_tags_are_never_executed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    message = refusal(tmp_path, f"version: !!python/object/apply:os.mkdir ['{canary}']\n")
    assert "python/object" in message
    assert not canary.exists()


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "- a list\n", "just text\n", "{unclosed\n", "a: &a [*a]\n", "? [1]\n: 2\n", "\0"]
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, text)


def test_a_deeply_nested_file_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path, "version: " + "[" * 5000)


def test_a_document_is_named_by_its_number(tmp_path: Path) -> None:
    assert "document 2" in refusal(tmp_path, f"{HEAD}---\nversion: v2\n")


def test_a_missing_file_or_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"absent\.yaml"):
        load_policy_book([tmp_path / "absent.yaml"])
    with pytest.raises(PolicyError, match="no policy files"):
        load_policy_book([tmp_path])


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"version: caf\xe9\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_policy_book([tmp_path])


def test_versions_must_not_repeat_across_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD)
    (tmp_path / "b.yaml").write_text(HEAD.replace("2026", "2027"))
    with pytest.raises(PolicyError, match="two policies with version 'v1'"):
        load_policy_book([tmp_path])


def test_a_process_keeps_its_period_across_versions(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + "processes: {p: {period: week}}\n")
    (tmp_path / "b.yaml").write_text("version: v2\neffective_from: 2027-01-01T00:00:00Z\nprocesses: {p: {}}\n")
    with pytest.raises(PolicyError, match=r"processes\.p\.period"):
        load_policy_book([tmp_path])


def test_the_demonstration_policy_maps_roles_and_classifies_words() -> None:
    book = load_policy_book([DEMO])
    assert book.newest("incident").role_maps.role("group", "service  desk") == "level-1"
    assert [rule.means for rule in book.newest("ed-to-ward").process.words][:2] == ["request", "question"]
    assert book.newest("incident").process.words == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("role_maps: {groups: {A: a}}", "role_maps.groups: unknown field; did you mean `group`?"),
        ("role_maps: {location: {4 West: 4}}", "role_maps.location.4 West: expected a text; put it in quotes"),
        ("role_maps: {group: {A: x, a: y}}", "role_maps.group: 'a' and another spelling of it have two roles"),
        ("processes: {p: {words: [{any: ['?'], means: questoin}]}}", "words.0.means: Input should be 'question'"),
        ("processes: {p: {words: [{any: ['?'], means: questoin}]}}", "did you mean `question`?"),
        ("processes: {p: {words: [{any: [no], means: refuse}]}}", "words.0.any.0: expected a text; put it in quotes"),
        ("processes: {p: {words: [{any: '?', means: refuse}]}}", "words.0.any: expected a list, such as [a, b]"),
        ("processes: {p: {words: [{some: ['?'], means: refuse}]}}", "words.0.some: unknown field"),
    ],
)
def test_maps_and_words_that_are_wrong_are_explained(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refusal(tmp_path, f"{HEAD}{text}\n")


def test_a_person_in_the_map_of_actors_is_refused_and_not_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"{HEAD}role_maps: {{actor: {{Ann Example: ward}}}}\n")
    assert "role_maps.actor: expected hashes" in said
    assert "Ann" not in said
