"""A mistake in a mapping file is named with file, field, what was expected, and the likely word."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from schemas.errors import ConfigError
from schemas.policy import Policy, PolicyBook
from streams.gateway.log_import import LogImport, parse_mapping, read_mapping
from tests.unit.log_import.logs import CSV, KEY, XES, mapping, written

DEPLOY = Path(__file__).parents[3] / "deploy"


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_mapping(text, "m.yaml")
    return str(caught.value)


def test_shortest_mapping_is_a_role() -> None:
    assert parse_mapping("role: org:group").role.attribute == "org:group"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rol: team", "m.yaml: role: is needed\nm.yaml: rol: unknown field; did you mean 'role'?"),
        ("role: {attribut: x}", "m.yaml: role.attribut: unknown field; did you mean 'attribute'?"),
        ("role: {attribute: x, zzz: 1}", "m.yaml: role.zzz: unknown field; known here: attribute, level, missing"),
        ("role: 3", "m.yaml: role: expected the fields attribute, level, missing"),
        ("role: x\nprocess: no", "m.yaml: process: expected text, found False: put quotes around it"),
        ("role: x\nstates: [{when: {s: 3}, means: working}]", "states.0.when.s.0: expected text, found 3: put quotes"),
        ("role: x\nstates: [{when: {s: a}, means: work}]", "states.0.means.0: expected one of opened, reopened,"),
        ("role: x\nstates: [{when: {s: a}, means: work}]", "found 'work'; did you mean 'working'?"),
        ("role: x\nstates: [{when: {}, means: working}]", "states.0.when: "),
        ("role: x\nstates: [{when: {s: a}, means: paused}]", "states.0: `reason` belongs to `means: paused`"),
        ("role: x\nstates: [{when: {s: a}, means: working, reason: r}]", "states.0: `reason` belongs to"),
        ("role: x\nstates: [{when: {s: a}, means: [working, waiting]}]", "cannot be both waiting and working"),
        ("role: x\nstates: [{when: {s: a}, means: [ignore, closed]}]", "`ignore` stands alone"),
        ("role: x\nstates: {when: {s: a}}", "m.yaml: states: expected a list"),
        ("role: x\notherwise: paused", "`otherwise` cannot pause"),
        ("role: x\ntime: {zone: Mars/Base}", "m.yaml: time.zone: 'Mars/Base' is not an IANA time zone"),
        ("role: x\ntime: {format: '%d/%m/%Y'}", "m.yaml: time: this format has no offset (%z), so `zone` is needed"),
        ("role: x\ntime: {format: '%H:%M', zone: UTC}", "m.yaml: time.format: expected iso, epoch_s, epoch_ms, or"),
        ("role: x\ntime: {format: '%Y-%m-%d %Z'}", "%Z cannot be read reliably"),
        ("role: x\nsite: {}", "m.yaml: site: expected either `value` or `attribute`"),
        ("role: x\ncsv: {delimiter: '||'}", "m.yaml: csv.delimiter: "),
        ("role: x\ncsv: {delimiter: '\"'}", "m.yaml: csv: `delimiter` and `quote` are the same character"),
        ("role: x\ncsv: {encoding: utf-99}", "m.yaml: csv.encoding: 'utf-99' is not a known text encoding"),
        ("role: x\ncsv: {encoding: base64}", "'base64' is not a known text encoding"),
        ("role: x\nsource: a#b", "m.yaml: source: "),
        ("role: x\nrole: y", "m.yaml: line 2, column 1: not valid YAML: the key 'role' stands twice"),
        ("role: [", "m.yaml: line 1, column 8: not valid YAML"),
        ("format: csv\nrole: x", "a CSV log needs `work_item`"),
        ("- role", "m.yaml: expected fields such as `process:` and `role:`"),
        ("", "m.yaml: expected fields"),
        ("role: !!python/object:os.system x", "not valid YAML"),
        (f"role: 0x{'f' * 5000}", "m.yaml: role: expected the fields attribute, level, missing"),
        (f"role: x\nprocess: 0x{'f' * 5000}", "m.yaml: process: expected text, found a number without end"),
        ("? [role]\n: x", "not valid YAML: a field's name is a text"),
        ("role: &a {attribute: x}\nactor: {<<: *a}", "line 2, column 9: not valid YAML: `<<` is not for mappings"),
    ],
)
def test_mistakes_are_explained(text: str, said: str) -> None:
    assert said in complaint(text)


def test_aliases_of_aliases_are_no_mapping() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "more than 20000 fields and values" in complaint("\n".join(["a0: &a0 [x]", *levels, "role: *a11"]))


def test_unreadable_files_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_mapping(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_mapping(written(tmp_path, b"role: \xff", "m.yaml"))
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        read_mapping(written(tmp_path, "#" * 1_100_000, "m.yaml"))


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (XES, {}, "needs `work_item`"),
        (CSV, {"role": {"attribute": "team", "level": "trace"}}, "`role.level: trace` is for XES"),
        (CSV, {"process": None}, "names no `process`"),
        (CSV, {"process": "日" * 64}, "too long to make a source of"),
    ],
)
def test_mapping_that_does_not_fit_the_log_is_refused_before_reading(
    tmp_path: Path, text: str, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        LogImport(written(tmp_path, "", "log.csv"), mapping(text, **changes), actor_key=KEY)


def test_log_needs_what_its_mapping_needs(tmp_path: Path) -> None:
    path = written(tmp_path, "", "log.csv")
    with pytest.raises(ConfigError, match="actor key is needed"):
        LogImport(path, mapping(CSV))
    with pytest.raises(ConfigError, match="needs a mapping file"):
        LogImport(path, None)
    with pytest.raises(ConfigError, match="1 to 64 characters"):
        LogImport(path, mapping(CSV), process="a/b", actor_key=KEY)
    with pytest.raises(ConfigError, match="does not tell the format"):
        LogImport(written(tmp_path, "", "log.txt"), mapping(CSV), actor_key=KEY)
    with pytest.raises(ConfigError, match="cannot be read"):
        LogImport(tmp_path / "none.csv", mapping(CSV), actor_key=KEY)
    with pytest.raises(ConfigError, match="the log is XES"):
        LogImport(written(tmp_path, "", "log.xes"), mapping(CSV, csv={}), actor_key=KEY)


def test_format_of_the_mapping_wins_over_the_ending(tmp_path: Path) -> None:
    assert LogImport(written(tmp_path, "", "log.txt"), mapping(CSV, format="csv"), actor_key=KEY).format == "csv"


def test_mapping_of_json_payloads_is_no_mapping_of_a_log() -> None:
    assert "m.yaml: format: this mapping is for JSON payloads" in complaint("format: json\nrole: x")


LOG_MAPPINGS = [path for path in sorted((DEPLOY / "mappings").glob("*.yaml")) if "format: json" not in path.read_text()]


@pytest.mark.parametrize("path", LOG_MAPPINGS, ids=lambda path: path.name)
def test_example_mappings_are_valid(path: Path) -> None:
    assert read_mapping(path).process == path.stem


@pytest.mark.parametrize("name", ["volvo-problems", "permit-receipt", "helpdesk"])
def test_example_policies_are_valid_and_about_the_mapped_source(name: str) -> None:
    policy = Policy.model_validate(yaml.safe_load((DEPLOY / "policies" / f"{name}.yaml").read_text("utf-8")))
    part = PolicyBook((policy,)).newest(name).process
    assert part == policy.processes[name]
    observed = {"handoff_acceptance", "handoff_advanced"} if name == "volvo-problems" else set()
    source = f"urn:tieline:import:{name}"
    assert {rule for entry in part.observes for rule in entry.rules if part.observes_rule(rule, source)} == observed
